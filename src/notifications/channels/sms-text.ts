/**
 * What a text message says: the text of the event, or the one that is registered for it in India, whose variables take at most 30
 * characters each. https://www.exotel.com/blog/dlt-faqs, https://docs.fast2sms.com/reference/new-endpoint-1-1
 */
import type { DltTemplate, SmsSettings } from '../../config/sms.ts'
import type { Delivery, Sent } from '../channel.ts'
import { clip, isTelephone, oneLine, plain } from './line.ts'

export interface Sms {
  /** E.164. */
  to: string
  text: string
  /** Id of the registered text. */
  template?: string
  /** What its variables were filled with, in order. */
  variables: readonly string[]
}

type Refused = Extract<Sent, { is: 'refused' }>

/** Characters of a variable, and of a message: ten parts of Twilio's and SNS's. */
const VARIABLE = 30
const MOST = 1600

/** Returns the message, or why there can be none. */
export function smsOf(delivery: Delivery, settings: SmsSettings): Sms | Refused {
  const { to } = delivery
  if (!isTelephone(to)) return { is: 'refused', reason: 'Not a telephone number.' }
  if (settings.templates === undefined) {
    const text = clip(plain(delivery.text).trim(), MOST)
    return text === '' ? { is: 'refused', reason: 'No text.' } : { to, text, variables: [] }
  }
  const registered = templateFor(delivery, settings.templates)
  const template = registered?.[delivery.language] ?? registered?.[delivery.language.split('-')[0] as string]
  const used = template ?? registered?.en
  if (used === undefined) return { is: 'refused', reason: 'No registered text for this event.' }
  const variables = fill(used, delivery.values)
  if (variables === undefined) return { is: 'refused', reason: 'A link is too long for its variables.' }
  const pieces = used.text.split('{#var#}')
  const text = pieces.map((piece, n) => piece + (variables[n] ?? '')).join('')
  return { to, text, template: used.id, variables }
}

/** Returns what is kept for a delivery by name: of its template (`queue.next/practitioner`), of that for anybody, of its event. */
export function templateFor<T>(
  { template, event }: Delivery,
  named: Readonly<Record<string, T>>,
): T | undefined {
  const name = [template, template.split('/', 1)[0] as string, event].find(one => Object.hasOwn(named, one))
  return name === undefined ? undefined : named[name]
}

/** Returns the value of each variable; undefined where a link would have to be cut. */
function fill({ values }: DltTemplate, given: Delivery['values']): string[] | undefined {
  const filled: string[] = []
  for (let at = 0; at < values.length; ) {
    const name = values[at] as string
    let end = at + 1
    while (values[end] === name) end++
    const value = oneLine(Object.hasOwn(given, name) ? (given[name] as string) : '')
    const room = VARIABLE * (end - at)
    if (value.length > room && value.includes('://')) return undefined
    const fitting = clip(value, room)
    for (let n = 0; at < end; at++, n++) filled.push(fitting.slice(n * VARIABLE, (n + 1) * VARIABLE))
  }
  return filled
}
