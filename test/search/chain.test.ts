import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { Unresolved } from '../../src/search/ask.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { type PlanOptions, planSearch } from '../../src/search/plan.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { createRegistry } from '../../src/search/registry.ts'

const registry = createRegistry()

const planOf = (name: string, value: string, options: Partial<PlanOptions> = {}) =>
  planSearch(parseSearch([[name, value]]), {
    registry,
    types: ['Observation'],
    zone: 'Asia/Kolkata',
    baseUrl: 'http://example.org/fhir',
    now: Date.UTC(2024, 5, 15),
    ...options,
  })

const node = (name: string, value: string, options: Partial<PlanOptions> = {}): Node =>
  planOf(name, value, options).plan.where

/** The part of a chain's node that is about stored resources, not about contained ones. */
function stored(name: string, value: string, options: Partial<PlanOptions> = {}): Node {
  const found = node(name, value, options)
  return found.kind === 'or' ? found.nodes[0]! : found
}

function issueOf(name: string, value: string, options: Partial<PlanOptions> = {}) {
  try {
    planOf(name, value, options)
  } catch (error) {
    if (error instanceof FhirError) return { status: error.status, ...error.issues[0]! }
    throw error
  }
  throw new Error(`${name} is not refused`)
}

const PATIENT = { types: ['Patient'] }

describe('the node of a chain', () => {
  test('names the types that have the parameter behind it, and one parameter for each', () => {
    expect(stored('subject.name', 'x')).toEqual({
      kind: 'chain',
      params: ['Observation.subject'],
      types: ['Location', 'Patient'],
      canonical: false,
      node: {
        kind: 'or',
        nodes: [
          { kind: 'string', param: 'Location.name', match: 'starts', value: 'x' },
          { kind: 'string', param: 'Patient.name', match: 'starts', value: 'x' },
        ],
      },
    })
  })

  test('is restricted to the type of the modifier', () => {
    expect(stored('subject:Patient.name:exact', 'X')).toEqual({
      kind: 'chain',
      params: ['Observation.subject'],
      types: ['Patient'],
      canonical: false,
      node: { kind: 'string', param: 'Patient.name', match: 'exact', value: 'X' },
    })
  })

  test('has the links of several types searched together', () => {
    expect(
      stored('subject:Group._id', 'a', { types: ['Observation', 'Encounter', 'Condition'] }),
    ).toMatchObject({
      params: ['Observation.subject', 'Encounter.subject', 'Condition.subject'],
      types: ['Group'],
    })
  })

  test('leaves out the searched types whose parameter never leads to the type named', () => {
    // Encounter's subject is a Patient or a Group.
    expect(stored('subject:Device._id', 'a', { types: ['Observation', 'Encounter'] })).toMatchObject({
      params: ['Observation.subject'],
      types: ['Device'],
    })
  })

  test('goes by canonical URLs where the parameter holds them', () => {
    expect(stored('questionnaire.title', 'x', { types: ['QuestionnaireResponse'] })).toMatchObject({
      params: ['QuestionnaireResponse.questionnaire'],
      types: ['Questionnaire'],
      canonical: true,
    })
  })

  test('of a further link keeps to the types whose parameter is a reference', () => {
    // Task has a token "performer", CarePlan and ServiceRequest a reference.
    expect(stored('basedon.performer._id', 'a', { types: ['ImagingStudy'] })).toMatchObject({
      types: ['CarePlan', 'ServiceRequest'],
    })
  })

  test('looks besides into what is contained, by the rows that the reference has there', () => {
    const found = node('subject:Patient.name:exact', 'X')
    expect(found.kind === 'or' && found.nodes[1]).toEqual({
      kind: 'string',
      param: 'Observation.subject#Patient.name',
      match: 'exact',
      value: 'X',
    })
  })

  test('has one fingerprint whatever the time of asking, of what is contained too', () => {
    const at = (now: number) => planOf('subject:Patient.birthdate', 'ap2020-01-01', { now }).plan
    expect(at(Date.UTC(2030, 0, 1)).where).not.toEqual(at(Date.UTC(2040, 0, 1)).where)
    expect(at(Date.UTC(2030, 0, 1)).fingerprint).toBe(at(Date.UTC(2040, 0, 1)).fingerprint)
  })

  test('does not ask what may refer to anything for each type of contained resource', () => {
    expect(node('focus._tag', 'a')).toMatchObject({ kind: 'chain' })
  })
})

test('the node of _has is about the resources that refer', () => {
  expect(node('_has:Observation:patient:code', 'a,b', PATIENT)).toEqual({
    kind: 'has',
    type: 'Observation',
    params: ['Observation.patient'],
    node: {
      kind: 'or',
      nodes: [
        { kind: 'token', param: 'Observation.code', code: 'a' },
        { kind: 'token', param: 'Observation.code', code: 'b' },
      ],
    },
  })
})

test('_list is about the Lists that have the resource as an item', () => {
  expect(node('_list', '42,List/43', PATIENT)).toEqual({
    kind: 'has',
    type: 'List',
    params: ['List.item'],
    node: { kind: 'id', ids: ['42', '43'] },
  })
})

describe('refusals say what is possible', () => {
  test.each([
    ['status.name', 'not-supported', /token parameter, and only those of type reference.*subject/],
    [
      'subject:Practitioner.name',
      'invalid',
      /cannot refer to Practitioner; it may refer to Device, Group, Location, Patient\./,
    ],
    ['subject:Foo.name', 'not-supported', /"Foo" is none; "subject" may refer to Device, Group/],
    ['subject.color', 'not-supported', /None of the types.*"color": Device, Group, Location, Patient\./],
    ['subject:Patient.color', 'not-supported', /Patient has no search parameter "color"; it has .*birthdate/],
    [
      '_has:Observation:color:code',
      'not-supported',
      /Observation has no reference parameter "color"; it has .*subject/,
    ],
    ['_has:Observation:patient', 'invalid', /_has:Observation:patient:code/],
    [
      '_has:Observation:device:code',
      'invalid',
      /cannot refer to Observation; it may refer to Device, DeviceMetric\./,
    ],
    ['_in', 'not-supported', /R5/],
    ['_query', 'not-supported', /named queries/],
    ['_contained', 'not-supported', /contained resources are not searched/],
  ])('%s', (name, code, diagnostics) => {
    const issue = issueOf(name, 'x')
    expect(issue).toMatchObject({ status: 400, code, expression: `http.${name}` })
    expect(issue.diagnostics).toMatch(diagnostics)
  })

  test('a parameter of different types is asked for with the type named', () => {
    const issue = issueOf('member.manufacturer', 'x', { types: ['Group'] })
    expect(issue.diagnostics).toContain('a string of Device, a reference of Medication')
    expect(issue.diagnostics).toContain('member:Device.manufacturer')
  })

  test('a functional list is named', () => {
    expect(issueOf('_list', '$current-problems', PATIENT).diagnostics).toContain('$current-problems')
  })
})

test('_contained=false is what R4 has where nothing is said', () => {
  expect(node('_contained', 'false')).toEqual({ kind: 'and', nodes: [] })
})

describe('limits', () => {
  const deep = (links: number) => `${'link:Patient.'.repeat(links)}name`

  test('a chain has as many links as the setting says, and no more', () => {
    expect(() => planOf(deep(3), 'x', { ...PATIENT, limits: { chain: 3 } })).not.toThrow()
    expect(issueOf(deep(4), 'x', { ...PATIENT, limits: { chain: 3 } })).toMatchObject({
      code: 'too-costly',
      diagnostics: expect.stringContaining('3 links at most, those of "_has" included (NADI_CHAIN_LIMIT)'),
    })
  })

  test('links and reverse links count together', () => {
    const name = '_has:Observation:patient:performer:Patient.link:Patient.name'
    expect(() => planOf(name, 'x', { ...PATIENT, limits: { chain: 3 } })).not.toThrow()
    expect(issueOf(name, 'x', { ...PATIENT, limits: { chain: 2 } })).toMatchObject({ code: 'too-costly' })
  })

  test('values are limited by the setting', () => {
    expect(issueOf('subject.name', 'a,b,c', { limits: { values: 2 } }).diagnostics).toContain('NADI_OR_LIMIT')
  })
})

describe('hostile names are refused at once', () => {
  test.each([
    ['a chain without end', 'subject:Patient.link:Patient'.concat('.link:Patient'.repeat(20_000), '.name')],
    ['_has without end', `${'_has:Observation:subject:'.repeat(10_000)}code`],
    ['_has and chains in turn', `${'_has:Observation:subject:subject:Patient.'.repeat(5000)}name`],
    ['a long name', `subject.${'a'.repeat(100_000)}`],
    ['a long type', `subject:${'A'.repeat(100_000)}.name`],
    ['a long type of _has', `_has:${'A'.repeat(100_000)}:x:y`],
    ['dots', `subject${'.'.repeat(100_000)}name`],
    ['colons', `_has${':'.repeat(100_000)}`],
    ['a prototype behind a chain', 'subject.__proto__'],
    ['a prototype as a type', 'subject:constructor.name'],
    ['a prototype as the type of _has', '_has:constructor:subject:code'],
    ['a prototype as the parameter of _has', '_has:Observation:constructor:code'],
    ['a prototype behind _has', '_has:Observation:subject:toString'],
    ['a prototype as a modifier behind a chain', 'subject:Patient.name:constructor'],
    ['an operator of a store', '$where'],
    ['a newline', 'subject.na\nme'],
  ])('%s', (_, name) => {
    const started = performance.now()
    expect(
      issueOf(name, 'x', { types: ['Patient', 'Observation'].slice(name.startsWith('_has') ? 0 : 1) }),
    ).toMatchObject({
      status: 400,
    })
    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('the message does not repeat a long name', () => {
    expect(issueOf(`subject.${'a'.repeat(100_000)}`, 'x').diagnostics.length).toBeLessThan(1000)
  })
})

describe('what has to be looked up first passes through', () => {
  const unresolved = { known: () => undefined }
  test.each([
    ['code:in', 'http://example.org/vs', {}],
    ['_has:Observation:patient:code:in', 'http://example.org/vs', PATIENT],
    ['_filter', 'code in http://example.org/vs', {}],
    ['_filter', '_has:Observation:patient:code in http://example.org/vs', PATIENT],
  ])('%s=%s', (name, value, options) => {
    for (const lenient of [false, true])
      expect(() => planOf(name, value, { ...unresolved, lenient, ...options })).toThrow(Unresolved)
  })
})

describe('the fingerprint', () => {
  const fingerprint = (name: string, value: string, options: Partial<PlanOptions> = {}) =>
    planOf(name, value, options).plan.fingerprint

  test('does not change while time goes by, behind links too', () => {
    for (const name of ['subject:Patient.birthdate', '_has:AuditEvent:entity:date'])
      expect(fingerprint(name, 'ap2000')).toBe(fingerprint(name, 'ap2000', { now: Date.UTC(2024, 5, 16) }))
    expect(fingerprint('_filter', 'date ap 2000')).toBe(
      fingerprint('_filter', 'date ap 2000', { now: Date.UTC(2024, 5, 16) }),
    )
  })

  test.each([
    ['subject:Patient.name', 'a', 'patient.name', 'a'],
    ['subject:Patient.name', 'a', 'subject.name', 'a'],
    ['subject:Patient.name', 'a', 'subject:Patient.name', 'b'],
    ['subject:Patient.birthdate', 'ap2000', 'subject:Patient.birthdate', 'ap2001'],
    ['_has:AuditEvent:entity:agent', 'a', '_has:Provenance:target:agent', 'a'],
    ['_filter', 'code eq a and (code eq b or code eq c)', '_filter', 'code eq a and code eq b or code eq c'],
  ])('of %s=%s is not that of %s=%s', (a, av, b, bv) => {
    expect(fingerprint(a, av)).not.toBe(fingerprint(b, bv))
  })

  test('is that of equal values in another order', () => {
    expect(fingerprint('subject:Patient.name', 'a,b')).toBe(fingerprint('subject:Patient.name', 'b,a'))
    expect(fingerprint('_list', 'a,b')).toBe(fingerprint('_list', 'b,a'))
  })

  test('is bound to the compartment', () => {
    const within = (id: string) => ({ within: { type: 'Patient', id } })
    expect(fingerprint('code', 'a', within('1'))).not.toBe(fingerprint('code', 'a', within('2')))
    expect(fingerprint('code', 'a', within('1'))).not.toBe(fingerprint('code', 'a'))
    expect(fingerprint('code', 'a', within('1'))).not.toBe(
      fingerprint('code', 'a', { within: { type: 'Practitioner', id: '1' } }),
    )
  })

  test('is bound to the place that places are sorted around', () => {
    const sorted = (value: string) => planOf('near', value, { types: ['Location'] }).plan
    expect(sorted('1|2|5|km').sort).toEqual([
      { by: 'distance', param: 'Location.near', latitude: 1, longitude: 2, descending: false },
    ])
    expect(sorted('1|2|5|km').fingerprint).not.toBe(sorted('1|2|6|km').fingerprint)
  })
})

test('an explicit order wins over that of distance', () => {
  const { plan } = planSearch(
    parseSearch([
      ['near', '1|2'],
      ['_sort', 'name'],
    ]),
    { registry, types: ['Location'], zone: 'UTC', baseUrl: 'http://example.org/fhir', now: 0 },
  )
  expect(plan.sort).toMatchObject([{ by: 'param', params: ['Location.name'] }])
})
