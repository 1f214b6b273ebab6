/** The day of a practitioner in one list: appointments in the order of their time, and who came without one. */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { checkGranted } from '../interactions/identity.ts'
import { plannedSearch } from '../interactions/search.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { idOf, type Key, type Live } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'
import { SYSTEM } from './codes.ts'
import { expectedStart } from './expected.ts'
import { isExpired } from './hold.ts'
import { liveResources } from './live-resources.ts'
import { rolesOf } from './practitioner.ts'
import { appointmentOf, queueDay, type Token, tokenOf } from './token.ts'
import { LEFT, type TokenState } from './token-status.ts'

/** How far a visit is. */
export type Progress =
  | 'booked'
  | 'waiting'
  | 'called'
  | 'serving'
  | 'skipped'
  | 'done'
  | 'missed'
  | 'cancelled'

export interface DayVisit {
  /** ms since 1970; undefined for who came without an appointment. */
  start: number | undefined
  /** The time that was said since the booking. */
  expected: number | undefined
  progress: Progress
  token: Token | undefined
  /** Undefined where none is named, or it is gone. */
  patient: Resource | undefined
}

/** Statuses that are nothing to be shown: offers, and bookings made by mistake. */
const UNSHOWN: ReadonlySet<unknown> = new Set(['proposed', 'waitlist', 'entered-in-error'])

/** Ids that one search names. */
const AT_ONCE = 100

/** Returns the visits of a practitioner on a day (`2026-11-21`, in the server's zone). Throws as a search does. */
export async function dayList(ctx: Context, practitioner: Key, day: string): Promise<DayVisit[]> {
  for (const type of ['Task', 'PractitionerRole']) checkGranted(ctx, 'read', type)
  const roles = await rolesOf(ctx, practitioner)
  const actors = [practitioner, ...roles.map(({ key }) => key)]
  const { plan } = await plannedSearch(
    ctx,
    'Appointment',
    [
      ['actor', actors.join(',')],
      ['date', day],
    ],
    {},
  )
  const appointments = (await findAll(ctx, plan)).filter(row => isShown(ctx, row))
  const tokens = await tokensIn(ctx, practitioner, day, appointments)
  const { baseUrl } = ctx.settings
  const patientIn = (one: Resource): Key | undefined =>
    [one.for, ...actorsOf(one)]
      .flatMap(reference => keysOf(reference, baseUrl) as Key[])
      .find(key => key.startsWith('Patient/'))

  const booked = appointments.map(row => {
    const appointment = resourceOf(row)
    const token = best(tokens.filter(one => appointmentOf(one.task, baseUrl) === row.key))
    return { appointment, token, patient: patientIn(appointment) }
  })
  const keys = new Set<string>(appointments.map(({ key }) => key))
  const without = tokens.filter(one => !keys.has(appointmentOf(one.task, baseUrl) ?? ''))
  const walkIns = without.filter(
    one => one.state !== 'cancelled' && appointmentOf(one.task, baseUrl) === undefined,
  )
  const named = [...booked.map(({ patient }) => patient), ...walkIns.map(one => patientIn(one.task))]
  const patients = await liveResources(
    ctx,
    named.filter(key => key !== undefined),
  )
  const patientOf = (key: Key | undefined) => (key === undefined ? undefined : patients.get(key))
  return [
    ...booked.map(({ appointment, token, patient }) => ({
      start: instantOf(appointment.start),
      expected: expectedStart(appointment),
      progress: progressOf(appointment, token),
      token,
      patient: patientOf(patient),
    })),
    ...walkIns.map(token => ({
      start: undefined,
      expected: undefined,
      progress: OF_TOKEN[token.state],
      token,
      patient: patientOf(patientIn(token.task)),
    })),
  ].sort(
    (a, b) =>
      (a.start ?? Number.POSITIVE_INFINITY) - (b.start ?? Number.POSITIVE_INFINITY) ||
      (a.token?.order ?? 0) - (b.token?.order ?? 0) ||
      0,
  )
}

const isShown = (ctx: Context, row: Live): boolean => {
  const appointment = resourceOf(row)
  return !UNSHOWN.has(appointment.status) && !isExpired(appointment, ctx.clock())
}

/** Returns the tokens of the appointments, in whichever queue, and all of the practitioner's own queues. */
async function tokensIn(
  ctx: Context,
  owner: Key,
  day: string,
  appointments: readonly Live[],
): Promise<Token[]> {
  const own: Node = {
    kind: 'token',
    param: 'Task.identifier',
    system: SYSTEM.queueDay,
    code: queueDay({ owner, day }),
  }
  const found = new Map<Key, Token>()
  for (let at = 0; at === 0 || at < appointments.length; at += AT_ONCE) {
    const nodes: Node[] = appointments.slice(at, at + AT_ONCE).map(({ key }) => ({
      kind: 'reference',
      param: 'Task.focus',
      type: 'Appointment',
      id: idOf(key),
    }))
    const rows = await findAll(ctx, planFor('Task', { kind: 'or', nodes: [own, ...nodes] }))
    for (const row of rows) {
      const token = tokenOf(row.key, resourceOf(row), row)
      if (token !== undefined && token.queue.day === day) found.set(row.key, token)
    }
  }
  return [...found.values()]
}

/** Returns the token that counts: one that is not over, or else the last. */
const best = (tokens: readonly Token[]): Token | undefined =>
  tokens.find(({ state }) => !LEFT.has(state)) ??
  tokens.toSorted((a, b) => (b.number ?? 0) - (a.number ?? 0))[0]

const OF_TOKEN: Readonly<Record<TokenState, Progress>> = {
  waiting: 'waiting',
  called: 'called',
  serving: 'serving',
  skipped: 'skipped',
  completed: 'done',
  closed: 'missed',
  cancelled: 'cancelled',
}

/** A token says more than its appointment, but that it waits says only that it was given. */
function progressOf({ status }: Resource, token: Token | undefined): Progress {
  if (status === 'fulfilled') return 'done'
  if (status === 'noshow') return 'missed'
  if (status === 'cancelled') return 'cancelled'
  if (token !== undefined && token.state !== 'waiting' && token.state !== 'cancelled')
    return OF_TOKEN[token.state]
  return status === 'arrived' || status === 'checked-in' ? 'waiting' : 'booked'
}
