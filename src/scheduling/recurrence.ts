/**
 * The days of a series, as RFC 5545 counts those of a rule whose first day is one of them.
 * https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
 */

export interface Recurrence {
  frequency: 'daily' | 'weekly' | 'monthly'
  /** Every so many days, weeks or months; 1 or more. */
  interval: number
  /** Of a weekly one: `mon` to `sun`; empty for the weekday of the first. */
  days: readonly string[]
  /** How many in all, the first included; or until which day (`2026-12-31`), that included. */
  count: number | undefined
  until: string | undefined
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const DAY = 86_400_000
const at = (day: string): number => Date.parse(`${day}T00:00:00Z`)
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

/** Returns `mon` to `sun` of a day (`2026-11-30`). */
export const weekdayOf = (day: string): string => WEEKDAYS[(new Date(at(day)).getUTCDay() + 6) % 7]!

/** Returns the days from the first on, `most` + 1 of them where there are more than `most`. A month without the day is left out. */
export function daysOf(first: string, rule: Recurrence, most: number): string[] {
  const found: string[] = []
  const enough = Math.min(rule.count ?? Number.POSITIVE_INFINITY, most + 1)
  const last = rule.until === undefined ? Number.POSITIVE_INFINITY : at(rule.until)
  for (const day of candidates(first, rule)) {
    if (found.length >= enough || at(day) > last) break
    found.push(day)
  }
  return found
}

/** Steps without a day that are looked at: the 29th of February comes after eight years at the latest. */
const MOST_EMPTY = 12 * 12

function* candidates(first: string, { frequency, interval, days }: Recurrence): Generator<string> {
  if (frequency === 'daily') for (let step = 0; ; step += interval) yield dayOf(at(first) + step * DAY)
  if (frequency === 'weekly') {
    const monday = at(first) - WEEKDAYS.indexOf(weekdayOf(first)) * DAY
    const wanted = days.length === 0 ? [weekdayOf(first)] : WEEKDAYS.filter(one => days.includes(one))
    for (let week = 0; ; week += interval)
      for (const one of wanted) {
        const day = dayOf(monday + (week * 7 + WEEKDAYS.indexOf(one)) * DAY)
        if (day >= first) yield day
      }
  }
  const [year, month, date] = first.split('-').map(Number) as [number, number, number]
  for (let step = 0, empty = 0; empty < MOST_EMPTY; step += interval) {
    const time = Date.UTC(year, month - 1 + step, date)
    if (new Date(time).getUTCDate() !== date) empty++
    else {
      empty = 0
      yield dayOf(time)
    }
  }
}
