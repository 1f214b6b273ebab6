/** Settings of text messages: the provider, and the texts that are registered for India (DLT). */
import { token } from './mail.ts'
import { baseUrl, choice, type Setting, text } from './setting.ts'
import { readTemplate } from './sms-gateway.ts'

/** A text as it is registered with an Indian operator. https://developer.exotel.com/docs/sms-support/dlt-template-registration */
export interface DltTemplate {
  id: string
  /** With `{#var#}` for each variable. */
  text: string
  /** The value of each variable in its order, by name; a name that stands several times in a row is spread over these variables. */
  values: readonly string[]
}

/** Event -> language -> template. */
export type DltTemplates = Readonly<Record<string, Readonly<Record<string, DltTemplate>>>>

export interface SmsSettings {
  by: 'off' | 'twilio' | 'sns' | 'africastalking' | 'gateway'
  /** The number, short code, sender id (header) or, with Twilio, messaging service that messages come from. */
  from: string | undefined
  /** The principal entity id of the sender in India. */
  entity: string | undefined
  /** Undefined: texts leave as they are. */
  templates: DltTemplates | undefined
  twilio: { url: string; account: string | undefined; token: string | undefined }
  sns: { url: string | undefined; region: string; id: string | undefined; secret: string | undefined }
  africastalking: { url: string; user: string | undefined; key: string | undefined }
  gateway: {
    url: string | undefined
    /** Undefined: a GET. */
    body: string | undefined
    headers: Readonly<Record<string, string>>
    secret: string | undefined
    accepted: string | undefined
    refused: string | undefined
  }
}

export const SMS_SETTINGS = [
  {
    env: 'NADI_SMS',
    values: 'off, twilio, sns, africastalking or gateway',
    default: 'off',
    meaning: 'The provider of text messages; `gateway` is any that takes an HTTP request.',
    read: choice('off', 'twilio', 'sns', 'africastalking', 'gateway'),
  },
  {
    env: 'NADI_SMS_FROM',
    values: 'number or sender id',
    default: '',
    meaning:
      'What text messages come from: a number, a short code, a sender id (in India the registered header) or a messaging service of Twilio (`MG...`).',
    read: value => (/^[A-Za-z0-9+ _-]{1,40}$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_SMS_ENTITY',
    values: 'digits',
    default: '',
    meaning: 'Principal entity id under which texts are registered in India (DLT).',
    read: value => (/^[0-9]{6,30}$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_SMS_TEMPLATES',
    values: 'JSON: {event: {language: {id, text, values}}}',
    default: '',
    meaning:
      'Registered texts (DLT): `text` has `{#var#}` for each variable, `values` names them in order. With it, an event without a text of its own is not told by text message. See docs/channels.md.',
    read: templates,
  },
  {
    env: 'NADI_TWILIO_ACCOUNT',
    values: 'AC and 32 hex digits',
    default: '',
    meaning: 'Account SID of Twilio.',
    read: value => (/^AC[0-9a-f]{32}$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_TWILIO_TOKEN',
    values: 'text without white space',
    default: '',
    meaning: 'Auth token of Twilio.',
    secret: true,
    read: token,
  },
  {
    env: 'NADI_TWILIO_URL',
    values: 'http(s) URL',
    default: 'https://api.twilio.com',
    meaning: 'Address of the API of Twilio.',
    read: baseUrl,
  },
  {
    env: 'NADI_SNS_REGION',
    values: 'AWS region',
    default: 'ap-south-1',
    meaning: 'Region of AWS SNS.',
    read: value => (/^[a-z]{2}(?:-[a-z]+)+-[0-9]$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_SNS_KEY_ID',
    values: 'access key id',
    default: '',
    meaning: 'Access key of an AWS user who may `sns:Publish`.',
    read: value => (/^[A-Z0-9]{16,128}$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_SNS_SECRET',
    values: 'text without white space',
    default: '',
    meaning: 'Secret of that access key.',
    secret: true,
    read: token,
  },
  {
    env: 'NADI_SNS_URL',
    values: 'http(s) URL',
    default: '',
    meaning: 'Address of the API; without it `https://sns.REGION.amazonaws.com`.',
    read: baseUrl,
  },
  {
    env: 'NADI_AFRICASTALKING_USER',
    values: 'text without white space',
    default: '',
    meaning: "Application username at Africa's Talking.",
    read: token,
  },
  {
    env: 'NADI_AFRICASTALKING_KEY',
    values: 'text without white space',
    default: '',
    meaning: "API key of Africa's Talking.",
    secret: true,
    read: token,
  },
  {
    env: 'NADI_AFRICASTALKING_URL',
    values: 'http(s) URL',
    default: 'https://api.africastalking.com',
    meaning:
      "Address of the API of Africa's Talking; its sandbox is `https://api.sandbox.africastalking.com`.",
    read: baseUrl,
  },
  {
    env: 'NADI_SMS_GATEWAY_URL',
    values: 'http(s) URL with placeholders',
    default: '',
    meaning:
      'Address of a provider of `NADI_SMS=gateway`. In its path and query `{to}` `{digits}` `{text}` `{key}` `{sender}` `{entity}` `{template}` `{secret}` `{event}` `{language}` `{var1}`... stand for what they name, escaped.',
    read: readTemplate.url,
  },
  {
    env: 'NADI_SMS_GATEWAY_BODY',
    values: 'JSON or form with placeholders',
    default: '',
    meaning: 'What is posted there, with the same placeholders; without it the request is a GET.',
    read: readTemplate.body,
  },
  {
    env: 'NADI_SMS_GATEWAY_HEADERS',
    values: 'JSON: {name: value}',
    default: '',
    meaning: 'Header fields of that request, such as a key.',
    secret: true,
    read: readTemplate.headers,
  },
  {
    env: 'NADI_SMS_GATEWAY_SECRET',
    values: 'text',
    default: '',
    meaning: 'What `{secret}` stands for.',
    secret: true,
    read: text,
  },
  {
    env: 'NADI_SMS_GATEWAY_ACCEPTED',
    values: 'text',
    default: '',
    meaning: 'What the answer must hold to count as accepted, for providers that answer 200 to everything.',
    read: text,
  },
  {
    env: 'NADI_SMS_GATEWAY_REFUSED',
    values: 'text',
    default: '',
    meaning: 'What an answer holds that means: never try this message again.',
    read: text,
  },
] as const satisfies readonly Setting[]

type Name = (typeof SMS_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const smsOf = (value: <T>(name: Name) => T): SmsSettings => ({
  by: value('NADI_SMS'),
  from: value('NADI_SMS_FROM'),
  entity: value('NADI_SMS_ENTITY'),
  templates: value('NADI_SMS_TEMPLATES'),
  twilio: {
    url: value('NADI_TWILIO_URL'),
    account: value('NADI_TWILIO_ACCOUNT'),
    token: value('NADI_TWILIO_TOKEN'),
  },
  sns: {
    url: value('NADI_SNS_URL'),
    region: value('NADI_SNS_REGION'),
    id: value('NADI_SNS_KEY_ID'),
    secret: value('NADI_SNS_SECRET'),
  },
  africastalking: {
    url: value('NADI_AFRICASTALKING_URL'),
    user: value('NADI_AFRICASTALKING_USER'),
    key: value('NADI_AFRICASTALKING_KEY'),
  },
  gateway: {
    url: value('NADI_SMS_GATEWAY_URL'),
    body: value('NADI_SMS_GATEWAY_BODY'),
    headers: value('NADI_SMS_GATEWAY_HEADERS') ?? {},
    secret: value('NADI_SMS_GATEWAY_SECRET'),
    accepted: value('NADI_SMS_GATEWAY_ACCEPTED'),
    refused: value('NADI_SMS_GATEWAY_REFUSED'),
  },
})

/** Returns the settings that are missing for what was chosen. */
export function missingSms({ by, from, twilio, sns, africastalking, gateway }: SmsSettings): string[] {
  const needs: Record<SmsSettings['by'], Record<string, string | undefined>> = {
    off: {},
    twilio: { NADI_SMS_FROM: from, NADI_TWILIO_ACCOUNT: twilio.account, NADI_TWILIO_TOKEN: twilio.token },
    sns: { NADI_SNS_KEY_ID: sns.id, NADI_SNS_SECRET: sns.secret },
    africastalking: {
      NADI_AFRICASTALKING_USER: africastalking.user,
      NADI_AFRICASTALKING_KEY: africastalking.key,
    },
    gateway: { NADI_SMS_GATEWAY_URL: gateway.url },
  }
  return Object.entries(needs[by]).flatMap(([name, given]) =>
    given === undefined ? [`NADI_SMS is ${by}, which needs ${name}.`] : [],
  )
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function templates(value: string): DltTemplates | undefined {
  let tree: unknown
  try {
    tree = JSON.parse(value)
  } catch {
    return undefined
  }
  if (!isRecord(tree)) return undefined
  const fits = (one: unknown): boolean =>
    isRecord(one) &&
    typeof one.id === 'string' &&
    /^[A-Za-z0-9_-]{1,40}$/.test(one.id) &&
    typeof one.text === 'string' &&
    Array.isArray(one.values) &&
    one.values.every(name => typeof name === 'string') &&
    one.text.split('{#var#}').length === one.values.length + 1
  const all = Object.values(tree).every(
    languages => isRecord(languages) && Object.values(languages).every(fits),
  )
  return all ? (tree as DltTemplates) : undefined
}
