/**
 * Requests of the first generation, as Tasks: one for each transaction and action, which says what has become of the last message. What a
 * callback needs stands in the outbox until it is delivered, and nowhere else.
 */
import type { Context, Pending, WriteRule } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { object, objects, text } from '../../fhir/tree.ts'
import { criteriaOf, findMatches } from '../../interactions/criteria.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import type { Job, Key } from '../../storage/port.ts'
import { oneOf } from './facility.ts'
import type { FirstContext, FirstRequest } from './first-request.ts'
import type { Action } from './generation.ts'
import { DELIVERY, MESSAGE, TRANSACTION } from './names.ts'
import { keyOf } from './reference.ts'
import { Refusal } from './refusal.ts'
import { inputsOf } from './terms.ts'
import { putOf } from './write.ts'

const ERROR = 'urn:nadi:codes:care-uhi-error'

export const recordIdOf = (transaction: string, action: Action): string =>
  `${transaction.toLowerCase()}-${action}`

/** Returns the Task of a transaction and action, undefined where there is none. */
export const recordOf = (ctx: Context, transaction: string, action: Action): Promise<Resource | undefined> =>
  oneOf(ctx, 'Task', recordIdOf(transaction, action))

/** Returns the Task of a request that has come in; over the one of an earlier message, where there is one. */
export function newRecord(
  ctx: Context,
  { context, terms }: FirstRequest,
  before: Resource | undefined,
): Resource {
  const { transaction_id, message_id, action } = context
  const { focus, output } = (before ?? {}) as JsonObject
  return {
    resourceType: 'Task',
    id: recordIdOf(transaction_id, action),
    ...(before?.meta !== undefined && { meta: before.meta }),
    identifier: [{ system: MESSAGE, value: message_id.toLowerCase() }],
    groupIdentifier: { system: TRANSACTION, value: transaction_id.toLowerCase() },
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: SYSTEM.taskCode, code: `care-uhi-${action}` }] },
    authoredOn: new Date(ctx.clock()).toISOString(),
    // What was agreed holds until something else is.
    ...(output !== undefined && { output, ...(focus !== undefined && { focus }) }),
    ...(terms !== undefined && terms.length > 0 && { input: inputsOf(terms) }),
  }
}

export const isOf = (record: Resource | undefined, { message_id }: FirstContext): boolean =>
  objects(record?.identifier).some(one => one.system === MESSAGE && one.value === message_id.toLowerCase())

/** Returns the entry that ends a request well, with the order that it was about. */
export const completedEntry = (record: Resource, orderId: string | undefined): JsonObject =>
  putOf({
    ...record,
    status: 'completed',
    ...(record.input !== undefined && { output: record.input }),
    ...(orderId !== undefined && { focus: { reference: `Appointment/${orderId}` } }),
  })

/** Returns a record of a request that could not be done. */
export const failed = (record: Resource, { code, message }: Refusal): Resource => ({
  ...record,
  status: 'failed',
  statusReason: { coding: [{ system: ERROR, code }], text: message.slice(0, 500) },
})

/** Returns why a request could not be done, undefined where it could. */
export function failureIn(record: Resource): Refusal | undefined {
  if (record.status !== 'failed') return undefined
  const reason = object(record.statusReason)
  const code = objects(reason?.coding)[0]?.code
  return new Refusal(422, text(reason?.text) ?? '', typeof code === 'string' ? code : undefined)
}

/** Returns a record with what has become of its callback. */
export const delivered = (record: Resource, how: 'delivered' | 'undelivered', why?: string): Resource => ({
  ...record,
  ...(record.status === 'requested' && { status: 'completed' }),
  businessStatus: { coding: [{ system: DELIVERY, code: how }], ...(why !== undefined && { text: why }) },
})

/** Returns the id of the order that a record is about, '' where it is about none. */
export const orderIn = (record: Resource): string =>
  /^Appointment\/([^/]+)$/.exec(text(object(record.focus)?.reference) ?? '')?.[1] ?? ''

/** Returns the rule for the write of a record: its message was never seen elsewhere; its job goes out with it. */
export const recordRule = (job: Omit<Job, 'id'> | undefined): WriteRule => ({
  types: new Set(['Task']),
  judge: async (ctx, pending) => {
    const records = pending.flatMap(({ after }: Pending) => messageIn(after) ?? [])
    if (records.length === 0) return {}
    const { id, message } = records[0]!
    const own: Key = keyOf('Task', id)
    const criteria = await criteriaOf(ctx, 'Task', [['identifier', `${MESSAGE}|${message}`]], 'Task')
    const { rows } = await findMatches(ctx, criteria, 10)
    const keys = rows.map(({ key }) => key)
    if (keys.some(key => key !== own)) throw seenBefore()
    return {
      require: [{ is: 'matches', plan: criteria.plan, keys, guard: criteria.guard }],
      outbox: job === undefined ? [] : [{ ...job, id: ctx.newId() }],
    }
  },
})

function messageIn(task: Resource | undefined): { id: string; message: string } | undefined {
  const message = objects(task?.identifier).find(one => one.system === MESSAGE)?.value
  const id = text(task?.id)
  return typeof message === 'string' && id !== undefined ? { id, message } : undefined
}

const seenBefore = (): FhirError =>
  new FhirError('duplicate', [
    {
      severity: 'error',
      code: 'duplicate',
      diagnostics: 'The message_id was used before.',
      expression: 'Task.identifier',
      rule: 'message-id',
    },
  ])
