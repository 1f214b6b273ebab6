/** Settings of the webhook that is told of every message. */
import { fromBase64 } from '../lib/base64.ts'
import { baseUrl, choice, type Setting, text } from './setting.ts'

export interface WebhookSettings {
  /** Undefined: off. */
  url: string | undefined
  /** Undefined: requests are not signed. */
  secret: string | undefined
  /** Whether the text goes along with the secrets that it carries. */
  secrets: boolean
}

export const WEBHOOK_SETTINGS = [
  {
    env: 'NADI_WEBHOOK_URL',
    values: 'http(s) URL',
    default: '',
    meaning: 'Where every message is posted as a FHIR Communication; without it there is no webhook.',
    read: value =>
      URL.canParse(value) && baseUrl(value.split('?', 1)[0] as string) ? text(value) : undefined,
  },
  {
    env: 'NADI_WEBHOOK_SECRET',
    values: 'whsec_ and base64 of at least 16 bytes, or at least 16 characters',
    default: '',
    meaning: 'Signs what is posted with HMAC-SHA-256 (Standard Webhooks).',
    secret: true,
    read: value =>
      value.startsWith('whsec_')
        ? (fromBase64(value.slice(6))?.length ?? 0) >= 16
          ? value
          : undefined
        : value.length >= 16
          ? value
          : undefined,
  },
  {
    env: 'NADI_WEBHOOK_SECRETS',
    values: 'on or off',
    default: 'off',
    meaning: '`on` posts the text with what it keeps secret elsewhere: PINs, one-time codes, links.',
    read: choice('on', 'off'),
  },
] as const satisfies readonly Setting[]

type Name = (typeof WEBHOOK_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const webhookOf = (value: <T>(name: Name) => T): WebhookSettings => ({
  url: value('NADI_WEBHOOK_URL'),
  secret: value('NADI_WEBHOOK_SECRET'),
  secrets: value<string>('NADI_WEBHOOK_SECRETS') === 'on',
})
