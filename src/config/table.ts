/** The table of settings: names, values, defaults and meanings. */
import type { StorageSetting } from '../config.ts'
import { CARE_UHI_SETTINGS } from './care-uhi.ts'
import { MESSAGE_SETTINGS } from './messages.ts'
import { NOTIFICATION_SETTINGS } from './notifications.ts'
import { OPENCARE_SETTINGS } from './opencare.ts'
import { SCHEDULING_SETTINGS } from './scheduling.ts'
import { baseUrl, choice, integer, limit, type Setting } from './setting.ts'
import { UHI_SETTINGS } from './uhi.ts'

/** Every setting, in the order in which --help and docs/configuration.md show them. */
export const SETTINGS = [
  {
    env: 'NADI_HOST',
    values: 'address or name',
    default: '127.0.0.1',
    meaning: 'Address to listen on. Without sign-in only loopback addresses are accepted.',
    read: text => (/^[A-Za-z0-9.:_-]+$/.test(text) ? text : undefined),
  },
  {
    env: 'NADI_PORT',
    values: '0 to 65535',
    default: '8080',
    meaning: 'Port to listen on; 0 picks a free one.',
    read: integer(0, 65535),
  },
  {
    env: 'NADI_BASE_URL',
    values: 'http(s) URL',
    default: '',
    meaning:
      'Address under which clients reach the server; used in links, Location and fullUrl, and its path is where FHIR is served. Without it: `http://HOST:PORT/fhir`.',
    read: baseUrl,
  },
  {
    env: 'NADI_STORAGE',
    values: 'sqlite:FILE, sqlite::memory:, mongodb:// or mongodb+srv:// URI',
    default: 'sqlite:./data/nadi.db',
    meaning: 'Where resources are kept.',
    read: storage,
  },
  {
    env: 'NADI_ZONE',
    values: 'IANA zone',
    default: 'Asia/Kolkata',
    meaning: 'Zone in which dates and times without a zone are read when searching.',
    read: zone,
  },
  {
    env: 'NADI_LOG',
    values: 'debug, info, warn, error or silent',
    default: 'info',
    meaning: 'Least level that is logged; one JSON line per request is written at info.',
    read: choice('debug', 'info', 'warn', 'error', 'silent'),
  },
  {
    env: 'NADI_SYNC',
    values: 'full or normal',
    default: 'full',
    meaning:
      'SQLite only. `full`: what was acknowledged survives a power cut. `normal`: a power cut may lose the last moments, a crash of the process nothing.',
    read: choice('full', 'normal'),
  },
  {
    env: 'NADI_VALIDATE',
    values: 'off, structure or profile',
    default: 'structure',
    meaning:
      'Checks of every write: `structure` refuses what the R4 definitions do not allow; `profile` also checks invariants, bindings, the profiles in `meta.profile` and those of NADI_PROFILES.',
    read: choice('off', 'structure', 'profile'),
  },
  {
    env: 'NADI_PROFILES',
    values: 'canonical URLs, by comma',
    default: '',
    meaning:
      'Profiles that every resource of their type must conform to under NADI_VALIDATE=profile; the CapabilityStatement declares them. While one of them is not known here, writes are refused.',
    read: canonicals,
  },
  {
    env: 'NADI_TERMINOLOGY_URL',
    values: 'http(s) URL',
    default: '',
    meaning: 'A FHIR terminology server that is asked about code systems which are not held here.',
    read: baseUrl,
  },
  limit(
    'NADI_TERMINOLOGY_TIMEOUT_MS',
    'milliseconds',
    5000,
    'Time that the terminology server has for an answer.',
    100,
    60_000,
  ),
  {
    env: 'NADI_PACKAGE_REGISTRY',
    values: 'http(s) URL',
    default: 'https://packages.fhir.org',
    meaning: 'Where `nadi package install NAME@VERSION` finds packages; any npm registry serves as well.',
    read: baseUrl,
  },
  {
    env: 'NADI_REFERENCES',
    values: 'off or enforce',
    default: 'off',
    meaning:
      '`enforce` refuses references to resources that are not there, and deletion of what is referred to.',
    read: choice('off', 'enforce'),
  },
  {
    env: 'NADI_CONDITIONAL_DELETE',
    values: 'single or multiple',
    default: 'multiple',
    meaning:
      '`single` refuses a conditional delete that matches several resources; `multiple` deletes them all in one commit.',
    read: choice('single', 'multiple'),
  },
  {
    env: 'NADI_FULL_TEXT',
    values: 'on or off',
    default: 'on',
    meaning:
      '`on` keeps an index of words for `_text` and `_content`; `off` refuses them and makes writes cheaper.',
    read: choice('on', 'off'),
  },
  {
    env: 'NADI_AUTH',
    values: '',
    default: '',
    meaning:
      'Sign-in. Not available yet: any value refuses the start, so that nobody believes to be protected.',
    read: () => undefined,
  },
  {
    env: 'NADI_TRUSTED_PROXIES',
    values: 'addresses or CIDR ranges, by comma',
    default: '',
    meaning:
      'Proxies whose `Forwarded` or `X-Forwarded-Host`, `-Proto` and `-Prefix` headers count; of others they are ignored.',
    read: proxies,
  },
  limit(
    'NADI_BODY_LIMIT',
    'bytes',
    33_554_432,
    'Largest request body, also after decompression; above it 413.',
    1024,
  ),
  limit('NADI_ENTRY_LIMIT', 'entries', 10_000, 'Most entries in a batch or transaction.'),
  limit('NADI_DEPTH_LIMIT', 'levels', 64, 'Deepest nesting of JSON.', 8, 1000),
  limit('NADI_URL_LIMIT', 'characters', 8192, 'Longest request URL; above it 414.', 256, 60_000),
  limit(
    'NADI_PAGE_DEFAULT',
    'resources',
    50,
    'Resources on a page when the client names no `_count`.',
    1,
    10_000,
  ),
  limit('NADI_PAGE_MAX', 'resources', 1000, 'Most resources on a page, whatever `_count` says.', 1, 100_000),
  limit('NADI_SEARCH_TIMEOUT_MS', 'milliseconds', 30_000, 'Time that one search may take.', 10),
  limit('NADI_SLOW_MS', 'milliseconds', 1000, 'Searches that take longer are logged with their plan.', 1),
  limit(
    'NADI_OR_LIMIT',
    'values',
    1000,
    'Most values in one search, all its parameters together.',
    1,
    100_000,
  ),
  limit('NADI_CHAIN_LIMIT', 'links', 5, 'Most links in a chain, and in chained `_has`.', 1, 20),
  limit(
    'NADI_INCLUDE_LIMIT',
    'resources',
    1000,
    'Most resources that `_include` and `_revinclude` add to a page.',
    1,
    100_000,
  ),
  limit('NADI_HEADER_MS', 'milliseconds', 15_000, 'Time for a client to send the header of a request.', 100),
  limit('NADI_REQUEST_MS', 'milliseconds', 120_000, 'Time for a client to send a whole request.', 100),
  limit(
    'NADI_STOP_MS',
    'milliseconds',
    10_000,
    'Time for requests under way to finish when the server stops.',
    0,
  ),
  ...SCHEDULING_SETTINGS,
  ...MESSAGE_SETTINGS,
  ...NOTIFICATION_SETTINGS,
  ...CARE_UHI_SETTINGS,
  ...UHI_SETTINGS,
  ...OPENCARE_SETTINGS,
] as const satisfies readonly Setting[]

/** Returns `--base-url` for NADI_BASE_URL; names of other systems keep all of theirs. */
export const optionOf = (setting: { env: string }): string =>
  `--${setting.env
    .replace(/^NADI_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`

/** Whether only this machine can reach the address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(host)

function canonicals(text: string): string[] | undefined {
  const list = text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
  return list.length > 0 && list.every(item => /^[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+(\|[^\s|]+)?$/.test(item))
    ? list
    : undefined
}

function storage(text: string): StorageSetting | undefined {
  if (/^mongodb(\+srv)?:\/\/./.test(text)) return { kind: 'mongodb', uri: text }
  const path = /^sqlite:(.+)$/s.exec(text)?.[1]
  if (path === undefined || path.startsWith('//')) return undefined
  return { kind: 'sqlite', path }
}

/** Returns the storage as it may be shown: without user, password and options, whatever the text is; what stands before the last @ may be one. */
export const storageName = (text: string): string =>
  text.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/*)?.*@/s, '$1').replace(/\?.*$/s, '')

function zone(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone && text
  } catch {
    return undefined
  }
}

function proxies(text: string): string[] | undefined {
  const list = text.split(',').map(item => item.trim())
  return list.every(item =>
    /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:\/[0-9]{1,3})?$/.test(item),
  )
    ? list
    : undefined
}
