/** Data types in words. https://hl7.org/fhir/R4/datatypes.html, https://hl7.org/fhir/R4/dosage.html */
import { describe, expect, it } from 'vitest'
import { courseText, doseText, timingText } from '../../../src/documents/render/dosage.ts'
import { ageText, dateText, periodText, timeText } from '../../../src/documents/render/when.ts'
import {
  conceptText,
  grouped,
  moneyText,
  quantityText,
  rangeText,
} from '../../../src/documents/render/words.ts'
import { resource } from './documents.ts'

const ZONE = 'Asia/Kolkata'
const tree = (value: object) => resource({ resourceType: 'Basic', ...value })

describe('amounts', () => {
  it.each([
    ['0', '0.00'],
    ['5', '5.00'],
    ['999', '999.00'],
    ['1000', '1,000.00'],
    ['99999.5', '99,999.50'],
    ['123456', '1,23,456.00'],
    ['12345678.90', '1,23,45,678.90'],
    ['1234567890', '1,23,45,67,890.00'],
    ['-123456', '\u22121,23,456.00'],
    ['0.125', '0.125'],
    ['1e5', '1,00,000.00'],
  ])('%s is %s', (decimal, words) => expect(grouped(decimal)).toBe(words))

  it('are rupees where that is their currency, and of no currency where none is named', () => {
    expect(moneyText(tree({ value: 123456, currency: 'INR' }))).toBe('₹1,23,456.00')
    expect(moneyText(tree({ value: 20, currency: 'USD' }))).toBe('USD 20.00')
    expect(moneyText(tree({ value: 20 }))).toBe('20.00')
  })
})

describe('ages', () => {
  it.each([
    // A day before the birthday, on it, and in the year of birth.
    ['1991-03-15', '2026-03-14', '34 years'],
    ['1991-03-14', '2026-03-14', '35 years'],
    ['2024-03-14', '2026-03-14', '2 years'],
    ['2024-03-15', '2026-03-14', '23 months'],
    ['2026-02-14', '2026-03-14', '1 month'],
    ['2026-02-15', '2026-03-14', '27 days'],
    ['2026-03-13', '2026-03-14', '1 day'],
    ['2026-03-14', '2026-03-14', '0 days'],
    ['1991', '2026-03-14', 'about 35 years'],
    ['1991-04', '2026-03-14', '34 years'],
    ['2027-01-01', '2026-03-14', undefined],
    ['1991-03-15', 'soon', undefined],
  ])('born %s is at %s: %s', (birth, at, words) => expect(ageText(birth, at, ZONE)).toBe(words))

  it('are of the day in the zone: 15 March begins at 18:30 of the 14th in UTC', () => {
    expect(ageText('1991-03-15', '2026-03-14T18:29:00Z', ZONE)).toBe('34 years')
    expect(ageText('1991-03-15', '2026-03-14T18:30:00Z', ZONE)).toBe('35 years')
  })
})

describe('times', () => {
  it('are as exact as they were given', () => {
    expect(dateText('2026', ZONE)).toBe('2026')
    expect(dateText('2026-03', ZONE)).toBe('Mar 2026')
    expect(dateText('2026-03-14', ZONE)).toBe('14 Mar 2026')
  })

  it('are those of the zone', () => {
    expect(timeText('2026-03-14T18:45:00Z', ZONE)).toBe('15 Mar 2026, 12:15 am')
    expect(timeText('2026-03-14T06:30:00Z', ZONE)).toBe('14 Mar 2026, 12:00 pm')
    expect(timeText('2026-03-14T12:00:00+05:30', 'UTC')).toBe('14 Mar 2026, 6:30 am')
  })

  it('of a day are from and to, of several days with both dates', () => {
    const period = (start: string, end: string) => periodText(tree({ start, end }), ZONE)
    expect(period('2026-03-14T04:45:00Z', '2026-03-14T05:10:00Z')).toBe('14 Mar 2026, 10:15 am to 10:40 am')
    expect(period('2026-03-14', '2026-03-16')).toBe('14 Mar 2026 to 16 Mar 2026')
    expect(period('2026-03-14', '2026-03-14')).toBe('14 Mar 2026')
  })
})

describe('dosages', () => {
  const timing = (repeat: object, more: object = {}) =>
    timingText(tree({ timing: { repeat }, ...more }), ZONE)

  it.each([
    [{ frequency: 1, period: 1, periodUnit: 'd' }, 'once a day'],
    [{ frequency: 2, period: 1, periodUnit: 'd' }, 'twice a day'],
    [{ frequency: 3, period: 1, periodUnit: 'd', when: ['PC'] }, '3 times a day, after meals'],
    [{ frequency: 1, period: 8, periodUnit: 'h' }, 'every 8 hours'],
    [{ frequency: 1, period: 1, periodUnit: 'h' }, 'every hour'],
    [{ frequency: 1, period: 6, periodMax: 8, periodUnit: 'h' }, 'every 6 to 8 hours'],
    [{ frequency: 1, frequencyMax: 2, period: 1, periodUnit: 'd' }, '1 to 2 times a day'],
    [
      { frequency: 2, period: 1, periodUnit: 'wk', dayOfWeek: ['mon', 'thu'] },
      'twice a week, on Monday, Thursday',
    ],
    [{ when: ['ACM'], offset: 30 }, '30 minutes before breakfast'],
    [{ timeOfDay: ['08:00:00', '20:00:00'] }, 'at 08:00, at 20:00'],
  ])('%j is said: %s', (repeat, words) => expect(timing(repeat)).toBe(words))

  it('as needed say for what', () => {
    expect(timing({}, { asNeededBoolean: true })).toBe('as needed')
    expect(timing({}, { asNeededCodeableConcept: { text: 'pain' } })).toBe('as needed for pain')
  })

  it('by code are said in words', () => {
    expect(timingText(tree({ timing: { code: { coding: [{ code: 'TID', display: 'TID' }] } } }), ZONE)).toBe(
      '3 times a day',
    )
  })

  it('have a dose and a course', () => {
    const dosage = tree({
      doseAndRate: [{ doseRange: { low: { value: 5, unit: 'mL' }, high: { value: 10, unit: 'mL' } } }],
      timing: { repeat: { boundsDuration: { value: 5, code: 'd', system: 'http://unitsofmeasure.org' } } },
    })
    expect(doseText(dosage)).toBe('5 \u2013 10 mL')
    expect(courseText(dosage, ZONE)).toBe('5 days')
  })
})

it('quantities keep their digits, their sign and their unit', () => {
  expect(quantityText(tree({ value: 1.5, unit: 'mg/dL' }))).toBe('1.5 mg/dL')
  expect(quantityText(tree({ value: 98, unit: '%' }))).toBe('98%')
  expect(quantityText(tree({ value: 5, comparator: '<', unit: 'mg/L' }))).toBe('< 5 mg/L')
  expect(quantityText(tree({ unit: 'mg' }))).toBeUndefined()
  expect(rangeText(tree({ high: { value: 5, unit: 'mg/L' } }))).toBe('up to 5 mg/L')
})

it.each([
  [{ value: 39.4, unit: 'Cel', code: 'Cel' }, '39.4 °C'],
  [{ value: 14.6, unit: '10*3/uL', code: '10*3/uL' }, '14.6 ×10³/µL'],
  [{ value: 120, code: 'mm[Hg]' }, '120 mmHg'],
  [{ value: 5, unit: 'ug/dL', code: 'ug/dL' }, '5 µg/dL'],
  [{ value: 13, unit: 'a', code: 'a' }, '13 years'],
  [{ value: 1, code: 'wk' }, '1 week'],
  [{ value: 30, unit: 'd', code: 'd' }, '30 days'],
  [{ value: 2, unit: 'score', code: '{score}' }, '2 score'],
  [{ value: 2, code: '{score}' }, '2'],
  [{ value: 3, unit: 'tablet', code: '{tbl}' }, '3 tablet'],
  [{ value: 5, unit: 'mg', code: 'mg' }, '5 mg'],
])('%j is written %s', (quantity, words) => expect(quantityText(tree(quantity))).toBe(words))

it('concepts are said as they were, else by the display that was chosen, else by a code', () => {
  const coding = [{ code: 'a' }, { code: 'b', display: 'B' }, { code: 'c', display: 'C', userSelected: true }]
  expect(conceptText(tree({ text: 'said', coding }))).toBe('said')
  expect(conceptText(tree({ coding }))).toBe('C')
  expect(conceptText(tree({ coding: coding.slice(0, 2) }))).toBe('B')
  expect(conceptText(tree({ coding: coding.slice(0, 1) }))).toBe('a')
})
