/** Commits and plans for the tests of one adapter. */
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node, SearchPlan, SortKey } from '../../src/search/plan-node.ts'
import { type Change, type Commit, idOf, type Key, stampText, typeOf } from '../../src/storage/port.ts'

/** Returns a change that stores a small resource with these index rows; `more` stands at the end of its text. */
export function changeOf(key: Key, version: number, index: readonly IndexRow[] = [], more = ''): Change {
  const head = `{"resourceType":"${typeOf(key)}","id":"${idOf(key)}","meta":{"versionId":"${version}","lastUpdated":"`
  const body = { text: `${head}${stampText(0)}"}${more}}`, stampAt: head.length }
  return { key, version, method: version === 1 ? 'POST' : 'PUT', body, index, claims: [] }
}

/** Returns a change that deletes the version before. */
export const deletionOf = (key: Key, version: number): Change => ({
  ...changeOf(key, version),
  method: 'DELETE',
  body: null,
})

export const commitOf = (changes: readonly Change[], part: Partial<Commit> = {}): Commit => ({
  id: crypto.randomUUID(),
  at: Date.now(),
  epoch: 0,
  changes,
  require: [],
  outbox: [],
  ...part,
})

export const planOf = (types: readonly string[], where: Node, sort: readonly SortKey[] = []): SearchPlan => ({
  types,
  where,
  sort,
  fingerprint: JSON.stringify([types, where, sort]),
})

export const token = (param: string, code: string, system = ''): IndexRow => ({
  kind: 'token',
  param,
  system,
  code,
})
