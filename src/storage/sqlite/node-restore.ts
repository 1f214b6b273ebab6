/**
 * A backup in the place of a database, also while servers use it: its pages are written over the database's in one transaction, so that
 * every reader sees the one or the other, and who is killed meanwhile has changed nothing. https://www.sqlite.org/backup.html
 */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { check, copy, flush, type Progress, remove } from './node-backup.ts'
import { type Connection, connect } from './node-connection.ts'
import { migrate, schemaVersion, walMode } from './node-schema.ts'
import { type Established, establishedIn, number, succeed } from './node-succession.ts'

export interface RestoreOptions {
  /** Replaces a database that is there. */
  force?: boolean
  onProgress?: Progress
  /** Makes the index of a database file anew, and under which rules (`search/index-fingerprint.ts`). */
  reindex?: { fingerprint: string; run(path: string): Promise<void> }
}

/** Pages written at a time. */
const STEP = 4096

/** How long writers may keep the database from us. */
const PATIENCE_MS = 30_000

/** What was read of the database before it was locked is no longer so. */
class Moved extends Error {}

/**
 * Puts a backup in the place of a database. With `force` it replaces the one that is there, whether servers have it open or not: what they
 * acknowledged before is gone, what they acknowledge from then on is kept.
 *
 * Throws with a sentence, leaving everything as it is, when the backup is damaged, is none of Nadi's or of a newer schema, when the target
 * exists without `force`, and when a process has a database open that cannot be replaced under it: one of another schema, or with an index
 * of other rules than the backup's that `reindex` cannot make.
 */
export async function restoreSqlite(
  source: string,
  target: string,
  { force = false, onProgress, reindex }: RestoreOptions = {},
): Promise<void> {
  if (!existsSync(source)) throw new Error(`There is no backup at ${source}.`)
  check(source)
  const exists = existsSync(target)
  if (exists && !force) throw new Error(`There is a database at ${target} already: only --force replaces it.`)
  mkdirSync(dirname(target), { recursive: true })
  removeAbandoned(target)
  const part = `${target}${PART}${process.pid}`
  try {
    await copy(source, part, onProgress)
    check(part)
    within(part, connection => {
      migrate(connection, part)
      // Their owners are gone.
      connection.run('UPDATE lease SET until = 0', [])
    })
    const obstacle = exists ? await replaceUnderServers(part, target, { reindex, onProgress }) : undefined
    if (exists && obstacle === undefined) return
    within(part, number)
    flush(part)
    if (exists) closeForGood(target, obstacle!)
    // The log of what was there must not be read into what comes.
    remove(`${target}-wal`)
    remove(`${target}-shm`)
    renameSync(part, target)
    flush(dirname(target))
  } finally {
    remove(part)
  }
}

/** Writes the backup over the database. Returns why that cannot be where it cannot; nothing is changed then. */
async function replaceUnderServers(
  part: string,
  target: string,
  { reindex, onProgress }: RestoreOptions,
): Promise<string | undefined> {
  let live: Connection
  try {
    live = connect(target, { sync: 'full' })
  } catch {
    return 'it cannot be opened'
  }
  try {
    const start = Date.now()
    for (;;) {
      let before: Established
      try {
        walMode(live, target)
        const obstacle = within(part, connection => differenceOf(connection, live))
        if (obstacle !== undefined) return obstacle
        before = establishedIn(live)
      } catch {
        return 'it cannot be read'
      }
      const obstacle = await indexAlike(part, before, reindex)
      if (obstacle !== undefined) return obstacle
      within(part, connection => succeed(connection, live, before))
      if (await written(part, target, live, before, onProgress)) break
      if (Date.now() - start > PATIENCE_MS)
        throw new Error(`The database ${target} was busy all the time; nothing is changed. Try again.`)
      await sleep(2)
    }
    // What is in the log is on the disk with it.
    live.db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    return undefined
  } finally {
    live.close()
  }
}

/** Returns in what two databases differ that keeps the pages of one from the place of the other's. */
function differenceOf(copied: Connection, live: Connection): string | undefined {
  const [ours, theirs] = [schemaVersion(copied), schemaVersion(live)]
  if (ours !== theirs) return `it has schema version ${theirs}, the backup is brought to ${ours}`
  const pageSize = ({ run }: Connection) => run('PRAGMA page_size', [])[0]![0]
  return pageSize(copied) === pageSize(live)
    ? undefined
    : 'its pages have another size than those of the backup'
}

/** Gives the copy an index of the rules that the servers' own has. Returns why it cannot be. */
async function indexAlike(
  part: string,
  live: Established,
  reindex: RestoreOptions['reindex'],
): Promise<string | undefined> {
  const copied = within(part, establishedIn)
  const wanted = live.fingerprint
  if (wanted === undefined || copied.fingerprint === undefined) return undefined
  if (copied.whole && copied.fingerprint === wanted) return undefined
  if (reindex?.fingerprint !== wanted)
    return `its search index was made under other settings than the backup's. It has "${wanted}", the backup "${copied.fingerprint}"; with the settings of the server this command can make the index anew`
  await reindex.run(part)
  return undefined
}

/** Writes the pages in one transaction. Returns false, with nothing changed, where others write, or `before` is no longer so. */
async function written(
  part: string,
  target: string,
  live: Connection,
  before: Established,
  onProgress: Progress | undefined,
): Promise<boolean> {
  const source = new DatabaseSync(part)
  let locked = false
  try {
    const pages = source.prepare('PRAGMA page_count').get()!.page_count as number
    await backup(source, target, {
      // Two steps at least: after the first the database is locked and nothing is committed.
      rate: Math.max(1, Math.min(STEP, pages >> 1)),
      progress({ totalPages, remainingPages }) {
        if (!locked && JSON.stringify(establishedIn(live)) !== JSON.stringify(before)) throw new Moved()
        locked = true
        onProgress?.(totalPages - remainingPages, totalPages)
      },
    })
    return true
  } catch (error) {
    // Before it is locked there is nothing that can fail but the lock.
    if (!locked) return false
    throw new Error(`The backup could not be written over ${target}, which is as it was.`, { cause: error })
  } finally {
    source.close()
  }
}

/** Leaving WAL mode needs the database for oneself alone, and empties the log. Throws where a process has it open. */
function closeForGood(path: string, obstacle: string): void {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA journal_mode = DELETE')
    if (db.prepare('PRAGMA journal_mode').get()?.journal_mode !== 'delete') throw new Error('it is in use')
  } catch (error) {
    if (/locked|in use|busy/.test(String(error)))
      throw new Error(
        `The database ${path} is in use and cannot be replaced under a running server: ${obstacle}. Stop the server first.`,
      )
    // Replaced because it is damaged: nothing of it is to be kept.
  } finally {
    db.close()
  }
}

/** Returns the result of work on a connection of its own, closed after it. */
function within<T>(path: string, work: (connection: Connection) => T): T {
  const connection = connect(path)
  try {
    return work(connection)
  } finally {
    connection.close()
  }
}

const PART = '.restoring-'

/** Removes the copies of commands that were killed. */
function removeAbandoned(target: string): void {
  const beginning = `${basename(target)}${PART}`
  for (const name of readdirSync(dirname(target))) {
    const pid = name.startsWith(beginning) ? /^\d+$/.exec(name.slice(beginning.length))?.[0] : undefined
    if (pid !== undefined && !isRunning(Number(pid))) remove(join(dirname(target), name))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
