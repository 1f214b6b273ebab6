/**
 * Batches packed for the writer thread as one flat array: cloning objects costs more than the SQL does. A statement's text travels once
 * and is a number from then on; both sides count the same texts in the same order.
 */
import type { Param, Sql } from './sql.ts'

type Packed = Param[]

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
