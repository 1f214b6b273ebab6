/** The ids of terms (systems and units) that this instance has seen committed. Terms are never removed, so a known id stays right. */
import type { Row } from './driver.ts'
import { type Sql, sql } from './sql.ts'

export interface TermCache {
  readonly known: ReadonlyMap<string, number>
  /** Returns the statement that asks for the ids of terms, to stand last in the batch that may store them; none for none. */
  learning(terms: readonly string[]): Sql[]
  learn(rows: readonly Row[]): void
}

/** A client can name any number of systems; the first ones seen are the common ones. */
const MOST = 5_000

export function termCache(): TermCache {
  const known = new Map<string, number>()
  return {
    known,
    learning: terms =>
      terms.length === 0
        ? []
        : [
            sql`SELECT t.text, t.id FROM json_each(${JSON.stringify(terms)}) j CROSS JOIN term t ON t.text = j.value`,
          ],
    learn(rows) {
      for (const [text, id] of rows as [string, number][]) {
        if (known.size >= MOST || text.length > 200) continue
        known.set(text, id)
      }
    },
  }
}
