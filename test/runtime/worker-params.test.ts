/** Custom search parameters on Workers, where nothing runs between requests. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, api, bundle, entry, patient, word } from '../rest/client.ts'
import { searchParameter } from '../rest/custom-params.suite.ts'
import { type RunningWorker, startWorker } from './worker.ts'

let worker: RunningWorker
let client: Api
beforeAll(async () => {
  worker = await startWorker()
  client = api(worker.base)
}, 120_000)
afterAll(() => worker?.stop())

it('requests index in pieces what was there before', { timeout: 90_000 }, async () => {
  const resource = patient(word(), { gender: 'other' })
  const entries = Array.from({ length: 50 }, () => entry('POST', 'Patient', { resource }))
  for (let n = 0; n < 2; n++)
    expect((await client.post('', bundle('transaction', ...entries))).status).toBe(200)
  const parameter = searchParameter('sex', { expression: 'Patient.gender' })
  const posted = await client.post('SearchParameter', parameter)
  expect(posted.status, posted.text).toBe(201)
  await client.made(resource)
  const early = await client.get('Patient?sex=other&_summary=count')
  // Another request may have done its piece already; a part is never answered.
  if (early.status === 200) expect(early.body.total).toBe(101)
  else expect(early.status, early.text).toBe(503)
  const total = async () => (await client.get('Patient?sex=other&_summary=count')).body.total
  await expect.poll(total, { timeout: 60_000, interval: 500 }).toBe(101)
  expect((await client.post('SearchParameter', parameter)).status).toBe(422)
})
