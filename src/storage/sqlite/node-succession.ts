/** What a backup takes over from the database in whose place it comes, so that servers go on with what they know of it. */
import { CURSOR_KEY, newCursorKey } from '../../search/cursor.ts'
import { fingerprintName, recordName, wholeName } from '../../search/index-fingerprint.ts'
import type { Connection } from './node-connection.ts'

/** What servers have read of their database once and for all. */
export interface Established {
  epoch: number
  /** The rules that the index was made under; undefined where no server has used the database. */
  fingerprint: string | undefined
  /** All rows of the index are there. */
  whole: boolean
  /** Servers have a record of the epoch, and look for another when a new one begins. */
  recorded: boolean
  cursorKey: string | undefined
}

export function establishedIn({ run }: Connection): Established {
  const value = <T>(text: string, ...params: string[]) => run(text, params)[0]?.[0] as T | undefined
  const kept = (name: string) => value<string>('SELECT value FROM kept WHERE name = ?', name)
  const epoch = value<number>("SELECT value FROM meta WHERE name = 'epoch'")!
  const record = kept(recordName(epoch))
  // Later epochs are of custom search parameters, whose rows servers make by themselves.
  const rebuilt = record === undefined ? epoch : (JSON.parse(record) as { rebuilt: number }).rebuilt
  const counted = value<number>('SELECT n FROM counter WHERE name = ?', wholeName(rebuilt)) ?? 0
  return {
    epoch,
    fingerprint: kept(fingerprintName(epoch)),
    whole: rebuilt === 0 || counted > 0,
    recorded: record !== undefined,
    cursorKey: kept(CURSOR_KEY),
  }
}

/** More than servers count up while a backup is restored. */
const FENCES = 1_000_000

/**
 * Makes a copy the successor of the database: with its index epoch and its kept values, with fences above all that were given, and with a
 * number of its own by which servers see that ids have changed. The copy's index has been made under the rules that are established. Where
 * servers follow the epochs a new one begins: other search parameters may be stored than those that they know.
 */
export function succeed(copy: Connection, live: Connection, established: Established): void {
  const epoch = established.epoch + (established.recorded ? 1 : 0)
  const rules = established.fingerprint ?? establishedIn(copy).fingerprint
  const kept = live.run("SELECT name, value FROM kept WHERE name NOT GLOB 'index *'", [])
  const leases = live.run('SELECT name, fence FROM lease', [])
  const { db, run } = copy
  db.exec('BEGIN IMMEDIATE')
  db.exec("DELETE FROM kept WHERE name GLOB 'index *'")
  db.exec("DELETE FROM counter WHERE name GLOB 'index *'")
  // How far indexing has come says nothing of the epochs that begin here.
  db.exec("DELETE FROM remembered WHERE name GLOB 'index *'")
  run("UPDATE meta SET value = ? WHERE name = 'epoch'", [epoch])
  if (rules !== undefined) {
    run('INSERT INTO kept (name, value) VALUES (?, ?)', [fingerprintName(epoch), rules])
    run('INSERT INTO counter (name, n) VALUES (?, 1)', [wholeName(epoch)])
  }
  for (const row of kept)
    run('INSERT INTO kept VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value', row)
  run('INSERT INTO kept VALUES (?, ?) ON CONFLICT (name) DO NOTHING', [CURSOR_KEY, newCursorKey()])
  for (const [name, fence] of leases)
    run(
      "INSERT INTO lease (name, owner, fence, until) VALUES (?, '', ?, 0) ON CONFLICT (name) DO UPDATE SET fence = max(fence, excluded.fence)",
      [name!, fence!],
    )
  run('UPDATE lease SET fence = fence + ?, until = 0', [FENCES])
  run('UPDATE outbox SET fence = fence + ?, until = 0', [FENCES])
  number(copy)
  db.exec('COMMIT')
}

/** Gives a copy the number of a new restore. */
export function number({ run }: Connection): void {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  // 53 bits are exact, and 0 stands for none.
  const restore = (high & 0xfffff) * 2 ** 32 + low + 1
  run("INSERT INTO meta VALUES ('restored', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [
    restore,
  ])
}
