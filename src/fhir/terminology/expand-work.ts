/**
 * What the working out of a value set shares: where definitions come from, what has been done, and the bounds of it.
 * https://hl7.org/fhir/R4/valueset.html#compositions
 */
import type { JsonObject, Resource } from '../json.ts'
import type { AskedSystem } from './asked-system.ts'
import type { CodeSystem, Concept } from './code-system.ts'
import type { AskedCode, Verdict } from './member.ts'
import { NotListed } from './not-listed.ts'

/** A code as an expansion lists it. */
export interface Coded {
  /** '' where there is none. */
  system: string
  code: string
  version?: string
  display?: string
  /** Its concept, where the code system was looked at. */
  concept?: Concept
  /** Its entry in the include of a compose that lists it, or in an expansion: designations stand there. */
  entry?: JsonObject
}

/** Where definitions come from; `canonical` is `url`, or `url|version`. */
export interface Definitions {
  /** Returns a ValueSet resource, or codes that are known without one; undefined where there is neither. */
  valueSet(canonical: string): Promise<Resource | readonly Coded[] | undefined>
  codeSystem(canonical: string): Promise<CodeSystem | undefined>
  /** Returns a code system that is asked code by code. */
  askedSystem?(canonical: string): Promise<AskedSystem | undefined>
  /** Returns what another server says of a code; undefined where it cannot tell. */
  elsewhere?(question: Elsewhere): Promise<Verdict | undefined>
  /** Returns the codes that another server has for a value set, or for an include; `text` narrows them. */
  listElsewhere?(
    what: { valueSet: string } | { include: JsonObject },
    text: string | undefined,
  ): Promise<readonly Coded[] | undefined>
}

/** A question about one code: of a value set by its canonical, or of one include of a compose. */
export type Elsewhere = AskedCode & ({ valueSet: string } | { include: JsonObject })

export interface ExpandLimits {
  codes: number
  /** Value sets within value sets. */
  depth: number
  /** Value sets and code systems that are fetched. */
  definitions: number
  /** Looks at a code, a value or a character of it; some 100 ns each. */
  steps: number
}

export const EXPAND_LIMITS: ExpandLimits = { codes: 10_000, depth: 16, definitions: 200, steps: 10_000_000 }

export interface ExpandOptions {
  /** Returns the version of a system that is taken, where the include says `own`, or none. May throw. */
  version?(system: string, own: string | undefined): string | undefined
  /** Words that loaded releases and other servers are asked with; codes that lack them may come all the same. */
  text?: string
  /** Code systems of which a part is held stand for what they have. */
  parts?: boolean
}

export type Codes = Map<string, Coded>

export interface Work {
  definitions: Definitions
  limits: ExpandLimits
  options: ExpandOptions
  used: Set<string>
  partial: Set<string>
  fetched: number
  steps: number
  /** Value sets that are worked out. */
  done: Map<string, Codes>
}

export const keyOfCode = (system: string, code: string): string => `${system}|${code}`

/** Adds a code. Throws NotListed where there are too many. */
export function put(codes: Codes, one: Coded, work: Pick<Work, 'limits'>): void {
  codes.set(keyOfCode(one.system, one.code), one)
  checkSize(codes, work)
}

export const coded = (
  system: string,
  version: string | undefined,
  code: string,
  display: string | undefined,
  from: Pick<Coded, 'concept' | 'entry'>,
): Coded => ({
  system,
  code,
  ...(version !== undefined && { version }),
  ...(display !== undefined && { display }),
  ...(from.concept !== undefined && { concept: from.concept }),
  ...(from.entry !== undefined && { entry: from.entry }),
})

export async function fetchSystem(canonical: string, work: Work) {
  spend(work)
  return work.definitions.codeSystem(canonical)
}

export function checkSize(codes: Codes, { limits }: Pick<Work, 'limits'>): void {
  if (codes.size > limits.codes) throw tooMany(limits)
}

export const tooMany = ({ codes }: ExpandLimits) =>
  new NotListed(`it has more than ${codes} codes`, 'too-costly')

export function spend(work: Work): void {
  if (++work.fetched > work.limits.definitions)
    throw new NotListed(
      `it is made of more than ${work.limits.definitions} value sets and code systems`,
      'too-costly',
    )
}

/** What is worked out at once keeps the server from everything else. */
export function toil(work: Work, steps: number): void {
  work.steps += steps
  if (work.steps > work.limits.steps)
    throw new NotListed(
      'its filters and includes are too much work for the size of the code systems',
      'too-costly',
    )
}
