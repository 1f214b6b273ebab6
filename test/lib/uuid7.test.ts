import { describe, expect, it } from 'vitest'
import { uuid7 } from '../../src/lib/uuid7.ts'

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const filled = (byte: number) => (bytes: Uint8Array) => bytes.fill(byte)

describe('uuid7', () => {
  it('holds the milliseconds of the example in RFC 9562 A.6 in its first 48 bits', () => {
    const id = uuid7(() => 0x017f22e279b0, filled(0))()
    expect(id).toBe('017f22e2-79b0-7000-8000-000000000000')
  })

  it('sets version and variant whatever the random bits are', () => {
    expect(uuid7(() => 1, filled(0xff))()).toMatch(UUID7)
  })

  it('rises within one millisecond, also past the 12 bits of its counter', () => {
    const next = uuid7(
      () => 1_800_000_000_000,
      bytes => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    )
    const ids = Array.from({ length: 10_000 }, next)
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(10_000)
    for (const id of ids) expect(id).toMatch(UUID7)
  })

  it('rises when the clock steps back', () => {
    const times = [2000, 1000, 1500, 2000, 2001]
    const next = uuid7(() => times.shift()!, filled(7))
    const ids = Array.from({ length: 5 }, next)
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(5)
  })
})
