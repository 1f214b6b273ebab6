/**
 * Numbers and states of queue tokens: the rule for Tasks that are tokens, and for the Appointments that they are for.
 *
 * Whatever changes a queue moves its counter on, so that changes of one queue come one after the other, on every backend: numbers have
 * neither gaps nor doubles, and who is told what follows from the queue as it stands.
 */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import { FhirError, type IssueCode } from '../fhir/error.ts'
import { isObject, NumberText, type Resource } from '../fhir/json.ts'
import { keysOf } from '../search/busy.ts'
import type { Key, Require } from '../storage/port.ts'
import { resourceOf } from './calendar.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import { extensionsOf, withExtension } from './hold.ts'
import { queueNotices } from './queue.ts'
import {
  appointmentOf,
  isToken,
  localDay,
  printedToken,
  type Queue,
  queueDay,
  queueName,
  type Token,
  type Told,
  taskQueue,
  tokenNumber,
  tokenOf,
  tokensOf,
} from './token.ts'
import { checkAppointment, followersOf } from './token-appointment.ts'
import { IN_LINE, LEFT, mayStep, stateOf, TASK_STATUS } from './token-status.ts'

export const tokenRule: WriteRule = {
  types: new Set(['Task', 'Appointment']),
  judge,
}

/** A token that the commit writes. */
interface Change {
  key: Key
  before: Resource | undefined
  /** Undefined for a deletion. */
  after: Resource | undefined
  current: Put['current']
}

async function judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling> {
  const changes: Change[] = pending
    .filter(({ before, after }) => isToken(before) || isToken(after))
    .map(({ key, before, after }) => ({ key, before, after, current: undefined }))
  const require: Require[] = []

  const follow = await followersOf(ctx, pending)
  require.push(...follow.require)
  for (const one of follow.changes) {
    const own = changes.find(({ key }) => key === one.key)
    if (own === undefined) changes.push(one)
    else if (own.after !== undefined) own.after = { ...own.after, status: one.after.status }
  }
  if (changes.length === 0) return { require }

  const queues = new Map<string, { queue: Queue; seen: number; number: number; given: number }>()
  for (const { before, after } of changes) {
    const queue = taskQueue((isToken(after) ? after : before)!)
    if (queue === undefined) throw refused('invalid', 'token-queue', BAD_QUEUE, 'Task.groupIdentifier')
    const name = queueName(queue)
    if (queues.has(name)) continue
    const [seen, number] = await Promise.all([
      ctx.storage.counter(turnOf(name)),
      ctx.storage.counter(numbersOf(name)),
    ])
    queues.set(name, { queue, seen, number, given: 0 })
  }

  const made = new Map<Key, Change & { after: Resource }>()
  for (const change of changes) {
    const { before, after } = change
    if (after === undefined) continue
    const token = isToken(before)
      ? await stepped(ctx, change.key, before, after)
      : numbered(ctx, after, () => {
          const queue = queues.get(queueName(taskQueue(after)!))!
          queue.given++
          return queue.number + queue.given
        })
    if (comesIn(ctx, before, token))
      require.push(...(await checkAppointment(ctx, pending, changes, change.key, token)))
    made.set(change.key, { ...change, after: token })
  }

  const today = localDay(ctx.clock(), ctx.settings.zone)
  for (const [name, { queue, seen, number, given }] of queues) {
    const early = queue.day > today
    require.push({ is: 'counter', name: turnOf(name), seen, next: seen + 1 })
    if (given > 0) require.push({ is: 'counter', name: numbersOf(name), seen: number, next: number + given })
    for (const { token, told } of queueNotices(await queueAfter(ctx, queue, changes, made), early)) {
      const { before, current } = made.get(token.key) ?? { before: undefined, current: token.stored }
      made.set(token.key, { key: token.key, before, current, after: withTold(token.task, told) })
    }
  }
  return {
    require,
    puts: [...made.values()].map(({ key, current, after }) => ({ key, current, resource: after })),
  }
}

const turnOf = (queue: string): string => `queue ${queue}`
const numbersOf = (queue: string): string => `tokens ${queue}`

/** Whether a token stands in the queue for an appointment for which it did not stand there before. */
function comesIn(ctx: Context, before: Resource | undefined, token: Resource): boolean {
  if (LEFT.has(stateOf(token.status)!)) return false
  if (!isToken(before) || LEFT.has(stateOf(before.status)!)) return true
  const { baseUrl } = ctx.settings
  return appointmentOf(before, baseUrl) !== appointmentOf(token, baseUrl)
}

/** Positions beyond this are told nothing. */
const TOLD = 5

/** Returns the tokens of a queue that are not gone, as the commit leaves them. */
async function queueAfter(
  ctx: Context,
  queue: Queue,
  changes: readonly Change[],
  made: ReadonlyMap<Key, Change & { after: Resource }>,
): Promise<Token[]> {
  const name = queueName(queue)
  const own = [...made.values()].flatMap(({ key, after }) => tokenOf(key, after) ?? [])
  const mine = own.filter(token => queueName(token.queue) === name && !LEFT.has(token.state))
  // Who joins at the end of a long queue moves nobody, and is too far behind to be told anything.
  const onlyJoin = changes.every(({ before }) => !isToken(before) || queueName(taskQueue(before)!) !== name)
  if (onlyJoin && (await tokensOf(ctx, queue, [...IN_LINE], TOLD)).length === TOLD) return []
  const stored = await tokensOf(ctx, queue, [...IN_LINE])
  return [...stored.filter(({ key }) => !changes.some(one => one.key === key)), ...mine]
}

const BAD_QUEUE =
  'A token has a groupIdentifier of the system urn:nadi:queue with the value `<Practitioner|HealthcareService|Location>/<id>|<category>|<day>`.'

const SHORTHAND = /^[^\s\p{Cc}-]{1,16}$/u

/** Returns a new token with its number. Throws for what is no token that may be given one. */
function numbered(ctx: Context, task: Resource, next: () => number): Resource {
  const queue = taskQueue(task)
  if (queue === undefined || !isDay(queue.day))
    throw refused('invalid', 'token-queue', BAD_QUEUE, 'Task.groupIdentifier')
  if (!keysOf(task.owner, ctx.settings.baseUrl).includes(queue.owner))
    throw refused(
      'business-rule',
      'token-queue',
      'The owner of a token is the owner of its queue.',
      'Task.owner',
    )
  const shorthand = printedToken(task)
  if (tokenNumber(task) !== undefined || (shorthand !== undefined && !SHORTHAND.test(shorthand)))
    throw refused('business-rule', 'token-number', GIVEN, 'Task.identifier')
  if (stateOf(task.status) !== 'waiting')
    throw refused(
      'business-rule',
      'token-transition',
      'A new token waits: its status is requested.',
      'Task.status',
    )
  const number = next()
  return stamped(ctx, untold(task), undefined, number, `${shorthand ?? 'GC'}-${number}`)
}

const GIVEN = 'The server gives tokens their numbers; they can be neither set nor changed.'

/** A day of the calendar: not 30 February. */
const isDay = (day: string): boolean =>
  !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)

/** Returns the next version of a token. Throws where its number or queue would change, and for a step that no token takes. */
async function stepped(ctx: Context, key: Key, before: Resource, after: Resource): Promise<Resource> {
  const number = tokenNumber(before)!
  const printed = printedToken(before)!
  const sent = tokenNumber(after)
  const identifier = printedToken(after)
  if ((sent !== undefined && sent !== number) || (identifier !== undefined && identifier !== printed))
    throw refused('business-rule', 'token-number', GIVEN, 'Task.identifier')
  const queue = taskQueue(before)!
  const same = isToken(after) && isSame(queue, taskQueue(after))
  const owner = keysOf(after.owner, ctx.settings.baseUrl).includes(queue.owner)
  if (!same || !owner)
    throw refused(
      'business-rule',
      'token-queue',
      'A token stays in its queue: take another one.',
      'Task.groupIdentifier',
    )
  const from = stateOf(before.status)!
  const to = stateOf(after.status)
  if (to === undefined || (!mayStep(from, to) && !(LEFT.has(from) && (await stateBefore(ctx, key)) === to)))
    throw refused(
      'business-rule',
      'token-transition',
      `A token that is ${from} cannot become ${to ?? String(after.status)}.`,
      'Task.status',
    )
  const told = extensionsOf(before).filter(({ url }) => url === EXTENSION.tokenTold)
  const others = extensionsOf(untold(after))
  const kept = { ...after, extension: [...others, ...told] }
  return stamped(ctx, kept, before, number, printed)
}

const isSame = (queue: Queue, other: Queue | undefined): boolean =>
  other !== undefined && queueName(queue) === queueName(other)

/** Versions of a token that are looked at for its last step. */
const LOOKED_AT = 20

/** Returns the state that a token had before its last step. */
async function stateBefore(ctx: Context, key: Key) {
  const { rows } = await ctx.storage.history({ key }, { limit: LOOKED_AT, total: 'none' })
  const states = rows.flatMap(row =>
    row.text === undefined ? [] : (stateOf(resourceOf({ ...row, text: row.text }).status) ?? []),
  )
  return states.find(state => state !== states[0])
}

const untold = (task: Resource): Resource => {
  const extension = extensionsOf(task).filter(({ url }) => url !== EXTENSION.tokenTold)
  const { extension: _, ...rest } = task
  return (extension.length === 0 ? rest : { ...rest, extension }) as Resource
}

/** Returns the task with all that the rule keeps: number, identifier, state in words, and when it was served. */
function stamped(
  ctx: Context,
  task: Resource,
  before: Resource | undefined,
  number: number,
  printed: string,
): Resource {
  const state = stateOf(task.status)!
  const now = new Date(ctx.clock()).toISOString()
  const others = (Array.isArray(task.identifier) ? task.identifier : []).filter(
    one => !isObject(one) || (one.system !== SYSTEM.token && one.system !== SYSTEM.queueDay),
  )
  const day = { system: SYSTEM.queueDay, value: queueDay(taskQueue(task)!) }
  const asked = isObject(before?.executionPeriod) ? before.executionPeriod : {}
  const start = state === 'serving' || state === 'completed' ? (asked.start ?? now) : undefined
  const end = state === 'completed' ? (asked.end ?? now) : undefined
  const { executionPeriod: _, ...rest } = task
  const whole: Resource = {
    ...rest,
    resourceType: 'Task',
    identifier: [{ system: SYSTEM.token, value: printed }, day, ...others],
    businessStatus: { coding: [{ system: SYSTEM.tokenStatus, code: state }] },
    ...(before?.status === task.status && rest.lastModified !== undefined ? {} : { lastModified: now }),
    ...(start === undefined ? {} : { executionPeriod: { start, ...(end === undefined ? {} : { end }) } }),
    status: state === 'cancelled' ? task.status : TASK_STATUS[state],
  }
  return withExtension(whole, EXTENSION.tokenNumber, { valuePositiveInt: new NumberText(String(number)) })
}

const withTold = (task: Resource, { notice, position, early }: Told): Resource => ({
  ...task,
  extension: [
    ...extensionsOf(task),
    {
      url: EXTENSION.tokenTold,
      extension: [
        { url: 'notice', valueCode: notice },
        { url: 'position', valuePositiveInt: new NumberText(String(position)) },
        ...(early ? [{ url: 'early', valueBoolean: true }] : []),
      ],
    },
  ],
})

function refused(code: IssueCode, rule: string, diagnostics: string, expression: string): FhirError {
  return new FhirError(code, [{ severity: 'error', code, diagnostics, expression, rule }])
}
