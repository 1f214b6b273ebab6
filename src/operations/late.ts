/** `$late`, an operation of this server: the practitioner is late, the visits to come are expected later, and each patient is told once. */

import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { NumberText, type Resource, writeJson } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { resourceOf, type Taken } from '../scheduling/calendar.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { expectedStart, MOST_LATE } from '../scheduling/expected.ts'
import { extensionsOf, isLive, withExtension } from '../scheduling/hold.ts'
import { instantOf } from '../search/busy.ts'
import { idOf, keyOf, stampText } from '../storage/port.ts'
import { commitAll, putEntry, settled } from './appointment-change.ts'
import { type Operation, textOf } from './operation.ts'
import { dayIn, dayOf, orLeft, patientsIn, requestEntry, toCome } from './practitioner-day.ts'

export const late: Operation = {
  name: 'late',
  definition: 'urn:nadi:operation:practitioner-late',
  types: ['Practitioner'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'minutes', type: 'integer', min: 1, max: 1 },
    { name: 'day', type: 'date', min: 0, max: 1 },
  ],
  async run(ctx, call) {
    await read(ctx, call.type, call.id)
    const minutes = Number(textOf(call, 'minutes'))
    if (minutes < 0 || minutes > MOST_LATE)
      throw fhirError('value', `minutes is 0 to ${MOST_LATE}.`, { expression: 'http.minutes' })
    const day = await dayOf(ctx, keyOf('Practitioner', call.id), dayIn(ctx, call, 'day'))
    const changed: string[] = []
    const left: string[] = []
    for (const one of await toCome(ctx, day)) {
      const is = await orLeft(ctx, one.key, undefined, () => shift(ctx, one, minutes))
      if (is !== false) (is ? changed : left).push(one.key)
    }
    const named = (name: string) => (reference: string) => ({ name, valueReference: { reference } })
    return {
      text: writeJson({
        resourceType: 'Parameters',
        parameter: [
          { name: 'minutes', valueInteger: new NumberText(String(minutes)) },
          ...changed.map(named('changed')),
          ...left.map(named('left')),
        ],
      }),
    }
  },
}

/** Returns whether the appointment is expected at another time now: its patients are told in the same commit. */
async function shift(ctx: Context, { key }: Taken, minutes: number): Promise<boolean> {
  return settled(async () => {
    const stored = await read(ctx, 'Appointment', idOf(key))
    const appointment = resourceOf(stored)
    const start = instantOf(appointment.start) ?? Number.NaN
    const expected = start + minutes * 60_000
    if (!isLive(appointment, ctx.clock()) || (expectedStart(appointment) ?? start) === expected) return false
    const cause = `${key}|doctor-late|${stored.version}`
    const values = { delay: String(minutes), expected: stampText(expected) }
    await commitAll(ctx, [
      putEntry(expectedAt(appointment, minutes === 0 ? undefined : expected), stored),
      ...patientsIn(ctx, appointment).map(patient =>
        requestEntry(patient, key, 'doctor-late', cause, values),
      ),
    ])
    return true
  })
}

function expectedAt(appointment: Resource, at: number | undefined): Resource {
  if (at !== undefined)
    return withExtension(appointment, EXTENSION.expectedStart, { valueDateTime: stampText(at) })
  const extension = extensionsOf(appointment).filter(({ url }) => url !== EXTENSION.expectedStart)
  const { extension: _, ...rest } = appointment
  return (extension.length === 0 ? rest : { ...rest, extension }) as Resource
}
