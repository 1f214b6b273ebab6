/** The Encounter of an appointment: who came is seen, and what was begun is finished, in one commit with the appointment. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { object, objects } from '../fhir/tree.ts'
import { checkType } from '../interactions/identity.ts'
import { isOnline } from '../scheduling/booking-rule.ts'
import { findAll, planFor } from '../scheduling/calendar.ts'
import { actorsOf, keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { type Key, type Live, stampText } from '../storage/port.ts'
import { postEntry, putEntry, reference, appointmentOf as resourceOf } from './appointment-change.ts'

/** https://hl7.org/fhir/R4/valueset-encounter-status.html: those that are over, and what each that is not may still become. */
const OVER: ReadonlySet<string> = new Set(['finished', 'cancelled', 'entered-in-error'])
/** Seen later than this one is nothing to go back from. */
const BEGUN: ReadonlySet<string> = new Set(['arrived', 'triaged', 'in-progress', 'onleave'])

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'

/**
 * Returns the entries that make the encounters of an appointment arrived, one for each patient: those that there are, otherwise new ones.
 *
 * Throws `business-rule` (422) where the appointment has no patient.
 */
export async function arriving(ctx: Context, appointment: Resource): Promise<JsonObject[]> {
  const found = await encountersOf(ctx, appointment)
  return patientsOf(ctx, appointment).flatMap(patient => {
    const own = found.find(one => isOf(ctx, one.resource, patient))
    if (own === undefined) return [made(ctx, appointment, patient, 'arrived')]
    if (BEGUN.has(String(own.resource.status))) return []
    return [putEntry(moved(ctx, own.resource, 'arrived'), own.stored)]
  })
}

/** Returns the entries that finish the encounters of an appointment; who came without a check-in has one that is made now. */
export async function finishing(ctx: Context, appointment: Resource): Promise<JsonObject[]> {
  const found = await encountersOf(ctx, appointment, true)
  return patientsOf(ctx, appointment).flatMap(patient => {
    const all = found.filter(one => isOf(ctx, one.resource, patient))
    const own = all.find(one => !OVER.has(String(one.resource.status)))
    if (own !== undefined) return [putEntry(moved(ctx, own.resource, 'finished'), own.stored)]
    if (all.some(one => one.resource.status === 'finished')) return []
    return [made(ctx, appointment, patient, 'finished')]
  })
}

/** Returns the entries that cancel the encounters which an appointment will not have. */
export async function callingOff(ctx: Context, appointment: Resource): Promise<JsonObject[]> {
  const found = await encountersOf(ctx, appointment)
  return found
    .filter(one => ['planned', 'arrived'].includes(String(one.resource.status)))
    .map(one => putEntry(moved(ctx, one.resource, 'cancelled'), one.stored))
}

/** Returns the keys of the patients of an appointment. Throws `business-rule` (422) where there is none. */
export function patientsOf(ctx: Context, appointment: Resource): Key[] {
  const found = actorsOf(appointment)
    .flatMap(one => keysOf(one, ctx.settings.baseUrl))
    .filter(key => key.startsWith('Patient/'))
  if (found.length > 0) return [...new Set(found)] as Key[]
  throw fhirError('business-rule', 'The appointment has no patient: book it for one first.', {
    expression: 'Appointment.participant',
  })
}

interface Found {
  stored: Live
  resource: Resource
}

async function encountersOf(ctx: Context, appointment: Resource, over = false): Promise<Found[]> {
  checkType(ctx, 'Encounter')
  const id = String(appointment.id)
  const where: Node = { kind: 'reference', param: 'Encounter.appointment', type: 'Appointment', id }
  const rows = await findAll(ctx, planFor('Encounter', where))
  return rows
    .map(stored => ({ stored, resource: resourceOf(stored) }))
    .filter(({ resource }) => over || !OVER.has(String(resource.status)))
}

const isOf = (ctx: Context, encounter: Resource, patient: Key): boolean =>
  keysOf(encounter.subject, ctx.settings.baseUrl)[0] === patient

/** Returns the entry of a new encounter, which is one only however many make it at once. */
function made(ctx: Context, appointment: Resource, patient: Key, status: 'arrived' | 'finished'): JsonObject {
  const now = stampText(ctx.clock())
  const of = (type: RegExp) =>
    actorsOf(appointment).filter(one => type.test(keysOf(one, ctx.settings.baseUrl)[0] ?? ''))
  const online = isOnline(appointment)
  const practitioners = of(/^Practitioner(Role)?\//)
  const locations = of(/^Location\//)
  const serviceType = object(objects(appointment.serviceType)[0])
  const encounter: Resource = {
    resourceType: 'Encounter',
    status,
    class: online
      ? { system: ACT_CODE, code: 'VR', display: 'virtual' }
      : { system: ACT_CODE, code: 'AMB', display: 'ambulatory' },
    ...(serviceType !== undefined && { serviceType }),
    subject: reference(patient),
    ...(practitioners.length > 0 && { participant: practitioners.map(individual => ({ individual })) }),
    appointment: [reference(`Appointment/${String(appointment.id)}`)],
    period: status === 'arrived' ? { start: now } : { start: startOf(appointment, now), end: now },
    ...(locations.length > 0 && { location: locations.map(location => ({ location })) }),
  }
  const criteria = `appointment=Appointment/${String(appointment.id)}&subject=${patient}&status:not=cancelled&status:not=entered-in-error`
  return postEntry(encounter, criteria)
}

const startOf = (appointment: Resource, now: string): string =>
  typeof appointment.start === 'string' && Date.parse(appointment.start) < Date.parse(now)
    ? appointment.start
    : now

/** Returns an encounter in its next status, the one before in its history. */
function moved(ctx: Context, encounter: Resource, status: 'arrived' | 'finished' | 'cancelled'): Resource {
  const now = stampText(ctx.clock())
  const period = object(encounter.period)
  const history = objects(encounter.statusHistory)
  const since = object(history.at(-1)?.period)?.end ?? period?.start ?? now
  const start = status === 'arrived' ? now : (period?.start ?? now)
  return {
    ...encounter,
    status,
    statusHistory: [
      ...history,
      { status: encounter.status ?? 'unknown', period: { start: since, end: now } },
    ],
    period: status === 'arrived' ? { ...period, start } : { ...period, start, end: now },
  }
}
