import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GROUPS } from './mutants.ts'

const root = join(import.meta.dirname, '..', '..')

test('there are forty faults at least, none twice', () => {
  const all = GROUPS.flatMap(group => group.mutants).map(one => JSON.stringify(one))
  expect(all.length).toBeGreaterThanOrEqual(40)
  expect(new Set(all).size).toBe(all.length)
})

test.each(GROUPS.flatMap(group => group.mutants))(
  '$file: "$from" can be planted: where it has changed, change test/mutants/mutants.ts',
  one => {
    const source = readFileSync(join(root, one.file), 'utf8')
    expect(source.split(one.from).length - 1).toBe(1)
    expect(one.to).not.toBe(one.from)
  },
)

test.each(GROUPS.flatMap(group => group.tests.flat()))('%s is there', file => {
  expect(existsSync(join(root, file))).toBe(true)
})
