/** `nadi backup`: a copy of the SQLite database, also while the server runs. */
import { backupSqlite } from '../storage/sqlite/node-backup.ts'
import { runFileCommand } from './database-file.ts'

const help = `Usage: npm run nadi -- backup FILE [--storage sqlite:FILE]

Copies the database as it is at this moment to a new file; the server may run meanwhile. The copy is checked before the command ends.`

/** Runs the command and returns the exit code. */
export const backup = (args: readonly string[], env: Record<string, string | undefined>): Promise<number> =>
  runFileCommand(
    {
      help,
      flags: [],
      async run({ file, database, onProgress }) {
        await backupSqlite(database, file, onProgress)
        return `${database} is copied to ${file}.`
      },
    },
    args,
    env,
  )
