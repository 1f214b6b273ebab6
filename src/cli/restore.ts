/** `nadi restore`: the database of a backup in the place of the server's, also while the server runs. */
import { type Config, settingsOf } from '../config.ts'
import { systemContext } from '../context.ts'
import { jsonLog } from '../lib/json-log.ts'
import { indexFingerprint } from '../search/index-fingerprint.ts'
import { type RestoreOptions, restoreSqlite } from '../storage/sqlite/node-restore.ts'
import { runFileCommand } from './database-file.ts'
import { bringIndexUpToDate } from './index-update.ts'
import { openStorage } from './open-storage.ts'

const help = `Usage: npm run nadi -- restore FILE [--force] [--storage sqlite:FILE] [other settings of the server]

Puts the backup in FILE in the place of the database, after it is checked. Servers may run meanwhile: they answer from the database as it
was until the backup is there whole, and from the backup then. Writes wait for it. A backup whose search index was made under other
settings (NADI_ZONE, NADI_REFERENCES, NADI_BASE_URL) gets a new index first, if this command is given those of the server.

  --force   Replace a database that is there already. All that it holds is gone then.`

/** Runs the command and returns the exit code. */
export const restore = (args: readonly string[], env: Record<string, string | undefined>): Promise<number> =>
  runFileCommand(
    {
      help,
      flags: ['--force'],
      async run({ file, database, config, flags, onProgress }) {
        const force = flags.has('--force')
        await restoreSqlite(file, database, { force, onProgress, reindex: reindexer(config) })
        return `${database} holds the backup ${file}.`
      },
    },
    args,
    env,
  )

/** Returns what makes the index of a file anew under the settings. */
function reindexer(config: Config): NonNullable<RestoreOptions['reindex']> {
  const settings = settingsOf(config, config.port)
  const baseUrl = config.baseUrl ?? ''
  return {
    fingerprint: indexFingerprint({ ...settings, baseUrl }),
    async run(path) {
      const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
      const storage = await openStorage({ ...config, storage: { kind: 'sqlite', path } }, log)
      try {
        await bringIndexUpToDate(systemContext({ storage, settings, log, version: '' }), baseUrl)
      } finally {
        await storage.close()
      }
    },
  }
}
