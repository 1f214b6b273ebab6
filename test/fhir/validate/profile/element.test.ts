/** What a profile says of one element. https://hl7.org/fhir/R4/elementdefinition.html */
import { describe, expect, it } from 'vitest'
import { broken, CORE, definition, profiled, sentences, URL } from './held.ts'

describe('cardinality', () => {
  const check = profiled('Patient', [
    ['Patient.identifier', { min: 1, max: '2' }],
    ['Patient.photo', { max: '0' }],
    ['Patient.name.family', { min: 1 }],
    ['Patient.birthDate', { min: 1 }],
  ])
  const sound = { identifier: [{ value: '1' }], birthDate: '1990' }

  it('holds for what has as many values as it should', async () => {
    expect(await check(sound)).toEqual([])
    expect(await check({ ...sound, name: [{ family: 'Rao' }] })).toEqual([])
  })
  it('is broken by a value that is missing, at the place where it belongs', async () => {
    expect(await check({ birthDate: '1990' })).toEqual(['cardinality-min Patient.identifier'])
    expect(await check({ ...sound, name: [{ family: 'Rao' }, { text: 'x' }] })).toEqual([
      'cardinality-min Patient.name[1].family',
    ])
  })
  it('asks nothing of the parts of what is absent', async () => {
    expect(await check({ ...sound, name: undefined })).toEqual([])
  })
  it('is broken by the first value that is too many, and by one that is not allowed', async () => {
    const identifier = [{ value: '1' }, { value: '2' }, { value: '3' }]
    expect(await check({ ...sound, identifier })).toEqual(['cardinality-max Patient.identifier[2]'])
    expect(await check({ ...sound, photo: [{ url: 'http://x.org' }] })).toEqual([
      'cardinality-max Patient.photo[0]',
    ])
  })
  it('counts a primitive that only has extensions', async () => {
    const _birthDate = { extension: [{ url: `${CORE}/data-absent-reason`, valueCode: 'unknown' }] }
    expect(await check({ identifier: [{ value: '1' }], _birthDate })).toEqual([])
  })
})

describe('fixed values', () => {
  const quantity = { value: 1, unit: 'x' }
  const check = profiled('Observation', [
    ['Observation.status', { fixedCode: 'final' }],
    [
      'Observation.valueQuantity'.replace('Quantity', '[x]'),
      { fixedQuantity: quantity, type: [{ code: 'Quantity' }] },
    ],
  ])
  const of = (more: object) => check({ status: 'final', code: { text: 'x' }, ...more })

  it('are equal in every part', async () => {
    expect(await of({ valueQuantity: quantity })).toEqual([])
    expect(await of({})).toEqual([])
    expect(await of({ valueQuantity: { unit: 'x', value: 1 } })).toEqual([])
  })
  it('are broken by another, an additional and a missing part', async () => {
    expect(await of({ status: 'amended' })).toEqual(['fixed Observation.status'])
    expect(await of({ valueQuantity: { value: 2, unit: 'x' } })).toEqual(['fixed Observation.value.value'])
    expect(await of({ valueQuantity: { ...quantity, code: 'x', system: 'http://x' } })).toEqual([
      'fixed Observation.value.code',
    ])
    expect(await of({ valueQuantity: { value: 1 } })).toEqual(['fixed Observation.value.unit'])
  })
  it('are named by the sentence', async () => {
    const say = sentences('Observation', [['Observation.status', { fixedCode: 'final' }]])
    expect(await say({ status: 'amended', code: { text: 'x' } })).toContain(
      'must be "final", and not "amended"',
    )
  })
})

describe('patterns', () => {
  const pattern = { coding: [{ system: 'http://s', code: 'a' }] }
  const check = profiled('Condition', [['Condition.code', { patternCodeableConcept: pattern }]])
  const of = (code: object) => check({ subject: { reference: 'Patient/1' }, code })

  it('are met by what holds at least that', async () => {
    expect(await of(pattern)).toEqual([])
    expect(
      await of({
        text: 'x',
        coding: [
          { system: 'http://t', code: 'b' },
          { system: 'http://s', code: 'a', display: 'A' },
        ],
      }),
    ).toEqual([])
  })
  it('are broken by what lacks a part', async () => {
    expect(await of({ coding: [{ system: 'http://s', code: 'b' }] })).toEqual([
      'pattern Condition.code.coding[0].code',
    ])
    // One coding has the system, another the code.
    expect(
      await of({
        coding: [
          { system: 'http://s', code: 'b' },
          { system: 'http://t', code: 'a' },
        ],
      }),
    ).toEqual(['pattern Condition.code.coding'])
    expect(await of({ text: 'x' })).toEqual(['pattern Condition.code.coding'])
  })
})

describe('bounds', () => {
  const check = profiled('Observation', [
    ['Observation.value[x]', { type: [{ code: 'integer' }], minValueInteger: 1, maxValueInteger: 10 }],
    ['Observation.issued', { minValueInstant: '2020-01-01T00:00:00Z' }],
  ])
  const of = (more: object) => check({ status: 'final', code: { text: 'x' }, ...more })

  it('include themselves', async () => {
    expect(await of({ valueInteger: 1 })).toEqual([])
    expect(await of({ valueInteger: 10 })).toEqual([])
    expect(await of({ issued: '2020-01-01T05:30:00+05:30' })).toEqual([])
  })
  it('are broken by what is below or above', async () => {
    expect(await of({ valueInteger: 0 })).toEqual(['min-value Observation.value'])
    expect(await of({ valueInteger: 11 })).toEqual(['max-value Observation.value'])
    expect(await of({ issued: '2020-01-01T05:29:59+05:30' })).toEqual(['min-value Observation.issued'])
  })
})

it('a longer text than maxLength is refused; characters are counted, not UTF-16 units', async () => {
  const check = profiled('Patient', [['Patient.name.text', { maxLength: 3 }]])
  expect(await check({ name: [{ text: 'abc' }] })).toEqual([])
  expect(await check({ name: [{ text: '🙂🙂🙂' }] })).toEqual([])
  expect(await check({ name: [{ text: 'abcd' }] })).toEqual(['max-length Patient.name[0].text'])
})

describe('types', () => {
  const check = profiled('Observation', [
    ['Observation.value[x]', { type: [{ code: 'Quantity' }, { code: 'string' }] }],
  ])
  const of = (more: object) => check({ status: 'final', code: { text: 'x' }, ...more })

  it('that are left to an element are allowed', async () => {
    expect(await of({ valueQuantity: { value: 1 } })).toEqual([])
    expect(await of({ valueString: 'x' })).toEqual([])
  })
  it('that are not are refused', async () => {
    expect(await of({ valueBoolean: true })).toEqual(['type Observation.value'])
  })
  it('may have a profile, to which the value conforms', async () => {
    const named = definition('named', 'HumanName', [['HumanName.family', { min: 1 }]])
    const by = profiled(
      'Patient',
      [['Patient.name', { type: [{ code: 'HumanName', profile: [named.url] }] }]],
      {
        definitions: [named],
      },
    )
    expect(await by({ name: [{ family: 'Rao' }] })).toEqual([])
    expect(await by({ name: [{ family: 'Rao' }, { text: 'x' }] })).toEqual([
      'cardinality-min Patient.name[1].family',
    ])
  })
  it('may have several profiles, one of which is enough', async () => {
    const family = definition('family', 'HumanName', [['HumanName.family', { min: 1 }]])
    const text = definition('text', 'HumanName', [['HumanName.text', { min: 1 }]])
    const type = [{ code: 'HumanName', profile: [family.url, text.url] }]
    const by = profiled('Patient', [['Patient.name', { type }]], { definitions: [family, text] })
    expect(await by({ name: [{ family: 'Rao' }, { text: 'x' }] })).toEqual([])
    expect(await by({ name: [{ given: ['Asha'] }] })).toEqual(['type-profile Patient.name[0]'])
  })
  it('of resources in other resources are held against the element', async () => {
    const by = profiled('Bundle', [['Bundle.entry.resource', { type: [{ code: 'Patient' }] }]])
    const entry = (resource: object) => ({
      type: 'collection',
      entry: [{ fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111', resource }],
    })
    expect(await by(entry({ resourceType: 'Patient' }))).toEqual([])
    expect(await by(entry({ resourceType: 'Group', type: 'person', actual: true }))).toEqual([
      'type Bundle.entry[0].resource',
    ])
  })
})

describe('a content reference', () => {
  // HAPI's validator agrees: it is R4's own Questionnaire.item that the items within items refer to.
  it('leads to the element of R4: what a profile says of items is not said of the items in them', async () => {
    const check = profiled('Questionnaire', [['Questionnaire.item.text', { min: 1 }]])
    const inner = [{ linkId: 'b', type: 'string' }]
    expect(
      await check({ status: 'active', item: [{ linkId: 'a', type: 'group', text: 'A', item: inner }] }),
    ).toEqual([])
    expect(await check({ status: 'active', item: inner })).toEqual([
      'cardinality-min Questionnaire.item[0].text',
    ])
  })
  it('is followed for what R4 itself says, at any depth', async () => {
    const display = { linkId: 'd', type: 'display', required: true }
    const item = [{ linkId: 'a', type: 'group', item: [{ linkId: 'b', type: 'group', item: [display] }] }]
    expect(await broken({ resourceType: 'Questionnaire', status: 'active', item })).toEqual([
      'que-6 Questionnaire.item[0].item[0].item[0]',
    ])
  })
})

describe('invariants', () => {
  const constraint = (expression: string, severity = 'error') => [
    { key: 'x-1', severity, human: 'The family is there', expression },
  ]
  it('hold or are broken by their key, with what they say to people', async () => {
    const rules = [['Patient.name', { constraint: constraint('family.exists()') }]] as [string, object][]
    const check = profiled('Patient', rules)
    expect(await check({ name: [{ family: 'Rao' }] })).toEqual([])
    expect(await check({ name: [{ family: 'Rao' }, { text: 'x' }] })).toEqual(['x-1 Patient.name[1]'])
    expect(await sentences('Patient', rules)({ name: [{ text: 'x' }] })).toContain(
      'The family is there. (x-1)',
    )
  })
  it('see the resource, and what references in it point to', async () => {
    const check = profiled('Patient', [
      [
        'Patient.contact',
        { constraint: constraint('%resource.active and organization.resolve().name.exists()') },
      ],
    ])
    const of = (name: string | undefined, active = true) => ({
      active,
      contact: [{ organization: { reference: '#o' } }],
      contained: [{ resourceType: 'Organization', id: 'o', name, identifier: [{ value: '1' }] }],
    })
    expect(await check(of('Clinic'))).toEqual([])
    expect(await check(of(undefined))).toEqual(['x-1 Patient.contact[0]'])
    expect(await check(of('Clinic', false))).toEqual(['x-1 Patient.contact[0]'])
  })
  it('that are malformed are said to be, and stop nothing', async () => {
    const rules = [['Patient', { constraint: constraint('name.exists(') }]] as [string, object][]
    expect(await profiled('Patient', rules)({})).toEqual([])
    expect(await sentences('Patient', rules)({})).toContain('cannot be told')
  })
})

it('a profile for another type is refused', async () => {
  const group = definition('g', 'Group', [['Group.name', { min: 1 }]])
  const check = profiled('Patient', [['Patient', {}]], { definitions: [group] })
  expect(await check({ meta: { profile: [group.url] } })).toEqual(['profile Patient'])
})

it('a profile that is not known is an error when it is asked for, and a warning when the resource claims it', async () => {
  const resource = { resourceType: 'Patient', meta: { profile: [`${URL}/none`] } }
  expect(await broken(resource, {}, true)).toEqual(['warning profile-unknown Patient.meta.profile[0]'])
  expect(await broken({ resourceType: 'Patient' }, { asked: [`${URL}/none`] }, true)).toEqual([
    'error profile-unknown Patient',
  ])
})

it('dates are compared as far as both go', async () => {
  const check = profiled('Patient', [['Patient.birthDate', { minValueDate: '1900-03-01' }]])
  expect(await check({ birthDate: '1899' })).toEqual(['min-value Patient.birthDate'])
  expect(await check({ birthDate: '1900-02' })).toEqual(['min-value Patient.birthDate'])
  // It may be before or after.
  expect(await check({ birthDate: '1900' })).toEqual([])
  expect(await check({ birthDate: '1901' })).toEqual([])
})

it('quantities are compared in whatever unit they are, numbers in all their digits', async () => {
  const ucum = (value: number, code: string) => ({ value, code, system: 'http://unitsofmeasure.org' })
  const check = profiled('Observation', [
    ['Observation.value[x]', { type: [{ code: 'Quantity' }], maxValueQuantity: ucum(10, 'g') }],
    ['Observation.component.value[x]', { type: [{ code: 'time' }], minValueTime: '10:00:00.0' }],
  ])
  const of = (more: object) => check({ status: 'final', code: { text: 'x' }, ...more })
  expect(await of({ valueQuantity: ucum(10000, 'mg') })).toEqual([])
  expect(await of({ valueQuantity: ucum(10001, 'mg') })).toEqual(['max-value Observation.value'])
  expect(await of({ valueQuantity: ucum(100, 'mL') })).toEqual([])
  expect(await of({ component: [{ code: { text: 'x' }, valueTime: '10:00:00' }] })).toEqual([])
})

it("an invariant with the key of one of R4's is its own", async () => {
  const constraint = { key: 'pat-1', severity: 'error', human: 'x', expression: 'gender.exists()' }
  const contact = profiled('Patient', [['Patient.contact', { constraint: [constraint] }]])
  const named = { name: { text: 'x' } }
  expect(await contact({ contact: [{ ...named, gender: 'female' }] })).toEqual([])
  expect(await contact({ contact: [named] })).toEqual(['pat-1 Patient.contact[0]'])
  const whole = profiled('Patient', [['Patient', { constraint: [{ ...constraint, key: 'bdl-7' }] }]])
  expect(await whole({})).toEqual(['bdl-7 Patient'])
  // What a snapshot repeats of R4 in other words is checked as R4 has it.
  const source = `${CORE}/Patient`
  const again = profiled('Patient', [['Patient.contact', { constraint: [{ ...constraint, source }] }]])
  expect(await again({ contact: [named] })).toEqual([])
})

it('an invariant knows the value that it is asked of as %context', async () => {
  const of = (expression: string) => [{ key: 'x-1', severity: 'error', human: 'x', expression }]
  const check = profiled('Patient', [
    ['Patient.name', { constraint: of('given.all($this.length() <= %context.family.length())') }],
    ['Patient.contact.telecom.value', { constraint: of("%context.startsWith('+')") }],
  ])
  const telecom = [{ system: 'phone', value: '+91' }]
  const name = [{ family: 'Rao', given: ['Uma'] }]
  expect(await check({ name, contact: [{ telecom }] })).toEqual([])
  expect(await check({ name: [...name, { family: 'Ra', given: ['Uma'] }] })).toEqual(['x-1 Patient.name[1]'])
  expect(await check({ contact: [{ telecom: [...telecom, { system: 'phone', value: '91' }] }] })).toEqual([
    'x-1 Patient.contact[0].telecom[1].value',
  ])
})
