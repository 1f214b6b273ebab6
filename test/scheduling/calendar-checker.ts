/**
 * Judges a calendar from what FHIR answers, sharing no code with the server: who is where when, by the rules of issue and R4 alone.
 * Lists of faults are empty where all is well.
 */
import type { Tree } from '../rest/client.ts'

const LIVE = ['pending', 'booked', 'arrived', 'checked-in']

interface Visit {
  id: string
  from: number
  to: number
  who: string[]
  slots: string[]
}

const until = (appointment: Tree): number => {
  const hold = (appointment.extension ?? []).find((one: Tree) => one.url === 'urn:nadi:extension:hold-until')
  return hold === undefined ? 0 : Date.parse(hold.valueInstant)
}

/** Whether it keeps others away at the time. */
export const keeps = (appointment: Tree, at: number): boolean =>
  LIVE.includes(appointment.status) && (appointment.status !== 'pending' || until(appointment) > at)

const visitOf = (appointment: Tree): Visit => ({
  id: appointment.id,
  from: Date.parse(appointment.start),
  to: Date.parse(appointment.end),
  who: appointment.participant
    .filter((one: Tree) => one.status !== 'declined' && one.actor?.reference !== undefined)
    .map((one: Tree) => one.actor.reference),
  slots: (appointment.slot ?? []).map((one: Tree) => one.reference),
})

/** Returns what is wrong among appointments at one time; `shared` are actors who may be at many visits at once, such as a clinic. */
export function overlapFaults(
  appointments: readonly Tree[],
  slots: readonly Tree[],
  at: number,
  shared: readonly string[] = [],
): string[] {
  const faults: string[] = []
  const visits = appointments.filter(one => keeps(one, at)).map(visitOf)
  const byActor = new Map<string, Visit[]>()
  for (const visit of visits)
    for (const actor of visit.who)
      if (!shared.includes(actor)) byActor.set(actor, [...(byActor.get(actor) ?? []), visit])
  for (const [actor, own] of byActor) {
    own.sort((a, b) => a.from - b.from)
    for (let i = 0; i < own.length; i++)
      for (let j = i + 1; j < own.length && own[j]!.from < own[i]!.to; j++) {
        const together = own[i]!.slots.some(slot => own[j]!.slots.includes(slot))
        if (actor.startsWith('Patient/') || !together)
          faults.push(`${actor}: ${own[i]!.id} and ${own[j]!.id}`)
      }
  }
  for (const slot of slots) {
    const inside = visits.filter(visit => visit.slots.includes(`Slot/${slot.id}`)).length
    const takes =
      (slot.extension ?? []).find((one: Tree) => one.url === 'urn:nadi:extension:slot-capacity')
        ?.valuePositiveInt ?? 1
    if (inside > takes) faults.push(`Slot/${slot.id} takes ${takes} and has ${inside}`)
    const isFree = slot.status === 'free'
    if (isFree && inside >= takes) faults.push(`Slot/${slot.id} is full and called free`)
  }
  return faults
}

/** Returns what is wrong with tokens: in each queue the numbers run from 1 without gap or double. */
export function tokenFaults(tasks: readonly Tree[]): string[] {
  const queues = Map.groupBy(
    tasks.filter(task => task.groupIdentifier?.system === 'urn:nadi:queue'),
    task => task.groupIdentifier.value as string,
  )
  return [...queues].flatMap(([queue, tokens]) => {
    const numbers = tokens
      .map(
        token =>
          token.extension.find((one: Tree) => one.url === 'urn:nadi:extension:token-number').valuePositiveInt,
      )
      .sort((a, b) => a - b)
    return numbers.every((number, index) => number === index + 1) ? [] : [`${queue}: ${numbers.join()}`]
  })
}
