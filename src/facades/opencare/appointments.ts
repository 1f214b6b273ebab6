/** What the API does with one appointment: through the interactions, under the rules of every door and OpenCare's own. */
import type { Context } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { Resource } from '../../fhir/json.ts'
import { create } from '../../interactions/create.ts'
import { remove } from '../../interactions/delete.ts'
import { LOST, untilSettled } from '../../interactions/race.ts'
import { update } from '../../interactions/update.ts'
import { resourceOf } from '../../scheduling/calendar.ts'
import { instantOf } from '../../search/busy.ts'
import type { Live } from '../../storage/port.ts'
import { asOpenCare, conflictsOf } from './booking-rule.ts'
import { type State, stateOf } from './codes.ts'
import { type Faults, invalid, notFound, notPossible } from './errors.ts'
import { LINKS, noSuch, readFields, type Sent, timeFaults } from './fields.ts'
import { noticesOf } from './notices.ts'
import { numbered } from './numbers.ts'
import { actorsOf, readLive, seen, userTypeOf } from './people.ts'
import { onItsSlot } from './slot.ts'
import {
  type Actors,
  actorsIn,
  changed,
  conflictRow,
  type Fields,
  newAppointment,
  rowOf,
} from './translate.ts'

type Row = Record<string, unknown>

const idIn = ({ key }: Live): string => key.slice(key.indexOf('/') + 1)

/** Returns the appointment with the integer id. Throws Refusal (404) where the API shows none. */
async function found(ctx: Context, id: string): Promise<Live> {
  const row = /^[0-9]{1,15}$/.test(id) ? await numbered(ctx, 'appointment', Number(id)) : undefined
  if (row === undefined || stateOf(resourceOf(row)) === undefined) throw notFound()
  return row
}

async function shown(ctx: Context, row: Live): Promise<Row> {
  const [one] = await seen(ctx, [row])
  if (one === undefined) throw notFound()
  return rowOf(one)
}

/** Returns the rows of a list. */
export const shownAll = async (ctx: Context, rows: readonly Live[]): Promise<Row[]> =>
  (await seen(ctx, rows)).map(rowOf)

/** Returns the whole of one appointment. Throws Refusal (404). */
export async function detail(ctx: Context, id: string): Promise<Row> {
  const row = await found(ctx, id)
  return { ...(await shown(ctx, row)), notifications_sent: await noticesOf(ctx, row.key) }
}

/** Books an appointment and returns it. Throws Refusal (400) with every fault, and what the rules throw. */
export async function book(ctx: Context, body: unknown): Promise<Row> {
  const { sent, faults } = readFields(body, false)
  const fields = await linked(ctx, sent, faults)
  await check(ctx, fields.start_time, fields.end_time, {
    patient: fields.patient,
    provider: fields.provider,
    facility: fields.facility,
  })
  const appointment = await onItsSlot(ctx, newAppointment(fields, ctx.clock()), fields.provider)
  const { stored } = await create(asOpenCare(ctx), 'Appointment', appointment)
  return shown(ctx, stored)
}

/** Changes an appointment and returns it; with `partial` what is not sent stays. Throws as `book` does, Refusal (404). */
export async function change(ctx: Context, id: string, body: unknown, partial: boolean): Promise<Row> {
  await found(ctx, id)
  const { sent, faults } = readFields(body, partial)
  const fields = await linked(ctx, sent, faults)
  return rewritten(ctx, id, async appointment => {
    const actors = await actorsOf(ctx, appointment)
    const start = fields.start_time ?? instantOf(appointment.start)
    const end = fields.end_time ?? instantOf(appointment.end)
    await check(ctx, start, end, {
      patient: fields.patient ?? actors.patient,
      provider: fields.provider ?? actors.provider,
      facility: fields.facility ?? actors.facility,
    })
    if (fields.status !== undefined) checkTransition(ctx, stateOf(appointment)!, fields.status)
    const next = changed(appointment, fields, actors)
    const isMoved =
      fields.start_time !== undefined || fields.end_time !== undefined || fields.provider !== undefined
    return isMoved ? onItsSlot(ctx, next, fields.provider ?? actors.provider) : next
  })
}

/**
 * Deletes an appointment, which tells in the same commit those who were to come. Where references are enforced, what was told of it still
 * refers to it: then it stays, entered in error, and this API shows it no more. Throws Refusal (404).
 */
export async function erase(ctx: Context, id: string): Promise<void> {
  const row = await found(ctx, id)
  try {
    await remove(asOpenCare(ctx), 'Appointment', idIn(row))
  } catch (error) {
    if (!(error instanceof FhirError && error.code === 'conflict' && ctx.settings.references === 'enforce'))
      throw error
    await replaced(ctx, id, async appointment => ({ ...appointment, status: 'entered-in-error' }))
  }
}

const DONE: Readonly<Record<Exclude<State, 'scheduled'>, string>> = {
  cancelled: 'Appointment is already cancelled.',
  completed: 'Appointment is already completed.',
  no_show: 'Appointment is already marked as no-show.',
}

/** Puts a scheduled appointment into another state and returns it. Throws Refusal: 400 where it is in that state or in any other, 404. */
export function act(ctx: Context, id: string, to: Exclude<State, 'scheduled'>): Promise<Row> {
  return rewritten(ctx, id, async appointment => {
    const from = stateOf(appointment)!
    if (from === to) throw notPossible(DONE[to])
    checkTransition(ctx, from, to)
    return changed(appointment, { status: to }, actorsIn(appointment, ctx.settings.baseUrl))
  })
}

function checkTransition(ctx: Context, from: State, to: State): void {
  if (from === to || from === 'scheduled') return
  ctx.log.info('a transition of an appointment was refused', { from, to })
  throw notPossible(
    `Appointment is ${from.replace('_', '-')}: only a scheduled one can become ${to.replace('_', '-')}.`,
  )
}

/** Stores what `make` makes of an appointment; who was overtaken looks again. */
async function rewritten(
  ctx: Context,
  id: string,
  make: (appointment: Resource) => Promise<Resource>,
): Promise<Row> {
  return shown(ctx, await replaced(ctx, id, make))
}

function replaced(
  ctx: Context,
  id: string,
  make: (appointment: Resource) => Promise<Resource>,
): Promise<Live> {
  const under = asOpenCare(ctx)
  return untilSettled(async () => {
    const row = await found(ctx, id)
    const made = await make(resourceOf(row))
    try {
      return (await update(under, 'Appointment', idIn(row), made, { ifMatch: `W/"${row.version}"` })).stored
    } catch (error) {
      if (isOvertaken(error)) return LOST
      throw error
    }
  })
}

const isOvertaken = (error: unknown): boolean => error instanceof FhirError && error.status === 412

/** Returns the fields with keys in the place of integer ids. Throws Refusal (400) with all faults. */
async function linked(ctx: Context, sent: Sent, faults: Faults): Promise<Fields> {
  const { patient: _, provider: __, facility: ___, ...rest } = sent
  const fields: Fields = rest
  for (const kind of LINKS) {
    const id = sent[kind]
    if (id === undefined) continue
    const row = id < 1 ? undefined : await numbered(ctx, kind, id)
    if (row === undefined) faults[kind] = [noSuch(id)]
    else fields[kind] = row.key
  }
  if (Object.keys(faults).length > 0) throw invalid(faults)
  return fields
}

/** Throws Refusal (400) with all that the appointment as a whole breaks. */
async function check(
  ctx: Context,
  start: number | undefined,
  end: number | undefined,
  actors: Actors,
): Promise<void> {
  const faults: Faults = start === undefined || end === undefined ? {} : timeFaults(start, end, ctx.clock())
  const { patient, provider } = actors
  if (provider !== undefined) await checkProvider(ctx, provider, faults)
  if (patient !== undefined && (await isInactive(ctx, patient)))
    faults.patient = ['Patient profile is inactive.']
  if (Object.keys(faults).length > 0) throw invalid(faults)
}

async function checkProvider(ctx: Context, provider: string, faults: Faults): Promise<void> {
  if (await isInactive(ctx, provider)) faults.provider = ['Provider account is inactive.']
  if (!provider.startsWith('Practitioner/') || (await userTypeOf(ctx, provider)) !== undefined) return
  const text = 'Selected provider is not eligible for appointments.'
  faults.non_field_errors = [...(faults.non_field_errors ?? []), text]
}

async function isInactive(ctx: Context, key: string): Promise<boolean> {
  const row = (await readLive(ctx, [key])).get(key)
  return row !== undefined && resourceOf(row).active === false
}

/** Returns what stands in the way of an appointment. Throws Refusal (404). */
export async function conflicts(ctx: Context, id: string): Promise<unknown> {
  const row = await found(ctx, id)
  const { conflicts: all } = await conflictsOf(ctx, row.key, resourceOf(row))
  const rows: Record<string, Row[]> = {}
  for (const whose of ['provider', 'patient', 'facility'] as const) {
    const taken = all[whose]?.flatMap(one => one.stored ?? [])
    if (taken === undefined) continue
    rows[whose] = (await seen(ctx, taken)).map(one => conflictRow(whose, one))
  }
  return { has_conflicts: Object.keys(rows).length > 0, conflicts: rows }
}
