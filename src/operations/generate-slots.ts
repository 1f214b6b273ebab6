/** `Schedule/$generate-slots`, an operation of this server: the slots of published hours. docs/scheduling.md */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type JsonObject, NumberText, writeJson } from '../fhir/json.ts'
import { parseReference } from '../fhir/reference.ts'
import { type Generated, generateSlots, type SlotRequest } from '../scheduling/generate-slots.ts'
import { stampText } from '../storage/port.ts'
import { type Answer, type Call, type Operation, textOf } from './operation.ts'

/** Schedules of one call. */
const MOST = 50

/** Makes the slots of a Schedule, or of those that are named. */
export const generateSlotsOperation: Operation = {
  name: 'generate-slots',
  definition: 'urn:nadi:operation:generate-slots',
  types: ['Schedule'],
  levels: ['type', 'instance'],
  affectsState: true,
  parameters: [
    { name: 'schedule', type: 'uri', min: 0, max: '*' },
    { name: 'start', type: 'date', min: 0, max: 1 },
    { name: 'end', type: 'date', min: 0, max: 1 },
    { name: 'slotMinutes', type: 'positiveInt', min: 0, max: 1 },
    { name: 'capacity', type: 'positiveInt', min: 0, max: 1 },
  ],
  run,
}

/** Returns a Parameters resource with what came of each Schedule. Throws as `generateSlots` does. */
async function run(ctx: Context, call: Call): Promise<Answer> {
  const number = (name: string): number | undefined => {
    const text = textOf(call, name)
    return text === undefined ? undefined : Number(text)
  }
  const request: SlotRequest = {
    start: textOf(call, 'start'),
    end: textOf(call, 'end'),
    minutes: number('slotMinutes'),
    capacity: number('capacity'),
  }
  const done = await generateSlots(ctx, idsOf(ctx, call), request)
  return { text: writeJson({ resourceType: 'Parameters', parameter: done.map(answerOf) }) }
}

/** Returns the Schedules that are meant. Throws `invalid` where the URL names one and the parameters another, or nothing does. */
function idsOf(ctx: Context, call: Call): string[] {
  const named = call.texts.get('schedule') ?? []
  const expression = 'http.schedule'
  if (call.level === 'instance') {
    if (named.length === 0) return [call.id]
    throw fhirError('invalid', 'The URL names the Schedule already.', { expression })
  }
  if (named.length === 0)
    throw fhirError('required', 'The parameter schedule names the Schedules, such as Schedule/1.', {
      expression,
    })
  if (named.length > MOST)
    throw fhirError('too-costly', `At most ${MOST} Schedules are done in one call.`, {
      status: 400,
      expression,
    })
  const ids = named.map(text => {
    const to = parseReference(text, ctx.settings.baseUrl)
    if (to.kind === 'local' && to.type === 'Schedule') return to.id
    throw fhirError('invalid', 'schedule is a reference to a Schedule of this server, such as Schedule/1.', {
      expression,
    })
  })
  return [...new Set(ids)]
}

function answerOf({ schedule, from, to, created, changed, removed, kept, unfit }: Generated): JsonObject {
  const number = (name: string, value: number): JsonObject => ({
    name,
    valueInteger: new NumberText(String(value)),
  })
  return {
    name: 'schedule',
    part: [
      { name: 'reference', valueReference: { reference: schedule } },
      { name: 'start', valueDate: from },
      { name: 'end', valueDate: to },
      number('created', created),
      number('changed', changed),
      number('removed', removed),
      number('kept', kept),
      ...unfit.map(one => ({
        name: 'appointment',
        part: [
          { name: 'reference', valueReference: { reference: one.key } },
          { name: 'start', valueInstant: stampText(one.start) },
          { name: 'end', valueInstant: stampText(one.end) },
        ],
      })),
    ],
  }
}
