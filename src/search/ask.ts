/** What the planners of the parameter types share: the question at hand, its refusals and small nodes. */
import { FhirError, fhirError, type IssueCode } from '../fhir/error.ts'
import { type Criterion, shown } from './parse.ts'
import type { Node, ParamName } from './plan-node.ts'
import type { SearchParam, SearchRegistry } from './registry.ts'

/** What planning depends on. */
export interface PlanContext {
  registry: SearchRegistry
  /** IANA name of the zone in which dates without one are read. */
  zone: string
  /** Our own, without a slash at the end. */
  baseUrl: string
  /** ms since 1970: what `ap` measures the distance of dates from. */
  now: number
  /** Whether words are indexed, for `_text` and `_content`; absent: not. */
  fullText?: 'on' | 'off'
  /** Returns what is known of a need; undefined where it was not looked up yet. Absent: nothing can be looked up. */
  known?(need: Need): Known | undefined
}

/** What a value means that only the store can tell; it is looked up before the search is planned to its end. */
export type Need =
  /** The codes of a value set, for `:in` and `:not-in`. */
  | { is: 'value-set'; url: string }
  /** A code and all that are above or below it in its code system. */
  | { is: 'codes'; system: string; code: string; way: 'above' | 'below' }
  /** A resource and all that are above or below it by a reference of its type to itself, such as Location.partof. */
  | { is: 'resources'; type: string; id: string; param: ParamName; way: 'above' | 'below' }

export type Known =
  | { codes: readonly { system: string; code: string }[] }
  /** Logical ids. */
  | { ids: readonly string[] }
  /** It cannot be told: the sentence says why, and how to mend it. */
  | { unknown: string }

/** Thrown by planning where a need is not known yet: who plans looks it up and plans again. */
export class Unresolved extends Error {
  readonly need: Need
  constructor(need: Need) {
    super(`needs ${need.is}`)
    this.need = need
  }
}

/** One value asked of one parameter of one resource type. */
export interface Ask {
  param: SearchParam
  criterion: Criterion
  /** One of the criterion's values, escapes left in. */
  value: string
  context: PlanContext
}

/** Returns the node that a value means. Throws `invalid` for one that the parameter does not take. */
export type Planner = (ask: Ask) => Node

/** A parameter or modifier that is not known or not supported: what `lenient` leaves out. */
export class Unsupported extends FhirError {}

/** Returns the refusal of a criterion. */
export const refusal = (
  criterion: Pick<Criterion, 'name'>,
  diagnostics: string,
  code: IssueCode = 'invalid',
): FhirError => fhirError(code, diagnostics, { expression: `http.${shown(criterion.name)}`, status: 400 })

/** Returns the refusal of what the server does not know or do. */
export const unsupported = (criterion: Pick<Criterion, 'name'>, diagnostics: string): Unsupported =>
  new Unsupported(
    'not-supported',
    [{ severity: 'error', code: 'not-supported', diagnostics, expression: `http.${shown(criterion.name)}` }],
    { status: 400 },
  )

/** Returns a node that holds when one of these does. */
export const anyOf = (nodes: readonly Node[]): Node =>
  nodes.length === 1 ? nodes[0]! : { kind: 'or', nodes }

/** Returns a node that holds when all of these do. */
export const allOf = (nodes: readonly Node[]): Node =>
  nodes.length === 1 ? nodes[0]! : { kind: 'and', nodes }

const PREFIX = /^(?:([a-z]{2})(?=[0-9+-]))?(.*)$/s
export const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const

/** Returns the prefix of an ordered value, `eq` where it has none, and the rest. Throws `invalid` for an unknown prefix. */
export function splitPrefix({ criterion, value }: Ask): [prefix: string, rest: string] {
  const [, prefix = 'eq', rest] = PREFIX.exec(value)!
  if (!(PREFIXES as readonly string[]).includes(prefix))
    throw refusal(criterion, `"${prefix}" is not a prefix; there are ${PREFIXES.join(', ')}.`)
  return [prefix, rest!]
}
