/** What the writers of the crash test write: every row follows from the key and the version, so that what is found can be judged. */
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Change, Commit, Key } from '../../src/storage/port.ts'
import { changeOf, commitOf, deletionOf } from './rows.ts'

export const WRITERS = 8
/** Pairs of resources that a writer goes round; both of a pair change in one commit. */
export const PAIRS = 12

export const isDeletion = (version: number): boolean => version % 5 === 0

export const pairOf = (writer: number, pair: number): [Key, Key] => [
  `Patient/w${writer}-p${pair}`,
  `Observation/w${writer}-p${pair}`,
]

export const counterOf = (writer: number): string => `writes-${writer}`

export const rowsOf = (key: Key, version: number): IndexRow[] => [
  { kind: 'token', param: 'code', system: `http://system/${version % 3}`, code: `${key} ${version}` },
  { kind: 'string', param: 'name', folded: `name ${version}`, exact: `Name ${version}` },
  { kind: 'date', param: 'date', lo: version, hi: version + 1 },
  { kind: 'reference', param: 'subject', type: 'Patient', id: `v${version}`, version: '' },
  { kind: 'uri', param: 'url', value: `http://url/${version}` },
  { kind: 'quantity', param: 'value', unit: '', lo: `k${version}`, hi: `k${version}` },
  { kind: 'sort', param: 'name', min: `a${version}`, max: `b${version}` },
]

/** Longer than a page of the database, so that a version torn in half would show. */
export const textOf = (key: Key, version: number): string =>
  `,"text":"${`${key} ${version} `.repeat(300)}end"`

export function writeOf(writer: number, pair: number, version: number, count: number): Commit {
  const change = (key: Key): Change =>
    isDeletion(version)
      ? deletionOf(key, version)
      : changeOf(key, version, rowsOf(key, version), textOf(key, version))
  const [first, second] = pairOf(writer, pair)
  return commitOf([change(first), change(second)], {
    require: [{ is: 'counter', name: counterOf(writer), seen: count, next: count + 1 }],
    outbox: [{ id: `${first} ${version}`, kind: 'test', due: 0, body: '{}' }],
  })
}
