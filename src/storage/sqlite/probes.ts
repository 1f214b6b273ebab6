/** How many rows a find has, counted up to a cap and remembered for a moment: it decides only which index is read first. */
import type { Find } from './compile.ts'
import type { Driver } from './driver.ts'
import { join, raw, type Sql, sql } from './sql.ts'

export interface Probes {
  /** Returns the number of rows of each find, at most its cap. */
  count(finds: readonly Find[]): Promise<number[]>
  /** Returns the number of resources there ever were. */
  size(): Promise<number>
  /** As count, up to FURTHER and away from where it would hold up others. */
  countFurther(finds: readonly Find[], deadline: number | undefined): Promise<number[]>
  /**
   * Rows of an index in the order of rid can be walked as well, so that fewer of them are worth counting; those that are looked up one by
   * one on the way from others cost more to count.
   */
  capOf(find: Find): number
}

/** Patients come and go by the second, frequencies do not. */
const KEPT_MS = 10_000
const MOST = 1_000
/** Rows that are counted where a search takes long anyway. */
export const FURTHER = 100_000

export function createProbes(driver: Driver, clock: () => number, cap: number): Probes {
  const known = new Map<string, { at: number; count: number }>()
  const capOf = ({ ordered, within }: Find): number =>
    ordered !== undefined ? cap : within === undefined ? 4 * cap : Math.ceil(cap / 2)
  let size = { at: Number.NEGATIVE_INFINITY, rows: 0 }
  return {
    capOf,
    async size() {
      const now = clock()
      if (now - size.at > KEPT_MS || now < size.at) {
        const [rows] = await driver.read([raw('SELECT max(rid) FROM res')])
        size = { at: now, rows: (rows![0]![0] as number | null) ?? 0 }
      }
      return size.rows
    },
    async countFurther(finds, deadline) {
      const counts = finds.map(one => countOf(one, FURTHER))
      const [rows] = await driver.readLong([sql`SELECT ${join(counts, ', ')}`], deadline)
      return rows![0] as number[]
    },
    async count(finds) {
      const now = clock()
      const names = finds.map(({ select }) => `${select.text}\n${JSON.stringify(select.params)}`)
      const asked = finds.filter((_, i) => {
        const one = known.get(names[i]!)
        return one === undefined || now - one.at > KEPT_MS || now < one.at
      })
      const fresh = new Map<Find, number>()
      if (asked.length > 0) {
        const counts = asked.map(one => countOf(one, capOf(one)))
        const [rows] = await driver.read([sql`SELECT ${join(counts, ', ')}`])
        for (const [i, find] of asked.entries()) fresh.set(find, rows![0]![i] as number)
      }
      return finds.map((find, i) => {
        const counted = fresh.get(find)
        if (counted === undefined) return known.get(names[i]!)!.count
        known.delete(names[i]!)
        if (known.size >= MOST) known.delete(known.keys().next().value!)
        if (names[i]!.length < 2_000) known.set(names[i]!, { at: now, count: counted })
        return counted
      })
    },
  }
}

function countOf({ select, within }: Find, cap: number): Sql {
  const rows = counted(select, cap)
  if (within === undefined) return rows
  return sql`CASE WHEN ${counted(within, cap)} >= ${cap} THEN ${cap} ELSE ${rows} END`
}

const counted = (select: Sql, cap: number): Sql =>
  sql`(SELECT count(*) FROM (SELECT 1 FROM (${select}) LIMIT ${cap}))`
