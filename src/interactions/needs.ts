/**
 * What a search needs to know from the store before it can be planned to its end: the codes of value sets, code hierarchies, and
 * hierarchies of resources. https://hl7.org/fhir/R4/search.html#token, https://hl7.org/fhir/R4/search.html#reference
 */

import { definitionOf } from '../conformance/canonical.ts'
import { searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { codesOf } from '../fhir/definitions/value-sets.ts'
import { fhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { type CodeSystem, closure, readCodeSystem } from '../fhir/terminology/code-system.ts'
import { type Coded, type Definitions, EXPAND_LIMITS, expandValueSet } from '../fhir/terminology/expand.ts'
import { shown } from '../fhir/terminology/filter.ts'
import type { Known, Need } from '../search/ask.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { Node, ParamName } from '../search/plan-node.ts'
import { idOf, keyOf } from '../storage/port.ts'
import { indexRowsOfText } from './indexer.ts'
import { readEach } from './read-each.ts'

/** Resources in a hierarchy, and its levels. */
const MOST_RESOURCES = 10_000
const MOST_LEVELS = 100

/** Ids asked for in one search, and resources on one of its pages. */
const IDS_AT_ONCE = 100
const PAGE = 1000

/**
 * Returns what is known of the need; `unknown` is a sentence that says why it cannot be told, and how to mend it.
 *
 * Throws `too-costly` (503) where that is not known at the deadline, ms since 1970.
 */
export async function lookUp(
  ctx: Context,
  need: Need,
  deadline = ctx.clock() + ctx.settings.limits.searchMs,
): Promise<Known> {
  switch (need.is) {
    case 'value-set': {
      const expansion = await expandValueSet(need.url, definitionsOf(ctx, deadline))
      if ('unknown' in expansion) return expansion
      return { codes: expansion.codes.map(({ system, code }) => ({ system, code })) }
    }
    case 'codes':
      return codesAround(ctx, need, deadline)
    case 'resources':
      return resourcesAround(ctx, need, deadline)
  }
}

/** Returns what fetches ValueSets and CodeSystems of this server; the value sets of R4's own bindings are there without being stored. */
function definitionsOf(ctx: Context, deadline: number): Definitions {
  const systems = new Map<string, CodeSystem | undefined>()
  return {
    async valueSet(canonical) {
      checkTime(ctx, deadline)
      return (await definitionOf(ctx, 'ValueSet', canonical, deadline)) ?? builtIn(canonical)
    },
    async codeSystem(canonical) {
      if (!systems.has(canonical)) {
        checkTime(ctx, deadline)
        const found = await definitionOf(ctx, 'CodeSystem', canonical, deadline)
        systems.set(canonical, found && systemOf(found))
      }
      return systems.get(canonical)
    },
  }
}

/** The graph of a CodeSystem is as long in the making as its tree, and kept as long as that. */
const graphs = new WeakMap<Resource, CodeSystem>()

function systemOf(resource: Resource): CodeSystem {
  const known = graphs.get(resource) ?? readCodeSystem(resource)
  graphs.set(resource, known)
  return known
}

const R4 = '4.0.1'

function builtIn(canonical: string): Coded[] | undefined {
  const [url = '', version = R4] = canonical.split('|')
  const codes = version === R4 ? codesOf(url) : undefined
  return codes && [...codes].flatMap(([system, list]) => [...list].map(code => ({ system, code })))
}

/** Each search may end in time, and yet all of them together take for ever. */
function checkTime(ctx: Context, deadline: number): void {
  if (ctx.clock() > deadline)
    throw fhirError('too-costly', 'Looking up the value sets and hierarchies of the search takes too long.', {
      status: 503,
    })
}

async function codesAround(
  ctx: Context,
  need: Extract<Need, { is: 'codes' }>,
  deadline: number,
): Promise<Known> {
  const { system, code, way } = need
  const unknown = (why: string): Known => ({
    unknown: `What is ${way} ${shown(code)} cannot be told: ${why}.`,
  })
  const found = await definitionsOf(ctx, deadline).codeSystem(system)
  if (found === undefined)
    return unknown(`this server has no CodeSystem ${shown(system)}; store it here with all its concepts`)
  if (found.content !== 'complete')
    return unknown(
      `the CodeSystem ${shown(system)} on this server is not complete (content is ${shown(found.content)}); store it with all its concepts`,
    )
  if (!found.concepts.has(code)) return unknown(`the CodeSystem ${shown(system)} has no such code`)
  const codes = closure(found, code, way)
  if (codes.size > EXPAND_LIMITS.codes) return unknown(`there are more than ${EXPAND_LIMITS.codes} codes`)
  return { codes: [...codes].map(one => ({ system: found.url || system, code: one })) }
}

async function resourcesAround(
  ctx: Context,
  need: Extract<Need, { is: 'resources' }>,
  deadline: number,
): Promise<Known> {
  const { type, id, way } = need
  const params = ctx.registry.params(type).find(param => param.name === need.param)?.rows ?? [need.param]
  const step = way === 'below' ? idsBelow : idsAbove
  const found = new Set([id])
  let level = [id]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MOST_LEVELS)
      return { unknown: `The hierarchy of ${type}/${id} has more than ${MOST_LEVELS} levels.` }
    const next: string[] = []
    for (let at = 0; at < level.length; at += IDS_AT_ONCE)
      for await (const one of step(ctx, type, params, level.slice(at, at + IDS_AT_ONCE), deadline)) {
        if (found.has(one)) continue
        found.add(one)
        next.push(one)
        if (found.size > MOST_RESOURCES)
          return {
            unknown: `There are more than ${MOST_RESOURCES} resources ${way} ${type}/${id}; ask for one of them.`,
          }
      }
    level = next
  }
  return { ids: [...found] }
}

/** Yields the ids of the resources that refer to one of these. */
async function* idsBelow(
  ctx: Context,
  type: string,
  params: readonly ParamName[],
  ids: readonly string[],
  deadline: number,
) {
  const nodes = params.flatMap(param => ids.map((id): Node => ({ kind: 'reference', param, type, id })))
  const where: Node = { kind: 'or', nodes }
  const plan = { types: [type], where, sort: [], fingerprint: fingerprintOf([type], where, []) }
  checkTime(ctx, deadline)
  for await (const { rows, more } of searchPages(ctx, plan, { limit: PAGE, deadline })) {
    for (const row of rows) yield idOf(row.key)
    if (more) checkTime(ctx, deadline)
  }
}

/** Yields the ids of the resources that one of these refers to. */
async function* idsAbove(
  ctx: Context,
  type: string,
  params: readonly ParamName[],
  ids: readonly string[],
  deadline: number,
) {
  checkTime(ctx, deadline)
  for await (const { text } of readEach(
    ctx,
    ids.map(id => keyOf(type, id)),
  ))
    for (const row of indexRowsOfText(ctx, text))
      if (row.kind === 'reference' && row.type === type && params.includes(row.param)) yield row.id
}
