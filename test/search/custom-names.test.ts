import { expect, it } from 'vitest'
import { fnv1a } from '../../src/lib/fnv.ts'
import { customNames, newVersion, sinceOf } from '../../src/search/custom-names.ts'
import type { Node } from '../../src/search/plan-node.ts'

it('hashes as FNV-1a does', () => {
  // The test vectors of RFC 9923 for 32 bits.
  expect([fnv1a(''), fnv1a('a'), fnv1a('foobar')].map(hash => hash >>> 0)).toEqual([
    0x811c9dc5, 0xe40c292c, 0xbf9cf968,
  ])
})

it('a version begins with the epoch and tells it', () => {
  const version = newVersion('tribe', ['Patient'], 7)
  expect(version).toBe('7')
  expect(sinceOf(`Patient.tribe@${version}:text`)).toBe(7)
  expect(sinceOf('Patient.family')).toBeUndefined()
})

it('a code whose name would have the hash of a name of R4 gets another version', () => {
  // Found by trying codes: FNV-1a runs backwards, so the state before `@1` is known and four characters reach it.
  const wanted = undo(fnv1a('Patient.family'), '@1')
  const code = codeTo(wanted, 'Patient.')
  expect(fnv1a(`Patient.${code}@1`)).toBe(fnv1a('Patient.family'))
  expect(newVersion(code, ['Patient'], 1)).toBe('1~')
})

it('finds the custom names of a plan wherever they stand', () => {
  const token = (param: string): Node => ({ kind: 'token', param, code: 'x' })
  const where: Node = {
    kind: 'and',
    nodes: [
      token('Patient.a@1:text'),
      { kind: 'not', node: { kind: 'or', nodes: [token('Patient.b@2'), token('Patient.gender')] } },
      {
        kind: 'chain',
        params: ['Patient.c@3'],
        types: ['Patient'],
        canonical: false,
        node: token('Patient.d@4'),
      },
      { kind: 'has', type: 'Observation', params: ['Observation.e@5'], node: token('Observation.f@6~') },
    ],
  }
  const sort = [{ by: 'param', params: ['Patient.g@7'], descending: false }] as const
  expect(customNames({ types: [], where, sort, fingerprint: '' }).sort()).toEqual([
    'Observation.e@5',
    'Observation.f@6~',
    'Patient.a@1',
    'Patient.b@2',
    'Patient.c@3',
    'Patient.d@4',
    'Patient.g@7',
  ])
})

/** The inverse of the FNV prime modulo 2 to the 32. */
const INVERSE = 0x359c449b
function undo(hash: number, suffix: string): number {
  for (const char of [...suffix].reverse()) hash = Math.imul(hash, INVERSE) ^ char.charCodeAt(0)
  return hash
}

/** Returns letters after which the hash of `prefix` and them is `wanted`: two halves that meet. */
function codeTo(wanted: number, prefix: string): string {
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const ways = (length: number): string[] =>
    length === 0 ? [''] : ways(length - 1).flatMap(way => letters.map(letter => way + letter))
  const back = new Map(ways(3).map(way => [undo(wanted, way), way]))
  for (const way of ways(4)) {
    const end = back.get(fnv1a(prefix + way))
    if (end !== undefined) return way + end
  }
  throw new Error('there is none')
}
