/** Settings of UHI itself, mounted at `/hspa`. Keys and secrets stand here and in no log. */
import { baseUrl, choice, integer, limit, type Setting, text } from './setting.ts'

export interface UhiSettings {
  /** Whether it is mounted. */
  enabled: boolean
  /** Our id and the id of our key on the network; undefined: nothing can be signed, and nothing is served. */
  subscriberId: string | undefined
  keyId: string | undefined
  /** Ed25519, base64 of PKCS8 DER or of the 32 bytes. */
  privateKey: string | undefined
  /** Our provider_uri, without a slash at the end; undefined: `/hspa` beside the base URL. */
  url: string | undefined
  /** Origins (with a path prefix) of gateway and registry, without a slash at the end. */
  gatewayUrl: string
  registryUrl: string | undefined
  /** `std:0484`. */
  city: string
  /** catalog.descriptor.name. */
  name: string
  /** Seconds that other clocks may be off, and that our signatures are valid. */
  skewS: number
  expiresS: number
  /** ms that a registry or a callback has to answer. */
  timeoutMs: number
  /** What PINs are made of; undefined: the private key. */
  pinSecret: string | undefined
  /** What the payment provider signs its webhook with; undefined: there is none. */
  paymentSecret: string | undefined
  /** Template of the address where an order is paid: `{order}` stands for its id. */
  paymentUrl: string | undefined
  /** Requests that one address, and all together, may make in a minute. */
  rate: number
  rateAll: number
  /** Whether callbacks may go to private addresses and over http. */
  allowPrivate: boolean
  /** Ways in which a callback is tried again before it is given up. */
  tries: number
}

const name = (value: string): string | undefined =>
  /^[A-Za-z0-9._:-]{1,128}$/.test(value) ? value : undefined
const secret = (value: string): string | undefined => (value.length >= 16 ? value : undefined)
const key = (value: string): string | undefined =>
  /^[A-Za-z0-9+/]{43,64}={0,2}$/.test(value) ? value : undefined

export const UHI_SETTINGS = [
  {
    env: 'NADI_UHI',
    values: 'on or off',
    default: 'off',
    meaning: '`on` serves UHI as a provider platform (HSPA) at `/hspa`. It needs the next three settings.',
    read: choice('on', 'off'),
  },
  {
    env: 'NADI_UHI_SUBSCRIBER_ID',
    values: 'letters, digits, `.` `-` `_` `:`',
    default: '',
    meaning: 'The id under which the network registry knows this HSPA: `provider_id`.',
    read: name,
  },
  {
    env: 'NADI_UHI_KEY_ID',
    values: 'letters, digits, `.` `-` `_` `:`',
    default: '',
    meaning: 'The id of our public key in the registry: the middle of `keyId`.',
    read: name,
  },
  {
    env: 'NADI_UHI_PRIVATE_KEY',
    values: 'base64 of an Ed25519 key (PKCS8 DER, or 32 bytes)',
    default: '',
    meaning: 'What our messages are signed with.',
    secret: true,
    read: key,
  },
  {
    env: 'NADI_UHI_URL',
    values: 'http(s) URL',
    default: '',
    meaning: 'Our `provider_uri`. Without it, `/hspa` at the origin of the base URL.',
    read: baseUrl,
  },
  {
    env: 'NADI_UHI_GATEWAY_URL',
    values: 'http(s) URL',
    default: 'https://uhigatewaysandbox.abdm.gov.in',
    meaning: 'The UHI gateway: first search and audit copies go below `/api/v1/uhi`.',
    read: baseUrl,
  },
  {
    env: 'NADI_UHI_REGISTRY_URL',
    values: 'http(s) URL',
    default: '',
    meaning: 'The network registry, asked at `/api/v1/networkregistry/lookup`. Without it, the gateway.',
    read: baseUrl,
  },
  {
    env: 'NADI_UHI_CITY',
    values: '`std:` and an STD code',
    default: 'std:0484',
    meaning: '`context.city` of messages that nobody asked for, and of our own requests to the registry.',
    read: value => (/^std:[0-9]{2,8}$/.test(value) ? value : undefined),
  },
  {
    env: 'NADI_UHI_NAME',
    values: 'text',
    default: 'Nadi',
    meaning: 'The name of this HSPA in catalogs.',
    read: text,
  },
  {
    env: 'NADI_UHI_SKEW_S',
    values: '0 to 60',
    default: '5',
    meaning:
      'Seconds that the clock of another may be off: a signature made so much in the future, or run out so long ago, still counts.',
    read: integer(0, 60),
  },
  {
    env: 'NADI_UHI_EXPIRES_S',
    values: '1 to 3600',
    default: '10',
    meaning: 'Seconds for which our signatures are valid.',
    read: integer(1, 3600),
  },
  {
    env: 'NADI_UHI_TIMEOUT_MS',
    values: '100 to 60000',
    default: '5000',
    meaning: 'Milliseconds that the registry, the gateway and a callback have to answer.',
    read: integer(100, 60_000),
  },
  {
    env: 'NADI_UHI_TRIES',
    values: '1 to 30',
    default: '10',
    meaning: 'Attempts for a callback or an audit copy before it is given up.',
    read: integer(1, 30),
  },
  {
    env: 'NADI_UHI_PIN_SECRET',
    values: 'at least 16 characters',
    default: '',
    meaning:
      'What the PINs of visits are made of: they are stored nowhere. Without it, the private key. PINs that were given out change with it.',
    secret: true,
    read: secret,
  },
  {
    env: 'NADI_UHI_PAYMENT_SECRET',
    values: 'at least 16 characters',
    default: '',
    meaning:
      'What a payment provider signs `POST /hspa/payment` with. Without it, only the clerk marks orders paid.',
    secret: true,
    read: secret,
  },
  {
    env: 'NADI_UHI_PAYMENT_URL',
    values: 'https URL with {order}',
    default: '',
    meaning: 'Template of the address where an order is paid in advance; `{order}` stands for its id.',
    read: value => (/^https:\/\/\S+\{order\}\S*$/.test(value) ? text(value) : undefined),
  },
  limit(
    'NADI_UHI_RATE',
    'requests',
    3000,
    'Requests to `/hspa` that one address may make in a minute, at each server process: the gateway brings those of many apps.',
  ),
  limit(
    'NADI_UHI_RATE_ALL',
    'requests',
    6000,
    'Requests to `/hspa` that all addresses together may make in a minute, at each server process.',
  ),
  {
    env: 'NADI_UHI_PRIVATE_CALLBACKS',
    values: 'on or off',
    default: 'off',
    meaning: '`on` lets callbacks go to private addresses and over http: for tests on one machine.',
    read: choice('on', 'off'),
  },
] as const satisfies readonly Setting[]

type Name = (typeof UHI_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const uhiOf = (value: <T>(name: Name) => T): UhiSettings => ({
  enabled: value<string>('NADI_UHI') === 'on',
  subscriberId: value('NADI_UHI_SUBSCRIBER_ID'),
  keyId: value('NADI_UHI_KEY_ID'),
  privateKey: value('NADI_UHI_PRIVATE_KEY'),
  url: value('NADI_UHI_URL'),
  gatewayUrl: value('NADI_UHI_GATEWAY_URL'),
  registryUrl: value('NADI_UHI_REGISTRY_URL'),
  city: value('NADI_UHI_CITY'),
  name: value('NADI_UHI_NAME'),
  skewS: value('NADI_UHI_SKEW_S'),
  expiresS: value('NADI_UHI_EXPIRES_S'),
  timeoutMs: value('NADI_UHI_TIMEOUT_MS'),
  tries: value('NADI_UHI_TRIES'),
  pinSecret: value('NADI_UHI_PIN_SECRET'),
  paymentSecret: value('NADI_UHI_PAYMENT_SECRET'),
  paymentUrl: value('NADI_UHI_PAYMENT_URL'),
  rate: value('NADI_UHI_RATE'),
  rateAll: value('NADI_UHI_RATE_ALL'),
  allowPrivate: value<string>('NADI_UHI_PRIVATE_CALLBACKS') === 'on',
})
