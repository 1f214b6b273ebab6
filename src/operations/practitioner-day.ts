/** What `$absent` and `$late` share: a practitioner's day, and the requests that tell its patients. */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { type Taken, takenWithin } from '../scheduling/calendar.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import { rolesOf } from '../scheduling/practitioner.ts'
import { localDay } from '../scheduling/token.ts'
import { actorsOf, keysOf } from '../search/busy.ts'
import type { Key, Live } from '../storage/port.ts'
import { postEntry } from './appointment-change.ts'
import { type Call, textOf } from './operation.ts'

export interface PractitionerDay {
  /** `2026-11-21`, in the server's zone. */
  day: string
  /** ms since 1970; `start` is now where the day has begun. */
  start: number
  end: number
  roles: readonly Live[]
  /** The practitioner and the roles. */
  actors: readonly Key[]
}

/** Returns the day that a call asks about, or today. Throws `value` for what is no date. */
export function dayIn(ctx: Context, call: Call, name: string): string | undefined {
  const day = textOf(call, name)
  if (day !== undefined && (!/^.{10}$/.test(day) || timeRange(day, ctx.settings.zone) === undefined))
    throw fhirError('value', `${name} is a date: 2026-11-21.`, { expression: `http.${name}` })
  return day
}

/** Returns what is left of a day of a practitioner. Throws `business-rule` (422) where it is over. */
export async function dayOf(
  ctx: Context,
  practitioner: Key,
  asked: string | undefined,
): Promise<PractitionerDay> {
  const { zone } = ctx.settings
  const now = ctx.clock()
  const day = asked ?? localDay(now, zone)
  const { lo, hi } = timeRange(day, zone)!
  if (hi <= now) throw fhirError('business-rule', `${day} is over.`, { expression: 'http.day' })
  const roles = await rolesOf(ctx, practitioner)
  return {
    day,
    start: Math.max(lo, now),
    end: hi,
    roles,
    actors: [practitioner, ...roles.map(({ key }) => key)],
  }
}

/** Who is there already waits, however late it is. */
const HERE: ReadonlySet<unknown> = new Set(['arrived', 'checked-in'])

/** Returns the live appointments that begin on the day and are still to come or wait, in the order of their start. */
export async function toCome(ctx: Context, { day, start, end, actors }: PractitionerDay): Promise<Taken[]> {
  const { lo } = timeRange(day, ctx.settings.zone)!
  const taken = await takenWithin(ctx, actors, lo, end)
  return taken.filter(
    one => one.start >= lo && one.start < end && (one.end > start || HERE.has(one.resource.status)),
  )
}

/** Returns the patients of an appointment; a meeting has none. */
export const patientsIn = (ctx: Context, appointment: Resource): string[] => [
  ...new Set(
    actorsOf(appointment)
      .flatMap(one => keysOf(one, ctx.settings.baseUrl))
      .filter(key => key.startsWith('Patient/')),
  ),
]

/** What says that this one appointment cannot be written: the others of the day are none the worse for it. */
const OWN_FAULT: ReadonlySet<number> = new Set([400, 409, 412, 422])

/** Returns what `act` returns, or `left` where this one appointment cannot be written as it is stored, which the log says. */
export async function orLeft<T>(ctx: Context, appointment: Key, left: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof FhirError) || !OWN_FAULT.has(error.status)) throw error
    ctx.log.warn('practitioner day', { appointment, code: error.code })
    return left
  }
}

/** Returns the entry of a request that tells a patient something about an appointment, now and once. */
export function requestEntry(
  patient: string,
  appointment: Key,
  event: string,
  cause: string,
  values: Readonly<Record<string, string>>,
): JsonObject {
  const request: Resource = {
    resourceType: 'CommunicationRequest',
    identifier: [{ system: SYSTEM.messageKey, value: cause }],
    status: 'active',
    category: [{ coding: [{ system: SYSTEM.event, code: event }] }],
    subject: { reference: patient },
    about: [{ reference: appointment }],
    recipient: [{ reference: patient }],
    extension: Object.entries(values).map(([name, value]) => ({
      url: EXTENSION.messageValue,
      extension: [
        { url: 'name', valueString: name },
        { url: 'value', valueString: value },
      ],
    })),
  }
  return postEntry(request)
}
