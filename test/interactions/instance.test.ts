/** https://hl7.org/fhir/R4/http.html#read, #vread, #create, #update, #delete, #concurrency */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fhirError } from '../../src/fhir/error.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { patch } from '../../src/interactions/patch.ts'
import { read } from '../../src/interactions/read.ts'
import { update } from '../../src/interactions/update.ts'
import { vread } from '../../src/interactions/vread.ts'
import { patient, refusal, resource, shape, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

describe('create', () => {
  test('gives an id, version 1 and the time, first of all and whatever the client sent; the rest keeps its order', async () => {
    const body = resource(
      '{"birthDate":"1970-01-01","meta":{"tag":[{"code":"x"}],"lastUpdated":"2001-01-01T00:00:00Z","versionId":"9","source":"http://s"},"id":"mine","resourceType":"Patient","active":true}',
    )
    const { stored, created } = await create(ctx, 'Patient', body)
    expect(created).toBe(true)
    expect(stored.key).toBe('Patient/id-1')
    expect(stored.text).toBe(
      '{"resourceType":"Patient","id":"id-1","meta":{"versionId":"1","lastUpdated":"2026-11-21T05:11:00.000Z","tag":[{"code":"x"}],"source":"http://s"},"birthDate":"1970-01-01","active":true}',
    )
    expect((await read(ctx, 'Patient', 'id-1')).text).toBe(stored.text)
  })

  test('keeps the text of numbers', async () => {
    const body = resource(
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00},"component":[{"code":{"text":"y"},"valueQuantity":{"value":12345678901234567890.10}}]}',
    )
    const { stored } = await create(ctx, 'Observation', body)
    expect(stored.text).toContain('"value":1.00}')
    expect(stored.text).toContain('"value":12345678901234567890.10}')
  })

  test.each([
    [
      'a type that R4 has not',
      'Patients',
      '{"resourceType":"Patients"}',
      [404, 'not-supported', [undefined]],
    ],
    [
      'a body of another type',
      'Patient',
      '{"resourceType":"Group"}',
      [400, 'invalid', ['Patient.resourceType']],
    ],
    ['a body without type', 'Patient', '{}', [400, 'structure', ['resourceType']]],
    ['a body that is no object', 'Patient', '[1]', [400, 'structure', [undefined]]],
    [
      'a bad date',
      'Patient',
      '{"resourceType":"Patient","birthDate":"2023-02-30"}',
      [400, 'value', ['Patient.birthDate']],
    ],
    [
      'a search as a reference, which only a transaction resolves',
      'Patient',
      '{"resourceType":"Patient","managingOrganization":{"reference":"Organization?name=x"}}',
      [400, 'value', ['Patient.managingOrganization.reference']],
    ],
  ])('refuses %s', async (_, type, text, expected) => {
    expect(shape(await refusal(create(ctx, type, parseJson(text))))).toEqual(expected)
  })
})

test('a create whose acknowledgement is lost is done once, and answered as it was done', async () => {
  const { storage } = ctx
  let lost = false
  const commit: typeof storage.commit = async intent => {
    const done = await storage.commit(intent)
    if (lost) return done
    lost = true
    throw fhirError('transient', 'The connection broke.')
  }
  const flaky = { ...ctx, storage: Object.assign(Object.create(storage), { commit }) }
  const { stored, created } = await create(flaky, 'Patient', patient())
  expect([stored.version, created]).toEqual([1, true])
  expect((await storage.history({}, { limit: 10, total: 'none' })).rows.map(({ key }) => key)).toEqual([
    stored.key,
  ])
})

describe('validation turned off', () => {
  test.each([
    ['[]', 400],
    ['{"resourceType":"Group"}', 400],
    ['{"resourceType":"Patient","meta":[1]}', 400],
  ])('still refuses %s', async (text, status) => {
    const off = { ...ctx, settings: { ...ctx.settings, validate: 'off' as const } }
    expect((await refusal(create(off, 'Patient', parseJson(text)))).status).toBe(status)
  })

  test.each([
    '{"resourceType":"Patient","name":"x","identifier":[1,null,{"value":{"a":1}}],"birthDate":[[]],"meta":{"tag":"t"}}',
    '{"resourceType":"Observation","valueQuantity":{"value":"x"},"effectivePeriod":[{"start":7}],"subject":"y","code":3}',
  ])('ends in a stored resource or a refusal, never in a crash: %s', async text => {
    const off = { ...ctx, settings: { ...ctx.settings, validate: 'off' as const } }
    const body = resource(text)
    const done = await create(off, body.resourceType, body).catch(error => error)
    expect(done.status ?? 201).toBeOneOf([201, 400])
  })
})

describe('update', () => {
  test('makes the next version, also where nothing changes', async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    ctx.pass(1000)
    const { stored, created } = await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    expect([stored.version, created]).toEqual([2, false])
    expect(stored.text).toContain('"versionId":"2","lastUpdated":"2026-11-21T05:11:01.000Z"')
    expect((await vread(ctx, 'Patient', 'a', '1')).version).toBe(1)
  })

  test('creates under an id of the client, and revives a deleted one', async () => {
    expect((await update(ctx, 'Patient', 'a', patient('"id":"a"'))).created).toBe(true)
    await remove(ctx, 'Patient', 'a')
    const revived = await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    expect([revived.created, revived.stored.version]).toEqual([true, 3])
  })

  test.each([
    ['no id', 'a', '', [400, 'invalid', ['Patient.id']]],
    ['another id', 'a', '"id":"b"', [400, 'invalid', ['Patient.id']]],
    ['an id of other characters', 'a_b', '"id":"a_b"', [400, 'value', ['http.id']]],
    ['an id of 65 characters', 'a'.repeat(65), `"id":"${'a'.repeat(65)}"`, [400, 'value', ['http.id']]],
  ])('refuses %s', async (_, id, members, expected) => {
    expect(shape(await refusal(update(ctx, 'Patient', id, patient(members))))).toEqual(expected)
  })

  test('two at once both make a version', async () => {
    const both = await Promise.all([1, 2, 3].map(() => update(ctx, 'Patient', 'a', patient('"id":"a"'))))
    expect(both.map(({ stored }) => stored.version).sort()).toEqual([1, 2, 3])
  })
})

describe('If-Match', () => {
  beforeEach(async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a"'))
  })
  const put = (ifMatch: string, id = 'a') => update(ctx, 'Patient', id, patient(`"id":"${id}"`), { ifMatch })

  test.each(['W/"1"', '"1"', 'W/"7", W/"1"', '*'])('%s holds for version 1', async ifMatch => {
    expect((await put(ifMatch)).stored.version).toBe(2)
  })
  test.each(['W/"2"', 'W/"0"', 'W/"x"', 'W/"01"'])('%s does not: 412', async ifMatch => {
    expect((await refusal(put(ifMatch))).status).toBe(412)
  })
  test.each(['1', 'W/1', '', 'W/"1'])('%s is malformed: 400', async ifMatch => {
    expect((await refusal(put(ifMatch))).status).toBe(400)
  })
  test('does not hold where there is no resource, or a deleted one', async () => {
    expect((await refusal(put('W/"1"', 'b'))).status).toBe(412)
    await remove(ctx, 'Patient', 'a')
    expect((await refusal(put('W/"2"'))).status).toBe(412)
  })
  test('of two updates on one version one wins', async () => {
    const done = await Promise.allSettled([put('W/"1"'), put('W/"1"')])
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await read(ctx, 'Patient', 'a')).version).toBe(2)
  })
  test('guards deletions and patches', async () => {
    expect((await refusal(remove(ctx, 'Patient', 'a', { ifMatch: 'W/"9"' }))).status).toBe(412)
    const change = { kind: 'json' as const, body: parseJson('[]') }
    expect((await refusal(patch(ctx, 'Patient', 'a', change, { ifMatch: 'W/"9"' }))).status).toBe(412)
    expect((await remove(ctx, 'Patient', 'a', { ifMatch: 'W/"1"' })).stored).toHaveLength(1)
  })
})

describe('delete', () => {
  test('leaves 410 behind, and the history', async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    const { stored } = await remove(ctx, 'Patient', 'a')
    expect(stored.map(({ version, text }) => [version, text])).toEqual([[2, undefined]])
    expect(shape(await refusal(read(ctx, 'Patient', 'a')))).toEqual([410, 'deleted', [undefined]])
    expect((await refusal(vread(ctx, 'Patient', 'a', '2'))).status).toBe(410)
    expect((await vread(ctx, 'Patient', 'a', '1')).version).toBe(1)
  })
  test('has no effect a second time, nor on what never was', async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    await remove(ctx, 'Patient', 'a')
    expect((await remove(ctx, 'Patient', 'a')).stored).toEqual([])
    expect((await remove(ctx, 'Patient', 'never')).stored).toEqual([])
    expect((await ctx.storage.read('Patient/a'))?.version).toBe(2)
  })
})

describe('read and vread', () => {
  test('of what never was are not found', async () => {
    expect((await refusal(read(ctx, 'Patient', 'a'))).status).toBe(404)
    await update(ctx, 'Patient', 'a', patient('"id":"a"'))
    for (const version of ['2', '0', 'x', '1.0', '01', '-1'])
      expect((await refusal(vread(ctx, 'Patient', 'a', version))).status).toBe(404)
  })
})

describe('patch', () => {
  beforeEach(async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a","active":true,"multipleBirthInteger":2'))
  })
  const json = (operations: string) =>
    patch(ctx, 'Patient', 'a', { kind: 'json', body: parseJson(operations) })

  test('makes the next version and leaves the rest as it was', async () => {
    const { stored, created } = await json('[{"op":"replace","path":"/active","value":false}]')
    expect([stored.version, stored.method, created]).toEqual([2, 'PATCH', false])
    expect(stored.text).toContain('"active":false,"multipleBirthInteger":2}')
  })
  test('by FHIRPath Patch', async () => {
    const body = parseJson(
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":false}]}]}',
    )
    expect((await patch(ctx, 'Patient', 'a', { kind: 'fhirpath', body })).stored.text).toContain(
      '"active":false',
    )
  })
  test.each([
    ['a result that is no valid resource', '[{"op":"add","path":"/birthDate","value":"x"}]', 400],
    ['a change of the id', '[{"op":"replace","path":"/id","value":"b"}]', 422],
    ['a removed id', '[{"op":"remove","path":"/id"}]', 422],
    ['a change of the type', '[{"op":"replace","path":"/resourceType","value":"Group"}]', 422],
    ['another document', '[{"op":"replace","path":"","value":7}]', 422],
    ['a test that fails', '[{"op":"test","path":"/active","value":false}]', 422],
    ['what is no patch', '{}', 400],
  ])('refuses %s and stores nothing', async (_, operations, status) => {
    expect((await refusal(json(operations))).status).toBe(status)
    expect((await read(ctx, 'Patient', 'a')).version).toBe(1)
  })
  test('of what is not there is 404, of what is deleted 410', async () => {
    const change = { kind: 'json' as const, body: parseJson('[]') }
    expect((await refusal(patch(ctx, 'Patient', 'b', change))).status).toBe(404)
    await remove(ctx, 'Patient', 'a')
    expect((await refusal(patch(ctx, 'Patient', 'a', change))).status).toBe(410)
  })
  test('ten at once all take effect', async () => {
    await update(ctx, 'Patient', 'a', patient('"id":"a","identifier":[{"value":"0"}]'))
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        json(`[{"op":"add","path":"/identifier/-","value":{"value":"${i + 1}"}}]`),
      ),
    )
    expect((await read(ctx, 'Patient', 'a')).text.match(/"value"/g)).toHaveLength(11)
  })
})
