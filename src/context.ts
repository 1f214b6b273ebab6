/** What every interaction and operation gets from outside: storage, time, ids and settings. Nothing here is global. */
import type { Settings } from './config.ts'
import type { Log } from './lib/log.ts'
import { uuid7 } from './lib/uuid7.ts'
import { createRegistry, type SearchRegistry } from './search/registry.ts'
import type { Storage } from './storage/port.ts'

/** Who asks. `system` is the server itself and, until sign-in exists, everybody on the loopback interface. */
export interface Principal {
  /** Binds cursors: a cursor given to one principal is refused to another. */
  id: string
}

export interface Context {
  storage: Storage
  settings: Settings
  /** Search parameters and the index epoch. */
  registry: SearchRegistry
  principal: Principal
  /** ms since 1970 UTC. */
  clock(): number
  /** ms of a clock that only runs forward, with fractions: for durations. On Workers it stands still between two waits. */
  tick(): number
  /** A new logical id; sorts by time of making. */
  newId(): string
  log: Log
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
