/** What is above what, as numbers: some hundred bytes for a concept, so that half a million fit into memory. */

export interface Hierarchy {
  /** Says that `parent` is right above `child`. */
  link(child: string, parent: string): void
  parents(code: string): string[]
  /** Returns all above, each once, without itself; a circle does no harm. */
  ancestors(code: string): string[]
}

const NONE = -1

export function createHierarchy(): Hierarchy {
  const numbers = new Map<string, number>()
  const codes: string[] = []
  /** By concept its first link, by link the parent and the next link. */
  let first = new Int32Array(1024).fill(NONE)
  let above = new Int32Array(1024)
  let next = new Int32Array(1024)
  let links = 0

  const numberOf = (code: string): number => {
    const known = numbers.get(code)
    if (known !== undefined) return known
    const number = codes.length
    // A text cut out of a larger one keeps that in memory.
    const own = Buffer.from(code).toString()
    numbers.set(own, number)
    codes.push(own)
    if (number === first.length) first = grown(first, NONE)
    return number
  }
  const above1 = (number: number, each: (parent: number) => void): void => {
    for (let link = first[number]!; link !== NONE; link = next[link]!) each(above[link]!)
  }

  return {
    link(child, parent) {
      if (child === parent) return
      const [low, high] = [numberOf(child), numberOf(parent)]
      let known = false
      above1(low, one => {
        known ||= one === high
      })
      if (known) return
      if (links === above.length) {
        above = grown(above, 0)
        next = grown(next, 0)
      }
      above[links] = high
      next[links] = first[low]!
      first[low] = links++
    },
    parents(code) {
      const found: string[] = []
      const number = numbers.get(code)
      if (number !== undefined) above1(number, one => found.push(codes[one]!))
      return found.sort()
    },
    ancestors(code) {
      const number = numbers.get(code)
      if (number === undefined) return []
      const seen = new Set([number])
      for (const one of seen) above1(one, parent => seen.add(parent))
      seen.delete(number)
      return Array.from(seen, one => codes[one]!)
    },
  }
}

function grown(array: Int32Array<ArrayBuffer>, fill: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2).fill(fill, array.length)
  larger.set(array)
  return larger
}
