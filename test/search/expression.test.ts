import { describe, expect, test } from 'vitest'
import type { Resource } from '../../src/fhir/json.ts'
import { alternatives, typedPaths } from '../../src/search/expression.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { createRegistry, type ParamDefinition } from '../../src/search/registry.ts'

/** A path as a text: `extension[url=http://x].valueCoding:Coding`. */
const paths = (expression: string, type = 'Patient') =>
  typedPaths(expression, type)?.map(
    ({ steps, type }) =>
      `${steps
        .map(step =>
          step.is === 'get'
            ? `.${step.key}`
            : step.is === 'equals'
              ? `[${step.key}=${step.value}]`
              : step.is === 'at'
                ? `[${step.index}]`
                : `[${step.type}]`,
        )
        .join('')}:${type}`,
  )

describe('expressions that people write', () => {
  test.each([
    [
      "Patient.extension('http://x/y').value.ofType(Coding)",
      ['.extension[url=http://x/y].valueCoding:Coding'],
    ],
    [
      "Patient.extension.where(url='http://x').value.as(Coding)",
      ['.extension[url=http://x].valueCoding:Coding'],
    ],
    [
      'Patient.extension.where(url = "http://x").value as Coding',
      ['.extension[url=http://x].valueCoding:Coding'],
    ],
    ["(Patient.extension('http://x').value as Coding)", ['.extension[url=http://x].valueCoding:Coding']],
    // us-core-condition-asserted-date, to the letter.
    [
      "Patient.extension.where(url = 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate').valueDateTime",
      [
        '.extension[url=http://hl7.org/fhir/StructureDefinition/condition-assertedDate].valueDateTime:dateTime',
      ],
    ],
    [
      "Patient.extension('a').extension('b').value.ofType(string)",
      ['.extension[url=a].extension[url=b].valueString:string'],
    ],
    ["Patient.name.where(use='official' and text='x').family", ['.name[use=official][text=x].family:string']],
    [
      'Patient.communication.where(preferred = true).language',
      ['.communication[preferred=true].language:CodeableConcept'],
    ],
    ['Patient.name.first().family', ['.name[0].family:string']],
    ['Patient.name[1].given', ['.name[1].given:string']],
    ['(Patient.name | Patient.contact.name).family', ['.name.family:string', '.contact.name.family:string']],
    ['name.family', ['.name.family:string']],
    ["Patient.telecom.where(system='a.b|c(')", ['.telecom[system=a.b|c(]:ContactPoint']],
    ['Patient.deceased', ['.deceasedBoolean:boolean', '.deceasedDateTime:dateTime']],
    ['Patient.deceased as DateTime', ['.deceasedDateTime:dateTime']],
    ['Patient', [':Patient']],
  ])('%s', (expression, expected) => expect(paths(expression)).toEqual(expected))

  test('the values of an extension are of every type that it may have, and only some have codes', () => {
    const all = paths("Patient.extension('u').value")!
    expect(all).toContain('.extension[url=u].valueCodeableConcept:CodeableConcept')
    expect(all).toContain('.extension[url=u].valueReference:Reference')
    // us-core-race: Patient.extension.where(url = '...').extension.value.code
    const codes = paths("Patient.extension.where(url='u').extension.value.code")!
    expect(codes).toContain('.extension[url=u].extension.valueCoding.code:code')
    expect(codes.some(path => path.includes('valueString'))).toBe(false)
  })

  test('a resource in another is of the type that it says', () => {
    expect(paths('Bundle.entry[0].resource as Patient', 'Bundle')).toEqual([
      '.entry[0].resource[resourceType=Patient]:Patient',
    ])
  })

  test('an expression may be relative to an element', () => {
    expect(paths('value.ofType(Quantity)', 'Observation.component')).toEqual(['.valueQuantity:Quantity'])
  })
})

describe('what is not understood has no paths', () => {
  test.each([
    'Patient.nothing',
    'Patient.name.given.substring(1)',
    "Patient.name.where(nothing='x')",
    "Patient.name.where(use!='x')",
    "Patient.name.where(use='x' or use='y')",
    "Patient.name.where(use='x",
    'Patient.name.',
    'Patient..name',
    'Patient.name[x]',
    'Patient.name)',
    '(Patient.name',
    'Patient.deceased as Quantity',
    'Patient.deceased.ofType()',
    'Patient.extension()',
    "Patient.extension('\\n')",
    'Patient.name | Patient.nothing',
    '%context.name',
    '',
    `${'('.repeat(1000)}Patient.name${')'.repeat(1000)}`,
    `Patient${".extension('a').value".repeat(150)}`,
    `Patient${'.extension.value'.repeat(150)}`,
  ])('%s', expression => expect(typedPaths(expression, 'Patient')).toBeUndefined())
})

test('a bar or a parenthesis in quotes parts nothing', () => {
  expect(alternatives("(A.b.where(c='x|y)')) | A.d")).toEqual(["A.b.where(c='x|y)')", 'A.d'])
})

describe('an index of the whole collection', () => {
  const indexed = (expression: string, resource: object) => {
    const definition: ParamDefinition = {
      code: 'mine',
      type: 'string',
      base: ['Patient'],
      expression,
      target: [],
      url: 'http://example.org/mine',
    }
    const index = createIndexer(createRegistry([definition]), {
      zone: 'UTC',
      references: 'off',
      baseUrl: 'http://example.org/fhir',
    })
    return index(resource as Resource).flatMap(row =>
      row.kind === 'string' && row.param === 'Patient.mine' ? [row.exact] : [],
    )
  }
  const patient = {
    resourceType: 'Patient',
    name: [{ given: ['A', 'B'] }, { use: 'official', given: ['C'] }],
    contact: [{ name: { given: ['D'] } }, { name: { given: ['E'] } }],
  }
  test('first() takes the first of all, not the first of each', () => {
    expect(indexed('Patient.name.given.first()', patient)).toEqual(['A'])
    expect(indexed('Patient.contact.name.given[1]', patient)).toEqual(['E'])
    expect(indexed("Patient.name.where(use='official').first().given", patient)).toEqual(['C'])
    expect(indexed('Patient.name[2].given', patient)).toEqual([])
  })
  test('nothing is left from one resource to the next', () => {
    expect(indexed('Patient.name.first().given', { resourceType: 'Patient' })).toEqual([])
  })
})

test('a parameter that cannot be searched by says why', () => {
  const problem = (type: string, expression: string) =>
    createRegistry([{ code: 'mine', type, base: ['Patient'], expression, target: [], url: 'u' }]).param(
      'Patient',
      'mine',
    )?.problem
  expect(problem('string', 'Patient.name.given')).toBeUndefined()
  expect(problem('string', 'Patient.name.given.trace()')).toMatch(
    /"Patient.name.given.trace\(\)" is not understood on Patient/,
  )
  expect(problem('quantity', 'Patient.name')).toMatch(/leads to no values that a quantity parameter searches/)
  expect(problem('string', 'Observation.code')).toMatch(/no expression for Patient/)
})

test('all parameters of R4 can be searched by', () => {
  const registry = createRegistry()
  const problems = registry.types.flatMap(type =>
    registry
      .params(type)
      .flatMap(param => (param.problem === undefined ? [] : [`${param.name}: ${param.problem}`])),
  )
  expect(problems).toEqual([])
})
