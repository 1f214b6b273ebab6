/**
 * The queue at a desk, operations of this server: `$token` takes a token, `$queue` says who stands where, `$call-next` calls the next one,
 * and `$queue-step` does with one token what is clicked.
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import { type JsonObject, NumberText, type Resource, writeJson } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { resourceOf, takenWithin } from '../scheduling/calendar.ts'
import { practitionersOf } from '../scheduling/practitioner.ts'
import { lineOf, nextPosition } from '../scheduling/queue.ts'
import {
  GENERAL,
  localDay,
  OWNERS,
  printedToken,
  type Queue,
  queueName,
  queueOf,
  type Token,
  tokensOfDay,
} from '../scheduling/token.ts'
import { callNext, STEPS, type Step, step, takeToken } from '../scheduling/token-steps.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import { idOf, type Key, type Live, typeOf } from '../storage/port.ts'
import { type Answer, type Call, type InParameter, type Operation, textOf, treeOf } from './operation.ts'

const definition = (name: string): string => `urn:nadi:operation:${name}`

const CATEGORY: InParameter = { name: 'category', type: 'string', min: 0, max: 1 }
const DAY: InParameter = { name: 'day', type: 'date', min: 0, max: 1 }

/** Takes a token in the queue of a practitioner, a department or a counter; a rescan finds the one that was taken. */
export const token: Operation = {
  name: 'token',
  definition: definition('queue-token'),
  types: ['Appointment', ...OWNERS],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'patient', type: 'Reference', min: 0, max: 1 },
    { name: 'owner', type: 'Reference', min: 0, max: 1 },
    CATEGORY,
    { name: 'shorthand', type: 'string', min: 0, max: 1 },
    DAY,
  ],
  async run(ctx, call) {
    const stored = await read(ctx, call.type, call.id)
    const appointment = call.type === 'Appointment' ? resourceOf(stored) : undefined
    const patient = keyIn(ctx, call, 'patient', ['Patient']) ?? actorOf(ctx, appointment, 'Patient')
    if (patient === undefined)
      throw fhirError('required', '$token needs the patient.', { expression: 'http.patient' })
    const owner =
      appointment === undefined
        ? stored.key
        : (keyIn(ctx, call, 'owner', OWNERS) ?? (await practitionersOf(ctx, appointment))[0])
    if (owner === undefined)
      throw fhirError(
        'required',
        '$token needs the owner of the queue: the appointment has no practitioner.',
        {
          expression: 'http.owner',
        },
      )
    for (const key of [patient, owner]) await read(ctx, typeOf(key), idOf(key))
    const queue = queueIn(ctx, call, owner, instantOf(appointment?.start))
    const visit = appointment === undefined ? await visitOf(ctx, patient, queue) : stored.key
    const taken = await takeToken(ctx, {
      ...queue,
      patient,
      appointment: visit,
      shorthand: textOf(call, 'shorthand'),
    })
    return taskAnswer(taken)
  },
}

/** Says who stands where, by the rule that messages of the queue follow. */
export const queue: Operation = {
  name: 'queue',
  definition: definition('queue-state'),
  types: OWNERS,
  levels: ['instance'],
  affectsState: false,
  parameters: [CATEGORY, DAY],
  async run(ctx, call) {
    const { key } = await read(ctx, call.type, call.id)
    const asked = queueIn(ctx, call, key, undefined)
    const category = textOf(call, 'category')
    const tokens = await tokensOfDay(ctx, asked)
    const names = new Set(tokens.map(one => one.queue.category))
    const wanted = category === undefined ? [...names].sort() : [category]
    const states = wanted.map(name =>
      stateOf(
        { ...asked, category: name },
        tokens.filter(one => one.queue.category === name),
      ),
    )
    return {
      text: writeJson({ resourceType: 'Parameters', ...(states.length > 0 && { parameter: states }) }),
    }
  },
}

/** Calls who is next; two clerks at once call one patient each. */
export const callNextToken: Operation = {
  name: 'call-next',
  definition: definition('queue-call-next'),
  types: OWNERS,
  levels: ['instance'],
  affectsState: true,
  parameters: [CATEGORY, DAY],
  async run(ctx, call) {
    const { key } = await read(ctx, call.type, call.id)
    const called = await callNext(ctx, queueIn(ctx, call, key, undefined))
    if (called === undefined) throw fhirError('not-found', 'Nobody waits in this queue.')
    return taskAnswer(called)
  },
}

/** Does with one token what is clicked: call, recall, skip, serve, complete, put-ahead, undo. */
export const queueStep: Operation = {
  name: 'queue-step',
  definition: definition('queue-step'),
  types: ['Task'],
  levels: ['instance'],
  affectsState: true,
  parameters: [
    { name: 'step', type: 'code', min: 1, max: 1 },
    { name: 'before', type: 'Reference', min: 0, max: 1 },
  ],
  async run(ctx, call) {
    const what = textOf(call, 'step')!
    if (!isStep(what))
      throw fhirError('value', `A step is one of ${STEPS.join(', ')}.`, { expression: 'http.step' })
    return taskAnswer(await step(ctx, call.id, what, keyIn(ctx, call, 'before', ['Task'])))
  },
}

const isStep = (text: string): text is Step => (STEPS as readonly string[]).includes(text)

const taskAnswer = (stored: Live): Answer => ({ text: stored.text, stored })

/** Returns the key that a parameter refers to. Throws `value` where it leads to no resource of these types of ours. */
function keyIn(ctx: Context, call: Call, name: string, types: readonly string[]): Key | undefined {
  const reference = treeOf(call, name)
  if (reference === undefined) return undefined
  const key = keysOf(reference, ctx.settings.baseUrl)[0] as Key | undefined
  if (key === undefined || !types.includes(typeOf(key)))
    throw fhirError('value', `${name} is a reference to a ${types.join(' or a ')}.`, {
      expression: `http.${name}`,
    })
  return key
}

const actorOf = (ctx: Context, appointment: Resource | undefined, type: string): Key | undefined =>
  appointment === undefined
    ? undefined
    : actorsOf(appointment)
        .flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
        .find(key => typeOf(key) === type)

/** Returns the appointment for which somebody comes to a queue: the first of the day with its owner; undefined for who has none. */
async function visitOf(ctx: Context, patient: Key, { owner, day }: Queue): Promise<Key | undefined> {
  const { lo, hi } = timeRange(day, ctx.settings.zone)!
  for (const one of await takenWithin(ctx, [patient], lo, hi)) {
    if (one.start < lo) continue
    if (one.actors.includes(owner) || (await practitionersOf(ctx, one.resource)).includes(owner))
      return one.key
  }
  return undefined
}

/** Returns the queue that is asked for. Throws `value` for a day or a category that is none. */
function queueIn(ctx: Context, call: Call, owner: Key, start: number | undefined): Queue {
  const { zone } = ctx.settings
  const sent = textOf(call, 'day')
  const day = sent ?? localDay(start ?? ctx.clock(), zone)
  if (!/^.{10}$/.test(day) || timeRange(day, zone) === undefined)
    throw fhirError('value', 'A day is a date: 2026-11-21.', { expression: 'http.day' })
  const category = textOf(call, 'category') ?? GENERAL.category
  const asked = queueOf(queueName({ owner, category, day }))
  if (asked === undefined)
    throw fhirError('value', 'A category has 1 to 64 characters, none of them |.', {
      expression: 'http.category',
    })
  return asked
}

const positive = (value: number) => ({ valuePositiveInt: new NumberText(String(value)) })

/** Returns a queue as a parameter: its line in order, then those set aside. */
function stateOf(of: Queue, tokens: readonly Token[]): JsonObject {
  const line = lineOf(tokens)
  const aside = tokens.filter(({ state }) => state === 'skipped')
  const part = (one: Token, position: number | undefined): JsonObject => ({
    name: 'token',
    part: [
      ...(position === undefined ? [] : [{ name: 'position', ...positive(position) }]),
      { name: 'token', valueString: printedToken(one.task) ?? '' },
      { name: 'state', valueCode: one.state },
      { name: 'task', valueReference: { reference: one.key } },
      ...(one.task.for === undefined ? [] : [{ name: 'patient', valueReference: one.task.for }]),
      ...(one.task.focus === undefined ? [] : [{ name: 'appointment', valueReference: one.task.focus }]),
    ],
  })
  return {
    name: 'queue',
    part: [
      { name: 'owner', valueReference: { reference: of.owner } },
      { name: 'category', valueString: of.category },
      { name: 'day', valueDate: of.day },
      { name: 'next', ...positive(nextPosition(line)) },
      ...line.map((one, index) => part(one, index + 1)),
      ...aside.map(one => part(one, undefined)),
    ],
  }
}
