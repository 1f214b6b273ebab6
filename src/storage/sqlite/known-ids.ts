/**
 * What an instance remembers of ids in the database. It is right until a backup is put in the database's place under it
 * (`node-restore.ts`), which leaves another number in `meta`.
 */
import { fhirError } from '../../fhir/error.ts'
import type { Cursor, SearchOptions } from '../port.ts'
import type { Driver } from './driver.ts'
import { raw } from './sql.ts'
import { type TermCache, termCache } from './terms.ts'

/** Gives no row where the database never came from a backup; otherwise a number that no other restore has. */
export const RESTORED = "SELECT value FROM meta WHERE name = 'restored'"

/** Returns the number of the restore that a database came from, 0 for none. */
export async function restoredNumber(driver: Driver): Promise<number> {
  const [rows] = await driver.read([raw(RESTORED)])
  return (rows![0]?.[0] ?? 0) as number
}

export interface Known {
  readonly terms: TermCache
  /** The number of the restore that the ids are of, 0 for none; undefined where backups are not restored by Nadi. */
  readonly restored: number | undefined
}

export interface KnownIds {
  now(): Known
  /** Looks whether a backup has come, and forgets everything then. */
  look(): Promise<Known>
  /**
   * Returns the result of work that reads with known ids. It is done again where a backup came meanwhile, so that nothing is found by an
   * id that is another's now, and no two reads of it see two databases.
   */
  steady<T>(work: (known: Known) => Promise<T>): Promise<T>
}

const MOST_TRIES = 4

/** Returns the memory of an instance. `first` is the number that the database has; undefined where backups are not restored by Nadi. */
export function knownIds(driver: Driver, first: number | undefined): KnownIds {
  let current: Known = { terms: termCache(), restored: first }

  async function look(): Promise<Known> {
    if (first === undefined) return current
    const restored = await restoredNumber(driver)
    if (current.restored !== restored) current = { terms: termCache(), restored }
    return current
  }

  async function steady<T>(work: (known: Known) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const known = current
      let done: { result: T } | { error: unknown }
      try {
        done = { result: await work(known) }
      } catch (error) {
        done = { error }
      }
      // Numbers of restores never come back: the same one after the reads means that it was the same during them.
      if ((await look()) === known) {
        if ('error' in done) throw done.error
        return done.result
      }
      if (tries === MOST_TRIES)
        throw fhirError('transient', 'The database is being restored from a backup; try again.')
    }
  }

  return { now: () => current, look, steady: first === undefined ? work => work(current) : steady }
}

/** Returns a cursor that is good for this state of the ids only. */
export const boundCursor = (cursor: Cursor, { restored }: Known): Cursor =>
  restored ? [...cursor, restored] : cursor

type Place = Pick<SearchOptions, 'after' | 'before'>

/** Returns the cursors that were bound. Throws `invalid` (400) for one from before a restore. */
export function unboundPlace({ after, before }: Place, known: Known): Place {
  return {
    ...(after && { after: unbound(after, known) }),
    ...(before && { before: unbound(before, known) }),
  }
}

function unbound(cursor: Cursor, { restored }: Known): Cursor {
  if (!restored) return cursor
  if (cursor.at(-1) === restored) return cursor.slice(0, -1)
  throw fhirError(
    'invalid',
    'The database was restored from a backup since the page link was made: begin again at the first page.',
    { expression: 'http._cursor' },
  )
}
