/** Whatever JSON is sent, validation ends with an answer and leaves the tree as it was. */
import { describe, expect, it } from 'vitest'
import { RESOURCE_TYPES } from '../../../src/fhir/definitions/resource-types.ts'
import { elementsOf, jsonName, TYPE_NAMES } from '../../../src/fhir/definitions/types.ts'
import {
  type Json,
  type JsonObject,
  NumberText,
  parseJson,
  type Resource,
  writeJson,
} from '../../../src/fhir/json.ts'
import { validateStructure } from '../../../src/fhir/validate/structure.ts'
import { type Random, random, SEED } from './seeded.ts'

const NAMES = [
  ...new Set(
    TYPE_NAMES.flatMap(type =>
      elementsOf(type)!.flatMap(element => element.types.map(of => jsonName(element, of))),
    ),
  ),
]
const ODD = [
  '',
  '_',
  '__proto__',
  'constructor',
  '_resourceType',
  'resourceType',
  'a b',
  'é',
  '0',
  'valueX',
  '`',
  '\ud800',
]
const TEXTS = [
  '',
  ' ',
  'a',
  '#',
  '#a',
  'Patient/1',
  'Patient?',
  'urn:uuid:',
  'http://',
  '2020-02-30',
  '\u0000',
  '\ud800',
  '<div',
  '__proto__',
]
const NUMBERS = ['0', '-0', '1.00', '1e400', '99999999999999999999', '-1']

function value(r: Random, depth: number): Json {
  const kind = r.number(depth > 6 ? 5 : 8)
  if (kind === 0) return null
  if (kind === 1) return r.number(2) === 0
  if (kind === 2) return new NumberText(r.pick(NUMBERS))
  if (kind <= 4) return r.pick(TEXTS)
  if (kind === 5) return Array.from({ length: r.number(4) }, () => value(r, depth + 1))
  return object(r, depth + 1)
}

/** An object with properties that types have, with odd ones, and with siblings of primitives. */
function object(r: Random, depth: number): JsonObject {
  const made: JsonObject = {}
  if (r.number(4) === 0) made.resourceType = r.pick(RESOURCE_TYPES)
  const own = elementsOf(r.pick(TYPE_NAMES))!
  for (let i = r.number(6); i > 0; i--) {
    const element = r.pick(own)
    const name =
      r.number(8) === 0
        ? r.pick(ODD)
        : r.number(4) === 0
          ? r.pick(NAMES)
          : jsonName(element, r.pick(element.types))
    const property = r.number(6) === 0 ? `_${name}` : name
    Object.defineProperty(made, property, {
      value: value(r, depth),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return made
}

describe(`arbitrary JSON (NADI_TEST_SEED=${SEED})`, () => {
  it('is answered with issues that have a place, never with an exception', () => {
    const r = random(SEED)
    let faults = 0
    for (let i = 0; i < 5000; i++) {
      const type = r.pick(RESOURCE_TYPES)
      const resource = { ...object(r, 0), resourceType: type } as Resource
      const before = writeJson(resource)
      const issues = validateStructure(resource, type)
      expect(writeJson(resource)).toBe(before)
      for (const issue of issues) {
        expect(issue.expression?.startsWith(type)).toBe(true)
        expect(issue.diagnostics.length).toBeLessThan(1000)
      }
      faults += issues.length
    }
    expect(faults).toBeGreaterThan(5000)
  })

  it('nested as deep as the lexer allows is walked to the end', () => {
    const deep = `{"resourceType":"Questionnaire","status":"draft","item":${'[{"linkId":"1","type":"group","item":'.repeat(31)}[]${'}]'.repeat(31)}}`
    const issues = validateStructure(parseJson(deep) as Resource, 'Questionnaire')
    expect(issues.map(issue => issue.code)).toEqual(['structure'])
    expect(issues[0]!.expression).toBe(`Questionnaire${'.item[0]'.repeat(31)}.item`)
  })

  it('where every type is met, every type compiles', () => {
    for (const type of RESOURCE_TYPES)
      for (const element of elementsOf(type)!) {
        const filled: Resource = { resourceType: type, [jsonName(element, element.types[0]!)]: [{}] }
        expect(validateStructure(filled, type).length).toBeGreaterThan(0)
      }
  })
})

describe('the calendar', () => {
  it('is that of the ECMAScript Date, day by day from 1890 to 2110', () => {
    for (let year = 1890; year <= 2110; year++)
      for (let month = 1; month <= 12; month++)
        for (let day = 1; day <= 31; day++) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
          const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
          const issues = validateStructure({ resourceType: 'Patient', birthDate: text }, 'Patient')
          if ((issues.length === 0) !== exists) expect.fail(text)
        }
  })
})
