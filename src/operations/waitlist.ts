/** `$waitlist`, an operation of this server: somebody waits for a time of a practitioner, a department or a place, in the order of asking. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { create } from '../interactions/create.ts'
import { instantOf, keysOf } from '../search/busy.ts'
import { type Live, stampText } from '../storage/port.ts'
import {
  answerWith,
  appointmentOf,
  COMMENT,
  commented,
  definitionOf,
  reference,
  settled,
  unsigned,
} from './appointment-change.ts'
import { type Call, type Operation, textOf, treeOf } from './operation.ts'

/** Who and what one can wait for. */
const ACTORS = /^(?:Practitioner|PractitionerRole|HealthcareService|Location)\//
const MOST_ACTORS = 10

export const waitlist: Operation = {
  name: 'waitlist',
  definition: definitionOf('waitlist'),
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    { name: 'patient', type: 'Reference', min: 1, max: 1 },
    { name: 'actor', type: 'Reference', min: 1, max: '*' },
    { name: 'start', type: 'dateTime', min: 1, max: 1 },
    { name: 'end', type: 'dateTime', min: 1, max: 1 },
    { name: 'service-type', type: 'CodeableConcept', min: 0, max: 1 },
    { name: 'priority', type: 'positiveInt', min: 0, max: 1 },
    COMMENT,
  ],
  run: async (ctx, call) => answerWith(await settled(() => waitingFor(ctx, call))),
}

/** Returns the entry of the patient for the same actors: a new one, or the one that there is. */
async function waitingFor(ctx: Context, call: Call): Promise<Live> {
  const patient = keyOfType(ctx, treeOf(call, 'patient')!, /^Patient\//, 'patient')
  const actors = [...new Set(call.trees.get('actor')!.map(one => keyOfType(ctx, one, ACTORS, 'actor')))]
  if (actors.length > MOST_ACTORS)
    throw fhirError('too-costly', `One waits for ${MOST_ACTORS} actors at most.`, {
      status: 400,
      expression: 'http.actor',
    })
  const period = periodOf(ctx, call)
  const priority = textOf(call, 'priority')
  const serviceType = treeOf(call, 'service-type')
  const entry: Resource = {
    resourceType: 'Appointment',
    status: 'waitlist',
    ...(serviceType !== undefined && { serviceType: [serviceType] }),
    ...(priority !== undefined && { priority: unsigned(Number(priority)) }),
    created: stampText(ctx.clock()),
    participant: [
      { actor: reference(patient), required: 'required', status: 'accepted' },
      ...actors.map(actor => ({ actor: reference(actor), status: 'needs-action' })),
    ],
    requestedPeriod: [period],
  }
  const criteria: [string, string][] = [
    ['status', 'waitlist'],
    ['patient', patient],
    ...actors.map((actor): [string, string] => ['actor', actor]),
  ]
  const { stored, created } = await create(ctx, 'Appointment', commented(entry, call), {
    ifNoneExist: criteria,
  })
  if (!created && !sameTime(appointmentOf(stored), period))
    throw fhirError(
      'conflict',
      `The patient waits already, at another time: ${stored.key}. Change that, or cancel it.`,
    )
  return stored
}

function keyOfType(ctx: Context, value: JsonObject, of: RegExp, name: string): string {
  const [key] = keysOf(value, ctx.settings.baseUrl)
  if (key !== undefined && of.test(key)) return key
  const types = of.source.replace(/[^A-Za-z|]/g, '').replaceAll('|', ', ')
  throw fhirError('invalid', `${name} is a reference to one of these on this server: ${types}.`, {
    expression: `http.${name}`,
  })
}

/** Returns the time in which the patient could come. Throws `invalid` for what is no time, and for one that is over. */
function periodOf(ctx: Context, call: Call): JsonObject {
  const time = (name: string, end: 'lo' | 'hi'): number => {
    const at = timeRange(textOf(call, name)!, ctx.settings.zone)?.[end]
    if (at === undefined)
      throw fhirError('invalid', `${name} is a dateTime: 2026-11-30 or 2026-11-30T09:00:00+05:30.`, {
        expression: `http.${name}`,
      })
    return at
  }
  const start = time('start', 'lo')
  const end = time('end', 'hi')
  if (end <= start || end <= ctx.clock())
    throw fhirError('invalid', 'end is after start, and to come.', { expression: 'http.end' })
  return { start: stampText(start), end: stampText(end) }
}

const sameTime = ({ requestedPeriod }: Resource, period: JsonObject): boolean =>
  objects(requestedPeriod).some(
    one => instantOf(one.start) === instantOf(period.start) && instantOf(one.end) === instantOf(period.end),
  )
