/**
 * What a search needs to know from the store before it can be planned to its end: the codes of value sets, code hierarchies, and
 * hierarchies of resources. https://hl7.org/fhir/R4/search.html#token, https://hl7.org/fhir/R4/search.html#reference
 */

import { searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { expandValueSet } from '../fhir/terminology/expand.ts'
import { shown } from '../fhir/terminology/filter.ts'
import type { Known, Need } from '../search/ask.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { Node, ParamName } from '../search/plan-node.ts'
import { idOf, keyOf } from '../storage/port.ts'
import { codesNear, inAnyCase } from '../terminology/codes-near.ts'
import { definitionsOf } from '../terminology/definitions.ts'
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
      const held = definitionsOf(ctx, deadline)
      const expansion = await expandValueSet(need.url, held)
      if ('unknown' in expansion) return { unknown: expansion.unknown }
      return { codes: await inAnyCase(held, expansion.codes) }
    }
    case 'codes':
      return codesAround(ctx, need, deadline)
    case 'resources':
      return resourcesAround(ctx, need, deadline)
  }
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
  const held = definitionsOf(ctx, deadline)
  const found = await codesNear(held, need)
  if ('codes' in found) return { codes: await inAnyCase(held, found.codes) }
  return { unknown: `What is ${need.way} ${shown(need.code)} cannot be told: ${found.unknown}.` }
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
