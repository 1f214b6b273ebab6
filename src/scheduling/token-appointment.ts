/** Tokens follow their appointments: out of the queue when one is cancelled or over, into another when it is moved. */
import type { Context, Pending } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import type { SearchPlan } from '../search/plan-node.ts'
import { idOf, type Key, keyOf, type Live, type Require, typeOf } from '../storage/port.ts'
import { findAll, planFor, resourceOf } from './calendar.ts'
import { practitionersOf } from './practitioner.ts'
import {
  appointmentOf,
  localDay,
  printedToken,
  type Queue,
  queueName,
  type Token,
  tokenOf,
  tokenTask,
} from './token.ts'
import { LEFT, TASK_STATUS, type TokenState } from './token-status.ts'

/** What becomes of a token when its appointment gets this status. */
const AFTER: Readonly<Record<string, TokenState>> = {
  fulfilled: 'completed',
  noshow: 'closed',
  cancelled: 'cancelled',
  'entered-in-error': 'cancelled',
  proposed: 'cancelled',
  waitlist: 'cancelled',
}

const tokensPlan = (appointment: Key): SearchPlan =>
  planFor('Task', {
    kind: 'reference',
    param: 'Task.focus',
    type: 'Appointment',
    id: idOf(appointment),
  })

/** Returns the stored tokens of an appointment, whatever their state, with what holds as long as there are no others. */
async function tokensFor(ctx: Context, appointment: Key): Promise<{ tokens: Token[]; require: Require }> {
  const plan = tokensPlan(appointment)
  const rows: Live[] = await findAll(ctx, plan)
  return {
    tokens: rows.flatMap(row => tokenOf(row.key, resourceOf(row), row) ?? []),
    require: {
      is: 'matches',
      plan,
      keys: rows.map(({ key }) => key),
      versions: rows.map(({ version }) => version),
      guard: `tokens of ${appointment}`,
    },
  }
}

/** A version of a token that follows from its appointment. */
export interface Following {
  key: Key
  before: Resource | undefined
  after: Resource
  current: Live | undefined
}

/** Returns the tokens that change with the appointments of a commit, with what must hold for it. */
export async function followersOf(
  ctx: Context,
  pending: readonly Pending[],
): Promise<{ changes: Following[]; require: Require[] }> {
  const changes: Following[] = []
  const require: Require[] = []
  for (const { key, before, after } of pending) {
    if (typeOf(key) !== 'Appointment' || before === undefined || !touches(ctx, before, after)) continue
    const found = await tokensFor(ctx, key)
    require.push(found.require)
    for (const token of found.tokens) changes.push(...(await followers(ctx, key, before, after, token)))
  }
  return { changes, require }
}

/** Returns whether tokens may have to follow: every other change of an appointment costs no search. */
function touches(ctx: Context, before: Resource, after: Resource | undefined): boolean {
  if (after === undefined || before.start !== after.start) return true
  if (
    before.status !== after.status &&
    (AFTER[String(after.status)] !== undefined || before.status === 'noshow')
  )
    return true
  const keys = (of: Resource) =>
    actorsOf(of)
      .flatMap(one => keysOf(one, ctx.settings.baseUrl))
      .join()
  return keys(before) !== keys(after)
}

async function followers(
  ctx: Context,
  appointment: Key,
  before: Resource,
  after: Resource | undefined,
  token: Token,
): Promise<Following[]> {
  const become = (state: TokenState): Following => ({
    key: token.key,
    before: token.task,
    after: { ...token.task, status: TASK_STATUS[state] },
    current: token.stored,
  })
  const status = String(after?.status)
  if (before.status === 'noshow' && token.state === 'closed')
    return status === 'arrived' || status === 'checked-in' ? [become('waiting')] : []
  if (LEFT.has(token.state)) return []
  const state = after === undefined ? 'cancelled' : AFTER[status]
  if (state !== undefined) return [become(state)]
  const queue = await queueAfter(ctx, after!, token)
  if (token.state === 'serving' || queueName(queue) === queueName(token.queue)) return []
  const shorthand = printedToken(token.task)?.replace(/-[0-9]+$/, '')
  const task: Resource = {
    ...tokenTask({ ...queue, appointment, patient: '', shorthand }),
    ...(token.task.for === undefined ? {} : { for: token.task.for }),
  }
  const key = keyOf('Task', ctx.newId())
  return [become('cancelled'), { key, before: undefined, after: task, current: undefined }]
}

/** Returns the queue that a token belongs to when its appointment is as it is now. */
async function queueAfter(ctx: Context, appointment: Resource, { queue }: Token): Promise<Queue> {
  const start = instantOf(appointment.start)
  const practitioners = await practitionersOf(ctx, appointment)
  const left = typeOf(queue.owner) === 'Practitioner' && !practitioners.includes(queue.owner)
  return {
    owner: (left ? practitioners[0] : undefined) ?? queue.owner,
    category: queue.category,
    day: start === undefined ? queue.day : localDay(start, ctx.settings.zone),
  }
}

/** A token as the commit leaves it; undefined for a deletion. */
interface TokenChange {
  key: Key
  after: Resource | undefined
}

/**
 * Returns what must hold for a new token: its appointment is not over and has no other token in this queue; `changes` are those that the
 * commit makes.
 *
 * Throws `business-rule` (422) or `conflict` (409) where that is not so.
 */
export async function checkAppointment(
  ctx: Context,
  pending: readonly Pending[],
  changes: readonly TokenChange[],
  key: Key,
  task: Resource,
): Promise<Require[]> {
  const appointment = appointmentOf(task, ctx.settings.baseUrl)
  if (appointment === undefined) return []
  const own = pending.find(one => one.key === appointment)
  const stored = own === undefined ? await ctx.storage.read(appointment) : undefined
  const resource = own === undefined ? stored?.text && resourceOf(stored as Live) : own.after
  // A reference that leads nowhere is judged where references are.
  if (!resource) return []
  if (AFTER[String(resource.status)] !== undefined)
    throw refused(
      'business-rule',
      'token-appointment',
      'The appointment of this token is over, or not booked.',
    )
  const require: Require[] =
    stored === undefined ? [] : [{ is: 'version', key: appointment, version: stored.version }]
  const isNew = own !== undefined && own.before === undefined
  const found = isNew ? undefined : await tokensFor(ctx, appointment)
  const stay = (found?.tokens ?? []).filter(one => !changes.some(change => change.key === one.key))
  const written = changes.flatMap(one =>
    one.after !== undefined && appointmentOf(one.after, ctx.settings.baseUrl) === appointment
      ? (tokenOf(one.key, one.after) ?? [])
      : [],
  )
  const queue = queueName(tokenOf(key, task)!.queue)
  const isOther = (one: Token): boolean =>
    one.key !== key && !LEFT.has(one.state) && queueName(one.queue) === queue
  if ([...stay, ...written].some(isOther))
    throw refused('conflict', 'token-exists', 'The appointment has a token in this queue already.')
  return found === undefined ? require : [...require, found.require]
}

const refused = (code: 'business-rule' | 'conflict', rule: string, diagnostics: string): FhirError =>
  new FhirError(code, [{ severity: 'error', code, diagnostics, expression: 'Task.focus', rule }])
