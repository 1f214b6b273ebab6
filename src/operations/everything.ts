/**
 * `$everything` of a patient, of all patients, and of an encounter.
 * https://hl7.org/fhir/R4/patient-operation-everything.html, https://hl7.org/fhir/R4/encounter-operation-everything.html
 */
import type { Context } from '../context.ts'
import { type BundleEntry, type BundleLink, bundleText } from '../fhir/bundle.ts'
import { fhirError, type Issue } from '../fhir/error.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { openPlace, sealPlace } from '../interactions/cursors.ts'
import { linkOf } from '../interactions/paging.ts'
import { type Live, stampText } from '../storage/port.ts'
import { type Answer, type Call, type Operation, pathOf } from './operation.ts'
import { type Asked, askedOf } from './record.ts'
import { type From, pageOf, type RecordPage } from './record-page.ts'
import { sentKeys } from './sent-keys.ts'
import { type Supports, supportsOf } from './supports.ts'

const NAME = 'everything'
const PERIOD: Operation['parameters'] = [
  { name: 'start', type: 'date', min: 0, max: 1 },
  { name: 'end', type: 'date', min: 0, max: 1 },
]
const COMMON: Operation['parameters'] = [
  { name: '_since', type: 'instant', min: 0, max: 1 },
  { name: '_type', type: 'code', min: 0, max: '*' },
  { name: '_count', type: 'integer', min: 0, max: 1 },
]

export const patientEverything: Operation = {
  name: NAME,
  definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
  types: ['Patient'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: [...PERIOD, ...COMMON],
  pages: true,
  run: everything,
}

export const encounterEverything: Operation = {
  name: NAME,
  definition: 'http://hl7.org/fhir/OperationDefinition/Encounter-everything',
  types: ['Encounter'],
  levels: ['instance'],
  affectsState: false,
  parameters: COMMON,
  pages: true,
  run: everything,
}

/**
 * Returns a page of the record: the resource that was asked about first, then what is in its compartment in the order in which it was
 * created, and with each page what that refers to and no page before had, as far as the cursor remembers.
 */
async function everything(ctx: Context, call: Call): Promise<Answer> {
  const asked = await askedOf(ctx, call)
  const from = await placeOf(ctx, asked, call.cursor)
  const sent = sentKeys(from?.sent ?? '')
  const { page, supports } = await withSupports(ctx, asked, from)
  const includes = supports.rows.filter(row => asked.shows(row) && !sent.has(row.key))
  for (const row of includes) sent.add(row.key)

  const path = pathOf(call, NAME)
  const links: BundleLink[] = [
    linkOf(
      ctx,
      'self',
      path,
      call.cursor === undefined ? call.pairs : [...call.pairs, ['_cursor', call.cursor]],
    ),
  ]
  if (page.next !== undefined) {
    const place = { way: 'after' as const, cursor: [sent.text(), ...page.next] }
    links.push(
      linkOf(ctx, 'next', path, [...call.pairs, ['_cursor', await sealPlace(ctx, asked.binding, place)]]),
    )
  }
  const whole = from === undefined && page.next === undefined
  return {
    text: bundleText({
      type: 'searchset',
      lastUpdated: stampText(ctx.clock()),
      ...(whole ? { total: page.matches.length } : {}),
      links,
      entries: [
        ...page.matches.map(row => entryOf(ctx, row, 'match')),
        ...includes.map(row => entryOf(ctx, row, 'include')),
        ...(supports.left > 0 ? [leftOut(supports.left)] : []),
      ],
    }),
  }
}

/** Returns a page that comes with all that it refers to: a shorter one where that is too much for one answer. */
async function withSupports(
  ctx: Context,
  asked: Asked,
  from: From | undefined,
): Promise<{ page: RecordPage; supports: Supports }> {
  const { body, includes } = ctx.settings.limits
  for (let most = Number.POSITIVE_INFINITY; ; ) {
    const page = await pageOf(ctx, asked, from, most)
    if (!asked.bringsSupports) return { page, supports: { rows: [], left: 0 } }
    const { isMember, patients } = asked
    const supports = await supportsOf(ctx, page.walked, {
      root: asked.root?.key,
      isMember,
      patients,
      most: includes,
      bytes: body * 2,
    })
    if (supports.left === 0 || page.walked.length <= 1) return { page, supports }
    most = Math.floor(page.walked.length / 2)
  }
}

async function placeOf(ctx: Context, asked: Asked, text: string | undefined): Promise<From | undefined> {
  if (text === undefined) return undefined
  const { cursor, way } = await openPlace(ctx, asked.binding, text)
  const [sent, ...after] = cursor
  if (typeof sent !== 'string' || way !== 'after')
    throw fhirError('invalid', 'This _cursor is of another operation.', { expression: 'http._cursor' })
  return { sent, after: after.length === 0 ? undefined : after }
}

const entryOf = (ctx: Context, row: Live, mode: 'match' | 'include'): BundleEntry => ({
  fullUrl: `${ctx.settings.baseUrl}/${row.key}`,
  resource: row.text,
  search: { mode },
})

function leftOut(left: number): BundleEntry {
  const issue: Issue = {
    severity: 'warning',
    code: 'incomplete',
    diagnostics: `${left} references of this resource were not followed: they are too many, or too large, for one answer.`,
  }
  return { resource: outcomeText([issue]), search: { mode: 'outcome' } }
}
