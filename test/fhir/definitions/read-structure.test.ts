/** https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/elementdefinition.html */
import { describe, expect, test } from 'vitest'
import { readStructure } from '../../../src/fhir/definitions/read-structure.ts'
import { FhirError } from '../../../src/fhir/error.ts'
import type { Resource } from '../../../src/fhir/json.ts'
import { CORE, definition, OWN, type Row, structure } from './definitions-of.ts'

test('a differential is read with everything that it says', () => {
  const made = structure(
    'p',
    'Observation',
    [
      {
        path: 'Observation',
        constraint: [{ key: 'p-1', severity: 'warning', human: 'Say it.', expression: 'true' }],
      },
      {
        path: 'Observation.category',
        min: 1,
        max: '*',
        mustSupport: true,
        isModifier: true,
        slicing: { discriminator: [{ type: 'pattern', path: '$this' }], ordered: true, rules: 'openAtEnd' },
        binding: { strength: 'extensible', valueSet: 'http://x/vs|1' },
      },
      { path: 'Observation.category', sliceName: 'lab', patternCodeableConcept: { text: 'x' } },
      { path: 'Observation.status', fixedCode: 'final', maxLength: 5 },
      { path: 'Observation.valueInteger', minValueInteger: 1, maxValueInteger: 9 },
      {
        path: 'Observation.subject',
        type: [{ code: 'Reference', targetProfile: [`${CORE}/Patient`], aggregation: ['bundled'] }],
      },
    ],
    { version: '2' },
  )
  expect(made).toMatchObject({
    url: `${OWN}/p`,
    version: '2',
    type: 'Observation',
    kind: 'resource',
    base: `${CORE}/Observation`,
    snapshot: false,
    context: [],
  })
  expect(made.elements).toEqual([
    {
      id: 'Observation',
      path: 'Observation',
      constraints: [{ key: 'p-1', severity: 'warning', human: 'Say it.', expression: 'true' }],
    },
    {
      id: 'Observation.category',
      path: 'Observation.category',
      min: 1,
      max: Number.POSITIVE_INFINITY,
      mustSupport: true,
      modifier: true,
      slicing: { discriminators: [{ type: 'pattern', path: '$this' }], ordered: true, rules: 'openAtEnd' },
      binding: { strength: 'extensible', valueSet: 'http://x/vs|1' },
    },
    {
      id: 'Observation.category:lab',
      path: 'Observation.category',
      sliceName: 'lab',
      pattern: { type: 'CodeableConcept', value: { text: 'x' } },
    },
    {
      id: 'Observation.status',
      path: 'Observation.status',
      fixed: { type: 'code', value: 'final' },
      maxLength: 5,
    },
    {
      id: 'Observation.valueInteger',
      path: 'Observation.valueInteger',
      minValue: { type: 'integer', value: { text: '1' } },
      maxValue: { type: 'integer', value: { text: '9' } },
    },
    {
      id: 'Observation.subject',
      path: 'Observation.subject',
      types: [{ code: 'Reference', profiles: [], targets: [`${CORE}/Patient`], aggregation: ['bundled'] }],
    },
  ])
})

test('a snapshot stands before the differential', () => {
  const rows = [{ path: 'Patient', min: 0, max: '*' }]
  const made = structure('p', 'Patient', [{ path: 'Patient.name' }], { snapshot: { element: rows } })
  expect([made.snapshot, made.elements.map(({ path }) => path)]).toEqual([true, ['Patient']])
})

describe("FHIRPath's types become FHIR's", () => {
  const fhirType = (type: string) => [{ url: `${CORE}/structuredefinition-fhir-type`, valueUrl: type }]
  const string = (extension?: unknown) => [{ code: 'http://hl7.org/fhirpath/System.String', extension }]
  const code = (kind: string, type: string, path: string, rows: unknown) =>
    structure('p', type, [{ path, type: rows }], { kind }).elements[0]!.types![0]!.code

  test.each([
    ['complex-type', 'Extension', 'Extension.url', string(fhirType('uri')), 'uri'],
    ['complex-type', 'Coding', 'Coding.id', string(fhirType('string')), 'string'],
    ['resource', 'Patient', 'Patient.contact.id', string(fhirType('string')), 'string'],
    [
      'primitive-type',
      'boolean',
      'boolean.value',
      [{ code: 'http://hl7.org/fhirpath/System.Boolean' }],
      'boolean',
    ],
    [
      'primitive-type',
      'dateTime',
      'dateTime.value',
      [{ code: 'http://hl7.org/fhirpath/System.DateTime' }],
      'dateTime',
    ],
  ])('%s %s: the type of %s', (kind, type, path, rows, expected) => {
    expect(code(kind, type, path, rows)).toBe(expected)
  })

  test('the id of a resource is an id, whatever R4 says of its type', () => {
    expect(code('resource', 'Patient', 'Patient.id', string(fhirType('string')))).toBe('id')
  })
})

describe('ids', () => {
  const idsOf = (...rows: Row[]) => structure('p', 'Patient', rows).elements.map(({ id }) => id)

  test('that are absent are made of path and slice names, children following the slice before them', () => {
    expect(
      idsOf(
        { path: 'Patient.identifier' },
        { path: 'Patient.identifier.use' },
        { path: 'Patient.identifier', sliceName: 'abha' },
        { path: 'Patient.identifier.type' },
        { path: 'Patient.identifier.type.coding', sliceName: 'x' },
        { path: 'Patient.identifier.type.coding.code' },
        { path: 'Patient.identifier', sliceName: 'mrn' },
        { path: 'Patient.identifier.use' },
        { path: 'Patient.name' },
      ),
    ).toEqual([
      'Patient.identifier',
      'Patient.identifier.use',
      'Patient.identifier:abha',
      'Patient.identifier:abha.type',
      'Patient.identifier:abha.type.coding:x',
      'Patient.identifier:abha.type.coding:x.code',
      'Patient.identifier:mrn',
      'Patient.identifier:mrn.use',
      'Patient.name',
    ])
  })

  test('that do not go with the path count for nothing', () => {
    expect(
      idsOf(
        { id: 'uuid-1', path: 'Patient.identifier', sliceName: 'abha' },
        { id: 'Patient.name:x.family', path: 'Patient.identifier.use' },
      ),
    ).toEqual(['Patient.identifier:abha', 'Patient.identifier:abha.use'])
  })
})

describe('nonsense is refused with 422 and its place', () => {
  const refused = (resource: Resource) => {
    try {
      readStructure(resource)
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
      return [error.status, error.code, error.issues[0]!.expression]
    }
    throw new Error('nothing was refused')
  }
  const row = (more: Record<string, unknown>) =>
    definition('p', 'Patient', [{ path: 'Patient.name', ...more }])
  const at = (member: string) => `StructureDefinition.differential.element[0]${member}`

  test.each<[string, Resource, string, string]>([
    ['another resource', { resourceType: 'Patient' }, 'structure', 'StructureDefinition'],
    ['no url', definition('p', 'Patient', [], { url: undefined }), 'required', 'StructureDefinition.url'],
    ['an unknown kind', definition('p', 'Patient', [], { kind: 'x' }), 'value', 'StructureDefinition.kind'],
    [
      'a kind that is no text',
      definition('p', 'Patient', [], { kind: 1 }),
      'structure',
      'StructureDefinition.kind',
    ],
    [
      'no base',
      definition('p', 'Patient', [], { baseDefinition: undefined }),
      'required',
      'StructureDefinition.baseDefinition',
    ],
    [
      'neither view',
      definition('p', 'Patient', [], { differential: undefined }),
      'required',
      'StructureDefinition.differential',
    ],
    ['no elements', definition('p', 'Patient', []), 'required', 'StructureDefinition.differential.element'],
    [
      'a snapshot without max',
      definition('p', 'Patient', [], { snapshot: { element: [{ path: 'Patient', min: 0 }] } }),
      'required',
      'StructureDefinition.snapshot.element[0]',
    ],
    ['a path of another type', definition('p', 'Patient', [{ path: 'Person.name' }]), 'value', at('.path')],
    ['a path that is none', definition('p', 'Patient', [{ path: 'Patient..name' }]), 'value', at('.path')],
    [
      'a path of 100 names',
      definition('p', 'Patient', [{ path: `Patient${'.a'.repeat(100)}` }]),
      'too-costly',
      at('.path'),
    ],
    ['a path of a megabyte', definition('p', 'Patient', [{ path: 'a'.repeat(1e6) }]), 'value', at('.path')],
    ['a slice name of a megabyte', row({ sliceName: 'a'.repeat(1e6) }), 'too-costly', at('')],
    [
      'two elements of one id',
      definition('p', 'Patient', [{ path: 'Patient.name' }, { path: 'Patient.name' }]),
      'structure',
      'StructureDefinition.differential.element[1]',
    ],
    [
      '20,001 elements',
      definition(
        'p',
        'Patient',
        Array.from({ length: 20_001 }, (_, i) => ({ path: 'Patient.name', sliceName: `s${i}` })),
      ),
      'too-costly',
      'StructureDefinition.differential.element',
    ],
    ['an element that is no object', definition('p', 'Patient', [1 as unknown as Row]), 'structure', at('')],
    ['min above max', row({ min: 2, max: '1' }), 'value', at('.min')],
    ['a fraction for min', row({ min: 0.5 }), 'value', at('.min')],
    ['max in words', row({ max: 'many' }), 'value', at('.max')],
    ['max as a number', row({ max: 1 }), 'value', at('.max')],
    ['two fixed values', row({ fixedString: 'a', fixedCode: 'b' }), 'structure', at('.fixedCode')],
    ['a type without code', row({ type: [{}] }), 'required', at('.type[0].code')],
    ['types that are no list', row({ type: { code: 'string' } }), 'structure', at('.type')],
    [
      '501 types',
      row({ type: Array.from({ length: 501 }, () => ({ code: 'string' })) }),
      'too-costly',
      at('.type'),
    ],
    ['unknown slicing rules', row({ slicing: { rules: 'maybe' } }), 'value', at('.slicing.rules')],
    [
      'an unknown discriminator',
      row({ slicing: { rules: 'open', discriminator: [{ type: 'x', path: 'y' }] } }),
      'value',
      at('.slicing.discriminator[0].type'),
    ],
    ['a binding without strength', row({ binding: {} }), 'required', at('.binding.strength')],
    [
      'a constraint without key',
      row({ constraint: [{ severity: 'error' }] }),
      'required',
      at('.constraint[0].key'),
    ],
  ])('%s', (_, resource, code, place) => {
    expect(refused(resource)).toEqual([422, code, place])
  })
})
