/**
 * The appointment that `$hold` and `$book` are about: one that is stored, or one that could be.
 * https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-book
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { codings, objects } from '../fhir/tree.ts'
import { checkType } from '../interactions/identity.ts'
import { live } from '../interactions/read.ts'
import { resourceOf } from '../scheduling/calendar.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import { extensionsOf, HOLD_EXPIRED } from '../scheduling/hold.ts'
import { proposalOf, slotOfProposal } from '../scheduling/proposal.ts'
import { keysOf } from '../search/busy.ts'
import { idOf, type Key, keyOf, type Live, stampText } from '../storage/port.ts'
import { without } from './appointment-change.ts'
import { type Call, type InParameter, treeOf } from './operation.ts'

export const REFERENCE = 'appointment-reference'

export const REFERENCE_PARAMETER: InParameter = { name: REFERENCE, type: 'Reference', min: 0, max: 1 }

export interface Named {
  appointment: Resource
  /** Undefined: it is not stored, and is to become a new one. */
  stored: Live | undefined
}

/** Returns the key of the appointment that is named. Throws `not-supported` (400) for one of another server. */
export function namedKey(ctx: Context, call: Call): Key | undefined {
  const reference = treeOf(call, REFERENCE)
  if (reference === undefined) return undefined
  const [key] = keysOf(reference, ctx.settings.baseUrl)
  if (key?.startsWith('Appointment/') === true) return key as Key
  throw fhirError('not-supported', `${REFERENCE} is a reference to an Appointment of this server.`, {
    status: 400,
    expression: `http.${REFERENCE}`,
  })
}

/**
 * Returns the appointment of the key. A hold that ran out, and was cleared away, could be again.
 *
 * Throws as a read does; `not-found` for a proposal whose slot is gone.
 */
export async function named(ctx: Context, key: Key): Promise<Named> {
  checkType(ctx, 'Appointment')
  const found = await ctx.storage.read(key)
  const slotId = slotOfProposal(idOf(key))
  if (found?.text === undefined && slotId !== undefined)
    return { appointment: await proposed(ctx, slotId), stored: undefined }
  const stored = live(found, 'Appointment', idOf(key))
  const appointment = resourceOf(stored)
  if (!isClearedHold(appointment)) return { appointment, stored }
  return { appointment: asNew(without(appointment, 'cancelationReason')), stored: undefined }
}

async function proposed(ctx: Context, slotId: string): Promise<Resource> {
  for (const type of ['Slot', 'Schedule']) checkType(ctx, type)
  const slot = resourceOf(live(await ctx.storage.read(keyOf('Slot', slotId)), 'Slot', slotId))
  const [key] = keysOf(slot.schedule, ctx.settings.baseUrl) as Key[]
  const schedule = key === undefined ? undefined : await ctx.storage.read(key)
  if (schedule?.text === undefined)
    throw fhirError('not-found', `Slot/${slotId} is of no schedule that there is.`, {
      expression: 'Slot.schedule',
    })
  return proposalOf(slot, resourceOf(schedule as Live))
}

const isClearedHold = ({ status, cancelationReason }: Resource): boolean =>
  status === 'cancelled' &&
  codings(cancelationReason).some(one => one.system === SYSTEM.cancellation && one.code === HOLD_EXPIRED)

/** Returns an appointment without what the server gave to the one that it was. */
export const asNew = (appointment: Resource): Resource => unheld(without(appointment, 'id', 'meta', 'text'))

/** Returns an appointment without the end of a hold. */
export function unheld(appointment: Resource): Resource {
  const left = extensionsOf(appointment).filter(one => one.url !== EXTENSION.holdUntil)
  const rest = without(appointment, 'extension')
  return left.length === 0 ? rest : { ...rest, extension: left }
}

/** Returns an appointment with what IHE's profile wants of all, and when it was made. */
export function completed(ctx: Context, appointment: Resource): Resource {
  const { start, end, requestedPeriod, created } = appointment
  return {
    ...appointment,
    ...(created === undefined && { created: stampText(ctx.clock()) }),
    ...(requestedPeriod === undefined &&
      start !== undefined &&
      end !== undefined && { requestedPeriod: [{ start, end }] }),
  }
}

/** Returns the appointment with these patients among those who take part. */
export function withPatients(ctx: Context, appointment: Resource, patients: readonly string[]): Resource {
  const participants = objects(appointment.participant)
  const there = new Set(participants.flatMap(one => keysOf(one.actor, ctx.settings.baseUrl)))
  const more = patients
    .filter(key => !there.has(key))
    .map((reference): JsonObject => ({ actor: { reference }, required: 'required', status: 'accepted' }))
  return more.length === 0 ? appointment : { ...appointment, participant: [...more, ...participants] }
}

/** Returns the keys of the patients who take part. */
export const patientsIn = (ctx: Context, appointment: Resource): string[] =>
  objects(appointment.participant)
    .flatMap(one => keysOf(one.actor, ctx.settings.baseUrl))
    .filter(key => key.startsWith('Patient/'))
