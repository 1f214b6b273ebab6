/** Intervals of hours: against each minute looked at alone, and weekly hours on days that were worked out by hand. */
import { describe, expect, it } from 'vitest'
import { localDay, zonedText } from '../../src/fhir/instant.ts'
import {
  availableTimes,
  covered,
  intersected,
  joined,
  openSpans,
  periodSpans,
  type Span,
  slotsOf,
  without,
} from '../../src/scheduling/hours.ts'
import { tree } from '../operations/context.ts'

const LENGTH = 40

/** A sequence that looks random and is always the same. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

describe('intervals', () => {
  const next = numbers(7)
  const some = (): Span[] =>
    Array.from({ length: Math.floor(next() * 6) }, () => {
      const start = Math.floor(next() * LENGTH)
      return { start, end: start + 1 + Math.floor(next() * 8) }
    })
  const marks = (spans: readonly Span[]): boolean[] =>
    Array.from({ length: LENGTH + 10 }, (_, i) => spans.some(one => one.start <= i && i < one.end))
  const rounds = Array.from({ length: 300 }, () => ({ a: joined(some()), b: joined(some()), raw: some() }))

  it('are joined, cut and taken out as their minutes are', () => {
    for (const { a, b, raw } of rounds) {
      expect(marks(joined(raw))).toEqual(marks(raw))
      expect(marks(intersected(a, b))).toEqual(marks(a).map((one, i) => one && marks(b)[i]))
      expect(marks(without(a, raw))).toEqual(marks(a).map((one, i) => one && !marks(raw)[i]))
      const all = marks(a)
      for (let start = 0; start < LENGTH; start += 3)
        expect(covered({ start, end: start + 2 }, a)).toBe(all[start]! && all[start + 1]!)
    }
  })

  it('have an open end where a period names none', () => {
    const [from, until] = [
      periodSpans([tree({ start: '2026-11-23' })], 'UTC')[0]!,
      periodSpans([tree({ end: '2026-11-23T10:00:00Z' })], 'UTC')[0]!,
    ]
    expect(from).toEqual({ start: Date.UTC(2026, 10, 23), end: Number.POSITIVE_INFINITY })
    expect(until).toEqual({ start: Number.NEGATIVE_INFINITY, end: Date.UTC(2026, 10, 23, 10) })
  })
})

describe('weekly hours', () => {
  const hours = (times: object[], zone: string, from: string, to: string): string[] =>
    openSpans(availableTimes(tree({ availableTime: times })), zone, from, to).map(
      ({ start, end }) => `${zonedText(start, zone).slice(0, 16)} ${(end - start) / 60_000}`,
    )

  it('last an hour less or more in the night in which clocks change', () => {
    const night = [{ daysOfWeek: ['sat'], availableStartTime: '22:00', availableEndTime: '06:00' }]
    expect(hours(night, 'Europe/London', '2027-03-27', '2027-03-28')).toEqual(['2027-03-27T22:00 420'])
    expect(hours(night, 'Europe/London', '2027-10-30', '2027-10-31')).toEqual(['2027-10-30T22:00 540'])
    expect(hours(night, 'Asia/Kolkata', '2027-03-27', '2027-03-28')).toEqual(['2027-03-27T22:00 480'])
  })

  it('of a whole day are 23 and 25 hours on those days', () => {
    const day = [{ allDay: true, availableStartTime: '09:00:00' }]
    expect(hours(day, 'Europe/London', '2027-03-28', '2027-03-28')).toEqual(['2027-03-28T00:00 1380'])
    expect(hours(day, 'Europe/London', '2027-10-31', '2027-10-31')).toEqual(['2027-10-31T00:00 1500'])
  })

  it('that overlap go on where the earlier ones end', () => {
    const both = [
      { availableStartTime: '12:00:00', availableEndTime: '15:00:00' },
      { availableStartTime: '09:00:00', availableEndTime: '13:00:00' },
      { availableStartTime: '10:00:00', availableEndTime: '11:00:00' },
    ]
    expect(hours(both, 'UTC', '2026-11-23', '2026-11-23')).toEqual([
      '2026-11-23T09:00 240',
      '2026-11-23T13:00 120',
    ])
  })

  it('give slots from their beginning; what is left at their end is none', () => {
    expect(slotsOf([{ start: 0, end: 10 }], 4)).toEqual([
      { start: 0, end: 4 },
      { start: 4, end: 8 },
    ])
  })
})

it('an instant is written as the clocks of its zone show it', () => {
  expect(zonedText(Date.UTC(2026, 10, 22, 18, 29, 59), 'Asia/Kolkata')).toBe('2026-11-22T23:59:59+05:30')
  expect(zonedText(Date.UTC(2026, 6, 1), 'America/St_Johns')).toBe('2026-06-30T21:30:00-02:30')
  expect(zonedText(0, 'UTC')).toBe('1970-01-01T00:00:00+00:00')
  expect(localDay(Date.UTC(2026, 10, 22, 18, 30), 'Asia/Kolkata')).toBe('2026-11-23')
})
