import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { COMPARTMENTS, compartmentNode, compartmentTypes } from '../../src/search/compartment.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()
const plan = (type: string, types: string[] = []) =>
  planSearch([], {
    registry,
    types,
    within: { type, id: '1' },
    zone: 'UTC',
    baseUrl: 'http://example.org/fhir',
    now: 0,
  }).plan

test('R4 has five', () => {
  expect(COMPARTMENTS).toEqual(['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson'])
})

// https://hl7.org/fhir/R4/compartmentdefinition-patient.html: Observation is in it by subject or performer.
test('a type with several parameters is in the compartment by any of them', () => {
  expect(plan('Patient', ['Observation'])).toMatchObject({
    types: ['Observation'],
    where: {
      kind: 'or',
      nodes: [
        { kind: 'reference', param: 'Observation.performer', type: 'Patient', id: '1' },
        { kind: 'reference', param: 'Observation.subject', type: 'Patient', id: '1' },
      ],
    },
  })
})

// https://hl7.org/fhir/R4/compartmentdefinition-encounter.html: Encounter by {def}.
test('the resource itself is in its compartment where the definition says so', () => {
  expect(plan('Encounter', ['Encounter']).where).toEqual({
    kind: 'and',
    nodes: [
      { kind: 'type', types: ['Encounter'] },
      { kind: 'id', ids: ['1'] },
    ],
  })
  // https://hl7.org/fhir/R4/compartmentdefinition-patient.html: Patient by link.
  expect(plan('Patient', ['Patient']).where).toEqual({
    kind: 'reference',
    param: 'Patient.link',
    type: 'Patient',
    id: '1',
  })
})

const refused = (query: string, types: string[] = []) => {
  try {
    planSearch(parseSearch([...new URLSearchParams(query)]), {
      registry,
      types,
      within: { type: 'Patient', id: '1' },
      zone: 'UTC',
      baseUrl: 'http://example.org/fhir',
      now: 0,
    })
  } catch (error) {
    if (error instanceof FhirError) return { status: error.status, ...error.issues[0]! }
    throw error
  }
  throw new Error(`${query} is not refused`)
}

test('a type that is never in it is refused as _type too, beside others as well', () => {
  const never = {
    status: 404,
    code: 'not-supported',
    diagnostics: expect.stringMatching(/^Location is not in the compartment of a Patient/),
  }
  expect(refused('', ['Location'])).toMatchObject(never)
  expect(refused('_type=Location')).toMatchObject(never)
  expect(refused('_type=Observation,Location')).toMatchObject(never)
  expect(refused('_type=Location', ['Observation'])).toMatchObject(never)
})

test('a parameter that not all types have is refused with the remedy', () => {
  expect(refused('code=x')).toMatchObject({ status: 400, code: 'not-supported' })
  expect(refused('code=x').diagnostics).toMatch(/"code" is not a parameter of all .*Account.*with _type\.$/)
})

test('all types are those that the definition has parameters for', () => {
  const { types } = plan('Patient')
  expect(types).toEqual(compartmentTypes('Patient'))
  expect(types).toContain('VisionPrescription')
  // Listed without a parameter: outside of the compartment.
  expect(types).not.toContain('Location')
  expect(types).not.toContain('Practitioner')
})

test('every type of every compartment has a parameter that the registry knows', () => {
  for (const compartment of COMPARTMENTS)
    for (const type of compartmentTypes(compartment))
      expect(compartmentNode({ type: compartment, id: '1' }, [type], registry)).not.toEqual({
        kind: 'or',
        nodes: [],
      })
})

describe('refused with 404 and a sentence', () => {
  test.each([
    [
      'a type that is not in it',
      'Patient',
      ['Location'],
      /Location is not in the compartment of a Patient; there are Account/,
    ],
    [
      'a type that has none',
      'Organization',
      ['Patient'],
      /Organization has no compartment; there are those of Device/,
    ],
    ['a type that has none, all types', 'Organization', [], /Organization has no compartment/],
    ['a prototype', 'constructor', ['Patient'], /has no compartment/],
    ['a prototype within', 'Patient', ['toString'], /not in the compartment/],
  ])('%s', (_, type, types, diagnostics) => {
    try {
      plan(type, types)
    } catch (error) {
      expect(error).toBeInstanceOf(FhirError)
      expect(error).toMatchObject({ code: 'not-supported', status: 404 })
      expect((error as FhirError).message).toMatch(diagnostics)
      return
    }
    throw new Error('it is not refused')
  })
})
