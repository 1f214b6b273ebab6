/** Reading of third-generation bodies: small contexts and required members. */
import { type Json, type JsonObject, NumberText } from '../../fhir/json.ts'
import { memberOf } from './generation.ts'
import { malformed } from './refusal.ts'

/** The longest id or text that a message names. */
const LONGEST = 1000

/** Returns a text or a number as text, trimmed; undefined for none, for an empty one, and for all else. */
export function said(message: JsonObject | undefined, name: string): string | undefined {
  const value = message !== undefined && Object.hasOwn(message, name) ? message[name] : undefined
  const text = typeof value === 'string' ? value.trim() : value instanceof NumberText ? value.text : ''
  if (text.length > LONGEST) throw malformed(`${name} is too long`)
  return text === '' ? undefined : text
}

/** Returns the text of a member. Throws Refusal (400) "{name} is required" where there is none. */
export function required(message: JsonObject | undefined, name: string): string {
  const value = said(message, name)
  if (value === undefined) throw malformed(`${name} is required`)
  return value
}

export interface SmallContext {
  message_id: string
  transaction_id: string
}

/** Returns what is said of the message itself. Throws Refusal (400) "Invalid context: ..." */
export function contextIn(body: Json): SmallContext {
  const context = memberOf(body, 'context')
  if (context === undefined) throw malformed('Invalid context: it is missing')
  const named = (name: string): string => {
    const value = context[name]
    if (typeof value !== 'string' || value.trim() === '')
      throw malformed(`Invalid context: ${name} is required`)
    if (value.length > 200 || !/^[\x21-\x7e]+$/.test(value))
      throw malformed(`Invalid context: ${name} is no identifier`)
    return value
  }
  return { message_id: named('message_id'), transaction_id: named('transaction_id') }
}

export interface AnswerContext extends SmallContext {
  domain: 'nic2004:85110'
  country: 'IND'
  city: string
  action: string
  core_version: '0.0.1'
}

/** Returns the context of an answer. */
export const answerContext = (
  { message_id, transaction_id }: SmallContext,
  action: string,
  city: string,
): AnswerContext => ({
  domain: 'nic2004:85110',
  country: 'IND',
  city,
  action,
  core_version: '0.0.1',
  message_id,
  transaction_id,
})
