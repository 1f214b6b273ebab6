/**
 * `Appointment/$find`: appointments that could be.
 * https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
 */
import type { Context } from '../context.ts'
import { bundleText } from '../fhir/bundle.ts'
import { fhirError, type Issue } from '../fhir/error.ts'
import { timeRange, zonedText } from '../fhir/instant.ts'
import { type Json, type JsonObject, NumberText, type Resource, writeJson } from '../fhir/json.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { object, text } from '../fhir/tree.ts'
import { openPlace, sealPlace } from '../interactions/cursors.ts'
import { countOf, linkOf } from '../interactions/paging.ts'
import type { Pairs } from '../interactions/written.ts'
import { isDecimal } from '../lib/decimal.ts'
import { derivedId } from '../lib/derived-id.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { type FindRequest, type FreeSlot, freeSlots, MOST_DAYS } from '../scheduling/find.ts'
import { searched } from '../scheduling/live-resources.ts'
import { proposalOf } from '../scheduling/proposal.ts'
import { keysOf } from '../search/busy.ts'
import { type Key, stampText, typeOf } from '../storage/port.ts'
import { type Answer, type Call, type InParameter, type Operation, pathOf, textOf } from './operation.ts'

/** What names resources, and of which types. */
const REFERENCES = {
  practitioner: ['Practitioner', 'PractitionerRole'],
  organization: ['Organization'],
  'location-reference': ['Location'],
  'patient-reference': ['Patient'],
  'healthcare-service': ['HealthcareService'],
} as const

/** What ITI-115 has besides, and is no part of how places are chosen here. */
const UNUSED = ['patient-resource', 'reason', 'referral-identifier', 'timing', 'insurance-reference'] as const

const many = (name: string, type: InParameter['type']): InParameter => ({ name, type, min: 0, max: '*' })
const one = (name: string, type: InParameter['type']): InParameter => ({ name, type, min: 0, max: 1 })

export const find: Operation = {
  name: 'find',
  definition: 'urn:nadi:operation:appointment-find',
  types: ['Appointment'],
  levels: ['type'],
  affectsState: false,
  parameters: [
    { name: 'start', type: 'dateTime', min: 1, max: 1 },
    { name: 'end', type: 'dateTime', min: 1, max: 1 },
    many('specialty', 'string'),
    many('visit-type', 'string'),
    ...Object.keys(REFERENCES).map((name): InParameter => ({ ...many(name, 'Reference'), asText: true })),
    many('location-string', 'string'),
    { ...many('patient-resource', 'Resource'), resourceTypes: ['Patient'] },
    many('reason', 'string'),
    one('referral-identifier', 'Identifier'),
    one('timing', 'Timing'),
    { ...one('insurance-reference', 'Reference'), asText: true },
    many('near', 'string'),
    one('max-fee', 'string'),
    one('_count', 'integer'),
  ],
  pages: true,
  run,
}

/** Values of one parameter: each may be a search of its own. */
const MOST_VALUES = 50

/**
 * Returns a searchset of proposed Appointments, soonest first, with the number of all; of those only `_count`, and a link to the next.
 *
 * Throws `invalid` for times that are none and for references to other servers; as `freeSlots` does.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  for (const [name, values] of [...call.texts, ...call.trees])
    if (values.length > MOST_VALUES)
      throw fhirError('too-costly', `${name} stands at most ${MOST_VALUES} times.`, {
        status: 400,
        expression: `http.${name}`,
      })
  const request = await requestOf(ctx, call)
  const pairs = pairsOf(request, call)
  const binding = `find ${await derivedId(...pairs.flat())}`
  const after = call.cursor === undefined ? undefined : await startOf(ctx, binding, call.cursor)
  const all = isNobody(call, request) ? [] : await freeSlots(ctx, request)
  const rest = after === undefined ? all : all.filter(slot => isAfter(slot, after))
  const page = rest.slice(0, countOf(ctx, textOf(call, '_count')))

  const path = pathOf(call, 'find')
  const withCount: Pairs = [...pairs, ...call.pairs.filter(([name]) => name === '_count')]
  const at = (cursor: string): Pairs => [...withCount, ['_cursor', cursor]]
  const links = [linkOf(ctx, 'self', path, call.cursor === undefined ? withCount : at(call.cursor))]
  const last = page.at(-1)
  if (last !== undefined && rest.length > page.length) {
    const place = { way: 'after' as const, cursor: [last.start, last.candidate.rank, last.key] }
    links.push(linkOf(ctx, 'next', path, at(await sealPlace(ctx, binding, place))))
  }
  const unused = UNUSED.filter(name => call.texts.has(name) || call.trees.has(name))
  const resources = page.map(slot => proposed(ctx, slot, request))
  return {
    text: bundleText({
      type: 'searchset',
      lastUpdated: stampText(ctx.clock()),
      total: all.length,
      links,
      entries: [
        ...resources.map(resource => ({
          fullUrl: `${ctx.settings.baseUrl}/Appointment/${String(resource.id)}`,
          resource: writeJson(resource),
          search: { mode: 'match' as const },
        })),
        ...(unused.length === 0
          ? []
          : [{ resource: outcomeText(unused.map(unusedIssue)), search: { mode: 'outcome' as const } }]),
      ],
    }),
  }
}

/** Whether somebody or something was asked for by an identifier that is not known here. */
const isNobody = (call: Call, request: FindRequest): boolean =>
  (
    [
      ['practitioner', request.practitioners],
      ['organization', request.organizations],
      ['healthcare-service', request.services],
      ['location-reference', request.locations],
    ] as const
  ).some(([name, keys]) => call.trees.has(name) && keys.length === 0)

const unusedIssue = (name: string): Issue => ({
  severity: 'information',
  code: 'informational',
  diagnostics: `${name} has no say in what is found here.`,
  expression: `http.${name}`,
})

/** Returns the first place of a page: start, rank and key of the one before. */
async function startOf(
  ctx: Context,
  binding: string,
  text: string,
): Promise<readonly [number, number, string]> {
  const { cursor } = await openPlace(ctx, binding, text)
  const [start, rank, key] = cursor
  if (typeof start === 'number' && typeof rank === 'number' && typeof key === 'string')
    return [start, rank, key]
  throw fhirError('invalid', 'This _cursor is of another operation.', { expression: 'http._cursor' })
}

const isAfter = (
  { start, candidate, key }: FreeSlot,
  [from, rank, name]: readonly [number, number, string],
) => start > from || (start === from && (candidate.rank > rank || (candidate.rank === rank && key > name)))

async function requestOf(ctx: Context, call: Call): Promise<FindRequest> {
  const { start, end } = timeOf(ctx, call)
  const keys = (name: keyof typeof REFERENCES): Promise<Key[]> =>
    named(ctx, name, REFERENCES[name], call.trees.get(name) ?? [])
  const maxFee = textOf(call, 'max-fee')
  if (maxFee !== undefined && (!isDecimal(maxFee) || maxFee.length > 20))
    throw fhirError('invalid', 'max-fee is an amount, such as 500.', { expression: 'http.max-fee' })
  return {
    start,
    end,
    practitioners: await keys('practitioner'),
    organizations: await keys('organization'),
    services: await keys('healthcare-service'),
    locations: await keys('location-reference'),
    patients: await keys('patient-reference'),
    addresses: call.texts.get('location-string') ?? [],
    near: call.texts.get('near') ?? [],
    specialties: call.texts.get('specialty') ?? [],
    visitTypes: call.texts.get('visit-type') ?? [],
    maxFee,
  }
}

/** Returns the time that is asked about: a date is the whole day in the zone of the server. */
function timeOf(ctx: Context, call: Call): { start: number; end: number } {
  const range = (name: string) => {
    // A plus sign that was not escaped has come as a space.
    const written = textOf(call, name)!.replace(/ ([0-9]{2}:[0-9]{2})$/, '+$1')
    const found = timeRange(written, ctx.settings.zone)
    if (found !== undefined) return { ...found, isDay: !written.includes('T') }
    throw fhirError('invalid', `${name} is a date or a time, such as 2026-12-01T09:00:00+05:30.`, {
      expression: `http.${name}`,
    })
  }
  const start = range('start').lo
  const to = range('end')
  const end = to.isDay ? to.hi : to.lo
  if (end <= start) throw fhirError('invalid', 'end is not after start.', { expression: 'http.end' })
  if (end - start > MOST_DAYS * 86_400_000)
    throw fhirError('too-costly', `At most ${MOST_DAYS} days are looked at.`, {
      status: 400,
      expression: 'http.end',
    })
  return { start, end }
}

/**
 * Returns the keys of what references name, literally or by an identifier.
 *
 * Throws `invalid` for what names nothing of these types on this server.
 */
async function named(
  ctx: Context,
  name: string,
  types: readonly string[],
  references: readonly JsonObject[],
): Promise<Key[]> {
  const found: Key[] = []
  for (const reference of references) {
    const identifier = object(reference.identifier)
    const value = text(identifier?.value)
    const [key] = keysOf(reference, ctx.settings.baseUrl) as Key[]
    if (key !== undefined && types.includes(typeOf(key))) found.push(key)
    else if (reference.reference === undefined && value !== undefined) {
      const token = [text(identifier?.system) ?? '', value].map(escaped).join('|')
      const type = types[0]!
      const ones = await searched(ctx, type, [['identifier', token]], MOST_VALUES)
      found.push(...ones.keys())
    } else
      throw fhirError('invalid', `${name} is a reference to a ${types.join(' or ')} of this server.`, {
        expression: `http.${name}`,
      })
  }
  return found
}

const escaped = (part: string): string => part.replace(/[\\,$|]/g, sign => `\\${sign}`)

/** Returns what was asked, as it may stand in a URL. */
function pairsOf(request: FindRequest, call: Call): Pairs {
  const all = (name: string, values: readonly string[]): Pairs => values.map(value => [name, value] as const)
  const texts = ['start', 'end', 'specialty', 'visit-type', 'location-string', 'near', 'max-fee', 'reason']
  return [
    ...texts.flatMap(name => all(name, call.texts.get(name) ?? [])),
    ...all('practitioner', request.practitioners),
    ...all('organization', request.organizations),
    ...all('healthcare-service', request.services),
    ...all('location-reference', request.locations),
    ...all('patient-reference', request.patients),
  ]
}

/** Returns the Appointment as it could be, with the patients and the fee. */
function proposed(
  ctx: Context,
  { slot, start, end, candidate, fee }: FreeSlot,
  request: FindRequest,
): Resource {
  const proposal = proposalOf(slot, candidate.schedule)
  const participants = Array.isArray(proposal.participant) ? proposal.participant : []
  const patients = request.patients.map(
    (reference): Json => ({ actor: { reference }, status: 'needs-action' }),
  )
  const price = fee?.price
  return {
    ...proposal,
    ...(price !== undefined && {
      extension: [
        {
          url: EXTENSION.fee,
          valueMoney: { value: new NumberText(price.value), currency: price.currency },
        },
      ],
    }),
    minutesDuration: new NumberText(String(Math.round((end - start) / 60_000))),
    participant: [...patients, ...participants],
    requestedPeriod: [
      {
        start: zonedText(request.start, ctx.settings.zone),
        end: zonedText(request.end, ctx.settings.zone),
      },
    ],
  }
}
