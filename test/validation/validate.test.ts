/** Validation on a server: the definitions and the terminology that it holds. https://hl7.org/fhir/R4/validation.html */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create } from '../../src/interactions/create.ts'
import { update } from '../../src/interactions/update.ts'
import { validate } from '../../src/validation/validate.ts'
import { definition, URL } from '../fhir/validate/profile/held.ts'
import { refusal, type TestContext, testContext } from '../interactions/context.ts'
import { tree } from '../operations/context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

const found = async (resource: { resourceType: string }, profiles: string[] = [], on: TestContext = ctx) =>
  (await validate(on, tree(resource), { type: resource.resourceType, profiles }))
    .filter(({ rule }) => rule !== 'dom-6')
    .map(({ severity, rule, expression }) => `${severity} ${rule} ${expression}`)
const store = (name: string, elements: [string, object][], more: object = {}) =>
  update(
    ctx,
    'StructureDefinition',
    name,
    tree({ id: name, ...definition(name, 'Patient', elements), ...more }),
  )
const claiming = (name: string) => ({ resourceType: 'Patient', meta: { profile: [`${URL}/${name}`] } })

describe('a profile', () => {
  it('that is stored holds for what claims it, and for what it is asked of', async () => {
    await store('p', [['Patient.name', { min: 1 }]])
    expect(await found(claiming('p'))).toEqual(['error cardinality-min Patient.name'])
    expect(await found({ resourceType: 'Patient' })).toEqual([])
    expect(await found({ resourceType: 'Patient' }, [`${URL}/p`])).toEqual([
      'error cardinality-min Patient.name',
    ])
  })
  it('that changes holds as it is then', async () => {
    await store('p', [['Patient.name', { min: 1 }]])
    expect(await found(claiming('p'))).toEqual(['error cardinality-min Patient.name'])
    await store('p', [['Patient.gender', { min: 1 }]])
    ctx.pass(2000)
    expect(await found(claiming('p'))).toEqual(['error cardinality-min Patient.gender'])
  })
  it('of the settings holds for every resource of its type, those in Bundles among them', async () => {
    await store('p', [['Patient.name', { min: 1 }]])
    const on = { ...ctx, settings: { ...ctx.settings, profiles: [`${URL}/p`] } }
    expect(await found({ resourceType: 'Patient' }, [], on)).toEqual(['error cardinality-min Patient.name'])
    expect(await found({ resourceType: 'Basic', code: { text: 'x' } } as never, [], on)).toEqual([])
    const entry = [
      { fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111', resource: { resourceType: 'Patient' } },
    ]
    expect(await found({ resourceType: 'Bundle', type: 'collection', entry } as never, [], on)).toEqual([
      'error cardinality-min Bundle.entry[0].resource.name',
    ])
  })
  it('of the settings that nobody knows keeps every write out but those that may bring it', async () => {
    const settings = { ...ctx.settings, validate: 'profile' as const, profiles: [`${URL}/p`] }
    const on = { ...ctx, settings }
    expect(await found({ resourceType: 'Basic', code: { text: 'x' } } as never, [], on)).toEqual([
      'error profile-unknown Basic',
    ])
    const refused = await refusal(create(on, 'Patient', tree({ resourceType: 'Patient' })))
    expect(refused.issues.map(({ diagnostics }) => diagnostics).join()).toContain('NADI_PROFILES')
    const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">P</div>' }
    const one = { ...definition('p', 'Patient', [['Patient.name', { min: 1 }]]), name: 'P', text, id: 'p' }
    await update(on, 'StructureDefinition', 'p', tree(one))
    expect(await found({ resourceType: 'Patient' }, [], on)).toEqual(['error cardinality-min Patient.name'])
    expect(await found({ resourceType: 'Basic', code: { text: 'x' } } as never, [], on)).toEqual([])
  })
  it('that builds on another has the rules of both, each said once', async () => {
    await store('p', [['Patient.name', { min: 1 }]])
    await store('q', [['Patient.gender', { min: 1 }]], { baseDefinition: `${URL}/p` })
    const both = { resourceType: 'Patient', meta: { profile: [`${URL}/p`, `${URL}/q`] } }
    expect((await found(both)).sort()).toEqual([
      'error cardinality-min Patient.gender',
      'error cardinality-min Patient.name',
    ])
  })
  it('that nobody knows is a warning, or an error where it is asked for', async () => {
    expect(await found(claiming('none'))).toEqual(['warning profile-unknown Patient.meta.profile[0]'])
    expect(await found({ resourceType: 'Patient' }, [`${URL}/none`])).toEqual([
      'error profile-unknown Patient',
    ])
  })
  it('that builds on itself is said to be of no use', async () => {
    await store('p', [['Patient.name', { min: 1 }]], { baseDefinition: `${URL}/p` })
    const issues = await validate(ctx, tree(claiming('p')), { type: 'Patient' })
    expect(issues.find(({ rule }) => rule === 'profile-unknown')?.diagnostics).toContain('cannot be used')
  })
})

describe('codes', () => {
  const coded = (code: string, system = 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus') => ({
    resourceType: 'Patient',
    maritalStatus: { coding: [{ system, code }] },
  })
  it('are held against the value sets of R4', async () => {
    expect(await found(coded('M'))).toEqual([])
    expect(await found(coded('X', 'http://example.org/other'))).toEqual([
      'warning binding-extensible Patient.maritalStatus',
    ])
  })
  it('that their own system does not have are errors, though the value set need not be kept to', async () => {
    expect(await found(coded('NONE'))).toEqual([
      'warning binding-extensible Patient.maritalStatus',
      'error code-unknown Patient.maritalStatus',
    ])
  })
  it('are held against value sets that are stored', async () => {
    const url = 'http://example.org/ValueSet/v'
    const include = [{ system: 'http://example.org/s', concept: [{ code: 'a' }] }]
    await create(
      ctx,
      'ValueSet',
      tree({ resourceType: 'ValueSet', url, status: 'active', compose: { include } }),
    )
    await store('p', [['Patient.maritalStatus', { binding: { strength: 'required', valueSet: url } }]])
    const of = (code: string) =>
      found({ ...coded(code, 'http://example.org/s'), ...{ meta: { profile: [`${URL}/p`] } } })
    expect((await of('a')).filter(one => one.includes('required'))).toEqual([])
    expect(await of('b')).toContain('error binding-required Patient.maritalStatus')
  })
})

it('what is structurally unsound is reported once, with its rule', async () => {
  expect(await found({ resourceType: 'Patient', nmae: [] } as never)).toEqual([
    'error structure Patient.nmae',
  ])
  expect(await found({ resourceType: 'Nonsense' })).toEqual(
    ['error format Nonsense.resourceType'].map(() => expect.any(String)),
  )
})

it('a write under NADI_VALIDATE=profile is refused for errors and taken with warnings', async () => {
  await store('p', [['Patient.name', { min: 1 }]])
  const strict = { ...ctx, settings: { ...ctx.settings, validate: 'profile' as const } }
  const refused = await refusal(create(strict, 'Patient', tree(claiming('p'))))
  expect(refused.status).toBe(400)
  expect(refused.issues.map(({ rule }) => rule)).toContain('cardinality-min')
  await create(strict, 'Patient', tree(claiming('none')))
  // Without the setting, profiles are not asked.
  await create(ctx, 'Patient', tree(claiming('p')))
})

it('of many issues 500 are listed', async () => {
  await store('p', [['Patient.name.family', { min: 1 }]])
  const name = Array.from({ length: 2000 }, () => ({ text: 'x' }))
  const issues = await validate(ctx, tree({ ...claiming('p'), name }), { type: 'Patient' })
  expect(issues.length).toBe(501)
  expect(issues.at(-1)!.diagnostics).toContain('not listed')
})

it('errors are never lost among more warnings than are listed', async () => {
  const entry = (n: number, resource: object) => ({
    fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    resource,
  })
  const patients = Array.from({ length: 700 }, (_, n) => entry(n, { resourceType: 'Patient' }))
  const wrong = entry(700, { resourceType: 'Patient', contact: [{ gender: 'female' }] })
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: [...patients, wrong] }
  const issues = await validate(ctx, tree(bundle), { type: 'Bundle' })
  expect(issues.filter(({ severity }) => severity === 'error').map(({ rule }) => rule)).toEqual(['pat-1'])
  expect(issues.length).toBe(501)
  const strict = { ...ctx, settings: { ...ctx.settings, validate: 'profile' as const } }
  expect((await refusal(create(strict, 'Bundle', tree(bundle)))).status).toBe(400)
})

it('a unit of UCUM is one that UCUM can write', async () => {
  const of = (code: string) =>
    found({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code },
    } as never)
  expect(await of('mm[Hg]')).toEqual([])
  expect(await of('{tablet}')).toEqual([])
  expect(await of('mmHg')).toEqual(['error code-unknown Observation.value.code'])
})
