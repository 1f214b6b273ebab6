/** Opens the storage that the settings name. An adapter is loaded only where it is asked for. */
import type { Config } from '../config.ts'
import type { Log } from '../lib/log.ts'
import type { Storage } from '../storage/port.ts'

/** Returns the storage, its schema up to date. Throws where it cannot be opened, with a sentence for a person. */
export async function openStorage(
  config: Config,
  log: Log,
  options: { mapped?: boolean } = {},
): Promise<Storage> {
  if (config.storage.kind === 'mongodb') {
    const { openMongo } = await import('../storage/mongodb/store.ts')
    return openMongo(config.storage.uri, { clock: Date.now, log })
  }
  const { openSqlite } = await import('../storage/sqlite/node.ts')
  return openSqlite({ path: config.storage.path, sync: config.sync, clock: Date.now, log, ...options })
}
