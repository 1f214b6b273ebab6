/** https://hl7.org/fhir/R4/profiling.html#snapshot, https://hl7.org/fhir/R4/profiling.html#slicing */
import { describe, expect, test } from 'vitest'
import type { Structure } from '../../../src/fhir/definitions/structure.ts'
import { refusal, shape } from '../../interactions/context.ts'
import { CORE, element, ids, OWN, type Row, snapshot, structure } from './definitions-of.ts'

const typesOf = (types: readonly { code: string }[] | undefined) => types?.map(({ code }) => code)

describe('cardinality, types and bindings', () => {
  test('are narrowed; what a differential would loosen stays as the base has it', async () => {
    const base = structure('base', 'Patient', [
      { path: 'Patient.name', min: 1, max: '3' },
      { path: 'Patient.maritalStatus', binding: { strength: 'required', valueSet: 'http://x/vs' } },
    ])
    const derived = structure(
      'derived',
      'Patient',
      [
        { path: 'Patient.name', min: 0, max: '2' },
        { path: 'Patient.maritalStatus', binding: { strength: 'example', valueSet: 'http://x/other' } },
        { path: 'Patient.gender', binding: { strength: 'required', valueSet: 'http://x/gender' } },
      ],
      { baseDefinition: base.url },
    )
    const made = await snapshot(derived, base)
    expect(element(made, 'Patient.name')).toMatchObject({ min: 1, max: 2 })
    expect(element(made, 'Patient.maritalStatus').binding).toEqual({
      strength: 'required',
      valueSet: 'http://x/vs',
    })
    expect(element(made, 'Patient.gender').binding).toEqual({
      strength: 'required',
      valueSet: 'http://x/gender',
    })
    expect(element(made, 'Patient.birthDate')).toMatchObject({ min: 0, max: 1, types: [{ code: 'date' }] })
  })

  test('a type without targets or profiles leaves those of the base in force', async () => {
    const made = await snapshot(
      structure('p', 'Observation', [
        { path: 'Observation.subject', type: [{ code: 'Reference' }] },
        { path: 'Observation.referenceRange.low', type: [{ code: 'Quantity' }] },
      ]),
    )
    expect(element(made, 'Observation.subject').types?.[0]?.targets).toEqual(
      ['Patient', 'Group', 'Device', 'Location'].map(name => `${CORE}/${name}`),
    )
    expect(element(made, 'Observation.referenceRange.low').types?.[0]?.profiles).toEqual([
      `${CORE}/SimpleQuantity`,
    ])
  })

  test('constraints accumulate over the derivation', async () => {
    const constraint = (key: string) => [{ key, severity: 'error', human: key, expression: 'true' }]
    const base = structure('base', 'Patient', [{ path: 'Patient', constraint: constraint('x-1') }])
    const derived = structure('derived', 'Patient', [{ path: 'Patient', constraint: constraint('x-2') }], {
      baseDefinition: base.url,
    })
    const keys = element(await snapshot(derived, base), 'Patient').constraints?.map(({ key }) => key)
    expect(keys?.toSorted()).toEqual(['dom-2', 'dom-3', 'dom-4', 'dom-5', 'dom-6', 'x-1', 'x-2'])
  })
})

describe('walking', () => {
  test('into a data type, and a data type within it', async () => {
    const made = await snapshot(
      structure('p', 'Patient', [{ path: 'Patient.identifier.type.coding.code', min: 1 }]),
    )
    expect(ids(made, 'Patient.identifier')).toEqual([
      'Patient.identifier',
      ...['id', 'extension', 'use', 'type'].map(name => `Patient.identifier.${name}`),
      ...['id', 'extension', 'coding'].map(name => `Patient.identifier.type.${name}`),
      ...['id', 'extension', 'system', 'version', 'code', 'display', 'userSelected'].map(
        name => `Patient.identifier.type.coding.${name}`,
      ),
      'Patient.identifier.type.text',
      ...['system', 'value', 'period', 'assigner'].map(name => `Patient.identifier.${name}`),
    ])
    expect(element(made, 'Patient.identifier.type.coding.code')).toMatchObject({ min: 1, max: 1 })
  })

  test('into the content of another element, which is then no reference any more', async () => {
    const made = await snapshot(
      structure('p', 'Questionnaire', [{ path: 'Questionnaire.item.item.text', min: 1 }]),
    )
    const item = element(made, 'Questionnaire.item.item')
    expect([item.contentReference, typesOf(item.types)]).toEqual([undefined, ['BackboneElement']])
    expect(element(made, 'Questionnaire.item.item.text').min).toBe(1)
    expect(element(made, 'Questionnaire.item.text').min).toBe(0)
    expect(element(made, 'Questionnaire.item.item.item').contentReference).toBe('#Questionnaire.item')
  })

  test('into a resource of a Bundle entry, whose own references to content stay its own', async () => {
    const made = await snapshot(
      structure('p', 'Bundle', [
        { path: 'Bundle.entry.resource', type: [{ code: 'Questionnaire' }] },
        { path: 'Bundle.entry.resource.item.item.linkId', maxLength: 9 },
      ]),
    )
    expect(element(made, 'Bundle.entry.resource.status')).toMatchObject({ min: 1, max: 1 })
    expect(element(made, 'Bundle.entry.resource.item.item.linkId').maxLength).toBe(9)
  })

  test('into a type with a profile: what the profile says holds as well', async () => {
    const abha = structure(
      'abha',
      'Identifier',
      [
        { path: 'Identifier.system', min: 1, fixedUri: 'https://healthid.abdm.gov.in' },
        {
          path: 'Identifier',
          constraint: [{ key: 'abha-1', severity: 'error', human: 'x', expression: 'value.exists()' }],
        },
      ],
      { kind: 'complex-type' },
    )
    const typed = { path: 'Patient.identifier', type: [{ code: 'Identifier', profile: [abha.url] }] }
    const made = await snapshot(
      structure('p', 'Patient', [typed, { path: 'Patient.identifier.value', min: 1 }]),
      abha,
    )
    expect(element(made, 'Patient.identifier.system')).toMatchObject({
      min: 1,
      fixed: { type: 'uri', value: 'https://healthid.abdm.gov.in' },
    })
    expect(element(made, 'Patient.identifier.value').min).toBe(1)
    expect(element(made, 'Patient.identifier').constraints?.map(({ key }) => key)).toContain('abha-1')
    const late = structure('late', 'Patient', [typed, { path: 'Patient.identifier.use', min: 1 }], {
      baseDefinition: `${OWN}/early`,
    })
    const early = structure('early', 'Patient', [{ path: 'Patient.identifier.value', min: 1 }])
    const both = await snapshot(late, early, abha)
    expect(['system', 'value', 'use'].map(name => element(both, `Patient.identifier.${name}`).min)).toEqual([
      1, 1, 1,
    ])
  })

  test('into one of several types of resources finds what every resource has', async () => {
    const made = await snapshot(
      structure('p', 'Bundle', [
        { path: 'Bundle.entry.resource', type: [{ code: 'Patient' }, { code: 'Binary' }] },
        { path: 'Bundle.entry.resource.meta', min: 1 },
      ]),
    )
    expect(ids(made, 'Bundle.entry.resource.')).toEqual(
      ['id', 'meta', 'implicitRules', 'language'].map(name => `Bundle.entry.resource.${name}`),
    )
  })

  test('into an element of several types finds what every element has', async () => {
    const made = await snapshot(
      structure('p', 'Observation', [{ path: 'Observation.value[x].extension', max: '0' }]),
    )
    expect(ids(made, 'Observation.value[x].')).toEqual([
      'Observation.value[x].id',
      'Observation.value[x].extension',
    ])
  })
})

describe('choices', () => {
  const quantity: Row[] = [
    { path: 'Observation.valueQuantity' },
    { path: 'Observation.valueQuantity.code', min: 1 },
  ]

  test('valueQuantity is the only type there may be, and a slice of value[x]', async () => {
    const made = await snapshot(structure('p', 'Observation', quantity))
    expect(ids(made, 'Observation.value').slice(0, 2)).toEqual([
      'Observation.value[x]',
      'Observation.value[x]:valueQuantity',
    ])
    const choice = element(made, 'Observation.value[x]')
    expect(typesOf(choice.types)).toEqual(['Quantity'])
    expect(choice.slicing).toEqual({
      discriminators: [{ type: 'type', path: '$this' }],
      ordered: false,
      rules: 'closed',
    })
    const slice = element(made, 'Observation.value[x]:valueQuantity')
    expect([slice.path, slice.sliceName, typesOf(slice.types), slice.min, slice.max]).toEqual([
      'Observation.value[x]',
      'valueQuantity',
      ['Quantity'],
      0,
      1,
    ])
    expect(element(made, 'Observation.value[x]:valueQuantity.code')).toMatchObject({
      path: 'Observation.value[x].code',
      min: 1,
    })
  })

  test('two shorthands allow two types', async () => {
    const made = await snapshot(
      structure('p', 'Observation', [...quantity, { path: 'Observation.valueString', maxLength: 20 }]),
    )
    expect(typesOf(element(made, 'Observation.value[x]').types)).toEqual(['Quantity', 'string'])
    expect(element(made, 'Observation.value[x]:valueString')).toMatchObject({
      maxLength: 20,
      types: [{ code: 'string' }],
    })
  })

  test('a slice by its type leaves the other types as they were', async () => {
    const made = await snapshot(
      structure('p', 'Observation', [
        {
          id: 'Observation.value[x]:valueQuantity',
          path: 'Observation.value[x]',
          sliceName: 'valueQuantity',
        },
        { id: 'Observation.value[x]:valueQuantity.unit', path: 'Observation.value[x].unit', min: 1 },
      ]),
    )
    expect(element(made, 'Observation.value[x]').types).toHaveLength(11)
    expect(element(made, 'Observation.value[x]').slicing?.rules).toBe('open')
    expect(typesOf(element(made, 'Observation.value[x]:valueQuantity').types)).toEqual(['Quantity'])
    expect(element(made, 'Observation.value[x]:valueQuantity.unit').min).toBe(1)
  })

  test('a derived profile goes on with the slice of its base, by either name', async () => {
    const base = structure('base', 'Observation', quantity)
    for (const path of ['Observation.valueQuantity', 'Observation.value[x]']) {
      const id = 'Observation.value[x]:valueQuantity'
      const derived = structure(
        'derived',
        'Observation',
        [
          { id, path, sliceName: 'valueQuantity', min: 1 },
          { id: `${id}.system`, path: `${path}.system`, min: 1 },
        ],
        { baseDefinition: base.url },
      )
      const made = await snapshot(derived, base)
      expect(element(made, id).min).toBe(1)
      expect(['code', 'system', 'unit'].map(name => element(made, `${id}.${name}`).min)).toEqual([1, 1, 0])
      expect(ids(made, id).filter(one => one === id)).toHaveLength(1)
    }
  })
})

describe('slices', () => {
  const slicing = { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' }
  const base = structure('base', 'Patient', [
    { path: 'Patient.identifier', slicing, min: 1 },
    { path: 'Patient.identifier.value', min: 1 },
    { path: 'Patient.identifier', sliceName: 'abha', max: '1' },
    { path: 'Patient.identifier.system', fixedUri: 'https://healthid.abdm.gov.in' },
    { path: 'Patient.identifier', sliceName: 'mrn' },
  ])

  test('have what is said of the element and what is said of them, and may be absent', async () => {
    const made = await snapshot(base)
    expect(ids(made, 'Patient.identifier').filter(id => /identifier(:\w+)?$/.test(id))).toEqual([
      'Patient.identifier',
      'Patient.identifier:abha',
      'Patient.identifier:mrn',
    ])
    expect(element(made, 'Patient.identifier')).toMatchObject({ min: 1, max: Number.POSITIVE_INFINITY })
    expect(element(made, 'Patient.identifier:abha')).toMatchObject({ min: 0, max: 1, sliceName: 'abha' })
    expect(element(made, 'Patient.identifier:abha').slicing).toBeUndefined()
    expect(element(made, 'Patient.identifier:abha.value').min).toBe(1)
    expect(element(made, 'Patient.identifier:abha.system').fixed?.value).toBe('https://healthid.abdm.gov.in')
    expect(element(made, 'Patient.identifier.system').fixed).toBeUndefined()
    expect(element(made, 'Patient.identifier:mrn.value').min).toBe(1)
  })

  test('of a base are narrowed, joined by others, and sliced again', async () => {
    const derived = structure(
      'derived',
      'Patient',
      [
        { path: 'Patient.identifier', slicing: { ...slicing, rules: 'closed' } },
        {
          path: 'Patient.identifier',
          sliceName: 'abha',
          min: 1,
          slicing: { discriminator: [{ type: 'value', path: 'use' }], rules: 'open' },
        },
        { path: 'Patient.identifier', sliceName: 'pan' },
        { path: 'Patient.identifier', sliceName: 'abha/old' },
        { path: 'Patient.identifier.use', min: 1, fixedCode: 'old' },
      ],
      { baseDefinition: base.url },
    )
    const made = await snapshot(derived, base)
    expect(made.elements.filter(({ path }) => path === 'Patient.identifier').map(({ id }) => id)).toEqual([
      'Patient.identifier',
      'Patient.identifier:abha',
      'Patient.identifier:abha/old',
      'Patient.identifier:mrn',
      'Patient.identifier:pan',
    ])
    expect(element(made, 'Patient.identifier').slicing?.rules).toBe('closed')
    expect(element(made, 'Patient.identifier:abha')).toMatchObject({ min: 1, max: 1 })
    expect(element(made, 'Patient.identifier:abha/old')).toMatchObject({
      min: 0,
      max: 1,
      sliceName: 'abha/old',
    })
    expect(element(made, 'Patient.identifier:abha/old.system').fixed?.value).toBe(
      'https://healthid.abdm.gov.in',
    )
    expect(element(made, 'Patient.identifier:abha/old.use')).toMatchObject({
      min: 1,
      fixed: { type: 'code', value: 'old' },
    })
    expect(element(made, 'Patient.identifier:abha.use').min).toBe(0)
  })

  test('of extensions are told apart by url without saying so, and stand as often as their definition says', async () => {
    const once = structure('once', 'Extension', [{ path: 'Extension', max: '1' }], { kind: 'complex-type' })
    const row = (name: string, more = {}) => ({
      path: 'Patient.extension',
      sliceName: name,
      type: [{ code: 'Extension', profile: [once.url] }],
      ...more,
    })
    const made = await snapshot(structure('p', 'Patient', [row('a'), row('b', { max: '5' })]), once)
    expect(element(made, 'Patient.extension').slicing).toEqual({
      discriminators: [{ type: 'value', path: 'url' }],
      ordered: false,
      rules: 'open',
    })
    expect(['a', 'b'].map(name => element(made, `Patient.extension:${name}`).max)).toEqual([1, 5])
  })

  test('of an extension that nobody knows are there all the same; going into one says which is missing', async () => {
    const type = [{ code: 'Extension', profile: [`${OWN}/absent`] }]
    const row = { path: 'Patient.extension', sliceName: 'a', type }
    expect(element(await snapshot(structure('p', 'Patient', [row])), 'Patient.extension:a').max).toBe(
      Number.POSITIVE_INFINITY,
    )
    const into = structure('p', 'Patient', [row, { path: 'Patient.extension.value[x]', min: 1 }])
    const error = await refusal(snapshot(into))
    expect(shape(error)).toEqual([422, 'not-found', [undefined]])
    expect(error.message).toContain(`${OWN}/absent`)
  })
})

describe('what cannot be is refused with 422', () => {
  const refused = async (...structures: Structure[]) => {
    const error = await refusal(snapshot(...structures))
    expect(error.status).toBe(422)
    return [error.code, error.message]
  }

  test('a base that is not there', async () => {
    const [code, message] = await refused(
      structure('p', 'Patient', [{ path: 'Patient' }], { baseDefinition: `${OWN}/none` }),
    )
    expect(code).toBe('not-found')
    expect(message).toContain(`${OWN}/none`)
  })

  test('an element that the base does not have', async () => {
    const [code, message] = await refused(structure('p', 'Patient', [{ path: 'Patient.nmae', min: 1 }]))
    expect([code, message]).toEqual([
      'business-rule',
      expect.stringContaining('there is no element Patient.nmae'),
    ])
    expect(
      (await refused(structure('p', 'Patient', [{ path: 'Patient.birthDate.foo', min: 1 }])))[1],
    ).toContain('Patient.birthDate.foo')
  })

  test('a base of another type', async () => {
    const [code, message] = await refused(
      structure('p', 'Patient', [{ path: 'Patient.name', min: 1 }], { baseDefinition: `${CORE}/Person` }),
    )
    expect([code, message]).toEqual(['business-rule', expect.stringContaining('Person')])
  })

  test('definitions that build on one another in a circle', async () => {
    const a = structure('a', 'Patient', [{ path: 'Patient' }], { baseDefinition: `${OWN}/b` })
    const b = structure('b', 'Patient', [{ path: 'Patient' }], { baseDefinition: `${OWN}/a` })
    expect((await refused(a, b))[1]).toContain(`${OWN}/a -> ${OWN}/b -> ${OWN}/a`)
  })

  test('a definition that goes into itself', async () => {
    const self = structure(
      'self',
      'Extension',
      [
        {
          path: 'Extension.extension',
          sliceName: 'x',
          type: [{ code: 'Extension', profile: [`${OWN}/self`] }],
        },
        { path: 'Extension.extension.url', min: 1 },
      ],
      { kind: 'complex-type' },
    )
    expect((await refused(self))[1]).toContain('circle')
  })

  test('but a definition may use itself without going into it', async () => {
    const self = structure(
      'self',
      'Extension',
      [
        {
          path: 'Extension.extension',
          sliceName: 'x',
          type: [{ code: 'Extension', profile: [`${OWN}/self`] }],
        },
      ],
      { kind: 'complex-type' },
    )
    expect(ids(await snapshot(self), 'Extension.extension:x')).toEqual(['Extension.extension:x'])
  })

  test('a row of definitions without end', async () => {
    const row = Array.from({ length: 40 }, (_, i) =>
      structure(
        `d${i}`,
        'Patient',
        [{ path: 'Patient' }],
        i === 39 ? {} : { baseDefinition: `${OWN}/d${i + 1}` },
      ),
    )
    const [first, ...others] = row
    expect((await refused(first!, ...others))[0]).toBe('business-rule')
  })

  test('profiles within profiles that double the work with each one, in time', async () => {
    const nested = (child: string) => [
      { path: 'Extension.extension', sliceName: 'c', type: [{ code: 'Extension', profile: [child] }] },
      { path: 'Extension.extension.id', max: '0' },
    ]
    const extension = { baseDefinition: `${CORE}/Extension`, kind: 'complex-type' }
    const row = Array.from({ length: 21 }, (_, i) =>
      structure(
        `e${i}`,
        'Extension',
        i === 20 ? [{ path: 'Extension.id', max: '1' }] : nested(`${OWN}/e${i + 1}`),
        extension,
      ),
    )
    const patient = (name: string, base: string) =>
      structure(
        name,
        'Patient',
        [
          {
            path: 'Patient.extension',
            sliceName: 'c',
            type: [{ code: 'Extension', profile: [`${OWN}/e0`] }],
          },
          { path: 'Patient.extension.id', max: '0' },
        ],
        { baseDefinition: base },
      )
    const first = patient('first', `${CORE}/Patient`)
    const before = performance.now()
    expect((await refused(patient('again', first.url), first, ...row))[0]).toBe('too-costly')
    expect(performance.now() - before).toBeLessThan(2000)
  })

  test('a snapshot of millions of elements, in time', async () => {
    const wide = (name: string, path: string, base: string) =>
      structure(
        name,
        'Bundle',
        [
          { path: 'Bundle.entry', slicing: { rules: 'open' } },
          { path, min: 0 },
          ...Array.from({ length: 5000 }, (_, i) => ({ path: 'Bundle.entry', sliceName: `${name}${i}` })),
        ],
        { baseDefinition: base },
      )
    const first = wide('a', 'Bundle.entry.link.relation', `${CORE}/Bundle`)
    const before = performance.now()
    expect((await refused(wide('b', 'Bundle.entry.search.mode', first.url), first))[0]).toBe('too-costly')
    expect(performance.now() - before).toBeLessThan(2000)
  })
})

test('a definition that specializes another adds its elements at the end', async () => {
  const made = await snapshot(
    structure(
      'Thing',
      'Thing',
      [
        { path: 'Thing', min: 0, max: '*' },
        { path: 'Thing.colour', min: 0, max: '1', type: [{ code: 'string' }] },
      ],
      { baseDefinition: `${CORE}/DomainResource`, derivation: 'specialization' },
    ),
  )
  expect(made.elements.map(({ id }) => id)).toEqual([
    'Thing',
    ...[
      'id',
      'meta',
      'implicitRules',
      'language',
      'text',
      'contained',
      'extension',
      'modifierExtension',
      'colour',
    ].map(name => `Thing.${name}`),
  ])
})
