/** https://hl7.org/fhir/R4/observation-operation-lastn.html */

import { describe, expect, it } from 'vitest'
import { seeded } from '../../bench/random.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { createCodeGroups } from '../../src/operations/code-groups.ts'

interface One {
  codes: string[]
  time: number | undefined
  name: string
}

const codeOf = (codes: string[]) =>
  parseJson(JSON.stringify({ coding: codes.map(code => ({ system: 's', code })) }))

function grouped(most: number, all: readonly One[]): string[] {
  const groups = createCodeGroups<string>(most)
  for (const { codes, time, name } of all) groups.add(codeOf(codes), time, name, 1)
  const found = groups.newestFirst()
  expect(groups.size()).toBe(found.length)
  return found
}

/** The same by comparing each with each, as the text says it. */
function plainly(most: number, all: readonly One[]): Set<string> {
  const groupOf = all.map((_, i) => i)
  for (let changed = true; changed; ) {
    changed = false
    for (let i = 0; i < all.length; i++)
      for (let j = 0; j < all.length; j++)
        if (groupOf[j]! < groupOf[i]! && all[i]!.codes.some(code => all[j]!.codes.includes(code))) {
          groupOf[i] = groupOf[j]!
          changed = true
        }
  }
  const kept = new Set<string>()
  for (let i = 0; i < all.length; i++) {
    const newer = all.filter((one, j) => groupOf[j] === groupOf[i] && one.time! > all[i]!.time!)
    if (newer.length < most) kept.add(all[i]!.name)
  }
  return kept
}

describe('groups of codes', () => {
  it.each([
    [[['a'], ['b'], ['c']], 3],
    [[['a'], ['b'], ['a', 'c']], 2],
    [[['a'], ['b'], ['a', 'b']], 1],
    [
      [
        ['a', 'b'],
        ['c', 'd'],
        ['b', 'e'],
        ['e', 'd'],
      ],
      1,
    ],
  ])('of %j are %i', (lists, expected) => {
    const all = lists.map((codes, n) => ({ codes, time: n, name: `o${n}` }))
    expect(grouped(1, all)).toHaveLength(expected)
    expect(grouped(1, all.toReversed())).toHaveLength(expected)
  })

  it('are those that comparing each with each finds, in any order', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const next = seeded(seed)
      const upTo = (n: number) => Math.floor(next() * n)
      const most = 1 + upTo(3)
      const all = Array.from({ length: 1 + upTo(40) }, (_, n) => ({
        codes: Array.from({ length: 1 + upTo(2) }, () => `c${upTo(12)}`),
        time: upTo(15),
        name: `o${n}`,
      }))
      const found = grouped(most, all)
      expect(new Set(found), `seed ${seed}`).toEqual(plainly(most, all))
      const times = found.map(name => all.find(one => one.name === name)!.time)
      expect(times, `seed ${seed}`).toEqual(times.toSorted((a, b) => b - a))
    }
  })

  it('take those without a time for the oldest, and none of them for a tie', () => {
    const all = [
      { codes: ['a'], time: undefined, name: 'u1' },
      { codes: ['a'], time: -1, name: 'dated' },
      { codes: ['a'], time: undefined, name: 'u2' },
    ]
    expect(grouped(1, all)).toEqual(['dated'])
    expect(grouped(2, all)).toEqual(['dated', 'u2'])
  })

  it('keep a hundred thousand of one code, and as many codes in a chain, in bounded time', () => {
    const before = performance.now()
    const same = createCodeGroups<number>(2)
    for (let n = 0; n < 100_000; n++) same.add(codeOf(['a']), n, n, 1)
    expect(same.newestFirst()).toEqual([99_999, 99_998])
    const chain = createCodeGroups<number>(1)
    for (let n = 0; n < 100_000; n++) chain.add(codeOf([`c${n}`, `c${n + 1}`]), n, n, 1)
    expect(chain.newestFirst()).toEqual([99_999])
    expect(performance.now() - before).toBeLessThan(10_000)
  })
})
