/** https://hl7.org/fhir/R4/references.html, NADI_REFERENCES */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { create } from '../../src/interactions/create.ts'
import { conditionalDelete, remove } from '../../src/interactions/delete.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { BASE } from '../settings.ts'
import { patient, refusal, resource, shape, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext({ references: 'enforce' })
})
afterEach(() => ctx.storage.close())

const subject = (reference: string) =>
  resource(
    `{"resourceType":"Observation","status":"final","code":{"text":"x"},"performer":[{"display":"d"}],"subject":{"reference":"${reference}"}}`,
  )
const put = (id: string) => update(ctx, 'Patient', id, patient(`"id":"${id}"`))

describe('with referential integrity', () => {
  test.each([
    ['relative', 'Patient/p'],
    ['with a version', 'Patient/p/_history/1'],
    ['absolute to our own base', `${BASE}/Patient/p`],
  ])('a %s reference to what is not there is refused, its place named', async (_, reference) => {
    const wanted = [422, 'business-rule', ['Observation.subject.reference']]
    expect(shape(await refusal(create(ctx, 'Observation', subject(reference))))).toEqual(wanted)
    await put('p')
    expect((await create(ctx, 'Observation', subject(reference))).created).toBe(true)
    await remove(ctx, 'Patient', 'p').catch(() => undefined)
  })

  test('a reference to a deleted resource is refused', async () => {
    await put('p')
    await remove(ctx, 'Patient', 'p')
    expect((await refusal(create(ctx, 'Observation', subject('Patient/p')))).status).toBe(422)
  })

  test.each(['http://elsewhere/fhir/Patient/p', 'urn:uuid:7b1d9f5e-0f0c-4f9e-9d0f-2a2a2a2a2a2a'])(
    '%s is not ours to check',
    async reference => expect((await create(ctx, 'Observation', subject(reference))).created).toBe(true),
  )

  test('a reference to itself holds', async () => {
    const own = patient('"id":"p","link":[{"type":"seealso","other":{"reference":"Patient/p"}}]')
    expect((await update(ctx, 'Patient', 'p', own)).created).toBe(true)
    expect((await remove(ctx, 'Patient', 'p')).stored).toHaveLength(1)
  })

  test('what is referred to cannot be deleted; the referring resource is named', async () => {
    await put('p')
    const { stored } = await create(ctx, 'Observation', subject('Patient/p'))
    const error = await refusal(remove(ctx, 'Patient', 'p'))
    expect(error.status).toBe(409)
    expect(error.message).toContain(stored.key)
    expect((await refusal(conditionalDelete(ctx, 'Patient', [['_id', 'p']]))).status).toBe(409)
    await remove(ctx, 'Observation', stored.key.slice(12))
    expect((await remove(ctx, 'Patient', 'p')).stored).toHaveLength(1)
  })

  test('a dangling reference from before the setting does not stop a correction', async () => {
    const off = { ...ctx, settings: { ...ctx.settings, references: 'off' as const } }
    const { stored } = await create(off, 'Observation', subject('Patient/gone'))
    const id = stored.key.slice(12)
    const again = resource(stored.text.replace('"final"', '"amended"'))
    expect((await update(ctx, 'Observation', id, again)).stored.version).toBe(2)
    const worse = resource(stored.text.replace('Patient/gone', 'Patient/gone2'))
    expect((await refusal(update(ctx, 'Observation', id, worse))).status).toBe(422)
  })

  test('of a deletion and a reference at once one is refused', async () => {
    for (let round = 0; round < 20; round++) {
      const id = `p${round}`
      await put(id)
      const done = await Promise.allSettled([
        create(ctx, 'Observation', subject(`Patient/${id}`)),
        remove(ctx, 'Patient', id),
      ])
      expect(done.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    }
  })

  describe('in a transaction', () => {
    const send = (...entries: string[]) =>
      transaction(
        ctx,
        resource(`{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`),
      )
    const post = (type: string, body: string, fullUrl = '') =>
      `{${fullUrl && `"fullUrl":"${fullUrl}",`}"resource":${body},"request":{"method":"POST","url":"${type}"}}`
    const observation = (reference: string) =>
      post(
        'Observation',
        `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"${reference}"}}`,
      )

    test('its own resources count', async () => {
      const urn = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a'
      expect(await send(observation(urn), post('Patient', '{"resourceType":"Patient"}', urn))).toHaveLength(2)
    })
    test('a dangling reference is named by entry and place', async () => {
      const error = await refusal(
        send(post('Patient', '{"resourceType":"Patient"}'), observation('Patient/p')),
      )
      expect(shape(error)).toEqual([422, 'business-rule', ['Bundle.entry[1].resource.subject.reference']])
    })
    test('a resource and all that refers to it go together', async () => {
      await put('p')
      const { stored } = await create(ctx, 'Observation', subject('Patient/p'))
      const drop = (key: string) => `{"request":{"method":"DELETE","url":"${key}"}}`
      const error = await refusal(send(drop('Patient/p')))
      expect(shape(error)).toEqual([409, 'conflict', ['Bundle.entry[0]']])
      expect(await send(drop('Patient/p'), drop(stored.key))).toHaveLength(2)
    })
  })
})
