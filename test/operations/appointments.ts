/** A doctor's morning on a store in memory, under the rules of the application, and the operations on it. */
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { type Given, givenByResource, readParameters } from '../../src/operations/parameters.ts'
import { operationAt } from '../../src/operations/registry.ts'
import type { Key } from '../../src/storage/port.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import type { SomeSettings } from '../settings.ts'
import { tree } from './context.ts'

export const DAY = '2026-12-01'
export const at = (clock: string, day = DAY): string => `${day}T${clock}:00+05:30`

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field in assertions
export type Any = any

const slot = (
  id: string,
  from: string,
  to: string,
  schedule: string,
  capacity?: number,
  day = DAY,
): object => ({
  resourceType: 'Slot',
  id,
  schedule: { reference: `Schedule/${schedule}` },
  status: 'free',
  start: at(from, day),
  end: at(to, day),
  ...(capacity !== undefined && {
    extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: capacity }],
  }),
})

/** Slots `0900`, `0920` and `0940` of Dr Anjali, `group` (10:00 to 10:30, for three), and `t0900` of Dr Thomas. */
export async function morning(settings: SomeSettings = {}): Promise<TestContext> {
  const base = await testContext(settings)
  const ctx = underRules(base) as TestContext
  const doctor = (id: string) => [
    { resourceType: 'Practitioner', id, name: [{ text: `Dr ${id}` }] },
    {
      resourceType: 'Schedule',
      id,
      actor: [{ reference: `Practitioner/${id}` }, { reference: 'Location/clinic' }],
      serviceType: [{ text: 'Consultation' }],
    },
  ]
  await storeTogether(ctx, [
    { resourceType: 'Location', id: 'clinic', name: 'Thanal' },
    ...doctor('anjali'),
    ...doctor('thomas'),
    slot('0900', '09:00', '09:20', 'anjali'),
    slot('0920', '09:20', '09:40', 'anjali'),
    slot('0940', '09:40', '10:00', 'anjali'),
    slot('group', '10:00', '10:30', 'anjali', 3),
    slot('t0900', '09:00', '09:20', 'thomas'),
    ...['meera', 'abdul', 'joseph'].map(id => ({
      resourceType: 'Patient',
      id,
      name: [{ text: id }],
      identifier: [{ system: 'https://thanal.example.org/mrn', value: `MRN-${id}` }],
    })),
  ])
  return ctx
}

export async function storeTogether(ctx: Context, resources: readonly object[]): Promise<void> {
  const entry = resources.map((one: Any) => ({
    resource: tree(one),
    request: { method: 'PUT', url: `${one.resourceType}/${one.id}` },
  }))
  await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry })
}

export const put = async (ctx: Context, one: Any): Promise<void> => {
  await update(ctx, one.resourceType, one.id, tree(one))
}

export const appointmentFor = (patient: string, more: object = {}): Any => ({
  resourceType: 'Appointment',
  status: 'pending',
  start: at('09:00'),
  end: at('09:20'),
  slot: [{ reference: 'Slot/0900' }],
  participant: [
    { actor: { reference: `Patient/${patient}` }, status: 'accepted' },
    { actor: { reference: 'Practitioner/anjali' }, status: 'accepted' },
  ],
  ...more,
})

/** A Parameters resource of values, resources and parts, as a client sends it. */
export const parameters = (...parameter: object[]): object => ({ resourceType: 'Parameters', parameter })
export const reference = (name: string, to: string): object => ({ name, valueReference: { reference: to } })
export const resourceIn = (name: string, resource: object): object => ({ name, resource })

/** Returns the status and the body of an operation's answer, refused ones too. */
export async function ask(ctx: Context, path: string, body: object = parameters()): Promise<[number, Any]> {
  const [type = '', second = '', third] = path.split('/')
  const [id, name] = third === undefined ? ['', second] : [second, third]
  try {
    const operation = operationAt(ctx, name.slice(1), id === '' ? 'type' : 'instance', type)
    const given: readonly Given[] = givenByResource(tree(body))
    const read = readParameters(operation, given, false)
    const place = { level: id === '' ? ('type' as const) : ('instance' as const), type, id, version: '' }
    const answer = await operation.run(ctx, { ...place, ...read, media: undefined, lenient: false })
    return [answer.status ?? 200, JSON.parse(answer.text as string)]
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    return [error.status, { resourceType: 'OperationOutcome', issue: error.issues }]
  }
}

/** Returns the appointment in the answer of `$hold` or `$book`. */
export const bookedIn = (answer: [number, Any]): Any => answer[1].entry[0].resource

export async function stored(ctx: Context, key: string): Promise<Any> {
  const found = await ctx.storage.read(key as Key)
  return found?.text === undefined ? undefined : JSON.parse(found.text)
}

export const statusOf = async (ctx: Context, key: string): Promise<string> => (await stored(ctx, key))?.status
