/** The small parts of documents: words, ids, files by their bytes, measurements in words. */
import { describe, expect, it } from 'vitest'
import { escaped, pairsTable } from '../../src/documents/narrative.ts'
import { fileOf, sniff } from '../../src/documents/sections/files.ts'
import { measured } from '../../src/documents/sections/measurement.ts'
import { wellnessOf } from '../../src/documents/wellness.ts'
import { dateWords, quantityWords, valueWords } from '../../src/documents/words.ts'
import { writeJson } from '../../src/fhir/json.ts'
import { derivedId } from '../../src/lib/derived-id.ts'
import { tree } from '../operations/context.ts'

describe('derivedId', () => {
  it('is a UUID of version 8 and keeps the boundaries of its parts', async () => {
    const id = await derivedId('ab', 'c')
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await derivedId('ab', 'c')).toBe(id)
    expect(await derivedId('a', 'bc')).not.toBe(id)
    expect(await derivedId('ab', 'c', '')).not.toBe(id)
  })
})

describe('dateWords', () => {
  it.each([
    ['2026-11-16T09:22:00+05:30', '16 Nov 2026, 09:22'],
    ['2026-11-16T03:52:10.123Z', '16 Nov 2026, 09:22'],
    ['2026-11-15T20:00:00Z', '16 Nov 2026, 01:30'],
    ['2026-11-16T23:59:00-05:00', '17 Nov 2026, 10:29'],
    ['2026-02-31T25:00:00Z', '31 Feb 2026, 25:00'],
    ['2026-11-06', '6 Nov 2026'],
    ['2026-11', 'Nov 2026'],
    ['2026', '2026'],
  ])('%s is %s', (date, words) => expect(dateWords(date, 'Asia/Kolkata')).toBe(words))
})

describe('words of values', () => {
  it('keep the digits that were sent', () => {
    expect(quantityWords(tree({ value: 1, unit: 'kg' }))).toBe('1 kg')
    expect(quantityWords({ value: '0.50', currency: 'INR' })).toBe('INR 0.50')
  })
  it('of a panel are those of its parts', () => {
    const panel = tree({
      component: [
        { code: { text: 'Systolic' }, valueQuantity: { value: 120, unit: 'mmHg' } },
        { code: { text: 'Diastolic' }, valueQuantity: { value: 80, unit: 'mmHg' } },
      ],
    })
    expect(valueWords(panel, 'Asia/Kolkata')).toBe('Systolic: 120 mmHg; Diastolic: 80 mmHg')
  })
})

describe('narratives', () => {
  it('have no character that XML refuses, and none that opens a tag', () => {
    expect(escaped('a\u0000b\u001f<i>&"')).toBe('ab&lt;i&gt;&amp;&quot;')
  })
  it('leave out rows that say nothing', () => {
    expect(
      pairsTable([
        ['A', ''],
        ['B', '1'],
      ]),
    ).toBe('<table><tbody><tr><th>B</th><td>1</td></tr></tbody></table>')
    expect(pairsTable([['A', '']])).toBe('')
  })
})

describe('sniff', () => {
  const bytes = (text: string) => Uint8Array.from(text, char => char.charCodeAt(0))
  it.each([
    ['%PDF-1.7', 'application/pdf'],
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a', 'image/gif'],
    ['RIFF....WEBPVP8', 'image/webp'],
    ['II*\0', 'image/tiff'],
    ['<html>', undefined],
    ['RIFF....WAVE', undefined],
    ['%PDF', undefined],
    ['', undefined],
  ])('%j is %s', (text, type) => expect(sniff(bytes(text))).toBe(type))

  it('takes a data URL as it is named, and base64 with line breaks', () => {
    const pdf = btoa('%PDF-1.4')
    expect(fileOf(`data:application/pdf;base64,${pdf}`, 'file').contentType).toBe('application/pdf')
    expect(fileOf(`${pdf.slice(0, 4)}\n${pdf.slice(4)}`, 'file').data).toBe(pdf)
    expect(() => fileOf(`data:image/png;base64,${pdf}`, 'file')).toThrow(/image\/png and is application\/pdf/)
  })
})

describe('measured', () => {
  const of = (line: string, kind = 'exam', concept = false) =>
    JSON.parse(writeJson(measured(line, kind, concept)))
  const codes = (one: { code: { coding?: { code: string }[] } }) => one.code.coding?.map(({ code }) => code)

  it('codes a name where name and unit leave no doubt', () => {
    const pulse = of('Pulse, 82, /min')
    expect(codes(pulse)).toEqual(['8867-4'])
    expect(pulse.valueQuantity).toEqual({
      value: 82,
      unit: '/min',
      system: 'http://unitsofmeasure.org',
      code: '/min',
    })
    expect(pulse.category[0].coding[0].code).toBe('vital-signs')
  })
  it('keeps a number with a unit that is not known in its words', () => {
    const pulse = of('Pulse, 82, per breath')
    expect(codes(pulse)).toBeUndefined()
    expect(pulse.valueQuantity).toEqual({ value: 82, unit: 'per breath' })
    expect(pulse.category[0].coding[0].code).toBe('exam')
  })
  it('reads a blood pressure as its two parts', () => {
    const pressure = of('BP, 150/94, mmHg')
    expect(codes(pressure)).toEqual(['85354-9'])
    expect(
      pressure.component.map((one: { valueQuantity: { value: number } }) => one.valueQuantity.value),
    ).toEqual([150, 94])
  })
  it('keeps words as words, and as a concept where one is wanted', () => {
    expect(of('Throat, clear')).toMatchObject({ code: { text: 'Throat' }, valueString: 'clear' })
    expect(of('No murmur')).toMatchObject({ code: { text: 'No murmur' }, valueString: 'No murmur' })
    expect(of('Never smoked', 'social-history', true)).toMatchObject({
      valueCodeableConcept: { text: 'Never smoked' },
    })
  })
  it.each([
    ['Sugar, 1,200, mg/dL', '1,200, mg/dL'],
    ['Platelets, 1,50,000, /uL', '1,50,000, /uL'],
    ['Pulse, 82, 90', '82, 90'],
  ])('cuts no number at a comma: %s', (line, words) => {
    expect(of(line)).toMatchObject({ valueString: words })
    expect(of(line, 'social-history', true)).toMatchObject({ valueCodeableConcept: { text: words } })
  })
  it('knows no unit that only JavaScript knows', () => {
    expect(of('Pulse, 82, constructor').valueQuantity).toEqual({ value: 82, unit: 'constructor' })
  })
  it('takes no number that JSON has not', () => {
    expect(of('Weight, 007, kg').valueString).toBe('007 kg')
    expect(of('Weight, 1e9, kg').valueString).toBe('1e9 kg')
    expect(of('Weight, 62.50, kg').valueQuantity.value).toBe(62.5)
  })
})

describe('wellnessOf', () => {
  const LOINC = 'http://loinc.org'
  const one = (code: string, value: object, category?: string) =>
    wellnessOf(
      tree({
        resourceType: 'Observation',
        code: { coding: [{ system: LOINC, code }] },
        ...(category && {
          category: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category },
              ],
            },
          ],
        }),
        ...value,
      }),
    )
  const quantity = { valueQuantity: { value: 1 } }
  it.each([
    ['8867-4', quantity, undefined, 'VitalSigns'],
    ['29463-7', quantity, 'vital-signs', 'BodyMeasurement'],
    ['55423-8', quantity, undefined, 'PhysicalActivity'],
    ['2339-0', quantity, 'laboratory', 'GeneralAssessment'],
    ['42798-9', quantity, undefined, 'WomenHealth'],
    ['8310-5', quantity, 'vital-signs', 'VitalSigns'],
    ['72514-3', quantity, 'survey', 'OtherObservations'],
    // The profile of vital signs takes a quantity or a string alone.
    ['8867-4', { valueBoolean: true }, 'vital-signs', 'OtherObservations'],
    ['85354-9', {}, undefined, 'VitalSigns'],
  ])('%s with %j (%s) is %s', (code, value, category, kind) => expect(one(code, value, category)).toBe(kind))
})
