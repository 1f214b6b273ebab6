/**
 * Where the one terminology service finds code systems, value sets and concept maps. The order is the same for all of them: the store
 * (packages are in it), the definitions that are there at start, releases of large systems, grammars, and last another server.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import { type DefinitionType, definitionOf } from '../conformance/canonical.ts'
import type { Context } from '../context.ts'
import { builtInDefinition } from '../fhir/definitions/terminology.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import type { AskedSystem } from '../fhir/terminology/asked-system.ts'
import { type CodeSystem, readCodeSystem } from '../fhir/terminology/code-system.ts'
import type { Definitions } from '../fhir/terminology/expand-work.ts'
import { grammarSystem } from '../fhir/terminology/grammar-systems.ts'
import { implicitValueSet } from '../fhir/terminology/implicit.ts'
import { askCodes, askVerdict } from './elsewhere.ts'
import { largeSystem } from './large.ts'
import { type Remote, remoteOf } from './remote.ts'

/** What the service knows, for the time of one question. */
export interface Held extends Definitions {
  valueSet(canonical: string): Promise<Resource | undefined>
  /** Returns a CodeSystem resource, whatever its content. */
  resource(type: DefinitionType, canonical: string): Promise<Resource | undefined>
  askedSystem(canonical: string): Promise<AskedSystem | undefined>
  /** The server that is asked last, where one is set. */
  remote: Remote | undefined
}

/** Definitions that came with the question, and are found before all others. */
export type Sent = readonly Resource[]

/** Returns what fetches definitions. Its functions throw `too-costly` (503) after the deadline, ms since 1970. */
export function definitionsOf(ctx: Context, deadline: number, sent: Sent = []): Held {
  const found = new Map<string, Promise<Resource | undefined>>()
  const asked = new Map<string, Promise<AskedSystem | undefined>>()
  const resource = (type: DefinitionType, canonical: string): Promise<Resource | undefined> => {
    const key = `${type} ${canonical}`
    const known = found.get(key) ?? resolve(ctx, type, canonical, deadline, sent)
    found.set(key, known)
    return known
  }
  const remote = remoteOf(ctx, deadline)
  return {
    resource,
    remote,
    ...(remote && {
      elsewhere: question => askVerdict(remote, question),
      listElsewhere: (what, words) => askCodes(remote, what, words),
    }),
    valueSet: async canonical => (await resource('ValueSet', canonical)) ?? implicitValueSet(canonical),
    async codeSystem(canonical) {
      const system = await resource('CodeSystem', canonical)
      return system && graphOf(system)
    },
    askedSystem(canonical) {
      const known = asked.get(canonical) ?? askedSystemOf(ctx, canonical, deadline)
      asked.set(canonical, known)
      return known
    },
  }
}

async function askedSystemOf(ctx: Context, canonical: string, deadline: number) {
  checkTime(ctx, deadline)
  return (await largeSystem(ctx, canonical)) ?? grammarSystem(canonical)
}

async function resolve(
  ctx: Context,
  type: DefinitionType,
  canonical: string,
  deadline: number,
  sent: Sent,
): Promise<Resource | undefined> {
  checkTime(ctx, deadline)
  const own = sent.find(one => one.resourceType === type && isNamed(one, canonical))
  if (own !== undefined) return own
  const stored = await definitionOf(ctx, type, canonical, deadline)
  if (stored !== undefined && isWhole(stored)) return stored
  // A CodeSystem with some of its concepts, or none, hides none that has all of them.
  const builtIn = await builtInDefinition(type, canonical)
  if (stored === undefined || (builtIn !== undefined && (isWhole(builtIn) || isEmpty(stored)))) return builtIn
  return stored
}

const isWhole = ({ resourceType, content }: Resource): boolean =>
  resourceType !== 'CodeSystem' || content === 'complete'
const isEmpty = ({ content }: Resource): boolean => content === 'not-present' || content === 'supplement'

function isNamed({ url, version }: Resource, canonical: string): boolean {
  const bar = canonical.lastIndexOf('|')
  if (bar < 0) return url === canonical
  return url === canonical.slice(0, bar) && version === canonical.slice(bar + 1)
}

/** The graph of a CodeSystem is as long in the making as its tree, and kept as long as that. */
const graphs = new WeakMap<Resource, CodeSystem>()

export function graphOf(resource: Resource): CodeSystem {
  const known = graphs.get(resource) ?? readCodeSystem(resource)
  graphs.set(resource, known)
  return known
}

/** Each search may end in time, and yet all of them together take for ever. */
export function checkTime(ctx: Context, deadline: number): void {
  if (ctx.clock() > deadline)
    throw fhirError('too-costly', 'Looking up value sets and code systems takes too long.', { status: 503 })
}
