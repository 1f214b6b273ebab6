/** What is done with tokens at a desk: taken, called, skipped, served, put ahead, and one click taken back. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { isObject, NumberText, type Resource } from '../fhir/json.ts'
import { create } from '../interactions/create.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { read } from '../interactions/read.ts'
import { search } from '../interactions/search.ts'
import { transaction } from '../interactions/transaction.ts'
import { update } from '../interactions/update.ts'
import { idOf, type Live } from '../storage/port.ts'
import { resourceOf } from './calendar.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import { extensionsOf, withExtension } from './hold.ts'
import { lineOf, nextToCall, orderBefore } from './queue.ts'
import { type Queue, type Token, type TokenParts, tokenOf, tokenOrder, tokensOf, tokenTask } from './token.ts'
import { TASK_STATUS, type TokenState } from './token-status.ts'

/** States in which a rescan finds the token again. */
const VALID: readonly TokenState[] = ['waiting', 'called', 'serving', 'skipped']

/**
 * Returns the token of the patient in the queue: the one that is there already, as long as it is not served or cancelled, or a new one.
 *
 * Throws what the token rule throws, and `business-rule` (422) for a reference that leads nowhere.
 */
export async function takeToken(ctx: Context, parts: TokenParts): Promise<Live> {
  const task = tokenTask(parts)
  const { system, value } = task.groupIdentifier as { system: string; value: string }
  const criteria = [
    ['group-identifier', `${system}|${escaped(value)}`],
    ['patient', parts.patient],
    ['status', VALID.map(state => TASK_STATUS[state]).join(',')],
  ] as const
  const found = async () => (await search(ctx, 'Task', [...criteria, ['_count', '1']])).rows[0]
  try {
    return (await found()) ?? (await create(ctx, 'Task', task, { ifNoneExist: criteria })).stored
  } catch (error) {
    // Another rescan was faster.
    const again = hasRule(error, 'token-exists') ? await found() : undefined
    if (again === undefined) throw error
    return again
  }
}

const escaped = (value: string): string => value.replace(/[\\,$|]/g, '\\$&')

const hasRule = (error: unknown, rule: string): boolean =>
  error instanceof FhirError && error.issues.some(issue => issue.rule === rule)

export const STEPS = ['call', 'recall', 'skip', 'serve', 'complete', 'put-ahead', 'undo'] as const
export type Step = (typeof STEPS)[number]

/** The state that a step leads to, and those from which it is no mistake. */
const LEADS: Readonly<Partial<Record<Step, { to: TokenState; from: readonly TokenState[] }>>> = {
  call: { to: 'called', from: ['waiting', 'skipped'] },
  recall: { to: 'called', from: ['called', 'skipped'] },
  skip: { to: 'skipped', from: ['waiting', 'called', 'serving'] },
  serve: { to: 'serving', from: ['waiting', 'called', 'skipped'] },
  complete: { to: 'completed', from: ['waiting', 'called', 'serving'] },
}

/**
 * Returns the token after the step. A step to the state in which it is already changes nothing, so that a second click does no harm; but
 * who is called may be called again.
 *
 * Throws `not-found`, `business-rule` (422) for what is no token or takes no such step.
 */
export async function step(
  ctx: Context,
  id: string,
  what: Step,
  before: string | undefined = undefined,
): Promise<Live> {
  return untilSettled(async () => {
    const current = await read(ctx, 'Task', id)
    const token = tokenIn(current)
    if (what === 'put-ahead') return putAhead(ctx, current, token, before)
    if (what === 'undo') return write(ctx, current, await undone(ctx, token))
    const { to, from } = LEADS[what]!
    if (token.state === to && what !== 'recall') return current
    if (!from.includes(token.state))
      throw refused('token-transition', `A token that is ${token.state} takes no step "${what}".`)
    return write(ctx, current, moved(ctx, token, to))
  })
}

/** Returns the token that is called: the first in line who waits; undefined where nobody does. Clerks at once call one patient each. */
export async function callNext(ctx: Context, queue: Queue): Promise<Live | undefined> {
  return untilSettled(async () => {
    const next = nextToCall(lineOf(await tokensOf(ctx, queue, ['waiting'])))
    return next === undefined ? undefined : write(ctx, next.stored!, moved(ctx, next, 'called'))
  })
}

/** Returns what is stored; LOST where another was faster. */
async function write(ctx: Context, current: Live, task: Resource): Promise<Live | typeof LOST> {
  try {
    const written = await update(ctx, 'Task', idOf(current.key), task, {
      ifMatch: `W/"${current.version}"`,
    })
    return written.stored
  } catch (error) {
    if (error instanceof FhirError && error.status === 412) return LOST
    throw error
  }
}

function tokenIn(stored: Live): Token {
  const token = tokenOf(stored.key, resourceOf(stored), stored)
  if (token === undefined) throw refused('token-queue', `${stored.key} is no token of a queue.`)
  return token
}

/** Returns the task in another state, and no longer as one that was taken back. */
function moved(ctx: Context, { task }: Token, to: TokenState): Resource {
  const { statusReason: _, ...rest } = task
  return {
    ...(rest as Resource),
    status: TASK_STATUS[to],
    lastModified: new Date(ctx.clock()).toISOString(),
  }
}

/** Versions of a token that are looked at for its last step. */
const LOOKED_AT = 50

const UNDONE = 'undone'

const isUndone = ({ statusReason }: Resource): boolean =>
  isObject(statusReason) &&
  Array.isArray(statusReason.coding) &&
  statusReason.coding.some(one => isObject(one) && one.system === SYSTEM.tokenStatus && one.code === UNDONE)

/**
 * Returns the task as it was before its last step, which is found in its history: state and place in the queue.
 *
 * Throws `business-rule` (422) where there was none, or where it has been taken back already: a second click on undo does no harm.
 */
async function undone(ctx: Context, token: Token): Promise<Resource> {
  if (isUndone(token.task))
    throw refused('token-undo', 'The last step of this token has been taken back already.')
  const { rows } = await ctx.storage.history({ key: token.key }, { limit: LOOKED_AT, total: 'none' })
  for (const row of rows) {
    const former = row.text === undefined ? undefined : tokenOf(row.key, resourceOf(row as Live))
    if (former === undefined || (former.state === token.state && former.order === token.order)) continue
    return {
      ...withOrder(token.task, tokenOrder(former.task)),
      status: TASK_STATUS[former.state],
      lastModified: new Date(ctx.clock()).toISOString(),
      statusReason: { coding: [{ system: SYSTEM.tokenStatus, code: UNDONE }] },
    }
  }
  throw refused('token-undo', 'This token has taken no step that could be taken back.')
}

function withOrder(task: Resource, order: number | undefined): Resource {
  if (order !== undefined)
    return withExtension(task, EXTENSION.tokenOrder, { valueDecimal: new NumberText(decimal(order)) })
  return { ...task, extension: extensionsOf(task).filter(({ url }) => url !== EXTENSION.tokenOrder) }
}

/** Without an exponent, which FHIR allows but nobody reads. */
const decimal = (order: number): string => String(Number(order.toFixed(9)))

/** Puts a waiting token before another one, or before all who wait. */
async function putAhead(
  ctx: Context,
  current: Live,
  token: Token,
  before: string | undefined,
): Promise<Live | typeof LOST> {
  if (token.state !== 'waiting')
    throw refused('token-transition', `A token that is ${token.state} cannot be put ahead.`)
  const line = lineOf(await tokensOf(ctx, token.queue, ['waiting', 'called', 'serving']))
  const target =
    before === undefined ? nextToCall(line) : line.find(one => one.key === before && one.state === 'waiting')
  if (target === undefined)
    throw refused('token-queue', 'A token is put ahead of one that waits in the same queue.', 'http.before')
  if (target.key === token.key) return current
  const order = orderBefore(line, token, target)
  const { statusReason: _, ...rest } = token.task
  if (order !== undefined) return write(ctx, current, withOrder(rest as Resource, order))
  return renumbered(ctx, line, token, target)
}

/** Gives all who stand in line new places, with the token before the target: there was no room left between two. */
async function renumbered(
  ctx: Context,
  line: readonly Token[],
  token: Token,
  target: Token,
): Promise<Live | typeof LOST> {
  const others = line.filter(({ key }) => key !== token.key)
  const at = others.findIndex(({ key }) => key === target.key)
  const entry = [...others.slice(0, at), token, ...others.slice(at)].map((one, index) => ({
    resource: withOrder(one.task, index + 1),
    request: { method: 'PUT', url: one.key, ifMatch: `W/"${one.stored!.version}"` },
  }))
  try {
    await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry })
  } catch (error) {
    if (error instanceof FhirError && error.status === 412) return LOST
    throw error
  }
  return read(ctx, 'Task', idOf(token.key))
}

function refused(rule: string, diagnostics: string, expression = 'Task.status'): FhirError {
  const issue = { severity: 'error', code: 'business-rule', diagnostics, expression, rule } as const
  return new FhirError('business-rule', [issue])
}
