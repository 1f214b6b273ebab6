/**
 * Which generation of the contract a body is of. The first answers ACK and calls back, the third answers at once; they share their paths.
 * The message's shape decides, and where both have the same shape, the context.
 */
import { isObject, type Json, type JsonObject } from '../../fhir/json.ts'

export type Action = 'search' | 'select' | 'init' | 'confirm' | 'status' | 'cancel'

export type Generation = 'first' | 'third'

/** Members of a message that only one generation has. */
const FIRST: Readonly<Record<Action, readonly string[]>> = {
  search: ['intent'],
  select: ['order'],
  init: ['order', 'billing'],
  confirm: ['order_id', 'terms'],
  status: [],
  cancel: [],
}
const THIRD: Readonly<Record<Action, readonly string[]>> = {
  search: ['provider_id'],
  select: ['provider_id', 'doctor_id', 'department_id'],
  init: [],
  confirm: ['fulfillment_id', 'patient', 'provider_id'],
  status: [],
  cancel: [],
}

/** Returns the generation of a body. */
export function generationOf(action: Action, body: Json): Generation {
  // The third has no init: it is a part of its confirm.
  if (action === 'init') return 'first'
  const message = memberOf(body, 'message')
  const has = (names: readonly string[]): boolean => names.some(name => message?.[name] !== undefined)
  if (has(THIRD[action])) return 'third'
  if (has(FIRST[action])) return 'first'
  const context = memberOf(body, 'context')
  return context?.consumer_uri !== undefined || context?.consumer_id !== undefined ? 'first' : 'third'
}

/** Returns the object at a member, undefined for anything else. */
export function memberOf(value: Json | undefined, name: string): JsonObject | undefined {
  if (!isObject(value)) return undefined
  const member = Object.hasOwn(value, name) ? value[name] : undefined
  return isObject(member) ? member : undefined
}
