/** Slices: which values belong to which, how many there are, in what order. https://hl7.org/fhir/R4/profiling.html#slicing */
import { describe, expect, it } from 'vitest'
import { CORE, definition, extensionDefinition, profiled, sentences, URL } from './held.ts'

const slicing = (type: string, path: string, rules = 'open', ordered = false) => ({
  slicing: { discriminator: [{ type, path }], rules, ordered },
})
const system = (name: string) => ({ system: `http://${name}` })
/** Identifiers sliced by system into a (1..1) and b (0..1). */
const identifiers = (rules: string, ordered = false): [string, object][] => [
  ['Patient.identifier', slicing('value', 'system', rules, ordered)],
  ['Patient.identifier:a', { min: 1, max: '1' }],
  ['Patient.identifier:a.system', { min: 1, fixedUri: 'http://a' }],
  ['Patient.identifier:a.value', { min: 1 }],
  ['Patient.identifier:b', { min: 0, max: '1' }],
  ['Patient.identifier:b.system', { min: 1, fixedUri: 'http://b' }],
]
const a = { ...system('a'), value: '1' }
const b = system('b')
const z = system('z')

describe('slices by value', () => {
  const check = profiled('Patient', identifiers('open'))
  it('hold their values to what each slice says', async () => {
    expect(await check({ identifier: [z, b, a] })).toEqual([])
    expect(await check({ identifier: [b, system('a')] })).toEqual([
      'cardinality-min Patient.identifier[1].value',
    ])
  })
  it('have a least and a greatest number each', async () => {
    expect(await check({ identifier: [b] })).toEqual(['slice-min Patient.identifier'])
    expect(await check({})).toEqual(['slice-min Patient.identifier'])
    expect(await check({ identifier: [a, b, b] })).toEqual(['slice-max Patient.identifier[2]'])
  })
  it('name what is wanted', async () => {
    expect(await sentences('Patient', identifiers('open'))({ identifier: [b] })).toContain(
      'system = "http://a"',
    )
  })
})

describe('rules', () => {
  it('closed allow nothing beside the slices', async () => {
    const check = profiled('Patient', identifiers('closed'))
    expect(await check({ identifier: [b, a] })).toEqual([])
    expect(await check({ identifier: [a, z] })).toEqual(['slice-closed Patient.identifier[1]'])
  })
  it('openAtEnd allow others after the slices alone', async () => {
    const check = profiled('Patient', identifiers('openAtEnd'))
    expect(await check({ identifier: [b, a, z, z] })).toEqual([])
    expect(await check({ identifier: [z, a] })).toEqual(['slice-order Patient.identifier[0]'])
    expect(await check({ identifier: [a, z, b] })).toEqual(['slice-order Patient.identifier[1]'])
  })
  it('ordered want the slices in the order of the definition', async () => {
    const check = profiled('Patient', identifiers('open', true))
    expect(await check({ identifier: [z, a, z, b] })).toEqual([])
    expect(await check({ identifier: [b, a] })).toEqual(['slice-order Patient.identifier[1]'])
  })
})

describe('discriminators', () => {
  it('by pattern, on $this', async () => {
    const concept = (code: string) => ({ coding: [{ system: 'http://c', code }] })
    const check = profiled('Observation', [
      ['Observation.category', slicing('pattern', '$this')],
      ['Observation.category:lab', { min: 1, max: '1', patternCodeableConcept: concept('lab') }],
    ])
    const of = (category: object[]) => check({ status: 'final', code: { text: 'x' }, category })
    expect(await of([concept('x'), { text: 'Lab', ...concept('lab') }])).toEqual([])
    expect(await of([concept('x')])).toEqual(['slice-min Observation.category'])
    expect(await of([concept('lab'), concept('lab')])).toEqual(['slice-max Observation.category[1]'])
  })
  it('by value on a path of several steps, fixed in the parts of the slice', async () => {
    const check = profiled('Composition', [
      ['Composition.section', slicing('value', 'code.coding.code', 'closed')],
      ['Composition.section:one', { min: 1, max: '1' }],
      ['Composition.section:one.code', { min: 1 }],
      ['Composition.section:one.code.coding', { min: 1 }],
      ['Composition.section:one.code.coding.code', { min: 1, fixedCode: '1' }],
      ['Composition.section:one.title', { min: 1 }],
    ])
    const of = (code: string, title = 'x') =>
      check({
        status: 'final',
        type: { text: 'x' },
        date: '2020',
        title: 'x',
        author: [{ display: 'x' }],
        section: [
          {
            ...(title && { title }),
            code: { coding: [{ code }] },
            text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
          },
        ],
      })
    expect(await of('1')).toEqual([])
    expect(await of('1', '')).toEqual(['cardinality-min Composition.section[0].title'])
    expect(await of('2')).toEqual(['slice-closed Composition.section[0]', 'slice-min Composition.section'])
  })
  it('by exists', async () => {
    const check = profiled('Patient', [
      ['Patient.telecom', slicing('exists', 'period', 'closed')],
      ['Patient.telecom:dated', { max: '1' }],
      ['Patient.telecom:dated.period', { min: 1 }],
      ['Patient.telecom:plain', { max: '1' }],
      ['Patient.telecom:plain.period', { max: '0' }],
      ['Patient.telecom:plain.rank', { min: 1 }],
    ])
    const dated = { system: 'phone', value: '1', period: { start: '2020' } }
    const plain = { system: 'phone', value: '2', rank: 1 }
    expect(await check({ telecom: [plain, dated] })).toEqual([])
    expect(await check({ telecom: [dated, dated] })).toEqual(['slice-max Patient.telecom[1]'])
    expect(await check({ telecom: [{ system: 'phone', value: '2' }] })).toEqual([
      'cardinality-min Patient.telecom[0].rank',
    ])
  })
  it('by type, of a choice', async () => {
    const check = profiled('Observation', [
      ['Observation.value[x]', { ...slicing('type', '$this', 'closed') }],
      ['Observation.value[x]:valueQuantity', { max: '1', type: [{ code: 'Quantity' }] }],
      ['Observation.value[x]:valueQuantity.unit', { min: 1 }],
      ['Observation.value[x]:valueString', { max: '1', type: [{ code: 'string' }] }],
    ])
    const of = (value: object) => check({ status: 'final', code: { text: 'x' }, ...value })
    expect(await of({ valueString: 'x' })).toEqual([])
    expect(await of({ valueQuantity: { unit: 'kg' } })).toEqual([])
    expect(await of({ valueQuantity: { value: 1 } })).toEqual(['cardinality-min Observation.value.unit'])
    expect(await of({ valueBoolean: true })).toEqual(['slice-closed Observation.value'])
  })
  it('by type, of the resource in an entry and of what a reference points to', async () => {
    const bundle = profiled('Bundle', [
      ['Bundle.entry', slicing('type', 'resource')],
      ['Bundle.entry:patient', { min: 1, max: '1' }],
      ['Bundle.entry:patient.resource', { min: 1, type: [{ code: 'Patient' }] }],
    ])
    const uuid = (i: number) => `urn:uuid:${i}1111111-1111-4111-8111-111111111111`
    const of = (...types: object[]) =>
      bundle({ type: 'collection', entry: types.map((resource, i) => ({ fullUrl: uuid(i), resource })) })
    const patient = { resourceType: 'Patient' }
    expect(await of({ resourceType: 'Basic', code: { text: 'x' } }, patient)).toEqual([])
    expect(await of({ resourceType: 'Basic', code: { text: 'x' } })).toEqual(['slice-min Bundle.entry'])

    const target = (type: string) => [{ code: 'Reference', targetProfile: [`${CORE}/${type}`] }]
    const group = profiled('Encounter', [
      ['Encounter.participant', slicing('type', 'individual.resolve()', 'closed')],
      ['Encounter.participant:doctor', { min: 1, max: '1' }],
      ['Encounter.participant:doctor.individual', { min: 1, type: target('Practitioner') }],
    ])
    const encounter = (reference: string, contained: object[] = []) =>
      group({
        status: 'planned',
        class: { code: 'AMB', system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode' },
        contained,
        participant: [{ individual: { reference } }],
      })
    expect(await encounter('#d', [{ resourceType: 'Practitioner', id: 'd' }])).toEqual([])
    // What cannot be resolved is taken to be what its address says.
    expect(await encounter('Practitioner/1')).toEqual([])
    expect(await encounter('RelatedPerson/1')).toEqual([
      'slice-closed Encounter.participant[0]',
      'slice-min Encounter.participant',
    ])
  })
  it('by profile', async () => {
    const named = definition('named', 'HumanName', [['HumanName.family', { min: 1 }]])
    const check = profiled(
      'Patient',
      [
        ['Patient.name', slicing('profile', '$this')],
        ['Patient.name:full', { min: 1, max: '1', type: [{ code: 'HumanName', profile: [named.url] }] }],
      ],
      { definitions: [named] },
    )
    expect(await check({ name: [{ text: 'x' }, { family: 'Rao' }] })).toEqual([])
    expect(await check({ name: [{ text: 'x' }] })).toEqual(['slice-min Patient.name'])
    expect(await check({ name: [{ family: 'Rao' }, { family: 'Rao' }] })).toEqual([
      'slice-max Patient.name[1]',
    ])
  })
  it('by the url of extensions, and by the value of an extension', async () => {
    const colour = extensionDefinition('colour', [
      ['Extension.value[x]', { min: 1, type: [{ code: 'code' }] }],
    ])
    const check = profiled(
      'Patient',
      [
        ['Patient.extension', slicing('value', 'url')],
        [
          'Patient.extension:colour',
          { min: 1, max: '1', type: [{ code: 'Extension', profile: [colour.url] }] },
        ],
      ],
      { definitions: [colour] },
    )
    const extension = (value: string) => ({ url: colour.url, valueCode: value })
    expect(await check({ extension: [extension('red')] })).toEqual([])
    expect(await check({})).toEqual(['slice-min Patient.extension'])
    expect(await check({ extension: [extension('red'), extension('blue')] })).toEqual([
      'slice-max Patient.extension[1]',
    ])

    const byValue = profiled(
      'Patient',
      [
        ['Patient.contact', slicing('value', `extension('${colour.url}').value`, 'closed')],
        ['Patient.contact:red', { max: '1' }],
        ['Patient.contact:red.extension', slicing('value', 'url')],
        [
          'Patient.contact:red.extension:colour',
          { min: 1, type: [{ code: 'Extension', profile: [colour.url] }] },
        ],
        ['Patient.contact:red.extension:colour.value[x]', { min: 1, fixedCode: 'red' }],
      ],
      { definitions: [colour] },
    )
    const contact = (value: string) => ({ extension: [extension(value)], name: { text: 'x' } })
    expect(await byValue({ contact: [contact('red')] })).toEqual([])
    expect(await byValue({ contact: [contact('blue')] })).toEqual(['slice-closed Patient.contact[0]'])
  })
  it('by ofType()', async () => {
    const check = profiled('Observation', [
      ['Observation.component', slicing('value', 'value.ofType(Quantity).unit', 'closed')],
      ['Observation.component:kg', { max: '1' }],
      ['Observation.component:kg.value[x]', { min: 1, type: [{ code: 'Quantity' }] }],
      ['Observation.component:kg.value[x].unit', { min: 1, fixedString: 'kg' }],
    ])
    const of = (unit: string) =>
      check({
        status: 'final',
        code: { text: 'x' },
        component: [{ code: { text: 'y' }, valueQuantity: { unit } }],
      })
    expect(await of('kg')).toEqual([])
    expect(await of('g')).toEqual(['slice-closed Observation.component[0]'])
  })
  it('by a required value set, which terminology answers', async () => {
    const check = profiled(
      'Observation',
      [
        ['Observation.category', slicing('value', '$this', 'closed')],
        [
          'Observation.category:known',
          { max: '1', binding: { strength: 'required', valueSet: 'http://vs' } },
        ],
      ],
      { answer: ({ question }) => ({ result: question.codings[0]?.code === 'in' ? 'in' : 'out' }) },
    )
    const of = (code: string) =>
      check({ status: 'final', code: { text: 'x' }, category: [{ coding: [{ system: 'http://c', code }] }] })
    expect(await of('in')).toEqual([])
    expect(await of('out')).toEqual(['slice-closed Observation.category[0]'])
  })
  it('several together tell what each alone does not', async () => {
    const check = profiled('Patient', [
      [
        'Patient.telecom',
        {
          slicing: {
            discriminator: [
              { type: 'value', path: 'system' },
              { type: 'value', path: 'use' },
            ],
            rules: 'closed',
          },
        },
      ],
      ['Patient.telecom:homePhone', { max: '1' }],
      ['Patient.telecom:homePhone.system', { min: 1, fixedCode: 'phone' }],
      ['Patient.telecom:homePhone.use', { min: 1, fixedCode: 'home' }],
    ])
    expect(await check({ telecom: [{ system: 'phone', use: 'home', value: '1' }] })).toEqual([])
    expect(await check({ telecom: [{ system: 'phone', use: 'work', value: '1' }] })).toEqual([
      'slice-closed Patient.telecom[0]',
    ])
  })
})

describe('slices in slices', () => {
  it('a reslice holds for the values of its slice', async () => {
    const check = profiled('Patient', [
      ['Patient.identifier', slicing('value', 'system')],
      ['Patient.identifier:a', { ...slicing('value', 'use', 'closed'), max: '*' }],
      ['Patient.identifier:a.system', { min: 1, fixedUri: 'http://a' }],
      ['Patient.identifier:a/old', { sliceName: 'a/old', min: 1, max: '1' }],
      ['Patient.identifier:a/old.use', { min: 1, fixedCode: 'old' }],
      ['Patient.identifier:a/old.value', { min: 1 }],
    ])
    const old = { ...system('a'), use: 'old', value: '1' }
    expect(await check({ identifier: [old, { ...z, use: 'usual' }] })).toEqual([])
    expect(await check({ identifier: [{ ...system('a'), use: 'old' }] })).toEqual([
      'cardinality-min Patient.identifier[0].value',
    ])
    expect(await check({ identifier: [old, { ...system('a'), use: 'usual' }] })).toEqual([
      'slice-closed Patient.identifier[1]',
    ])
    expect(await check({ identifier: [z] })).toEqual(['slice-min Patient.identifier'])
  })
  it('an element of a slice may be sliced itself', async () => {
    const check = profiled('Observation', [
      ['Observation.component', slicing('value', 'code.text')],
      ['Observation.component:a', { max: '1' }],
      ['Observation.component:a.code', { min: 1 }],
      ['Observation.component:a.code.text', { min: 1, fixedString: 'a' }],
      ['Observation.component:a.interpretation', slicing('value', 'text', 'closed')],
      ['Observation.component:a.interpretation:high', { min: 1, max: '1' }],
      ['Observation.component:a.interpretation:high.text', { min: 1, fixedString: 'high' }],
    ])
    const of = (code: string, text: string) =>
      check({
        status: 'final',
        code: { text: 'x' },
        component: [{ code: { text: code }, interpretation: [{ text }] }],
      })
    expect(await of('a', 'high')).toEqual([])
    expect(await of('b', 'low')).toEqual([])
    expect(await of('a', 'low')).toEqual([
      'slice-closed Observation.component[0].interpretation[0]',
      'slice-min Observation.component[0].interpretation',
    ])
  })
})

it('a value that two slices claim is reported', async () => {
  const check = profiled('Patient', [
    ['Patient.name', slicing('exists', 'family')],
    ['Patient.name:a', { max: '1' }],
    ['Patient.name:a.family', { min: 1 }],
    ['Patient.name:b', { max: '1' }],
    ['Patient.name:b.family', { min: 1 }],
  ])
  expect(await check({ name: [{ family: 'Rao' }] })).toEqual(['slice-ambiguous Patient.name[0]'])
})

it('a value that misses a slice is told which was probably meant', async () => {
  const section = (name: string, code: string, display: string): [string, object][] => [
    [`Composition.section:${name}`, { max: '1' }],
    [`Composition.section:${name}.code.coding.system`, { min: 1, fixedUri: 'http://snomed.info/sct' }],
    [`Composition.section:${name}.code.coding.code`, { min: 1, fixedCode: code }],
    [`Composition.section:${name}.code.coding.display`, { min: 1, fixedString: display }],
  ]
  const say = sentences('Composition', [
    ['Composition.section', slicing('value', 'code.coding.code', 'closed')],
    ...section('ChiefComplaints', '422843007', 'Chief complaint section'),
    ...section('Allergies', '722446000', 'Allergy record'),
  ])
  const said = await say({
    status: 'final',
    type: { text: 'x' },
    date: '2020',
    title: 'x',
    author: [{ display: 'x' }],
    section: [
      {
        title: 'Allergies',
        code: { coding: [{ system: 'http://snomed.info/sct', code: '1', display: 'x' }] },
        entry: [{ display: 'x' }],
      },
    ],
  })
  expect(said).toContain('Allergies seems to be meant')
  expect(said).toContain('code.coding.system = "http://snomed.info/sct"')
  expect(said).toContain('code.coding.code = "722446000"')
  expect(said).toContain('code.coding.display = "Allergy record"')
})

describe('a slice of coded values by parts of their codings', () => {
  const check = profiled('Observation', [
    ['Observation.category', slicing('value', '$this')],
    ['Observation.category:lab', { min: 1 }],
    ['Observation.category:lab.coding.system', { min: 1, fixedUri: 'http://s' }],
    ['Observation.category:lab.coding.code', { min: 1, fixedCode: 'lab' }],
  ])
  const of = (...coding: object[]) => check({ status: 'final', code: { text: 'x' }, category: [{ coding }] })
  it('has a coding that meets all of them', async () => {
    expect(await of({ system: 'http://s', code: 'lab' })).toEqual([])
    expect(await of({ system: 'http://s', code: 'x' }, { system: 'http://t', code: 'lab' })).toEqual([
      'slice-min Observation.category',
    ])
  })
})

it('references are sliced by the type that a profile of the target is of', async () => {
  const check = profiled(
    'DocumentReference',
    [
      ['DocumentReference.author', slicing('type', 'resolve()')],
      [
        'DocumentReference.author:p',
        { min: 1, type: [{ code: 'Reference', targetProfile: [`${URL}/some-name`] }] },
      ],
    ],
    { definitions: [definition('some-name', 'Patient', [['Patient.name', { max: '3' }]])] },
  )
  const of = (reference: string, more: object = {}) =>
    check({
      status: 'current',
      content: [{ attachment: { url: 'http://x' } }],
      author: [{ reference }],
      ...more,
    })
  expect(await of('Patient/1')).toEqual([])
  expect(await of('#p', { contained: [{ resourceType: 'Patient', id: 'p' }] })).toEqual([])
  expect(await of('Practitioner/1')).toEqual(['slice-min DocumentReference.author'])
})

it('the default slice holds what belongs to no other', async () => {
  const check = profiled('Patient', [
    ...identifiers('closed'),
    ['Patient.identifier:@default', { max: '1' }],
    ['Patient.identifier:@default.use', { min: 1 }],
  ])
  expect(await check({ identifier: [a, { ...z, use: 'old' }] })).toEqual([])
  expect(await check({ identifier: [a, z] })).toEqual(['cardinality-min Patient.identifier[1].use'])
  expect(await check({ identifier: [a, { use: 'old' }, { use: 'old' }] })).toEqual([
    'slice-max Patient.identifier[2]',
  ])
})

it('of ordered slices one that comes too late is told of once', async () => {
  const check = profiled('Patient', [
    ['Patient.identifier', slicing('value', 'system', 'open', true)],
    ['Patient.identifier:a', {}],
    ['Patient.identifier:a.system', { min: 1, fixedUri: 'http://a' }],
    ['Patient.identifier:b', {}],
    ['Patient.identifier:b.system', { min: 1, fixedUri: 'http://b' }],
  ])
  expect(await check({ identifier: [b, a, a] })).toEqual(['slice-order Patient.identifier[1]'])
})

it('the extensions of a primitive are held to what a profile says of them', async () => {
  const birthTime = `${CORE}/patient-birthTime`
  const check = profiled('Patient', [
    ['Patient.birthDate.extension', { min: 1, ...slicing('value', 'url') }],
    ['Patient.birthDate.extension:time', { min: 1, type: [{ code: 'Extension', profile: [birthTime] }] }],
  ])
  const _birthDate = { extension: [{ url: birthTime, valueDateTime: '2000-01-01T10:00:00Z' }] }
  expect(await check({ birthDate: '2000-01-01', _birthDate })).toEqual([])
  expect(await check({ birthDate: '2000-01-01' })).toEqual([
    'cardinality-min Patient.birthDate.extension',
    'slice-min Patient.birthDate.extension',
  ])
  expect(await check({})).toEqual([])
})
