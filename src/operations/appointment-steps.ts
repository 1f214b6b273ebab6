/**
 * The steps of a visit, operations of this server on one Appointment: `$check-in`, `$complete`, `$no-show` and `$cancel`. A step that was
 * made already is answered with what it made.
 */
import type { Context } from '../context.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import type { Live } from '../storage/port.ts'
import {
  answerWith,
  COMMENT,
  changeAppointment,
  commented,
  definitionOf,
  putEntry,
  VERSION,
} from './appointment-change.ts'
import { arriving, callingOff, finishing } from './appointment-visit.ts'
import { type Call, type InParameter, type Operation, treeOf } from './operation.ts'

interface Step {
  name: string
  /** The status that the appointment has then. */
  status: string
  parameters?: readonly InParameter[]
  /** Returns what the appointment gets beside its status. */
  with?(call: Call): JsonObject
  /** Returns the entries for the encounters. */
  visits(ctx: Context, appointment: Resource): Promise<JsonObject[]>
}

const stepOf = ({ name, status, parameters = [], with: extra, visits }: Step): Operation => ({
  name,
  definition: definitionOf(name),
  types: ['Appointment'],
  levels: ['instance'],
  affectsState: true,
  parameters: [...parameters, COMMENT, VERSION],
  async run(ctx, call) {
    const stored = await changeAppointment(ctx, call, async (appointment, current: Live) => {
      if (appointment.status === status) return []
      const next = { ...commented(appointment, call), ...extra?.(call), status }
      return [putEntry(next, current), ...(await visits(ctx, appointment))]
    })
    return answerWith(stored)
  },
})

/** The patient is here: the visit begins with an Encounter that has arrived. */
export const checkIn = stepOf({ name: 'check-in', status: 'checked-in', visits: arriving })

/** The visit is over. */
export const complete = stepOf({ name: 'complete', status: 'fulfilled', visits: finishing })

/** The patient did not come. */
export const noShow = stepOf({ name: 'no-show', status: 'noshow', visits: callingOff })

/** The visit will not be; what it took is free again. */
export const cancel = stepOf({
  name: 'cancel',
  status: 'cancelled',
  parameters: [{ name: 'reason', type: 'CodeableConcept', min: 0, max: 1 }],
  with: call => {
    const reason = treeOf(call, 'reason')
    return reason === undefined ? {} : { cancelationReason: reason }
  },
  visits: callingOff,
})
