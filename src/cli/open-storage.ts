/** Opens the storage that the settings name. An adapter is loaded only where it is asked for. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../config.ts'
import type { Log } from '../lib/log.ts'
import type { Storage } from '../storage/port.ts'

/** Returns the storage, its schema up to date. Throws where it cannot be opened, with a sentence for a person. */
export async function openStorage(config: Config, log: Log): Promise<Storage> {
  if (config.storage.kind === 'mongodb') {
    const { openMongo } = await import('../storage/mongodb/store.ts')
    return openMongo(config.storage.uri, { clock: Date.now, log })
  }
  const { openSqlite } = await import('../storage/sqlite/node.ts')
  const { path } = config.storage
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
  return openSqlite(path, { clock: Date.now, sync: config.sync, log })
}
