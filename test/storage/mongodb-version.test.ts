/** What a change stores in MongoDB, without a server. */
import { expect, it } from 'vitest'
import type { IndexRow } from '../../src/search/index-row.ts'
import { prepareChanges } from '../../src/storage/mongodb/version.ts'
import type { Change } from '../../src/storage/port.ts'

const text =
  '{"resourceType":"Group","id":"1","meta":{"versionId":"1","lastUpdated":"2026-11-21T10:41:00.000Z"}}'

/** A token row is two terms, and the id of the resource is one. */
const withTerms = (count: number): Change => ({
  key: 'Group/1',
  version: 1,
  method: 'PUT',
  body: { text, stampAt: text.indexOf('2026') },
  index: Array.from(
    { length: (count - 1) / 2 },
    (_, i): IndexRow => ({ kind: 'token', param: 'x', system: '', code: `${i}` }),
  ),
  claims: [],
})

it('a resource of more terms than MongoDB has keys for a document is refused, and not by MongoDB', () => {
  expect(prepareChanges([withTerms(99_999)], 'c')[0]!.fields.ix).toHaveLength(99_999)
  expect(() => prepareChanges([withTerms(100_001)], 'c')).toThrow(
    expect.objectContaining({ code: 'too-costly' }) as Error,
  )
})

it('a resource of almost as many terms has no windows for :contains, and is stored', () => {
  const strings = Array.from(
    { length: 49_999 },
    (_, i): IndexRow => ({ kind: 'string', param: 'Group.x', folded: `text ${i}`, exact: `text ${i}` }),
  )
  const [prepared] = prepareChanges([{ ...withTerms(1), index: strings }], 'c')
  expect(prepared!.fields.ix).toHaveLength(100_000)
  expect(prepared!.fields.ix).toContain('Group.x !')
  expect(prepared!.fields.w).toBeUndefined()
})
