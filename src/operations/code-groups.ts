/**
 * Observations by their codes: two are in one group where they share a coding, or where a third one shares a coding with each.
 * https://hl7.org/fhir/R4/observation-operation-lastn.html
 */
import { isObject, type Json } from '../fhir/json.ts'

interface Item<T> {
  /** ms since 1970; undefined is older than all. */
  time: number | undefined
  /** The order of adding: of two without a time the later one is the newer. */
  order: number
  of: T
  size: number
}

export interface CodeGroups<T> {
  /** Adds what has this code (a CodeableConcept). `size` is for `size()`. */
  add(code: Json | undefined, time: number | undefined, of: T, size: number): void
  /** Returns the sizes of all that is kept, together. */
  size(): number
  /** Returns what is kept of all groups, newest first. */
  newestFirst(): T[]
}

/** Returns groups that keep the newest `most` each, and what is as old as the oldest of these. */
export function createCodeGroups<T>(most: number): CodeGroups<T> {
  /** Leads from each code to another of its group, and in the end to the one that stands for all. */
  const leads = new Map<string, string>()
  const groups = new Map<string, Item<T>[]>()
  let order = 0
  let size = 0

  const leaderOf = (code: string): string => {
    let leader = code
    for (let next = leads.get(leader); next !== undefined; next = leads.get(leader)) leader = next
    // What was walked leads there at once from now on.
    for (let at = code; at !== leader; ) {
      const next = leads.get(at)!
      leads.set(at, leader)
      at = next
    }
    return leader
  }
  const cut = (items: Item<T>[]): Item<T>[] => {
    if (items.length <= most) return items
    items.sort(newer)
    const oldest = items[most - 1]!
    let end = most
    while (oldest.time !== undefined && items[end]?.time === oldest.time) end++
    for (const gone of items.splice(end)) size -= gone.size
    return items
  }
  return {
    add(code, time, of, itemSize) {
      const [first, ...others] = codesOf(code)
      const leader = leaderOf(first!)
      let items = groups.get(leader) ?? []
      for (const other of others) {
        const second = leaderOf(other)
        if (second === leader) continue
        const theirs = groups.get(second) ?? []
        groups.delete(second)
        leads.set(second, leader)
        // Of two groups the smaller one is moved.
        if (theirs.length > items.length) items = moved(theirs, items)
        else items = moved(items, theirs)
      }
      items.push({ time, order: order++, of, size: itemSize })
      size += itemSize
      groups.set(leader, items.length > most * 2 ? cut(items) : items)
    },
    size: () => size,
    newestFirst: () =>
      [...groups.values()]
        .flatMap(cut)
        .sort(newer)
        .map(({ of }) => of),
  }
}

function moved<T>(to: T[], from: readonly T[]): T[] {
  for (const one of from) to.push(one)
  return to
}

function newer<T>(a: Item<T>, b: Item<T>): number {
  if (a.time === b.time) return b.order - a.order
  if (a.time === undefined || b.time === undefined) return a.time === undefined ? 1 : -1
  return b.time - a.time
}

/** Returns what a concept is known by: its codings; without one its text, to the letter. */
function codesOf(concept: Json | undefined): string[] {
  if (!isObject(concept)) return ['']
  const codes = new Set<string>()
  if (Array.isArray(concept.coding))
    for (const coding of concept.coding)
      if (isObject(coding) && typeof coding.code === 'string')
        codes.add(JSON.stringify([typeof coding.system === 'string' ? coding.system : '', coding.code]))
  if (codes.size > 0) return [...codes]
  return [typeof concept.text === 'string' ? `"${concept.text}"` : '']
}
