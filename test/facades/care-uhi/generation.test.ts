/** Which generation a body is of: its message decides, and its context where the message could be of both. */
import { expect, it } from 'vitest'
import { generationOf } from '../../../src/facades/care-uhi/generation.ts'
import type { Json } from '../../../src/fhir/json.ts'

const FULL = { domain: 'nic2004:85110', consumer_id: 'app', consumer_uri: 'https://app.example.org' }
const SMALL = { message_id: 'm', transaction_id: 't' }
/** As our own answers have it. */
const ANSWERED = { ...SMALL, domain: 'nic2004:85110', country: 'IND', city: '', action: 'status' }

it.each<[Parameters<typeof generationOf>[0], Json, 'first' | 'third']>([
  ['search', { context: FULL, message: { intent: {} } }, 'first'],
  ['search', { context: SMALL, message: { intent: {} } }, 'first'],
  ['search', { context: FULL, message: {} }, 'first'],
  ['search', { message: { provider_id: 'p' } }, 'third'],
  ['search', {}, 'third'],
  ['select', { context: FULL, message: { order: {} } }, 'first'],
  ['select', { context: SMALL, message: { order: {} } }, 'first'],
  ['select', { context: FULL, message: { provider_id: 'p', doctor_id: 'd' } }, 'third'],
  ['select', { context: SMALL, message: {} }, 'third'],
  ['init', { context: SMALL, message: {} }, 'first'],
  ['confirm', { context: FULL, message: { order_id: 'o', terms: [] } }, 'first'],
  ['confirm', { context: SMALL, message: { order_id: 'o' } }, 'first'],
  ['confirm', { context: FULL, message: { fulfillment_id: 'f', patient: {} } }, 'third'],
  ['confirm', { context: SMALL, message: {} }, 'third'],
  ['status', { context: FULL, message: { order_id: 'o' } }, 'first'],
  ['status', { context: { ...FULL, consumer_uri: '' }, message: { order_id: 'o' } }, 'first'],
  ['status', { context: SMALL, message: { order_id: 'o' } }, 'third'],
  ['status', { context: ANSWERED, message: { order_id: 'o' } }, 'third'],
  ['cancel', { context: { consumer_id: 'app' }, message: {} }, 'first'],
  ['cancel', null, 'third'],
  ['cancel', [], 'third'],
])('%s %j is of the %s generation', (action, body, wanted) => {
  expect(generationOf(action, body)).toBe(wanted)
})
