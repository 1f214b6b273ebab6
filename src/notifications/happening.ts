/** What has happened to appointments and tokens, read off the difference of two versions. */
import type { Pending } from '../context.ts'
import { isObject, type JsonObject, type Resource } from '../fhir/json.ts'
import { hasCode, object, objects, text } from '../fhir/tree.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { appointmentOf, isToken, printedToken, toldOf } from '../scheduling/token.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import { HISTORY_MS } from './event.ts'
import { isOpenCare } from './visit.ts'

export interface Happening {
  event: string
  variant?: string
  cause: string
  /** The appointment that it is about. */
  key: string
  appointment: Resource
  /** What the appointment was before, or the one that it takes the place of. */
  previous?: { key: string; appointment: Resource }
  /** Told by channels that speak this set of templates alone. */
  only?: string
  /** Told only where the appointment has a token. */
  withToken?: true
  /** Versions of the appointment before this one. */
  sequence: number
}

/** Appointments that somebody counts on. */
const FIRM: ReadonlySet<string> = new Set(['booked', 'arrived', 'checked-in'])
const isFirm = (one: Resource | undefined): one is Resource => FIRM.has(String(one?.status))

/** The set of the Care gateway, whose messages follow rules of their own. */
export const CARE = 'care-gateway'

/** Why an appointment was cancelled for which another one was booked. */
const RESCHEDULED = 'rescheduled'

const startOf = (one: Resource): number => instantOf(one.start) ?? Number.NaN

/** Returns the version that a commit replaces; 0 for none. */
export const versionBefore = (before: Resource | undefined): number =>
  Number(text(object(before?.meta)?.versionId) ?? 0)

/** Returns whether nothing can stand anywhere yet that is derived from a resource: its id was made for it. */
export const isNew = ({ method, before }: Pick<Pending, 'method' | 'before'>): boolean =>
  method === 'POST' && before === undefined

/** Returns what happened to the appointments of a commit. `now` is ms since 1970; what is past by then is history. */
export function appointmentNews(pending: readonly Pending[], now: number, baseUrl: string): Happening[] {
  const appointments = pending.filter(({ key }) => key.startsWith('Appointment/'))
  const moved = movedAppointments(appointments, baseUrl)
  return appointments.flatMap(one => newsOf(one, moved, now, baseUrl))
}

type Moved = ReadonlyMap<string, { key: string; appointment: Resource }>

function newsOf({ key, before, after }: Pending, moved: Moved, now: number, baseUrl: string): Happening[] {
  const sequence = versionBefore(before)
  const of = (event: string, appointment: Resource, more: Partial<Happening> = {}): Happening => ({
    event,
    cause: `${key}|${event}|${sequence}|${text(appointment.start) ?? ''}`,
    key,
    appointment,
    sequence,
    ...more,
  })
  if (isFirm(before)) {
    if (after === undefined || after.status === 'cancelled' || after.status === 'entered-in-error') {
      if (!(startOf(before) > now)) return []
      const replaced = [...moved.values()].some(old => old.key === key)
      return [of('cancelled', after ?? before, replaced ? { only: CARE } : {})]
    }
    const recent = (instantOf(after.end) ?? startOf(after)) > now - HISTORY_MS
    if (after.status === 'noshow' || after.status === 'fulfilled') {
      if (!recent) return []
      if (isOpenCare(after)) return [of('updated', after)]
      return after.status === 'noshow' ? [of('no-show', after)] : []
    }
    if (!isFirm(after) || !(startOf(after) > now)) return []
    if (startOf(after) !== startOf(before) || whoAndWhere(after, baseUrl) !== whoAndWhere(before, baseUrl)) {
      const previous = { key, appointment: before }
      // The texts of the gateway know no new time of the same booking.
      return [
        of('cancelled', before, { only: CARE, withToken: true }),
        of('rescheduled', after, { previous }),
      ]
    }
    return isOpenCare(after) && after.status === before.status ? [of('updated', after)] : []
  }
  if (after?.status !== 'booked' || !(startOf(after) > now)) return []
  const previous = moved.get(key)
  return [previous === undefined ? of('booked', after) : of(RESCHEDULED, after, { previous })]
}

/** Returns who is seen and where, so that a change of it can be told. */
const whoAndWhere = (appointment: Resource, baseUrl: string): string =>
  actorsOf(appointment)
    .flatMap(actor => keysOf(actor, baseUrl))
    .filter(key => /^(Practitioner|PractitionerRole|Location)\//.test(key))
    .sort()
    .join(' ')

/** Returns, by the key of a new appointment, the old one of the same patient that was cancelled for it in the same commit. */
function movedAppointments(appointments: readonly Pending[], baseUrl: string): Moved {
  const old = appointments.filter(
    ({ before, after }) =>
      isFirm(before) && after?.status === 'cancelled' && isRescheduled(after.cancelationReason),
  )
  const patientsOf = (one: Resource): string[] =>
    actorsOf(one)
      .flatMap(actor => keysOf(actor, baseUrl))
      .filter(key => key.startsWith('Patient/'))
  const moved = new Map<string, { key: string; appointment: Resource }>()
  for (const { key, before, after } of appointments) {
    if (isFirm(before) || after?.status !== 'booked') continue
    const patients = patientsOf(after)
    const from = old.find(one => patientsOf(one.before!).some(patient => patients.includes(patient)))
    if (from !== undefined) moved.set(key, { key: from.key, appointment: from.before! })
  }
  return moved
}

const isRescheduled = (reason: JsonObject[string]): boolean =>
  hasCode(reason, SYSTEM.cancellation, RESCHEDULED) ||
  objects(reason).some(
    one => one.text === RESCHEDULED || objects(one.coding).some(({ code }) => code === RESCHEDULED),
  )

/** What happened to a token: its number is new, or its turn comes near. */
export interface TokenNews {
  /** The key of its appointment; undefined where it has none. */
  appointment: string | undefined
  patient: string | undefined
  event: string
  variant?: string
  cause: string
  only?: string
  values: Readonly<Record<string, string>>
}

/** Returns what happened to the tokens of a commit. */
export function tokenNews(pending: readonly Pending[], baseUrl: string): TokenNews[] {
  return pending.flatMap(({ key, before, after }) => {
    if (!isToken(after)) return []
    const token = printedToken(after) ?? ''
    const appointment = appointmentOf(after, baseUrl)
    const patient = keysOf(isObject(after.for) ? after.for : undefined, baseUrl)[0]
    const known = before === undefined ? [] : toldOf(before).map(({ notice, early }) => `${notice} ${early}`)
    const about = { appointment, patient }
    const news: TokenNews[] = toldOf(after)
      .filter(({ notice, early }) => !known.includes(`${notice} ${early}`))
      .map(({ notice, position, early }) => ({
        ...about,
        event: 'queue',
        variant: notice,
        cause: `${key}|queue|${notice}`,
        // Days before, only Care's own rule wants it said.
        ...(early && { only: CARE }),
        values: { token, position: String(position) },
      }))
    const isNew = !isToken(before) || printedToken(before) !== token
    if (isNew && appointment !== undefined)
      news.push({ ...about, event: 'booked', cause: `${key}|booked|${token}`, only: CARE, values: { token } })
    return news
  })
}
