/**
 * What holds for appointments that are written through this API, beside the rules of every door: nobody and no place has two at once, also
 * not beside one that nobody came to.
 */
import type { Context, Pending, WriteRule } from '../../context.ts'
import { FhirError, type Issue } from '../../fhir/error.ts'
import type { Resource } from '../../fhir/json.ts'
import { findAll, overlap, planFor, resourceOf, type Taken, takenOf } from '../../scheduling/calendar.ts'
import { isLive } from '../../scheduling/hold.ts'
import { busyNode, instantOf, MISSED } from '../../search/busy.ts'
import type { Node } from '../../search/plan-node.ts'
import type { Key, Require } from '../../storage/port.ts'
import { TAKEN } from './errors.ts'
import { actorsOf, seatsOf } from './people.ts'

const DAY = 86_400_000

/** Whose time is taken, and by what. */
export type Conflicts = Partial<Record<'provider' | 'patient' | 'facility', Taken[]>>

/** Returns whether an appointment keeps others away in the eyes of OpenCare: `scheduled` (a hold too), or `no_show`. */
const keeps = (appointment: Resource, now: number): boolean =>
  appointment.status === 'noshow' || isLive(appointment, now)

/**
 * Returns what stands in the way of an appointment, with the requirement that nothing else does.
 *
 * Throws `too-costly` where too much is in its time.
 */
export async function conflictsOf(
  ctx: Context,
  key: Key | undefined,
  appointment: Resource,
): Promise<{ conflicts: Conflicts; require: Require[] }> {
  const start = instantOf(appointment.start)
  const end = instantOf(appointment.end)
  if (start === undefined || end === undefined || end <= start) return { conflicts: {}, require: [] }
  const { patient, provider, facility } = await actorsOf(ctx, appointment)
  const seats = {
    provider: provider === undefined ? [] : await seatsOf(ctx, provider),
    patient: patient === undefined ? [] : [patient],
    facility: facility === undefined ? [] : [facility],
  }
  const all = Object.values(seats).flat()
  if (all.length === 0) return { conflicts: {}, require: [] }
  const where: Node = { kind: 'or', nodes: [busyNode(all, start, end), busyNode(all, start, end, MISSED)] }
  const plan = planFor('Appointment', where)
  const rows = await findAll(ctx, plan)
  const taken = rows
    .map(row => takenOf(row.key, resourceOf(row), ctx.settings.baseUrl, row))
    .filter(one => one.key !== key && overlap(one, { start, end }) && keeps(one.resource, ctx.clock()))
  const conflicts: Conflicts = {}
  for (const kind of ['provider', 'patient', 'facility'] as const) {
    const own = taken.filter(one => one.actors.some(actor => seats[kind].includes(actor)))
    if (own.length > 0) conflicts[kind] = own
  }
  const [guard, ...also] = guardsOf(facility ?? all[0]!, start, end)
  return {
    conflicts,
    require: [
      {
        is: 'matches',
        plan,
        keys: rows.map(row => row.key),
        versions: rows.map(row => row.version),
        guard: guard!,
        also,
      },
    ],
  }
}

/** Returns the names under which those who want the same place meet, one for each UTC day. Patients and practitioners meet under the rule of all doors. */
function guardsOf(place: string, start: number, end: number): string[] {
  const guards: string[] = []
  for (let day = Math.floor(start / DAY); day * DAY < end; day++) guards.push(`opencare ${place} ${day}`)
  return guards
}

const RULES = {
  provider: 'practitioner-overlap',
  patient: 'patient-overlap',
  facility: 'facility-overlap',
} as const

const conflictError = (conflicts: Conflicts): FhirError =>
  new FhirError(
    'conflict',
    (Object.keys(conflicts) as (keyof Conflicts)[]).map(
      (of): Issue => ({ severity: 'error', code: 'conflict', diagnostics: TAKEN[of]!, rule: RULES[of] }),
    ),
  )

/** Returns whether the commit puts the appointment where it was not before. */
function isPlaced({ before, after }: Pending, now: number): boolean {
  if (after === undefined || !keeps(after, now)) return false
  if (before === undefined || !keeps(before, now)) return true
  const place = (one: Resource) =>
    JSON.stringify([instantOf(one.start), instantOf(one.end), one.participant ?? null])
  return place(before) !== place(after)
}

/** Refuses with `conflict` (409), all that is in the way at once. */
export const openCareRule: WriteRule = {
  types: new Set(['Appointment']),
  async judge(ctx, pending) {
    const require: Require[] = []
    for (const one of pending) {
      if (one.after?.resourceType !== 'Appointment' || !isPlaced(one, ctx.clock())) continue
      const found = await conflictsOf(ctx, one.key, one.after)
      if (Object.keys(found.conflicts).length > 0) throw conflictError(found.conflicts)
      require.push(...found.require)
    }
    return { require }
  },
}

/** Returns the context under which this API writes. */
export const asOpenCare = (ctx: Context): Context => ({ ...ctx, rules: [openCareRule, ...(ctx.rules ?? [])] })
