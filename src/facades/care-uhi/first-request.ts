/** The first generation's requests, checked: every fault is named with its place, in the words that its clients know. */
import { isObject, type Json, type JsonObject, NumberText } from '../../fhir/json.ts'
import { type Action, memberOf } from './generation.ts'
import { type Person, personIn } from './person.ts'
import { Refusal } from './refusal.ts'
import { instantIn } from './time.ts'

/** What is answered at once, and what the callback begins with. */
export interface FirstContext {
  domain: string
  country: string
  city?: string
  action: Action
  version: string
  transaction_id: string
  message_id: string
  consumer_id: string
  /** Empty: the result is the answer. */
  consumer_uri: string
  provider_id?: string
  provider_uri?: string
  timestamp?: string
}

export interface FirstRequest {
  context: FirstContext
  /** search: all optional. */
  intent?: { providerId: string | undefined; start: number | undefined; end: number | undefined }
  /** select and init. */
  order?: { providerId: string; itemId: string; fulfillmentId: string }
  /** init. */
  billing?: Person
  /** confirm, status, cancel. */
  orderId?: string
  /** confirm. */
  terms?: readonly Term[]
}

export interface Term {
  type: string
  state: string
}

const DOMAINS = ['nic2004:85111', 'nic2004:85110', 'nic2004:85112', 'nic2004:85113']
const TERM_TYPES = ['cancellation', 'refund', 'settlement', 'commercial', 'payment']
const TERM_STATES = ['agreed', 'rejected']
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
const LONGEST = 1000
const MOST_TERMS = 20

type Check<T> = (value: Json) => T | Fault
class Fault {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Collects what is wrong: `context → domain: Field required; …`. */
class Reader {
  readonly faults: string[] = []
  /** Of times that name none. */
  readonly zone: string
  constructor(zone: string) {
    this.zone = zone
  }

  fault(place: readonly string[], text: string): undefined {
    this.faults.push(`${place.join(' → ')}: ${text}`)
  }

  optional<T>(from: JsonObject, place: readonly string[], check: Check<T>): T | undefined {
    const value = member(from, place)
    if (value === undefined || value === null) return undefined
    const result = check(value)
    return result instanceof Fault ? this.fault(place, result.text) : result
  }

  required<T>(from: JsonObject, place: readonly string[], check: Check<T>): T | undefined {
    const value = member(from, place)
    if (value === undefined) return this.fault(place, 'Field required')
    const result = check(value)
    return result instanceof Fault ? this.fault(place, result.text) : result
  }
}

const member = (from: JsonObject, place: readonly string[]): Json | undefined =>
  Object.hasOwn(from, place.at(-1)!) ? from[place.at(-1)!] : undefined

const string: Check<string> = value => {
  if (typeof value !== 'string') return new Fault('Input should be a valid string')
  if (value.length > LONGEST) return new Fault(`String should have at most ${LONGEST} characters`)
  return value
}
const filled: Check<string> = value => {
  const found = string(value)
  return found === '' ? new Fault('String should have at least 1 character') : found
}
const uuid4: Check<string> = value =>
  typeof value === 'string' && UUID4.test(value)
    ? value
    : new Fault('Input should be a valid UUID of version 4')
const among =
  (values: readonly string[]): Check<string> =>
  value =>
    typeof value === 'string' && values.includes(value)
      ? value
      : new Fault(`Input should be ${values.map(one => `'${one}'`).join(' or ')}`)
const webUrl: Check<string> = value =>
  typeof value === 'string' && value.length <= 2000 && /^https?:\/\//i.test(value) && URL.canParse(value)
    ? value
    : new Fault('Input should be a valid URL with http or https')
const instant =
  (zone: string): Check<number> =>
  value =>
    instantIn(value, zone) ?? new Fault('Input should be a valid datetime')
const object: Check<JsonObject> = value =>
  isObject(value) ? value : new Fault('Input should be a valid dictionary')

/**
 * Returns a request of the action. `now` is ms since 1970, `zone` (IANA) that of times without one.
 *
 * Throws Refusal (400) with every fault of its context and message.
 */
export function firstRequest(action: Action, body: Json, now: number, zone: string): FirstRequest {
  const reader = new Reader(zone)
  const whole = isObject(body) ? body : {}
  const context = contextOf(reader, action, reader.required(whole, ['context'], object) ?? {})
  const message = reader.required(whole, ['message'], object)
  const request = message === undefined ? {} : MESSAGES[action](reader, message, now)
  // Where there is no context, its members are missed by name, too.
  if (reader.faults.length > 0) throw new Refusal(400, reader.faults.slice(0, 50).join('; '))
  return { context: context!, ...request }
}

function contextOf(reader: Reader, action: Action, from: JsonObject): FirstContext | undefined {
  const place = (name: string): string[] => ['context', name]
  const required = <T>(name: string, check: Check<T>): T | undefined =>
    reader.required(from, place(name), check)
  const optional = <T>(name: string, check: Check<T>): T | undefined =>
    reader.optional(from, place(name), check)
  const found = {
    domain: required('domain', among(DOMAINS)),
    country: required('country', among(['IND'])),
    action: required('action', among([action])),
    transaction_id: required('transaction_id', uuid4),
    message_id: required('message_id', uuid4),
    consumer_id: required('consumer_id', filled),
    consumer_uri: required('consumer_uri', value => (value === null || value === '' ? '' : webUrl(value))),
  }
  const extra = {
    city: optional('city', string),
    version: optional('version', string) ?? '1.1.0',
    provider_id: optional('provider_id', string),
    provider_uri: optional('provider_uri', value => (value === '' ? '' : webUrl(value))),
    timestamp: optional('timestamp', value => {
      const at = instant(reader.zone)(value)
      return at instanceof Fault ? at : (value as string)
    }),
  }
  if (Object.values(found).includes(undefined)) return undefined
  const said = Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined))
  return { ...found, ...said } as unknown as FirstContext
}

const MESSAGES: Readonly<
  Record<Action, (reader: Reader, message: JsonObject, now: number) => Partial<FirstRequest>>
> = {
  search: (reader, message, now) => {
    const place = ['message', 'intent']
    const intent = reader.required(message, place, object)
    if (intent === undefined) return {}
    const providerId = reader.optional(intent, [...place, 'provider_id'], string)
    const times = fulfillment(reader, intent, [...place, 'fulfillment'], now)
    return { intent: { providerId: providerId === '' ? undefined : providerId, ...times } }
  },
  select: (reader, message) => given('order', order(reader, message)),
  init: (reader, message) => ({
    ...given('order', order(reader, message)),
    ...given('billing', billing(reader, message)),
  }),
  confirm: (reader, message) => ({
    ...given('orderId', reader.required(message, ['message', 'order_id'], filled)),
    terms: terms(reader, message),
  }),
  status: (reader, message) => given('orderId', reader.required(message, ['message', 'order_id'], filled)),
  cancel: (reader, message) => given('orderId', reader.required(message, ['message', 'order_id'], filled)),
}

const given = <K extends keyof FirstRequest>(
  name: K,
  value: FirstRequest[K] | undefined,
): Partial<FirstRequest> => (value === undefined ? {} : { [name]: value })

function fulfillment(
  reader: Reader,
  intent: JsonObject,
  place: readonly string[],
  now: number,
): { start: number | undefined; end: number | undefined } {
  const none = { start: undefined, end: undefined }
  const found = reader.optional(intent, place, object)
  if (found === undefined) return none
  reader.optional(found, [...place, 'type'], among(['online', 'physical']))
  const time = (name: string): number | undefined => {
    const at = memberOf(memberOf(found, name), 'time')
    return at === undefined
      ? undefined
      : reader.optional(at, [...place, name, 'time', 'timestamp'], instant(reader.zone))
  }
  const start = time('start')
  const end = time('end')
  // A client's clock may be a little behind.
  if (start !== undefined && start < now - 60_000)
    reader.fault([...place, 'start'], 'Start time cannot be in the past')
  if (end !== undefined && end <= (start ?? now))
    reader.fault([...place, 'end'], 'End time must be after start time')
  return { start, end }
}

function order(reader: Reader, message: JsonObject): FirstRequest['order'] {
  const place = ['message', 'order']
  const found = reader.required(message, place, object)
  if (found === undefined) return undefined
  const name =
    (found.provider_id ?? undefined) === undefined && found.descriptor_id !== undefined
      ? 'descriptor_id'
      : 'provider_id'
  const providerId = reader.required(found, [...place, name], filled)
  const itemId = reader.required(found, [...place, 'item_id'], filled)
  const fulfillmentId = reader.required(found, [...place, 'fulfillment_id'], filled)
  return providerId === undefined || itemId === undefined || fulfillmentId === undefined
    ? undefined
    : { providerId, itemId, fulfillmentId }
}

function billing(reader: Reader, message: JsonObject): Person | undefined {
  const place = ['message', 'billing']
  const found = reader.required(message, place, object)
  if (found === undefined) return undefined
  const before = reader.faults.length
  for (const name of ['name', 'gender', 'geo_organization']) reader.required(found, [...place, name], filled)
  reader.required(found, [...place, 'phone_number'], value => {
    const text = filled(value)
    return typeof text === 'string' && text.length > 14
      ? new Fault('String should have at most 14 characters')
      : text
  })
  for (const name of ['pincode', 'year_of_birth'])
    reader.optional(found, [...place, name], value =>
      /^[0-9]{1,10}$/.test(value instanceof NumberText ? value.text : String(value))
        ? value
        : new Fault('Input should be a valid integer'),
    )
  if (reader.faults.length > before) return undefined
  try {
    return personIn(found, 'billing', 'billing.name: Field required')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return reader.fault(place, error.message)
  }
}

function terms(reader: Reader, message: JsonObject): readonly Term[] {
  const place = ['message', 'terms']
  const list = reader.optional(message, place, value => {
    if (!Array.isArray(value)) return new Fault('Input should be a valid list')
    return value.length > MOST_TERMS ? new Fault(`List should have at most ${MOST_TERMS} items`) : value
  })
  return (list ?? []).flatMap((one, index) => {
    const here = [...place, String(index)]
    if (!isObject(one)) return reader.fault(here, 'Input should be a valid dictionary') ?? []
    const type = reader.required(one, [...here, 'type'], among(TERM_TYPES))
    const state = reader.required(one, [...here, 'terms_state'], among(TERM_STATES))
    return type === undefined || state === undefined ? [] : [{ type, state }]
  })
}
