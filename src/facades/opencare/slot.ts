/** The slot that an appointment of this API falls on: its clients name times alone, and the time of a published slot is that slot. */
import type { Context } from '../../context.ts'
import type { Resource } from '../../fhir/json.ts'
import { schedulesOf } from '../../scheduling/practitioner.ts'
import { slotsWithin } from '../../scheduling/slots-at.ts'
import { instantOf } from '../../search/busy.ts'
import type { Key } from '../../storage/port.ts'
import { seatsOf } from './people.ts'

/** Returns the appointment with the slot of its provider that has just its time, or without any where there is none. */
export async function onItsSlot(
  ctx: Context,
  appointment: Resource,
  provider: string | undefined,
): Promise<Resource> {
  const { slot: _, ...bare } = appointment
  const start = instantOf(appointment.start)
  const end = instantOf(appointment.end)
  if (provider === undefined || start === undefined || end === undefined) return bare as Resource
  const schedules = await schedulesOf(ctx, (await seatsOf(ctx, provider)) as Key[])
  const slots = await slotsWithin(ctx, schedules, start, end)
  const exact = slots.find(
    one => one.start === start && one.end === end && one.resource.status !== 'entered-in-error',
  )
  return exact === undefined
    ? (bare as Resource)
    : ({ ...bare, slot: [{ reference: exact.key }] } as Resource)
}
