/** A process that restores a backup and kills itself while it writes over the database: `node FILE BACKUP DATABASE`. */
import { DatabaseSync } from 'node:sqlite'
import { restoreSqlite } from '../../src/storage/sqlite/node-restore.ts'

const [, , source, target] = process.argv as [string, string, string, string]
const other = new DatabaseSync(target, { timeout: 0 })
await restoreSqlite(source, target, {
  force: true,
  onProgress() {
    try {
      other.exec('BEGIN IMMEDIATE; ROLLBACK')
    } catch {
      // Nobody else writes: the lock is held by the restore, which has written a part.
      process.kill(process.pid, 'SIGKILL')
    }
  },
})
