/** Ids made of texts. Expected: SHA-256 by node:crypto, in the form of RFC 9562 section 5.8. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { derivedId, shortDerivedId } from '../../src/lib/derived-id.ts'

const byHand = (parts: string[]): string => {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

it('an id is the same by either way, and that of the specification', async () => {
  for (const parts of [['a', 'b'], ['ab'], ['', ''], ['മീര', '1'.repeat(500)]]) {
    expect(await derivedId(...parts)).toBe(byHand(parts))
    expect(shortDerivedId(...parts)).toBe(byHand(parts))
  }
})

it('the boundaries of the parts count', () => {
  expect(shortDerivedId('ab', 'c')).not.toBe(shortDerivedId('a', 'bc'))
})
