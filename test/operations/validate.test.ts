/** https://hl7.org/fhir/R4/resource-operation-validate.html */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import { definition, URL } from '../fhir/validate/profile/held.ts'
import { refusal, shape, type TestContext, testContext } from '../interactions/context.ts'
import { call, tree } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
  await update(
    ctx,
    'StructureDefinition',
    'p',
    tree({ id: 'p', ...definition('p', 'Patient', [['Patient.name', { min: 1 }]]) }),
  )
  await update(ctx, 'Patient', '1', tree({ resourceType: 'Patient', id: '1', text: TEXT }))
})
afterEach(() => ctx.storage.close())

const TEXT = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }
const sound = { resourceType: 'Patient', id: '1', text: TEXT }
const given = (resource?: object, more: Record<string, string | string[]> = {}) => [
  ...(resource === undefined ? [] : [{ name: 'resource', value: { resource: tree(resource) } }]),
  ...Object.entries(more).flatMap(([name, values]) => [values].flat().map(value => ({ name, value }))),
]
/** `severity rule expression` of each issue. */
const ask = async (place: object, parameters: ReturnType<typeof given>): Promise<string[]> => {
  const outcome = await call(ctx, 'validate', place, parameters)
  expect(outcome.resourceType).toBe('OperationOutcome')
  // biome-ignore lint/suspicious/noExplicitAny: an answer
  return outcome.issue.map((one: any) =>
    [one.severity, one.details?.coding[0].code, one.expression?.[0]]
      .filter(part => part !== undefined)
      .join(' '),
  )
}
const refusedAs = async (place: object, parameters: ReturnType<typeof given>) =>
  shape(await refusal(call(ctx, 'validate', place, parameters))).slice(0, 2)

describe('on a type', () => {
  it('says that all is well', async () => {
    expect(await ask({ type: 'Patient' }, given(sound))).toEqual(['information'])
    expect(await ask({}, given(sound))).toEqual(['information'])
  })
  it('lists what is wrong, and answers all the same', async () => {
    expect(await ask({ type: 'Patient' }, given({ ...sound, gender: 'x' }))).toEqual([
      'error binding-required Patient.gender',
    ])
    expect(await ask({ type: 'Observation' }, given(sound))).toContain('error format Patient.resourceType')
  })
  it('holds the resource against profiles that are named', async () => {
    expect(await ask({ type: 'Patient' }, given(sound, { profile: `${URL}/p` }))).toEqual([
      'error cardinality-min Patient.name',
    ])
    expect(await ask({ type: 'Patient' }, given(sound, { profile: [`${URL}/p`, `${URL}/none`] }))).toEqual([
      'error cardinality-min Patient.name',
      'error profile-unknown Patient',
    ])
  })
  it('needs a resource', async () => {
    expect(await refusedAs({ type: 'Patient' }, given())).toEqual([400, 'required'])
  })
})

describe('on an instance', () => {
  const at = { type: 'Patient', id: '1' }
  it('validates what is stored', async () => {
    expect(await ask(at, given())).toEqual(['information'])
    expect(await ask(at, given(undefined, { profile: `${URL}/p`, mode: 'profile' }))).toEqual([
      'error cardinality-min Patient.name',
    ])
    expect(await refusedAs({ type: 'Patient', id: '2' }, given())).toEqual([404, 'not-found'])
  })
  it('validates what is sent, as an update of it', async () => {
    expect(await ask(at, given(sound, { mode: 'update' }))).toEqual(['information'])
    expect(await ask(at, given({ ...sound, id: '2' }, { mode: 'update' }))).toEqual([
      'error update-id Patient.id',
    ])
    expect(await ask(at, given({ ...sound, id: undefined }))).toEqual(['error update-id Patient.id'])
  })
  it('says whether it may be deleted', async () => {
    expect(await ask(at, given(undefined, { mode: 'delete' }))).toEqual(['information'])
    expect(await ask({ type: 'Patient', id: '2' }, given(undefined, { mode: 'delete' }))).toEqual([
      'error delete-missing',
    ])
    await remove(ctx, 'Patient', '1')
    expect(await ask(at, given(undefined, { mode: 'delete' }))).toEqual(['information'])
  })
  it('says that it may not be deleted while others refer to it, where references are enforced', async () => {
    const basic = { resourceType: 'Basic', id: 'b', code: { text: 'x' }, subject: { reference: 'Patient/1' } }
    const off = ctx
    ctx = { ...ctx, settings: { ...ctx.settings, references: 'enforce' } }
    await update(ctx, 'Basic', 'b', tree(basic))
    expect(await ask(at, given(undefined, { mode: 'delete' }))).toEqual(['error delete-referenced'])
    ctx = off
    expect(await ask(at, given(undefined, { mode: 'delete' }))).toEqual(['information'])
  })
})

it('a mode that R4 does not have is refused, and delete of anything but an instance', async () => {
  expect(await refusedAs({ type: 'Patient' }, given(sound, { mode: 'guess' }))).toEqual([400, 'invalid'])
  expect(await refusedAs({ type: 'Patient' }, given(sound, { mode: 'delete' }))).toEqual([400, 'invalid'])
  expect(await refusedAs({ type: 'Patient' }, given(sound, { mode: 'profile' }))).toEqual([400, 'required'])
})
