/** `nadi restore`: the database of a backup in the place of the server's. */
import { restoreSqlite } from '../storage/sqlite/node-backup.ts'
import { runFileCommand } from './database-file.ts'

const help = `Usage: npm run nadi -- restore FILE [--force] [--storage sqlite:FILE]

Puts the backup in FILE in the place of the database, after it is checked. The server must be stopped.

  --force   Replace a database that is there already. All that it holds is gone then.`

/** Runs the command and returns the exit code. */
export const restore = (args: readonly string[], env: Record<string, string | undefined>): Promise<number> =>
  runFileCommand(
    {
      help,
      flags: ['--force'],
      async run({ file, database, flags, onProgress }) {
        await restoreSqlite(file, database, { force: flags.has('--force'), onProgress })
        return `${database} holds the backup ${file}.`
      },
    },
    args,
    env,
  )
