/** What is wrong with a callback of a provider: its context, the fields that UHI asks for, and how they belong together. */
import { CONSULTATION, type Context } from './requests.ts'

type Tree = Record<string, unknown>
type Kind = RegExp | readonly string[]

const TEXT = /\S/
const DECIMAL = /^\d+(\.\d+)?$/
const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const WAYS = ['Physical', 'Online']
const TAG = '@abdm/gov.in/'

export const TERM_TYPES = ['Commercial', 'Settlement', 'Cancellation', 'Refund', 'Payment']
export const PATIENT_REASONS = [
  'PATIENT_PERSONAL_EMERGENCY',
  'PATIENT_HEALTH_IMPROVED',
  'PATIENT_UNABLE_TO_VISIT_PHYSICALLY',
  'DOCTOR_ASKED_TO_CANCEL',
  'PATIENT_BOOKED_IN_ERROR',
  'PATIENT_SEEKING_ALTERNATIVE',
  'PATIENT_OTHER',
]
export const DOCTOR_REASONS = [
  'DOCTOR_PERSONAL_EMERGENCY',
  'DOCTOR_UNAVAILABLE',
  'DOCTOR_SCHEDULE_CHANGE',
  'FACILITY_CLOSURE',
  'TECHNICAL_SYSTEM_ISSUE',
  'DOCTOR_OTHER',
]

/** Paths are names parted by blanks (tags hold dots and slashes); `[]` stands for every element. */
const CATALOG: [string, Kind][] = [
  ['catalog descriptor name', TEXT],
  ['catalog providers [] id', TEXT],
  ['catalog providers [] descriptor name', TEXT],
  ['catalog providers [] categories [] descriptor name', TEXT],
  ['catalog providers [] categories [] descriptor code', TEXT],
  ['catalog providers [] fulfillments [] id', TEXT],
  ['catalog providers [] fulfillments [] type', WAYS],
  ['catalog providers [] fulfillments [] agent id', TEXT],
  ['catalog providers [] fulfillments [] agent name', TEXT],
  ['catalog providers [] fulfillments [] start time timestamp', LOCAL],
  ['catalog providers [] fulfillments [] end time timestamp', LOCAL],
  ['catalog providers [] items [] id', TEXT],
  ['catalog providers [] items [] price value', DECIMAL],
  ['catalog providers [] items [] price currency', ['INR']],
  ['catalog providers [] items [] fulfillment_id', TEXT],
]
const ORDER: [string, Kind][] = [
  ['order id', TEXT],
  ['order provider id', TEXT],
  ['order item id', TEXT],
  ['order item descriptor name', TEXT],
  ['order item descriptor code', TEXT],
  ['order item fulfillment_id', TEXT],
  ['order fulfillment id', TEXT],
  ['order fulfillment type', WAYS],
  ['order fulfillment agent id', TEXT],
  ['order fulfillment agent name', TEXT],
  ['order fulfillment start time timestamp', LOCAL],
  ['order fulfillment end time timestamp', LOCAL],
  [`order fulfillment tags ${TAG}slot_id`, TEXT],
  ['order billing name', TEXT],
  ['order billing phone', /^\d{10}$/],
  ['order customer id', TEXT],
  ['order payment type', ['ON-ORDER', 'FREE', 'PRE-ORDER', 'PRE-FULFILLMENT', 'ON-FULFILLMENT']],
  ['order payment status', TEXT],
  ['order quote price value', DECIMAL],
  ['order quote breakup [] price value', DECIMAL],
  ['order terms [] type', TERM_TYPES],
  ['order terms [] descriptor name', TEXT],
]
const CHAT: [string, Kind][] = [
  ['intent chat sender person id', TEXT],
  ['intent chat sender person name', TEXT],
  ['intent chat receiver person id', TEXT],
  ['intent chat receiver person name', TEXT],
  ['intent chat content content_id', TEXT],
  ['intent chat content content_value', /^[A-Za-z0-9+/]+={0,2}$/],
  ['intent chat content content_type', ['text', 'media']],
  ['intent chat time timestamp', TEXT],
]
const CANCELLED: [string, Kind][] = [
  ['order id', TEXT],
  ['order state', ['CANCELLED']],
  [`order fulfillment tags ${TAG}cancelledby`, ['patient', 'doctor']],
]
const UPDATED: [string, Kind][] = [
  ['order id', TEXT],
  ['order state', ['APPOINTMENT_STARTED', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'CONFIRMED']],
]
const FIELDS: Record<string, [string, Kind][]> = {
  on_search: CATALOG,
  on_init: ORDER,
  on_confirm: [...ORDER, ['order state', ['CONFIRMED', 'FAILED']]],
  on_status: [...ORDER, ['order state', TEXT]],
  on_update: UPDATED,
  on_cancel: CANCELLED,
  on_message: CHAT,
}

/** Every value at a path; one undefined where something on the way is missing, none where a list is empty. */
export function valuesAt(tree: unknown, path: string): unknown[] {
  let here: unknown[] = [tree]
  for (const name of path.split(' '))
    here = here.flatMap(one => {
      if (name !== '[]') return [(one as Tree | null | undefined)?.[name]]
      return Array.isArray(one) ? one : [undefined]
    })
  return here
}

const fits = (value: unknown, kind: Kind): boolean =>
  typeof value === 'string' && (kind instanceof RegExp ? kind.test(value) : kind.includes(value))

/** What is wrong with the context of a callback that came to `/action`, for the consumer it names; `asked` is the context of the request it answers. */
export function judgeContext(
  context: Tree | undefined,
  action: string,
  consumer: { id: string; uri: string },
  asked: Context | undefined,
): string[] {
  if (!context) return ['there is no context']
  const problems: string[] = []
  const must = (name: string, kind: Kind): void => {
    if (!fits(context[name], kind)) problems.push(`context.${name} is ${JSON.stringify(context[name])}`)
  }
  must('domain', [asked?.domain ?? CONSULTATION])
  must('country', ['IND'])
  must('city', /^std:\d+$/)
  must('action', [action])
  must('core_version', ['0.7.1'])
  must('consumer_id', [consumer.id])
  must('consumer_uri', [consumer.uri])
  must('provider_id', TEXT)
  must('provider_uri', /^https?:\/\//)
  must('transaction_id', TEXT)
  must('message_id', TEXT)
  must('timestamp', RFC3339)
  if (asked && context.transaction_id !== asked.transaction_id)
    problems.push(`context.transaction_id is not that of the request, ${asked.transaction_id}`)
  if (asked && `on_${asked.action}` !== action) problems.push(`${action} answers a ${asked.action}`)
  return problems
}

/** What is wrong with the error of a callback that says why there is no answer. */
export function judgeError(error: Tree): string[] {
  return ['type', 'code']
    .filter(name => typeof error[name] !== 'string')
    .map(name => `error.${name} is ${JSON.stringify(error[name])}`)
}

/** What is wrong with the message of a callback; `before` is the order as last seen. */
export function judgeMessage(action: string, message: unknown, before: Tree | undefined): string[] {
  const problems: string[] = []
  for (const [path, kind] of FIELDS[action] ?? [])
    for (const value of valuesAt(message, path))
      if (!fits(value, kind)) problems.push(`message ${path} is ${JSON.stringify(value)}`)
  if (action === 'on_search') problems.push(...judgeCatalog(message))
  const order = valuesAt(message, 'order')[0] as Tree | undefined
  if (action === 'on_init' && order) problems.push(...judgeTerms(order, 'INITIATED'), ...judgeQuote(order))
  if (action === 'on_confirm' && order?.state === 'CONFIRMED') problems.push(...judgeConfirmed(order, before))
  if (action === 'on_cancel' && order) problems.push(...judgeReason(order))
  return problems
}

function judgeCatalog(message: unknown): string[] {
  const providers = valuesAt(message, 'catalog providers')[0]
  if (!Array.isArray(providers)) return ['message catalog providers is no list']
  const problems: string[] = []
  for (const provider of providers) {
    const slots = new Set(valuesAt(provider, 'fulfillments [] id'))
    const categories = new Set(valuesAt(provider, 'categories [] id'))
    for (const item of (provider as { items?: Tree[] }).items ?? []) {
      if (!slots.has(item.fulfillment_id))
        problems.push(`item ${item.id} names no fulfillment of its provider`)
      if (item.category_id !== undefined && !categories.has(item.category_id))
        problems.push(`item ${item.id} names no category of its provider`)
    }
  }
  return problems
}

function judgeTerms(order: Tree, state: string): string[] {
  const terms = (order.terms ?? []) as Tree[]
  const problems: string[] = []
  if (
    terms.map(one => one.type).join() !== TERM_TYPES.join() &&
    new Set(terms.map(one => one.type)).size !== 5
  )
    problems.push(`there are ${terms.length} terms, not one of each of the five types`)
  for (const term of terms) {
    if (term.termsState !== state) problems.push(`the ${term.type} term is ${term.termsState}, not ${state}`)
    if (typeof term.reasonRequired !== 'boolean') problems.push(`the ${term.type} term lacks reasonRequired`)
    if (term.timePeriod === undefined) problems.push(`the ${term.type} term lacks timePeriod`)
  }
  return problems
}

/** Paise, so that sums are exact. */
const paise = (value: unknown): number => Math.round(Number(value) * 100)

function judgeQuote(order: Tree): string[] {
  const total = paise(valuesAt(order, 'quote price value')[0])
  const parts = valuesAt(order, 'quote breakup [] price value').reduce<number>(
    (sum, one) => sum + paise(one),
    0,
  )
  return total === parts ? [] : [`the quote is ${total} paise and its parts are ${parts}`]
}

function judgeConfirmed(order: Tree, before: Tree | undefined): string[] {
  const problems = judgeTerms(order, 'AGREED')
  const authorization = order.authorization as Tree | undefined
  const tags = (valuesAt(order, 'fulfillment tags')[0] ?? {}) as Tree
  if (valuesAt(order, 'fulfillment type')[0] === 'Online') {
    if (!fits(tags[`${TAG}teleconsultation/uri`], /^https?:\/\//))
      problems.push('there is no teleconsultation uri')
    if (authorization) problems.push('a teleconsultation has a PIN')
  } else {
    const wanted: [string, Kind][] = [
      ['type', ['PIN']],
      ['token', /^\d{4}$/],
      ['valid_from', LOCAL],
      ['valid_to', LOCAL],
      ['status', ['GENERATED']],
    ]
    for (const [name, kind] of wanted)
      if (!fits(authorization?.[name], kind))
        problems.push(`order.authorization.${name} is not as it should be`)
  }
  if (!fits(tags[`${TAG}messaging_support`], ['true', 'false'])) problems.push('messaging_support is missing')
  if (!fits(tags[`${TAG}helpline_number`], TEXT)) problems.push('helpline_number is missing')
  if (before && before.id !== order.id) problems.push(`the order is ${order.id}, not ${before.id}`)
  return problems
}

function judgeReason(order: Tree): string[] {
  const tags = (valuesAt(order, 'fulfillment tags')[0] ?? {}) as Tree
  const reason = tags[`${TAG}cancel_reason`]
  const codes = tags[`${TAG}cancelledby`] === 'doctor' ? DOCTOR_REASONS : PATIENT_REASONS
  if (reason === undefined || codes.includes(`${reason}`)) return []
  return [`the reason ${reason} is none of ${tags[`${TAG}cancelledby`]}`]
}
