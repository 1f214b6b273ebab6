/** The data of the search benchmark: the same for the same seed, and what is planted is nowhere else. */
import { describe, expect, it } from 'vitest'
import {
  day,
  GROUPS,
  MEMBERS,
  makeData,
  OBSERVATIONS,
  plantedCode,
  plantedFamily,
  plantedFuture,
  plantedPast,
  plantedValue,
} from '../../bench/scale/data.ts'

const small = makeData(1, 20_000)
const large = makeData(1, 200_000)
const planted = GROUPS * MEMBERS

describe('the data of the search benchmark', () => {
  it('is the same for the same seed, whatever the scale', () => {
    for (const unit of [0, 7, 499, 1999]) {
      expect(small.person(unit)).toEqual(large.person(unit))
      expect(small.observed(unit, 3)).toEqual(large.observed(unit, 3))
    }
    expect(makeData(2, 20_000).person(1000)).not.toEqual(small.person(1000))
  })

  it('plants names, codes, dates and values that nobody else has', () => {
    for (let unit = planted; unit < large.units; unit++) {
      const { family, street, given } = large.person(unit)
      expect(/[qxz]/i.test(family + street + given.join())).toBe(false)
    }
    for (let unit = planted; unit < 3000; unit++)
      for (let nth = 0; nth < OBSERVATIONS; nth++) {
        const { code, at, value = 0, pressure } = large.observed(unit, nth)
        expect(code.startsWith('plant')).toBe(false)
        expect(at > plantedPast(GROUPS) && at < plantedFuture(0)).toBe(true)
        expect(value < plantedValue(0) && (pressure?.[0] ?? 0) < 1000).toBe(true)
      }
  })

  it('gives each planted group its members', () => {
    const members = Array.from({ length: planted }, (_, unit) => small.person(unit))
    for (const group of [0, 42, 99]) {
      expect(members.filter(({ family }) => family === plantedFamily(group))).toHaveLength(MEMBERS)
      expect(small.observed(group * MEMBERS, 4).code).toBe(plantedCode(group))
      expect(day(small.observed(group * MEMBERS, 0).at)).toBe(day(plantedPast(group)))
    }
    expect(new Set(members.map(({ family }) => family)).size).toBe(GROUPS)
  })

  it('has more than 5,000 family names, codes by Zipf, and one of two categories on about half', () => {
    expect(large.families.length).toBeGreaterThanOrEqual(5000)
    const codes = new Map<string, number>()
    let laboratory = 0
    for (let unit = planted; unit < large.units; unit++) {
      const one = large.observed(unit, 6)
      codes.set(one.code, (codes.get(one.code) ?? 0) + 1)
      if (one.laboratory) laboratory++
    }
    const n = large.units - planted
    expect(laboratory / n).toBeCloseTo(0.5, 1)
    // 1 / (k + 1) of the sum of 1/1 to 1/600, 6.975.
    expect(codes.get(large.codes[0]!)! / n).toBeCloseTo(0.1434, 1)
    expect(codes.get(large.codes[9]!)! / n).toBeCloseTo(0.0143, 2)
  })
})
