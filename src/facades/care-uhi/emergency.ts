/** An ambulance on its way to a facility: its staff is told at once, and a clerk acknowledges and closes the Task of it. */
import type { Context } from '../../context.ts'
import { isObject, type Json, type JsonObject, NumberText, type Resource } from '../../fhir/json.ts'
import { object, text } from '../../fhir/tree.ts'
import { EXTENSION, SYSTEM } from '../../scheduling/codes.ts'
import { keysOf } from '../../search/busy.ts'
import { fold } from '../../search/fold.ts'
import { emergencyKeys, emergencyRule } from './emergency-rule.ts'
import { type Facility, facilityOf, oneOf } from './facility.ts'
import { memberOf } from './generation.ts'
import { required, said } from './message.ts'
import { EMERGENCY, REQUEST_STATUS } from './names.ts'
import { findPatient } from './patient.ts'
import { abhasOf, personIn } from './person.ts'
import { malformed, Refusal, refusalOf } from './refusal.ts'
import { idOf } from './translate.ts'
import { stored } from './write.ts'

const TITLE = 'Emergency Admission'
/** People of the facility who are told. */
const MOST_TOLD = 50

interface Ambulance {
  vehicle_number?: string
  driver_name?: string
  driver_phone?: string
  eta_minutes?: number
  notes?: string
}

/** Returns the answer to an emergency request. Throws Refusal, 400 for whatever is the matter with it. */
export async function emergency(ctx: Context, body: Json): Promise<object> {
  try {
    return await request({ ...ctx, rules: [...(ctx.rules ?? []), emergencyRule] }, body)
  } catch (error) {
    const refusal = refusalOf(error)
    if (!(refusal instanceof Refusal)) throw error
    throw refusal.status < 500 ? malformed(refusal.message) : refusal
  }
}

async function request(ctx: Context, body: Json): Promise<object> {
  const whole = isObject(body) ? body : {}
  // A message is a wrapper that other calls have.
  const asked = memberOf(whole, 'message') ?? whole
  const facilityId = required(asked, 'provider_id')
  const person = personIn(
    memberOf(asked, 'patient'),
    'patient',
    'patient.name and patient.phone_number are required',
  )
  const ambulance = ambulanceIn(asked)
  const title = said(asked, 'title') ?? TITLE
  const facility = await facilityOf(ctx, facilityId)
  if (facility === undefined) throw malformed(`Facility ${facilityId} not found`)

  const id = ctx.newId()
  const reason = reasonOf(ambulance)
  await stored(ctx, async () => {
    const found = await findPatient(ctx, person)
    const known = found.patient === undefined ? [] : abhasOf(found.patient)
    const abhas = new Set([...(person.abha === undefined ? [] : [person.abha.value]), ...known])
    const keys = await emergencyKeys([...abhas], `${person.phone} ${fold(person.name).trim()}`)
    const alarm = { id, facility, patient: found.reference, name: person.name, title, reason }
    const put = { resource: taskOf(ctx, alarm, keys), request: { method: 'PUT', url: `Task/${id}` } }
    const tell = { resource: requestOf(ctx, alarm), request: { method: 'POST', url: 'CommunicationRequest' } }
    return { entries: [...found.entries, put, tell], outcome: undefined }
  })
  const task = await oneOf(ctx, 'Task', id)
  return {
    resource_request: {
      id,
      title,
      status: 'transfer_in_progress',
      emergency: true,
      reason,
      category: 'patient_care',
      priority: 1,
    },
    facility: { id: idOf(facility.organization), name: text(facility.organization.name) ?? '' },
    patient: {
      id: keysOf(object(task?.for), ctx.settings.baseUrl)[0]?.split('/')[1] ?? '',
      name: person.name,
      phone_number: person.phone,
    },
    ambulance,
  }
}

function ambulanceIn(asked: JsonObject): Ambulance {
  const given = memberOf(asked, 'ambulance')
  if (given === undefined) throw malformed('ambulance is required')
  const eta = given.eta_minutes
  const minutes = eta === undefined || eta === null || eta === '' ? undefined : text(eta)
  if (minutes !== undefined && !/^[0-9]{1,5}$/.test(minutes))
    throw malformed('ambulance.eta_minutes must be a valid integer')
  const names = ['vehicle_number', 'driver_name', 'driver_phone', 'notes'] as const
  for (const name of names) {
    const value = given[name]
    if (value !== undefined && value !== null && typeof value !== 'string' && !(value instanceof NumberText))
      throw malformed(`ambulance.${name} must be a text`)
  }
  return {
    ...Object.fromEntries(
      names.flatMap(name => {
        // One line each: the reason is made of lines.
        const value = said(given, name)?.replace(/\s+/g, ' ')
        return value === undefined ? [] : [[name, value]]
      }),
    ),
    ...(minutes !== undefined && { eta_minutes: Number(minutes) }),
  }
}

const reasonOf = (ambulance: Ambulance): string =>
  [
    'Emergency ambulance incoming.',
    ambulance.vehicle_number && `Vehicle: ${ambulance.vehicle_number}`,
    ambulance.driver_name && `Driver: ${ambulance.driver_name}`,
    ambulance.driver_phone && `Driver Phone: ${ambulance.driver_phone}`,
    ambulance.eta_minutes !== undefined && `ETA: ${ambulance.eta_minutes} minutes`,
    ambulance.notes && `Notes: ${ambulance.notes}`,
  ]
    .filter(line => typeof line === 'string')
    .join('\n')

interface Alarm {
  id: string
  facility: Facility
  patient: string
  name: string
  title: string
  reason: string
}

/** Returns the Task that a clerk acknowledges (`accepted`, `in-progress`) and closes (`completed`, `rejected`, `cancelled`). */
const taskOf = (ctx: Context, alarm: Alarm, keys: readonly string[]): Resource => ({
  resourceType: 'Task',
  id: alarm.id,
  identifier: keys.map(value => ({ system: EMERGENCY, value })),
  status: 'requested',
  businessStatus: { coding: [{ system: REQUEST_STATUS, code: 'transfer_in_progress' }] },
  intent: 'order',
  priority: 'stat',
  code: { coding: [{ system: SYSTEM.taskCode, code: 'emergency' }], text: alarm.title },
  description: alarm.reason,
  for: { reference: alarm.patient },
  authoredOn: new Date(ctx.clock()).toISOString(),
  owner: { reference: `Organization/${idOf(alarm.facility.organization)}` },
})

/** Returns what the people of the facility are told. */
function requestOf(ctx: Context, alarm: Alarm): Resource {
  const { facility } = alarm
  const people = [...facility.practitioners.keys()].slice(0, MOST_TOLD)
  const value = (name: string, valueString: string): JsonObject[] =>
    valueString === ''
      ? []
      : [
          {
            url: EXTENSION.messageValue,
            extension: [
              { url: 'name', valueString: name },
              { url: 'value', valueString },
            ],
          },
        ]
  return {
    resourceType: 'CommunicationRequest',
    extension: [
      ...value('patient', alarm.name),
      ...value('facility', text(facility.organization.name) ?? ''),
      ...value('details', alarm.reason.split('\n').slice(1).join('. ')),
    ],
    identifier: [{ system: SYSTEM.messageKey, value: `emergency ${alarm.id}` }],
    status: 'active',
    category: [{ coding: [{ system: SYSTEM.event, code: 'emergency' }] }],
    priority: 'stat',
    subject: { reference: alarm.patient },
    about: [{ reference: `Task/${alarm.id}` }],
    authoredOn: new Date(ctx.clock()).toISOString(),
    recipient: [`Organization/${idOf(facility.organization)}`, ...people].map(reference => ({ reference })),
  }
}
