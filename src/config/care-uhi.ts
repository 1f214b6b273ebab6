/** Settings of the Care UHI facade, mounted at `/uhi`. */
import { baseUrl, choice, limit, type Setting, text } from './setting.ts'

export interface CareUhiSettings {
  /** Whether it is mounted. */
  enabled: boolean
  /** What callers have to send as X-API-Key; undefined: nothing. */
  key: string | undefined
  /** Requests in a minute, of one address and of all. */
  rate: number
  rateAll: number
  /** Whether results may be called back to private addresses. */
  privateCallbacks: boolean
  /** What results are signed with: who answers. */
  providerId: string
  providerUri: string | undefined
}

export const CARE_UHI_SETTINGS = [
  {
    env: 'NADI_CARE_UHI',
    values: 'on or off',
    default: 'off',
    meaning:
      '`on` serves the appointment API of the Care UHI plugin at `/uhi`. It has no sign-in of its own.',
    read: choice('on', 'off'),
  },
  {
    env: 'NADI_CARE_UHI_KEY',
    values: '16 to 200 characters',
    default: '',
    meaning: 'A key that callers of `/uhi` must send in the header X-API-Key; none is asked for without it.',
    secret: true,
    read: value => (/^[\x21-\x7e]{16,200}$/.test(value) ? text(value) : undefined),
  },
  limit(
    'NADI_CARE_UHI_RATE',
    'requests',
    600,
    'Requests to `/uhi` that one address may make in a minute, at each server process.',
  ),
  limit(
    'NADI_CARE_UHI_RATE_ALL',
    'requests',
    6000,
    'Requests to `/uhi` that all addresses together may make in a minute, at each server process.',
  ),
  {
    env: 'NADI_CARE_UHI_PRIVATE_CALLBACKS',
    values: 'refuse or allow',
    default: 'refuse',
    meaning:
      '`allow` calls results of `/uhi` back to private, loopback and link-local addresses too: for consumers in the same network.',
    read: choice('refuse', 'allow'),
  },
  {
    env: 'UHI_PROVIDER_ID',
    values: 'text',
    default: 'care-hspa',
    meaning: 'The provider_id that results of `/uhi` are called back with.',
    read: text,
  },
  {
    env: 'UHI_PROVIDER_URI',
    values: 'http(s) URL',
    default: '',
    meaning: 'The provider_uri that results of `/uhi` are called back with.',
    read: baseUrl,
  },
] as const satisfies readonly Setting[]

type Name = (typeof CARE_UHI_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const careUhiOf = (value: <T>(name: Name) => T): CareUhiSettings => ({
  enabled: value<string>('NADI_CARE_UHI') === 'on',
  key: value('NADI_CARE_UHI_KEY'),
  rate: value('NADI_CARE_UHI_RATE'),
  rateAll: value('NADI_CARE_UHI_RATE_ALL'),
  privateCallbacks: value<string>('NADI_CARE_UHI_PRIVATE_CALLBACKS') === 'allow',
  providerId: value('UHI_PROVIDER_ID'),
  providerUri: value('UHI_PROVIDER_URI'),
})
