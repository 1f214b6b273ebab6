/**
 * `$walk-in`, an operation of this server: who comes without an appointment gets one without a slot, in the next time that the
 * practitioner has, and an Encounter that has arrived.
 */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { zonedText } from '../fhir/instant.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { takenWithin } from '../scheduling/calendar.ts'
import { searched } from '../scheduling/live-resources.ts'
import { zoneAt } from '../scheduling/place.ts'
import { keysOf } from '../search/busy.ts'
import { type Live, stampText } from '../storage/port.ts'
import {
  answerWith,
  COMMENT,
  commented,
  commitAll,
  concept,
  definitionOf,
  postEntry,
  reference,
  unsigned,
} from './appointment-change.ts'
import { bookingPatients } from './booking-patients.ts'
import { type Call, type Operation, textOf, treeOf } from './operation.ts'

const MINUTE = 60_000
/** A visit for which nobody says how long it takes. */
const MINUTES = 15
/** How far ahead the next time is looked for. */
const HORIZON = 24 * 60 * MINUTE
/** Others who take the same time just now. */
const TRIES = 20

/** Who has one appointment at a time. A place may have many: only where one is refused, its time counts too. */
const BUSY = /^(?:Patient|Practitioner|PractitionerRole)\//
const BUSY_AND_ROOMS = /^(?:Patient|Practitioner|PractitionerRole|Location)\//

const TYPES: Record<string, RegExp> = {
  practitioner: /^(?:Practitioner|PractitionerRole)\//,
  service: /^HealthcareService\//,
  location: /^Location\//,
}

export const walkIn: Operation = {
  name: 'walk-in',
  definition: definitionOf('walk-in'),
  types: ['Appointment'],
  levels: ['type'],
  affectsState: true,
  parameters: [
    { name: 'patient', type: 'Reference', min: 0, max: 1 },
    { name: 'patient-resource', type: 'Resource', min: 0, max: 1, resourceTypes: ['Patient'] },
    ...Object.keys(TYPES).map(name => ({
      name,
      type: 'Reference' as const,
      min: 0 as const,
      max: 1 as const,
    })),
    { name: 'minutes', type: 'positiveInt', min: 0, max: 1 },
    { name: 'reason', type: 'CodeableConcept', min: 0, max: 1 },
    COMMENT,
  ],
  async run(ctx, call) {
    for (let attempt = 1; ; attempt++) {
      try {
        return answerWith(await walkedIn(ctx, call, attempt > 1 ? BUSY_AND_ROOMS : BUSY))
      } catch (error) {
        // Somebody else has taken the same gap: there is a next one.
        if (!(error instanceof FhirError) || error.status !== 409 || attempt === TRIES) throw error
      }
    }
  },
}

async function walkedIn(ctx: Context, call: Call, busy: RegExp): Promise<Live> {
  const named = treeOf(call, 'patient')
  const sent = (call.trees.get('patient-resource') ?? []) as Resource[]
  if ((named === undefined) === (sent.length === 0))
    throw fhirError('required', '$walk-in needs patient or patient-resource, and not both.', {
      expression: 'http.patient',
    })
  const { references, entries } =
    named === undefined
      ? await bookingPatients(ctx, sent)
      : { references: [keyIn(ctx, named, /^Patient\//, 'patient')], entries: [] }
  const others = Object.entries(TYPES).flatMap(([name, type]) => {
    const value = treeOf(call, name)
    return value === undefined ? [] : [keyIn(ctx, value, type, name)]
  })
  if (others.length === 0)
    throw fhirError('required', '$walk-in needs a practitioner, a service or a location.', {
      expression: 'http.practitioner',
    })
  const patient = references[0]!
  const minutes = Number(textOf(call, 'minutes') ?? MINUTES)
  if (minutes * MINUTE > HORIZON)
    throw fhirError('value', 'A visit takes a day at most.', { expression: 'http.minutes' })
  const start = await nextTime(
    ctx,
    [patient, ...(await namesOf(ctx, others))].filter(name => busy.test(name)),
    minutes * MINUTE,
  )
  const zone = await zoneAt(ctx, others)
  const link = `urn:uuid:${crypto.randomUUID()}`
  const reason = treeOf(call, 'reason')
  const appointment: Resource = {
    resourceType: 'Appointment',
    status: 'arrived',
    appointmentType: concept(
      'http://terminology.hl7.org/CodeSystem/v2-0276',
      'WALKIN',
      'A previously unscheduled walk-in visit',
    ),
    ...(reason !== undefined && { reasonCode: [reason] }),
    start: zonedText(start, zone),
    end: zonedText(start + minutes * MINUTE, zone),
    minutesDuration: unsigned(minutes),
    created: stampText(ctx.clock()),
    participant: [
      { actor: reference(patient), required: 'required', status: 'accepted' },
      ...others.map((key): JsonObject => ({ actor: reference(key), status: 'accepted' })),
    ],
  }
  const stored = await commitAll(ctx, [
    postEntry(commented(appointment, call), undefined, link),
    ...entries,
    postEntry(arrived(ctx, patient, others, link)),
  ])
  return stored[0]!
}

const arrived = (ctx: Context, patient: string, others: readonly string[], link: string): Resource => ({
  resourceType: 'Encounter',
  status: 'arrived',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: 'ambulatory' },
  subject: reference(patient),
  ...of(others, TYPES.practitioner!, participant => ({
    participant: participant.map(key => ({ individual: reference(key) })),
  })),
  appointment: [reference(link)],
  period: { start: stampText(ctx.clock()) },
  ...of(others, TYPES.location!, location => ({
    location: location.map(key => ({ location: reference(key) })),
  })),
})

const of = (keys: readonly string[], type: RegExp, make: (found: string[]) => JsonObject): JsonObject => {
  const found = keys.filter(key => type.test(key))
  return found.length === 0 ? {} : make(found)
}

function keyIn(ctx: Context, value: JsonObject, type: RegExp, name: string): string {
  const [key] = keysOf(value, ctx.settings.baseUrl)
  if (key !== undefined && type.test(key)) return key
  throw fhirError('invalid', `${name} is a reference to a resource of this server.`, {
    expression: `http.${name}`,
  })
}

/** Returns under which names the time of these is taken: practitioners have that of all their roles. */
async function namesOf(ctx: Context, keys: readonly string[]): Promise<string[]> {
  const names = new Set(keys)
  for (const key of keys) {
    const [type, id] = key.split('/') as [string, string]
    const practitioner =
      type === 'PractitionerRole'
        ? [...(await searched(ctx, 'PractitionerRole', [['_id', id]], 1)).values()].flatMap(one =>
            keysOf(one.practitioner, ctx.settings.baseUrl),
          )
        : type === 'Practitioner'
          ? [key]
          : []
    for (const one of practitioner) {
      names.add(one)
      const roles = await searched(ctx, 'PractitionerRole', [['practitioner', one]], 100)
      for (const role of roles.keys()) names.add(role)
    }
  }
  return [...names]
}

/** Returns the next time of this length, ms since 1970, in which none of these has an appointment. */
async function nextTime(ctx: Context, busy: readonly string[], length: number): Promise<number> {
  const now = Math.floor(ctx.clock() / MINUTE) * MINUTE
  let at = now
  for (const one of await takenWithin(ctx, busy, now, now + HORIZON)) {
    if (one.start - at >= length) return at
    at = Math.max(at, one.end)
  }
  return at
}
