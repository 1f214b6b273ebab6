/**
 * Batches packed for the writer thread as one flat array: cloning objects costs more than the SQL does. A statement's text travels once
 * and is a number from then on; both sides count the same texts in the same order.
 */
import type { Row } from './driver.ts'
import type { Outcome } from './node-group.ts'
import type { Param, Sql } from './sql.ts'

export type Packed = Param[]

/** Texts beyond these travel whole each time: searches inside a commit have any shape. */
const MOST_TEXTS = 500

/** Returns the function that packs batches: their number, then for each its number of statements, then text, count and parameters of each. */
export function packer(): (batches: readonly (readonly Sql[])[]) => Packed {
  const numbers = new Map<string, number>()
  return batches => {
    const packed: Packed = [batches.length]
    for (const batch of batches) {
      packed.push(batch.length)
      for (const { text, params } of batch) {
        const number = numbers.get(text)
        packed.push(number ?? text, params.length)
        if (number === undefined && numbers.size < MOST_TEXTS) numbers.set(text, numbers.size)
        for (const param of params) packed.push(param)
      }
    }
    return packed
  }
}

/** Returns the function that undoes a packer's work, message by message in the order in which they were packed. */
export function reader(): (packed: Packed) => Sql[][] {
  const texts: string[] = []
  return packed => {
    let at = 0
    const next = <T extends Param>(): T => packed[at++] as T
    return Array.from({ length: next<number>() }, () =>
      Array.from({ length: next<number>() }, () => {
        const reference = next<string | number>()
        const text = typeof reference === 'number' ? texts[reference]! : reference
        if (typeof reference === 'string' && texts.length < MOST_TEXTS) texts.push(text)
        const count = next<number>()
        const params = packed.slice(at, at + count)
        at += count
        return { text, params }
      }),
    )
  }
}

const [ROWS, REFUSED, FAILED, TRANSIENT] = [0, 1, 2, 3]

/** Returns what became of batches as one flat array: for each its id, what it is, and the reason or its rows. */
export function packOutcomes(ids: readonly number[], outcomes: readonly Outcome[]): Packed {
  const packed: Packed = []
  for (let i = 0; i < outcomes.length; i++) {
    const outcome = outcomes[i]!
    packed.push(ids[i]!)
    if ('refused' in outcome) packed.push(REFUSED, outcome.refused)
    else if ('failed' in outcome) packed.push(outcome.transient ? TRANSIENT : FAILED, outcome.failed)
    else {
      packed.push(ROWS, outcome.rows.length)
      for (const [place, rows] of outcome.rows) {
        packed.push(place, rows.length, rows[0]!.length)
        for (const row of rows) for (const value of row) packed.push(value)
      }
    }
  }
  return packed
}

/** Returns the ids and outcomes that were packed. */
export function unpackOutcomes(packed: Packed): [id: number, outcome: Outcome][] {
  const outcomes: [number, Outcome][] = []
  let at = 0
  const number = (): number => packed[at++] as number
  while (at < packed.length) {
    const id = number()
    const what = number()
    if (what === REFUSED) outcomes.push([id, { refused: packed[at++] as string }])
    else if (what !== ROWS)
      outcomes.push([id, { failed: packed[at++] as string, transient: what === TRANSIENT }])
    else {
      const sets: [number, Row[]][] = []
      for (let left = number(); left > 0; left--) {
        const place = number()
        const count = number()
        const columns = number()
        const rows: Row[] = []
        for (let row = 0; row < count; row++, at += columns) rows.push(packed.slice(at, at + columns))
        sets.push([place, rows])
      }
      outcomes.push([id, { rows: sets }])
    }
  }
  return outcomes
}
