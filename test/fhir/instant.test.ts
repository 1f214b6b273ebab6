import { describe, expect, test } from 'vitest'
import { isZone, timeRange } from '../../src/fhir/instant.ts'

const utc = (text: string) => Date.parse(text)
const rangeOf = (lo: string, hi: string) => ({ lo: utc(lo), hi: utc(hi) })

describe('partial dates cover what they do not say', () => {
  test.each([
    ['2013', 'UTC', '2013-01-01T00:00:00Z', '2014-01-01T00:00:00Z'],
    ['2013-01', 'UTC', '2013-01-01T00:00:00Z', '2013-02-01T00:00:00Z'],
    ['2013-12', 'UTC', '2013-12-01T00:00:00Z', '2014-01-01T00:00:00Z'],
    ['2012-02', 'UTC', '2012-02-01T00:00:00Z', '2012-03-01T00:00:00Z'],
    ['2013-01-10', 'UTC', '2013-01-10T00:00:00Z', '2013-01-11T00:00:00Z'],
    ['2013-01-10', 'Asia/Kolkata', '2013-01-09T18:30:00Z', '2013-01-10T18:30:00Z'],
    ['2013-01-10T10:00', 'Asia/Kolkata', '2013-01-10T04:30:00Z', '2013-01-10T04:31:00Z'],
    ['2013-01-10T10:00Z', 'Asia/Kolkata', '2013-01-10T10:00:00Z', '2013-01-10T10:01:00Z'],
    ['2013-01-10T10:00:07', 'Asia/Kolkata', '2013-01-10T04:30:07Z', '2013-01-10T04:30:08Z'],
    ['2013-01-10T10:00:07-03:30', 'Asia/Kolkata', '2013-01-10T13:30:07Z', '2013-01-10T13:30:08Z'],
    ['2013-01-10T10:00:07.1Z', 'UTC', '2013-01-10T10:00:07.100Z', '2013-01-10T10:00:07.200Z'],
    ['2013-01-10T10:00:07.12Z', 'UTC', '2013-01-10T10:00:07.120Z', '2013-01-10T10:00:07.130Z'],
    ['2013-01-10T10:00:07.123Z', 'UTC', '2013-01-10T10:00:07.123Z', '2013-01-10T10:00:07.124Z'],
    ['2013-01-10T10:00:07.123999Z', 'UTC', '2013-01-10T10:00:07.123Z', '2013-01-10T10:00:07.124Z'],
    ['2016-12-31T23:59:60Z', 'UTC', '2016-12-31T23:59:59.999Z', '2017-01-01T00:00:00Z'],
    ['0001', 'UTC', '0001-01-01T00:00:00Z', '0002-01-01T00:00:00Z'],
    ['0099-12-31', 'UTC', '0099-12-31T00:00:00Z', '0100-01-01T00:00:00Z'],
    ['9999', 'UTC', '9999-01-01T00:00:00Z', '+010000-01-01T00:00:00Z'],
    ['9999-12-31', 'Asia/Kolkata', '9999-12-30T18:30:00Z', '9999-12-31T18:30:00Z'],
  ])('%s in %s', (text, zone, lo, hi) => {
    expect(timeRange(text, zone)).toEqual(rangeOf(lo, hi))
  })
})

describe('zones change their offset', () => {
  test.each([
    // Clocks go from 01:00 GMT to 02:00 BST on 31 March 2024 and back on 27 October: days of 23 and 25 hours.
    ['2024-03-31', 'Europe/London', '2024-03-31T00:00:00Z', '2024-03-31T23:00:00Z'],
    ['2024-10-27', 'Europe/London', '2024-10-26T23:00:00Z', '2024-10-28T00:00:00Z'],
    ['2024-07', 'Europe/London', '2024-06-30T23:00:00Z', '2024-07-31T23:00:00Z'],
    // In São Paulo clocks went from midnight to 01:00 on 4 November 2018: the day began at 01:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'],
    // And from midnight back to 23:00 on 17 February 2018 (18 February 00:00 -02 is 17 February 23:00 -03).
    ['2018-02-17', 'America/Sao_Paulo', '2018-02-17T02:00:00Z', '2018-02-18T03:00:00Z'],
    // New York: 01:30 came twice on 3 November 2024; the first counts.
    ['2024-11-03T01:30', 'America/New_York', '2024-11-03T05:30:00Z', '2024-11-03T05:31:00Z'],
    // New York: 02:30 never came on 10 March 2024; the change itself stands for it.
    ['2024-03-10T02:30', 'America/New_York', '2024-03-10T07:00:00Z', '2024-03-10T07:01:00Z'],
    // Samoa left out 30 December 2011.
    ['2011-12-29', 'Pacific/Apia', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
    ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
    // India kept +06:30 from 1942 to 1945.
    ['1943-06-01', 'Asia/Kolkata', '1943-05-31T17:30:00Z', '1943-06-01T17:30:00Z'],
    ['1950-01-01', 'Asia/Kolkata', '1949-12-31T18:30:00Z', '1950-01-01T18:30:00Z'],
    // Rules go on beyond what the zone database lists.
    ['2800-07-01', 'Europe/London', '2800-06-30T23:00:00Z', '2800-07-01T23:00:00Z'],
  ])('%s in %s', (text, zone, lo, hi) => {
    expect(timeRange(text, zone)).toEqual(rangeOf(lo, hi))
  })

  test('a day that the zone left out has no time', () => {
    const range = timeRange('2011-12-30', 'Pacific/Apia')!
    expect(range.hi - range.lo).toBe(0)
  })

  test.each([
    'Asia/Kolkata',
    'Europe/London',
    'America/New_York',
    'America/Sao_Paulo',
    'Australia/Lord_Howe',
    'Africa/Cairo',
  ])('the days of 1900 to 2030 follow each other without gap or overlap in %s', zone => {
    let last: number | undefined
    for (let day = Date.UTC(1900, 0, 1); day < Date.UTC(2030, 0, 1); day += 86_400_000) {
      const { lo, hi } = timeRange(new Date(day).toISOString().slice(0, 10), zone)!
      if (last !== undefined && last !== lo)
        expect.fail(`${new Date(day).toISOString()} begins at ${lo}, the day before ended at ${last}`)
      last = hi
    }
  })
})

test.each([
  '',
  '13',
  '0000',
  '2013-13',
  '2013-00',
  '2013-02-29',
  '1900-02-29',
  '2013-02-30',
  '2013-04-31',
  '2013-1-1',
  '2013-01-10T10',
  '2013-01-10T24:00:00Z',
  '2013-01-10T10:60:00Z',
  '2013-01-10T10:00:61Z',
  '2013-01-10T10:00:00+15:00',
  '2013-01-10T10:00:00+05:99',
  '2013-01-10 10:00:00Z',
  '20130110',
  '23 May 2009',
  '-2013',
  '２０１３',
])('%j is no date', text => {
  expect(timeRange(text, 'Asia/Kolkata')).toBeUndefined()
})

test.each(['2000-02-29', '2012-02-29'])('%s is a date', text => {
  expect(timeRange(text, 'UTC')).toBeDefined()
})

test('knows which zones there are', () => {
  expect(isZone('Asia/Kolkata')).toBe(true)
  expect(isZone('Asia/Atlantis')).toBe(false)
})
