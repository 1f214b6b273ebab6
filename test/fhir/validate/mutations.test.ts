/** A sound example that is damaged in one place is refused with a fault at that place. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  copyJson,
  isObject,
  type Json,
  NumberText,
  parseJson,
  type Resource,
} from '../../../src/fhir/json.ts'
import { validateStructure } from '../../../src/fhir/validate/structure.ts'
import refused from '../../cases/r4-examples-refused.json' with { type: 'json' }
import { elementsOf, FOLDER, type Place, places } from './places.ts'
import { random, SEED } from './seeded.ts'

const REFUSED = new Set(refused.map(({ file }) => file))
const read = (file: string) => parseJson(readFileSync(join(FOLDER, file), 'utf8')) as Resource

/** One example of each resource type, no larger than 200 KB. */
const EXAMPLES = readdirSync(FOLDER)
  .filter(file => /^[A-Z][A-Za-z]*-.*\.json$/.test(file) && !REFUSED.has(file))
  .filter((file, i, files) => i === 0 || file.split('-')[0] !== files[i - 1]!.split('-')[0])
  .map(file => read(file))
  .filter(resource => JSON.stringify(resource).length < 200_000)

interface Mutation {
  name: string
  code: string
  /** Returns whether it applies to the place. */
  fits(value: Json, place: Place): boolean
  /** Damages the resource, and returns the expression of the fault. */
  apply(place: Place, value: Json): string
}

const set =
  (make: (value: Json) => Json) =>
  ({ owner, property, expression }: Place, value: Json): string => {
    owner[property] = make(value)
    return expression
  }
const isString = (value: Json) => typeof value === 'string'
const isArray = (value: Json) => Array.isArray(value)
const isNumber = (value: Json) => value instanceof NumberText
const DATES = ['date', 'dateTime', 'instant']
const INTEGERS = ['integer', 'unsignedInt', 'positiveInt']
const isListed = ({ definition }: Place) =>
  definition.binding?.strength === 'required' && !/mimetypes|currencies/.test(definition.binding.valueSet!)

const MUTATIONS: Mutation[] = [
  {
    name: 'a renamed element',
    code: 'structure',
    fits: (_, { type }) => type !== 'Element',
    apply: ({ owner, property, expression }, value) => {
      delete owner[property]
      owner[`${property}Qq`] = value
      return expression.replace(/[^.]*$/, `${property}Qq`)
    },
  },
  { name: 'an object for a string', code: 'structure', fits: isString, apply: set(() => ({ a: true })) },
  { name: 'a number for a string', code: 'structure', fits: isString, apply: set(() => new NumberText('7')) },
  { name: 'a string for a number', code: 'structure', fits: isNumber, apply: set(() => '7') },
  {
    name: 'a string for a boolean',
    code: 'structure',
    fits: value => typeof value === 'boolean',
    apply: set(String),
  },
  { name: 'a string for an object', code: 'structure', fits: isObject, apply: set(() => 'x') },
  { name: 'null', code: 'structure', fits: () => true, apply: set(() => null) },
  {
    name: 'a single value for an array',
    code: 'structure',
    fits: isArray,
    apply: set(value => (value as Json[])[0]!),
  },
  { name: 'a string for an array', code: 'structure', fits: isArray, apply: set(() => 'x') },
  {
    name: 'an array for a single value',
    code: 'structure',
    fits: value => !isArray(value),
    apply: set(value => [value]),
  },
  { name: 'an empty array', code: 'structure', fits: isArray, apply: set(() => []) },
  {
    name: 'an empty object',
    code: 'structure',
    fits: (value, { type }) => isObject(value) && type !== 'Resource',
    apply: set(() => ({})),
  },
  { name: 'an empty string', code: 'value', fits: isString, apply: set(() => '') },
  {
    name: '30 February',
    code: 'value',
    fits: (value, { type }) => isString(value) && DATES.includes(type),
    apply: set(() => '2020-02-30'),
  },
  {
    name: 'a fraction for a whole number',
    code: 'value',
    fits: (value, { type }) => isNumber(value) && INTEGERS.includes(type),
    apply: set(() => new NumberText('1.0')),
  },
  {
    name: 'a code that is not in the value set',
    code: 'code-invalid',
    fits: (value, place) => isString(value) && place.type === 'code' && isListed(place),
    apply: set(() => 'no-such-code'),
  },
  {
    name: 'a concept whose codings are not in the value set',
    code: 'code-invalid',
    fits: (value, place) => isObject(value) && place.type === 'CodeableConcept' && isListed(place),
    apply: place => {
      place.owner[place.property] = { coding: [{ system: 'http://example.org', code: 'x' }] }
      return `${place.expression}.coding`
    },
  },
]

describe(`damaged examples (NADI_TEST_SEED=${SEED})`, () => {
  it('are taken from every resource type that has one', () => {
    expect(EXAMPLES.length).toBeGreaterThan(120)
    expect(EXAMPLES.flatMap(example => validateStructure(example, example.resourceType))).toEqual([])
  })

  it.each(MUTATIONS)('$name is found', ({ code, fits, apply }) => {
    const { pick } = random(SEED)
    const missed: string[] = []
    let damaged = 0
    for (const example of EXAMPLES) {
      for (let i = 0; i < 10; i++) {
        const resource = copyJson(example) as Resource
        const fitting = places(resource).filter(place => fits(place.owner[place.property]!, place))
        if (fitting.length === 0) break
        const place = pick(fitting)
        const expression = apply(place, place.owner[place.property]!)
        const issues = validateStructure(resource, resource.resourceType)
        damaged++
        if (!issues.some(issue => issue.code === code && issue.expression === expression))
          missed.push(`${expression}: ${issues.map(issue => `${issue.code} ${issue.expression}`).join(', ')}`)
      }
    }
    expect(missed).toEqual([])
    expect(damaged).toBeGreaterThan(10)
  })

  it('a missing element is found wherever the specification requires it', () => {
    let removed = 0
    const missed: string[] = []
    for (const example of EXAMPLES) {
      const type = example.resourceType
      for (const { path, min } of elementsOf(type)) {
        const [, name, deeper] = path.split('.')
        if (min === 0 || name === undefined || deeper !== undefined) continue
        const resource = copyJson(example) as Resource
        const plain = name.replace('[x]', '')
        for (const place of places(resource))
          if (place.expression === `${type}.${plain}`) delete place.owner[place.property]
        const issues = validateStructure(resource, type)
        removed++
        if (!issues.some(issue => issue.code === 'required' && issue.expression === `${type}.${plain}`))
          missed.push(path)
      }
    }
    expect(missed).toEqual([])
    expect(removed).toBeGreaterThan(200)
  })
})
