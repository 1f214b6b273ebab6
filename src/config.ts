/** Settings: the only reader of the environment. Every setting is checked at start; an unknown or bad one is named. */
import { type CareUhiSettings, careUhiOf } from './config/care-uhi.ts'
import { missingForChannels } from './config/channels.ts'
import { type MessageSettings, messagesOf } from './config/messages.ts'
import { type NotificationSettings, notificationsOf } from './config/notifications.ts'
import { type OpenCareSettings, openCareOf } from './config/opencare.ts'
import { type SchedulingSettings, schedulingOf } from './config/scheduling.ts'
import type { Setting } from './config/setting.ts'
import { isLoopback, optionOf, SETTINGS, storageName } from './config/table.ts'
import { type UhiSettings, uhiOf } from './config/uhi.ts'

/** The settings that interactions and operations read; `config.ts` fills them from the environment. */
export interface Settings {
  /** Without a slash at the end: `http://127.0.0.1:8080/fhir`. */
  baseUrl: string
  /** IANA name of the zone in which dates without one are read. */
  zone: string
  /** `profile` goes beyond the structure of R4: invariants, bindings, `meta.profile` and the profiles below. */
  validate: 'off' | 'structure' | 'profile'
  /** Canonicals of profiles that every resource of their type is held against under `profile`. */
  profiles: readonly string[]
  /** The FHIR terminology server that is asked about code systems not held here; undefined: none is. */
  terminologyUrl: string | undefined
  /** Milliseconds that it has to answer. */
  terminologyMs: number
  /** Where `nadi package install NAME@VERSION` finds packages. */
  packageRegistry: string
  references: 'off' | 'enforce'
  /** A conditional delete that matches several resources deletes all of them, or is refused. */
  conditionalDelete: 'single' | 'multiple'
  /** Whether words are indexed for `_text` and `_content`. */
  fullText: 'on' | 'off'
  scheduling: SchedulingSettings
  notifications: NotificationSettings
  messages: MessageSettings
  careUhi: CareUhiSettings
  uhi: UhiSettings
  openCare: OpenCareSettings
  limits: {
    /** Largest request body, bytes. */
    body: number
    /** Most entries in a batch or transaction. */
    entries: number
    /** Deepest nesting of JSON. */
    depth: number
    /** Resources on a page when the client names no _count, and at most. */
    pageDefault: number
    pageMax: number
    /** Milliseconds that one search may take; searches above the second figure are logged. */
    searchMs: number
    slowMs: number
    /** Values in one search; links in a chain; resources that includes add to a page. */
    values: number
    chain: number
    includes: number
    /** Longest request URL, characters; a link that would be longer names a stored query. */
    url: number
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export type StorageSetting =
  /** `path` is a file's, or `:memory:`. */
  { kind: 'sqlite'; path: string } | { kind: 'mongodb'; uri: string }

/** What the entries read beside the settings of the interactions. */
export interface Config extends Omit<Settings, 'baseUrl'> {
  host: string
  /** 0 lets the system choose a free one. */
  port: number
  /** Undefined: made of the address that the server listens on. */
  baseUrl: string | undefined
  storage: StorageSetting
  log: LogLevel
  sync: 'full' | 'normal'
  /** Addresses and CIDR ranges of proxies whose forwarding headers count. */
  trustedProxies: readonly string[]
  /** Milliseconds in which a client has to send the header, and the whole request. */
  headerMs: number
  requestMs: number
  /** Milliseconds that requests under way get to finish when the server is told to stop. */
  stopMs: number
}

/** What is wrong with the settings, one sentence each. */
export class SettingsError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Returns the configuration made of environment variables and options; an option wins over its variable. An empty variable counts as
 * not set, and NADI_TEST_* belongs to the tests.
 *
 * Throws SettingsError naming every unknown and every bad setting.
 */
export function readConfig(env: Record<string, string | undefined>, args: readonly string[] = []): Config {
  const problems: string[] = []
  const given = new Map<string, { name: string; text: string }>()
  for (const [name, text] of Object.entries(env)) {
    if (name.startsWith('NADI_TEST_') || text === undefined || text === '') continue
    if (SETTINGS.some(setting => setting.env === name)) given.set(name, { name, text })
    else if (name.startsWith('NADI_'))
      problems.push(
        `${name} is not a setting of Nadi.${nearest(
          name,
          SETTINGS.map(s => s.env),
        )}`,
      )
  }
  readOptions(args, given, problems)

  const values = new Map<string, unknown>()
  for (const setting of SETTINGS as readonly Setting[]) {
    const from = given.get(setting.env)
    const text = from?.text ?? setting.default
    if (text === '') continue
    const value = setting.read(text)
    if (value === undefined) problems.push(badValue(setting, from?.name ?? setting.env, text))
    values.set(setting.env, value)
  }
  const value = <T>(name: (typeof SETTINGS)[number]['env']): T => values.get(name) as T
  const host = value<string | undefined>('NADI_HOST')
  if (host !== undefined && !isLoopback(host))
    problems.push(
      `${given.get('NADI_HOST')?.name} ${host} is not a loopback address. Without sign-in Nadi serves only its own machine: use 127.0.0.1, ::1 or localhost.`,
    )
  const pageMax = value<number | undefined>('NADI_PAGE_MAX')
  if (pageMax !== undefined && value<number>('NADI_PAGE_DEFAULT') > pageMax)
    problems.push(`NADI_PAGE_DEFAULT is above NADI_PAGE_MAX (${pageMax}).`)
  const notifications = notificationsOf(value)
  if (problems.length === 0) problems.push(...missingForChannels(notifications.channels))
  if (problems.length > 0) throw new SettingsError(problems)

  return {
    host: value('NADI_HOST'),
    port: value('NADI_PORT'),
    baseUrl: value('NADI_BASE_URL'),
    storage: value('NADI_STORAGE'),
    zone: value('NADI_ZONE'),
    log: value('NADI_LOG'),
    sync: value('NADI_SYNC'),
    validate: value('NADI_VALIDATE'),
    profiles: value('NADI_PROFILES') ?? [],
    terminologyUrl: value('NADI_TERMINOLOGY_URL'),
    terminologyMs: value('NADI_TERMINOLOGY_TIMEOUT_MS'),
    packageRegistry: value('NADI_PACKAGE_REGISTRY'),
    references: value('NADI_REFERENCES'),
    conditionalDelete: value('NADI_CONDITIONAL_DELETE'),
    fullText: value('NADI_FULL_TEXT'),
    scheduling: schedulingOf(value),
    messages: messagesOf(value),
    notifications,
    careUhi: careUhiOf(value),
    uhi: uhiOf(value),
    openCare: openCareOf(value),
    trustedProxies: value('NADI_TRUSTED_PROXIES') ?? [],
    headerMs: value('NADI_HEADER_MS'),
    requestMs: value('NADI_REQUEST_MS'),
    stopMs: value('NADI_STOP_MS'),
    limits: {
      body: value('NADI_BODY_LIMIT'),
      entries: value('NADI_ENTRY_LIMIT'),
      depth: value('NADI_DEPTH_LIMIT'),
      pageDefault: value('NADI_PAGE_DEFAULT'),
      pageMax: value('NADI_PAGE_MAX'),
      searchMs: value('NADI_SEARCH_TIMEOUT_MS'),
      slowMs: value('NADI_SLOW_MS'),
      values: value('NADI_OR_LIMIT'),
      chain: value('NADI_CHAIN_LIMIT'),
      includes: value('NADI_INCLUDE_LIMIT'),
      url: value('NADI_URL_LIMIT'),
    },
  }
}

function badValue(setting: Setting, name: string, text: string): string {
  if (setting.env === 'NADI_AUTH')
    return `${name} is set, but sign-in is not built yet: leave it unset, and Nadi serves only its own machine.`
  // A storage URI may hold a password.
  if (setting.secret) return `${name} is not one of: ${setting.values}.`
  const shown = setting.env === 'NADI_STORAGE' ? storageName(text) : text
  return `${name} is "${shown}", which is not one of: ${setting.values}.`
}

function readOptions(
  args: readonly string[],
  given: Map<string, { name: string; text: string }>,
  problems: string[],
): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    const equals = arg.indexOf('=')
    const name = equals < 0 ? arg : arg.slice(0, equals)
    const setting = SETTINGS.find(candidate => optionOf(candidate) === name)
    if (setting === undefined) {
      const known = SETTINGS.map(optionOf)
      problems.push(`${name} is not an option of Nadi.${nearest(name, known)}`)
      // What follows is its value, and no fault of its own.
      if (equals < 0 && name.startsWith('--') && args[i + 1]?.startsWith('-') === false) i++
      continue
    }
    const text = equals < 0 ? args[++i] : arg.slice(equals + 1)
    if (text === undefined || text === '') problems.push(`${name} needs a value: ${setting.values}.`)
    else given.set(setting.env, { name, text })
  }
}

/** Returns ` Did you mean X?` where a name is at most two edits away. */
function nearest(name: string, names: readonly string[]): string {
  const best = names
    .map(candidate => ({ candidate, far: edits(name, candidate) }))
    .sort((a, b) => a.far - b.far)[0]
  return best !== undefined && best.far <= 2 ? ` Did you mean ${best.candidate}?` : ' --help lists them all.'
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= Math.min(a.length, 100); i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]! + Math.max(0, a.length - 100)
}

/** Returns the settings of the interactions, for a server that listens on `port`. */
export function settingsOf(config: Config, port: number): Settings {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  return {
    baseUrl: config.baseUrl ?? `http://${host}:${port}/fhir`,
    zone: config.zone,
    validate: config.validate,
    profiles: config.profiles,
    terminologyUrl: config.terminologyUrl,
    terminologyMs: config.terminologyMs,
    packageRegistry: config.packageRegistry,
    references: config.references,
    conditionalDelete: config.conditionalDelete,
    fullText: config.fullText,
    scheduling: config.scheduling,
    messages: config.messages,
    notifications: config.notifications,
    careUhi: config.careUhi,
    uhi: config.uhi,
    openCare: config.openCare,
    limits: config.limits,
  }
}
