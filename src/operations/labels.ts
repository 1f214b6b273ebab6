/**
 * The profiles, tags and security labels in use, on a type or the whole system.
 * https://hl7.org/fhir/R4/resource-operation-meta.html
 */

import { searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJson, type Resource } from '../fhir/json.ts'
import { anyOf } from '../search/ask.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import { LABEL_SETS } from './meta-labels.ts'

/** Resources that are looked at; more would take too long to answer at once, and R4 lets a server refuse. */
const MOST = 10_000
const PAGE = 500
const LABELS = ['_profile', '_security', '_tag']

/**
 * Returns a Meta with all that are in use. `type` '' asks for the whole system.
 *
 * Throws `too-costly` (400) where more resources have labels than are looked at, or when time runs out.
 */
export async function labelsInUse(ctx: Context, type: string): Promise<JsonObject> {
  const where = anyOf(
    LABELS.flatMap(code =>
      (ctx.registry.param('Resource', code)?.rows ?? []).map(param => ({ kind: 'present' as const, param })),
    ),
  )
  const types = type === '' ? [] : [type]
  const plan = { types, where, sort: [], fingerprint: fingerprintOf(types, where, []) }
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const all = new Map(Object.keys(LABEL_SETS).map(name => [name, new Map<string, Json>()]))
  let seen = 0
  for await (const { rows, more } of searchPages(ctx, plan, { limit: PAGE, deadline })) {
    seen += rows.length
    for (const { text } of rows) {
      const { meta } = parseJson(text, Number.POSITIVE_INFINITY) as Resource
      if (isObject(meta)) gather(all, meta)
    }
    if (more && (seen >= MOST || ctx.clock() > deadline)) throw tooMany(type)
  }
  return Object.fromEntries(
    [...all].flatMap(([name, values]) => (values.size > 0 ? [[name, [...values.values()]]] : [])),
  )
}

function gather(all: ReadonlyMap<string, Map<string, Json>>, meta: JsonObject): void {
  for (const [name, found] of all) {
    const values = meta[name]
    if (!Array.isArray(values)) continue
    for (const value of values) {
      const identity = LABEL_SETS[name]!(value)
      if (!found.has(identity)) found.set(identity, value)
    }
  }
}

const tooMany = (type: string) =>
  fhirError(
    'too-costly',
    `${type === '' ? 'On this server' : `Of type ${type}`} more than ${MOST} resources have labels, or it takes too long to look at them: ask ${
      type === '' ? 'for a type' : 'for single resources'
    }.`,
    { status: 400 },
  )
