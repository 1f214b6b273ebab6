/** What every interaction and operation gets from outside: storage, time, ids and settings. Nothing here is global. */
import type { Grants } from './auth/grants.ts'
import type { Settings } from './config.ts'
import type { Resource } from './fhir/json.ts'
import type { Log } from './lib/log.ts'
import type { InTurn } from './lib/turns.ts'
import { uuid7 } from './lib/uuid7.ts'
import type { SearchPlan } from './search/plan-node.ts'
import { createRegistry, type SearchRegistry } from './search/registry.ts'
import type { Job, Key, Method, Require, Storage, Stored } from './storage/port.ts'

/** Who asks. `system` is the server itself and, until sign-in exists, everybody on the loopback interface. */
export interface Principal {
  /** Binds cursors: a cursor given to one principal is refused to another. */
  id: string
  /** What a facade asks about; absent for the server itself. */
  role?: 'admin' | 'provider' | 'patient'
  /** Absent: everything. */
  grants?: Grants
}

/** The search parameters as they change while servers run, and the work of indexing that this makes. */
export interface LiveIndex {
  /** Returns the registry that this process knows; another object after each change. */
  registry(): SearchRegistry
  /** Returns the registry after a look at the store. It stays as it was where another server has made the index under other rules. */
  refresh(): Promise<SearchRegistry>
  /** To be called after a commit that wrote SearchParameters: returns when every instance can know of it, or after some seconds. */
  changed(): Promise<void>
  /** Returns how many custom parameters are in force. */
  count(): number
  /** Throws `transient` (503) where the index of a custom parameter of the plan is not complete. */
  checkWhole(plan: SearchPlan): Promise<void>
  /** Returns the types that a SearchParameter in force is for, empty for all; undefined where it is not in force. */
  typesOf(key: Key): readonly string[] | undefined
  /** Asks for the rows of these types, none for all, to be made anew; returns the job, or the one of this name that is not done yet. */
  reindex(what: string, types: readonly string[]): Promise<IndexJob>
  /** Returns what is left to be done and the last that was, newest first. */
  jobs(): Promise<IndexJob[]>
}

/** Making index rows of resources that are there already. */
export interface IndexJob {
  /** The index epoch that it began with. */
  id: number
  /** `all`, a resource type, `SearchParameter/x`, or the codes of parameters that were added. */
  what: string
  /** Empty for all. */
  types: readonly string[]
  state: 'waiting' | 'running' | 'done'
  /** Resources done so far; how many there were when it began, where that is known. */
  done: number
  total: number | undefined
  /** Resources that could not be indexed. */
  failed: number
  /** ms since 1970. */
  asked: number
  finished?: number
  /** Why it does not go on at the moment. */
  error?: string
}

/** A version that a commit is about to make, as write rules see it. */
export interface Pending {
  readonly key: Key
  readonly method: Method
  /** What it replaces; undefined where nothing live stands there. */
  readonly before: Resource | undefined
  /** Undefined for a deletion. `id` and `meta` are as they came. */
  readonly after: Resource | undefined
}

/** A version that a rule makes. */
export interface Put {
  key: Key
  /** What the rule has read; undefined for a new id. Of no account where the commit itself changes the resource. */
  current: Stored | undefined
  /** Undefined deletes. */
  resource: Resource | undefined
}

/** What a write rule adds to a commit. */
export interface Ruling {
  /** Resources beside those of the commit, or in the place of them. */
  puts?: readonly Put[]
  require?: readonly Require[]
  outbox?: readonly Job[]
}

/**
 * What must hold, and what follows, whenever resources of some types are written: by whichever interaction, operation or facade.
 * Rules are asked in their order, each about all that the commit makes so far, once more whenever what they read has changed meanwhile.
 */
export interface WriteRule {
  types: ReadonlySet<string>
  /** Returns what many may want at once: writers of the same names go one after another where the context knows turns. */
  contends?(ctx: Context, after: readonly Resource[]): readonly string[]
  /** Throws a FhirError where the write is refused. */
  judge(ctx: Context, pending: readonly Pending[]): Promise<Ruling>
}

export interface Context {
  storage: Storage
  /** Absent: writes follow no rules but those of FHIR. */
  rules?: readonly WriteRule[]
  /** On Node: who wants what another has not yet taken waits for it, instead of losing the race in the store. */
  inTurn?: InTurn
  /** What messages of this write carry and no resource may show, by name: they go into the outbox alone. */
  secrets?: Readonly<Record<string, string>>
  /** Called after a commit that left work in the outbox. */
  announce?(): void
  settings: Settings
  /** Search parameters and the index epoch, the same for the whole of a request. */
  registry: SearchRegistry
  /** Absent where search parameters do not change. */
  live?: LiveIndex
  principal: Principal
  /** ms since 1970 UTC. */
  clock(): number
  /** ms of a clock that only runs forward, with fractions: for durations. On Workers it stands still between two waits. */
  tick(): number
  /** A new logical id; sorts by time of making. */
  newId(): string
  log: Log
  /** Returns the compiled harfbuzz.wasm, which each runtime loads in its own way; absent where nothing is painted. */
  harfbuzz?(): Promise<WebAssembly.Module>
  /** The version of Nadi, for the CapabilityStatement. */
  version: string
}

/** Returns the context of the server itself, with the real clock, random ids and the search parameters of R4. */
export const systemContext = (parts: Pick<Context, 'storage' | 'settings' | 'log' | 'version'>): Context => ({
  ...parts,
  registry: createRegistry(),
  principal: { id: 'system' },
  clock: Date.now,
  tick: () => performance.now(),
  newId: uuid7(Date.now, bytes => crypto.getRandomValues(bytes)),
})
