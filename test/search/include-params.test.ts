import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()

const plan = (query: string, types = ['MedicationRequest'], lenient = false) =>
  planSearch(parseSearch([...new URLSearchParams(query)]), {
    registry,
    types,
    zone: 'UTC',
    baseUrl: 'http://example.org/fhir',
    now: 0,
    lenient,
  })

test.each([
  ['_include=MedicationRequest:patient', { type: 'MedicationRequest', param: 'patient' }],
  [
    '_include=MedicationRequest:subject:Patient',
    { type: 'MedicationRequest', param: 'subject', target: 'Patient' },
  ],
  ['_include=MedicationRequest:*', { type: 'MedicationRequest', param: '*' }],
  ['_include=*', { type: '*', param: '*' }],
  ['_revinclude=Provenance:target', { reverse: true, type: 'Provenance', param: 'target' }],
  ['_revinclude=Provenance:*', { reverse: true, type: 'Provenance', param: '*' }],
  ['_revinclude=*', { reverse: true, type: '*', param: '*' }],
  ['_include:iterate=Medication:manufacturer', { iterate: true, type: 'Medication', param: 'manufacturer' }],
  [
    '_revinclude:iterate=Observation:patient',
    { reverse: true, iterate: true, type: 'Observation', param: 'patient' },
  ],
])('%s', (query, expected) => {
  expect(plan(query).result.includes).toEqual([{ reverse: false, iterate: false, ...expected }])
})

test('several stand in the order they came, and on the self link', () => {
  const planned = plan('_include=MedicationRequest:patient&_revinclude=Provenance:target&_count=5')
  expect(planned.result.includes.map(({ type, param }) => `${type}:${param}`)).toEqual([
    'MedicationRequest:patient',
    'Provenance:target',
  ])
  expect(planned.applied.map(([name]) => name)).toEqual(['_include', '_revinclude', '_count'])
})

test('an include is no criterion', () => {
  expect(plan('_include=MedicationRequest:patient').plan.where).toEqual({ kind: 'and', nodes: [] })
})

describe('refusals say what is possible', () => {
  test.each([
    ['_include=MedicationRequest', 'invalid', /\[type\]:\[reference parameter\]/],
    ['_include=MedicationRequest:patient:Patient:x', 'invalid', /\[target type\]/],
    ['_include=Foo:patient', 'not-supported', /"Foo" is not a resource type/],
    ['_include=MedicationRequest:color', 'not-supported', /it has encounter, intended-dispenser, .*patient/],
    ['_include=MedicationRequest:status', 'not-supported', /no reference parameter "status"/],
    ['_include=MedicationRequest:subject:Foo', 'not-supported', /"Foo" is not a resource type/],
    ['_include=MedicationRequest:subject:Practitioner', 'not-supported', /never refers to Practitioner/],
    ['_include:recurse=MedicationRequest:patient', 'not-supported', /_include:iterate/],
    ['_include:exact=MedicationRequest:patient', 'not-supported', /no modifier but ":iterate"/],
    ['_include=constructor:__proto__', 'not-supported', /not a resource type/],
    [`_include=${'A'.repeat(10_000)}:x`, 'not-supported', /not a resource type/],
    ['_summary=text&_include=MedicationRequest:patient', 'invalid', /_summary=text/],
    ['_explain=maybe', 'invalid', /true or false/],
    [Array.from({ length: 33 }, () => '_include=*').join('&'), 'too-costly', /32/],
  ])('%s', (query, code, diagnostics) => {
    try {
      plan(query)
    } catch (error) {
      expect(error).toBeInstanceOf(FhirError)
      expect(error).toMatchObject({ code, status: 400 })
      expect((error as FhirError).issues[0]!.diagnostics).toMatch(diagnostics)
      expect((error as FhirError).issues[0]!.diagnostics.length).toBeLessThan(1000)
      return
    }
    throw new Error('it is not refused')
  })

  test('under lenient what is not understood is left out and named', () => {
    const planned = plan(
      '_include=MedicationRequest:color&_include=MedicationRequest:patient',
      undefined,
      true,
    )
    expect(planned.result.includes.map(one => one.param)).toEqual(['patient'])
    expect(planned.ignored.map(issue => issue.expression)).toEqual(['http._include'])
  })
})

test.each([
  ['_include=Patient:organization', /no match is of type Patient.*"_include:iterate"/],
  ['_revinclude=Observation:device', /"device" of Observation never refers to a match/],
  ['_revinclude=Observation:subject:Group', /never refers to a match/],
])('%s adds nothing, and a warning says why', (query, why) => {
  const planned = plan(`${query}&_include=MedicationRequest:patient`)
  expect(planned.result.includes.map(one => one.param)).toEqual(['patient'])
  expect(planned.applied.map(([name]) => name)).toEqual([query.split('=')[0], '_include'])
  expect(planned.ignored).toEqual([
    {
      severity: 'warning',
      code: 'informational',
      diagnostics: expect.stringMatching(why),
      expression: `http.${query.split('=')[0]}`,
    },
  ])
})

test('on the whole system every type may match', () => {
  expect(
    plan('_include=Patient:organization&_revinclude=Observation:device', []).result.includes,
  ).toHaveLength(2)
})

test('_explain is a result parameter', () => {
  expect(plan('_explain=true').result.explain).toBe(true)
  expect(plan('_explain=false').result.explain).toBe(false)
})
