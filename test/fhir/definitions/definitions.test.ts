/**
 * The tables that `prepare` writes say what the specification says.
 * https://hl7.org/fhir/R4/
 */
import { describe, expect, it } from 'vitest'
import { isResourceType, RESOURCE_TYPES } from '../../../src/fhir/definitions/resource-types.ts'
import { SEARCH_PARAMETERS } from '../../../src/fhir/definitions/search-parameters.ts'
import { baseOf, elementsOf, isPrimitive, jsonName, TYPE_NAMES } from '../../../src/fhir/definitions/types.ts'
import { codesOf } from '../../../src/fhir/definitions/value-sets.ts'

const element = (type: string, name: string) => elementsOf(type)!.find(found => found.name === name)!

describe('resource types', () => {
  it('are the 146 concrete ones of R4, sorted', () => {
    expect(RESOURCE_TYPES.length).toBe(146)
    expect(RESOURCE_TYPES).toEqual([...RESOURCE_TYPES].sort())
    for (const type of ['Account', 'Binary', 'Parameters', 'Patient', 'VisionPrescription'])
      expect(isResourceType(type)).toBe(true)
  })

  it('are neither abstract, nor data types, nor of another version', () => {
    for (const type of [
      'Resource',
      'DomainResource',
      'MetadataResource',
      'HumanName',
      'SubscriptionStatus',
      'Ingredient',
      'toString',
      '',
    ])
      expect(isResourceType(type)).toBe(false)
  })
})

describe('elements', () => {
  it('come with those of the base, first', () => {
    expect(
      elementsOf('Patient')!
        .slice(0, 10)
        .map(({ name }) => name),
    ).toEqual([
      'id',
      'meta',
      'implicitRules',
      'language',
      'text',
      'contained',
      'extension',
      'modifierExtension',
      'identifier',
      'active',
    ])
    expect(elementsOf('Binary')!.map(({ name }) => name)).toEqual([
      'id',
      'meta',
      'implicitRules',
      'language',
      'contentType',
      'securityContext',
      'data',
    ])
    expect(elementsOf('Patient.link')!.map(({ name }) => name)).toEqual([
      'id',
      'extension',
      'modifierExtension',
      'other',
      'type',
    ])
    expect(elementsOf('Timing.repeat')!.map(({ name }) => name)).not.toContain('modifierExtension')
    expect(baseOf('Patient')).toBe('DomainResource')
  })

  it('have cardinality, types, targets and the value set of a required binding', () => {
    expect(element('Patient', 'gender')).toEqual({
      name: 'gender',
      min: 0,
      max: 1,
      types: ['code'],
      choice: false,
      summary: true,
      targets: undefined,
      valueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender',
    })
    expect(element('Patient', 'contact').summary).toBe(false)
    expect(element('Observation', 'status')).toMatchObject({ min: 1, max: 1 })
    expect(element('Patient', 'name')).toMatchObject({
      min: 0,
      max: Number.POSITIVE_INFINITY,
      types: ['HumanName'],
    })
    expect(element('Patient', 'generalPractitioner').targets).toEqual([
      'Organization',
      'Practitioner',
      'PractitionerRole',
    ])
    expect(element('Observation', 'focus').targets).toBeUndefined()
    expect(element('Patient', 'id').types).toEqual(['id'])
    expect(element('Extension', 'url')).toMatchObject({ min: 1, types: ['uri'] })
  })

  it('name the types of a choice', () => {
    const value = element('Observation', 'value[x]')
    expect(value.choice).toBe(true)
    expect([...value.types].sort()).toEqual([
      'CodeableConcept',
      'Period',
      'Quantity',
      'Range',
      'Ratio',
      'SampledData',
      'boolean',
      'dateTime',
      'integer',
      'string',
      'time',
    ])
    expect(value.types.map(type => jsonName(value, type))).toContain('valueDateTime')
    expect(element('Extension', 'value[x]').types.length).toBe(50)
  })

  it('refer to the content of another', () => {
    expect(element('Observation.component', 'referenceRange').types).toEqual(['Observation.referenceRange'])
    expect(element('Questionnaire.item', 'item').types).toEqual(['Questionnaire.item'])
    expect(element('Bundle.entry', 'link').types).toEqual(['Bundle.link'])
  })

  it('have only types that are primitive or in the table', () => {
    const unknown = TYPE_NAMES.flatMap(type => elementsOf(type)!.flatMap(({ types }) => types)).filter(
      type => !isPrimitive(type) && elementsOf(type) === undefined,
    )
    expect(unknown).toEqual([])
    expect(elementsOf('toString')).toBeUndefined()
  })

  it('are those of 4.0.1, without what later versions or products added', () => {
    expect(elementsOf('Meta')!.map(({ name }) => name)).toEqual([
      'id',
      'extension',
      'versionId',
      'lastUpdated',
      'source',
      'profile',
      'security',
      'tag',
    ])
    expect(element('EvidenceVariable.characteristic', 'definition[x]').min).toBe(1)
    expect(element('Bundle.entry.response', 'outcome').types).toEqual(['Resource'])
  })
})

describe('value sets of required bindings', () => {
  it('list the codes of a whole code system', () => {
    const codes = codesOf('http://hl7.org/fhir/ValueSet/administrative-gender')!
    expect([...codes.keys()]).toEqual(['http://hl7.org/fhir/administrative-gender'])
    expect([...codes.get('http://hl7.org/fhir/administrative-gender')!].sort()).toEqual([
      'female',
      'male',
      'other',
      'unknown',
    ])
  })

  it('list codes beneath others', () => {
    const codes = codesOf('http://hl7.org/fhir/ValueSet/issue-type')!.get('http://hl7.org/fhir/issue-type')!
    for (const code of ['invalid', 'structure', 'not-found', 'deleted', 'informational'])
      expect(codes.has(code)).toBe(true)
  })

  it('list several code systems, and those whose id is not the end of their url', () => {
    const types = codesOf('http://hl7.org/fhir/ValueSet/all-types')!
    expect([...types.values()].some(codes => codes.has('Patient'))).toBe(true)
    expect([...types.values()].some(codes => codes.has('HumanName'))).toBe(true)
    const supply = codesOf('http://hl7.org/fhir/ValueSet/supplydelivery-type')!
    expect([...supply.values()].map(codes => [...codes].sort())).toEqual([['device', 'medication']])
  })

  it('are absent only where the codes cannot be listed', () => {
    const absent = new Set<string>()
    for (const type of TYPE_NAMES)
      for (const { valueSet } of elementsOf(type)!)
        if (valueSet !== undefined && codesOf(valueSet) === undefined) absent.add(valueSet)
    expect([...absent].sort()).toEqual([
      'http://hl7.org/fhir/ValueSet/currencies',
      'http://hl7.org/fhir/ValueSet/mimetypes',
      'http://hl7.org/fhir/ValueSet/ucum-units',
      'http://loinc.org/vs/LL379-9',
    ])
  })
})

describe('search parameters', () => {
  const find = (base: string, code: string) =>
    SEARCH_PARAMETERS.filter(parameter => parameter.code === code && parameter.base.includes(base))

  it('are those of the registry, one for a type and code', () => {
    expect(find('Patient', 'family')).toEqual([
      {
        code: 'family',
        type: 'string',
        base: ['Patient', 'Practitioner'],
        expression: 'Patient.name.family | Practitioner.name.family',
        target: [],
        url: 'http://hl7.org/fhir/SearchParameter/individual-family',
      },
    ])
    const pairs = SEARCH_PARAMETERS.flatMap(({ base, code }) => base.map(type => `${type} ${code}`))
    expect(new Set(pairs).size).toBe(pairs.length)
    for (const code of ['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source'])
      expect(find('Resource', code).length).toBe(1)
  })

  it('say ofType where R4 says as', () => {
    expect(find('Patient', 'death-date')[0]!.expression).toBe('Patient.deceased.ofType(dateTime)')
    expect(SEARCH_PARAMETERS.filter(({ expression }) => / as |\.as\(/.test(expression))).toEqual([])
  })

  it('have the components of a composite', () => {
    expect(find('Observation', 'code-value-quantity')[0]!.component).toEqual([
      { definition: 'http://hl7.org/fhir/SearchParameter/clinical-code', expression: 'code' },
      {
        definition: 'http://hl7.org/fhir/SearchParameter/Observation-value-quantity',
        expression: 'value.ofType(Quantity)',
      },
    ])
  })
})
