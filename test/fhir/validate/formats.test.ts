/**
 * The formats of the primitive types; the values stand in test/cases/validate.
 * https://hl7.org/fhir/R4/datatypes.html#primitive
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Json, NumberText, parseJson, writeJson } from '../../../src/fhir/json.ts'
import { validateStructure } from '../../../src/fhir/validate/structure.ts'

const FILE = join(import.meta.dirname, '../../cases/validate/formats.json')
const formats = parseJson(readFileSync(FILE, 'utf8')) as Record<string, { good: Json[]; bad: Json[] }>

/** The faults of a value where any type may stand: that of a parameter. */
const faultsOf = (type: string, value: Json) => {
  const name = `value${type[0]!.toUpperCase()}${type.slice(1)}`
  return validateStructure(
    { resourceType: 'Parameters', parameter: [{ name: 'x', [name]: value }] },
    'Parameters',
  )
}

describe.each(Object.entries(formats))('%s', (type, { good, bad }) => {
  it.each(good.map(value => [writeJson(value), value] as const))('accepts %s', (_, value) => {
    expect(faultsOf(type, value)).toEqual([])
  })

  it.each(bad.map(value => [writeJson(value), value] as const))('refuses %s', (_, value) => {
    const issues = faultsOf(type, value)
    expect(issues.map(issue => issue.expression)).toEqual(['Parameters.parameter[0].value'])
    const rightKind = typeof value === 'string' || value instanceof NumberText
    if (!rightKind) expect(issues[0]!.code).toBe('structure')
  })
})

describe('half of a surrogate pair', () => {
  // A JSON text that holds one is refused before it gets here.
  it.each(['string', 'markdown', 'code'])('is no character of a %s', type => {
    for (const text of ['\ud83d', 'a\ude00b'])
      expect(faultsOf(type, text).map(issue => issue.code)).toEqual(['value'])
  })
})

describe('the size of a string', () => {
  const MAX = 1024 * 1024

  it('may be a megabyte', () => {
    expect(faultsOf('string', 'ക'.repeat(MAX))).toEqual([])
  })

  it('may not be more, and the fault does not repeat it all', () => {
    const [issue] = faultsOf('string', 'ക'.repeat(MAX + 1))
    expect(issue!.code).toBe('value')
    expect(issue!.diagnostics.length).toBeLessThan(300)
  })

  it('does not bind base64, which holds documents', () => {
    expect(faultsOf('base64Binary', 'QUJD'.repeat(MAX))).toEqual([])
  })
})

it('a wrong day is explained by the calendar', () => {
  expect(faultsOf('date', '2023-02-29')[0]!.diagnostics).toContain('2023-02 has 28 days')
  expect(faultsOf('dateTime', '2023-04-31T00:00:00Z')[0]!.diagnostics).toContain('2023-04 has 30 days')
})

describe('megabytes where a few characters are meant', () => {
  const MEGABYTES = 10_000_000

  it.each([
    ['code', `${'a '.repeat(MEGABYTES / 2)}b`],
    ['oid', `urn:oid:1${'.1'.repeat(MEGABYTES / 2)}x`],
    ['id', 'a'.repeat(MEGABYTES)],
    ['dateTime', `2026-01-01T00:00:00.${'1'.repeat(MEGABYTES)}`],
    ['uuid', 'urn:uuid:'.repeat(MEGABYTES / 10)],
  ])('are refused as a %s like any other fault', (type, value) => {
    expect(faultsOf(type, value).map(issue => issue.code)).toEqual(['value'])
  })
})
