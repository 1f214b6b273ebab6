/** A queue token: a Task that gives a patient a number in the queue of a practitioner, a department or a counter on a day. */
import type { Context } from '../context.ts'
import { wallTime } from '../fhir/instant.ts'
import { isObject, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { type Key, type Live, typeOf } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import { extensionOf, extensionsOf } from './hold.ts'
import { stateOf, TASK_STATUS, type TokenState } from './token-status.ts'

export const TOKEN = 'token'

/** The category of a token for which nobody names one, and what stands before its number. */
export const GENERAL = { category: 'General', shorthand: 'GC' }

/** Whose queues there are: practitioners, departments, counters. */
export const OWNERS: readonly string[] = ['Practitioner', 'HealthcareService', 'Location']

/** What a patient is told of a token, once each. */
export type Notice = 'fifth' | 'next' | 'called'

export interface Told {
  notice: Notice
  /** Where the token stood: 1 for the first. */
  position: number
  /** It was before the day of the queue, when its turn is far away: told to the Care gateway alone, and on the day to everybody. */
  early: boolean
}

export interface Queue {
  /** `Practitioner/1` */
  owner: Key
  category: string
  /** `2026-11-21`, in the server's zone. */
  day: string
}

/** A token as the queue sees it. */
export interface Token {
  key: Key
  queue: Queue
  /** 1 for the first; undefined while it has none. */
  number: number | undefined
  /** Where it stands: its number, unless it was put ahead. */
  order: number
  state: TokenState
  told: readonly Told[]
  task: Resource
  /** Where it is stored; undefined while it is not. */
  stored: Live | undefined
}

/** Returns the value of Task.groupIdentifier. */
export const queueName = ({ owner, category, day }: Queue): string => `${owner}|${category}|${day}`

const QUEUE =
  /^((?:Practitioner|HealthcareService|Location)\/[A-Za-z0-9\-.]{1,64})\|([^|\p{Cc}]{1,64})\|([0-9]{4}-[0-9]{2}-[0-9]{2})$/u

/** Returns the queue that a name names; undefined for what is none. */
export function queueOf(name: unknown): Queue | undefined {
  const match = typeof name === 'string' ? QUEUE.exec(name) : null
  return match === null ? undefined : { owner: match[1] as Key, category: match[2]!, day: match[3]! }
}

/** Days that every zone has with four digits of a year. */
const FIRST = Date.parse('0001-01-02T00:00:00Z')
const LAST = Date.parse('9999-12-30T23:59:59Z')

/** Returns the day in the zone on which an instant falls: `2026-11-21`. `at` is ms since 1970; at the ends of the calendar, the nearest day. */
export const localDay = (at: number, zone: string): string =>
  wallTime(new Date(Math.min(Math.max(at, FIRST), LAST)).toISOString(), zone)!.slice(0, 10)

/** Returns what stands before the numbers of a category: `GC` for `General`, and the initials of any other. */
export function shorthandOf(category: string): string {
  if (category === GENERAL.category) return GENERAL.shorthand
  const initials = category
    .split(/[^\p{L}\p{N}]+/u)
    .map(word => [...word][0] ?? '')
    .join('')
  return initials.slice(0, 4).toUpperCase() || GENERAL.shorthand
}

export interface TokenParts {
  /** `Appointment/1`, or the `urn:uuid:` of one in the same transaction; undefined for who comes without one. */
  appointment?: string | undefined
  /** `Patient/1` or a `urn:uuid:`. */
  patient: string
  owner: string
  category?: string | undefined
  /** What stands before the number: `GC`. */
  shorthand?: string | undefined
  /** `2026-11-21` */
  day: string
}

/** Returns the Task of a new token, without its number: the rule gives it the next one of its queue as it is stored. */
export function tokenTask(parts: TokenParts): Resource {
  const { appointment, patient, owner, category = GENERAL.category, day } = parts
  const shorthand = parts.shorthand ?? shorthandOf(category)
  return {
    resourceType: 'Task',
    identifier: [{ system: SYSTEM.token, value: shorthand }],
    groupIdentifier: { system: SYSTEM.queue, value: queueName({ owner: owner as Key, category, day }) },
    status: TASK_STATUS.waiting,
    intent: 'order',
    code: { coding: [{ system: SYSTEM.taskCode, code: TOKEN }] },
    ...(appointment === undefined ? {} : { focus: { reference: appointment } }),
    for: { reference: patient },
    owner: { reference: owner },
  }
}

const hasCode = (concept: unknown, system: string, code: string): boolean =>
  isObject(concept as JsonObject) &&
  Array.isArray((concept as JsonObject).coding) &&
  ((concept as JsonObject).coding as JsonObject[]).some(
    one => isObject(one) && one.system === system && one.code === code,
  )

/** Returns whether a resource is a Task of a queue token. */
export const isToken = (resource: Resource | undefined): resource is Resource =>
  resource?.resourceType === 'Task' && hasCode(resource.code, SYSTEM.taskCode, TOKEN)

/** Returns the number that an element has as text, undefined where it is none. */
export function numberOf(value: unknown): number | undefined {
  const number = value instanceof NumberText ? Number(value.text) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

/** Returns the number of a token; undefined where it has none. */
export const tokenNumber = (task: Resource): number | undefined =>
  numberOf(extensionOf(task, EXTENSION.tokenNumber)?.valuePositiveInt)

/** Returns a token's identifier as it is printed: `GC-5`; undefined where it has none. */
export const printedToken = (task: Resource): string | undefined =>
  (Array.isArray(task.identifier) ? task.identifier : []).flatMap(one =>
    isObject(one) && one.system === SYSTEM.token && typeof one.value === 'string' ? [one.value] : [],
  )[0]

/** Returns the order that a token has been given; undefined where it stands by its number. */
export const tokenOrder = (task: Resource): number | undefined =>
  numberOf(extensionOf(task, EXTENSION.tokenOrder)?.valueDecimal)

/** Returns the queue of a token; undefined for what names none. */
export const taskQueue = (task: Resource): Queue | undefined => {
  const group = task.groupIdentifier
  return isObject(group) && group.system === SYSTEM.queue ? queueOf(group.value) : undefined
}

const NOTICES: readonly string[] = ['fifth', 'next', 'called'] satisfies Notice[]

/** Returns what the patient of a token has been told so far. */
export const toldOf = (task: Resource): Told[] =>
  extensionsOf(task)
    .filter(one => one.url === EXTENSION.tokenTold)
    .flatMap(one => {
      const notice = extensionOf(one, 'notice')?.valueCode
      const position = numberOf(extensionOf(one, 'position')?.valuePositiveInt)
      return typeof notice === 'string' && NOTICES.includes(notice) && position !== undefined
        ? [{ notice: notice as Notice, position, early: extensionOf(one, 'early')?.valueBoolean === true }]
        : []
    })

/** Returns a token as the queue sees it; undefined for a Task that is none, or whose queue or status is none of a token. */
export function tokenOf(
  key: Key,
  task: Resource | undefined,
  stored: Live | undefined = undefined,
): Token | undefined {
  if (!isToken(task)) return undefined
  const queue = taskQueue(task)
  const state = stateOf(task.status)
  if (queue === undefined || state === undefined) return undefined
  const number = tokenNumber(task)
  const order = tokenOrder(task) ?? number ?? Number.POSITIVE_INFINITY
  return { key, queue, number, order, state, told: toldOf(task), task, stored }
}

/** Returns the key of the appointment that a token is for; undefined where it is for none. */
export const appointmentOf = (task: Resource, baseUrl: string): Key | undefined =>
  keysOf(task.focus, baseUrl).find((key): key is Key => typeOf(key as Key) === 'Appointment')

const inQueue = (name: string): Node => ({
  kind: 'token',
  param: 'Task.group-identifier',
  system: SYSTEM.queue,
  code: name,
})

/** Returns the value of the identifier that all tokens of an owner and day have, whatever their category. */
export const queueDay = ({ owner, day }: Pick<Queue, 'owner' | 'day'>): string => `${owner}|${day}`

const hasStatus = (states: readonly TokenState[]): Node => ({
  kind: 'or',
  nodes: states.map(state => ({ kind: 'token', param: 'Task.status', code: TASK_STATUS[state] })),
})

/**
 * Returns the stored tokens of a queue, in no order; of these states, where they are named, and no more than `most`.
 *
 * Throws `too-costly` for a queue of thousands.
 */
export async function tokensOf(
  ctx: Context,
  queue: Queue,
  states?: readonly TokenState[],
  most?: number,
): Promise<Token[]> {
  const nodes = [inQueue(queueName(queue)), ...(states === undefined ? [] : [hasStatus(states)])]
  const plan = planFor('Task', { kind: 'and', nodes })
  const rows =
    most === undefined
      ? await findAll(ctx, plan)
      : ((await ctx.storage.search(plan, { limit: most, total: 'none' })).rows as Live[])
  return rows.flatMap(row => tokenOf(row.key, resourceOf(row), row) ?? [])
}

/** Returns the stored tokens of all queues of an owner on a day, in no order. Throws as `tokensOf` does. */
export async function tokensOfDay(ctx: Context, of: Pick<Queue, 'owner' | 'day'>): Promise<Token[]> {
  const where: Node = {
    kind: 'token',
    param: 'Task.identifier',
    system: SYSTEM.queueDay,
    code: queueDay(of),
  }
  const rows = await findAll(ctx, planFor('Task', where))
  return rows.flatMap(row => tokenOf(row.key, resourceOf(row), row) ?? [])
}
