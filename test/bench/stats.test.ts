import { describe, expect, it } from 'vitest'
import { latencyOf, percentile } from '../../bench/stats.ts'

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)

  it('is the nearest rank: of 1 to 100, the value of the same number', () => {
    expect([50, 95, 99, 100].map(percent => percentile(hundred, percent))).toEqual([50, 95, 99, 100])
  })

  it('takes the value that covers the share where the rank is broken: of five, p50 is the third and p95 the fifth', () => {
    const five = [10, 20, 30, 40, 50]
    expect(percentile(five, 50)).toBe(30)
    expect(percentile(five, 95)).toBe(50)
    expect(percentile(five, 20)).toBe(10)
  })

  it('is the only value of one, and not a number of none', () => {
    expect(percentile([7], 99)).toBe(7)
    expect(percentile([], 50)).toBeNaN()
  })
})

describe('latencyOf', () => {
  it('sorts by number, not by text', () => {
    expect(latencyOf([100, 9, 20])).toEqual({ p50: 20, p95: 100, p99: 100, max: 100 })
  })
})
