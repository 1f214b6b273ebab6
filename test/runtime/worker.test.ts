import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningWorker, startWorker } from './worker.ts'

describe('the Worker', () => {
  let worker: RunningWorker
  beforeAll(async () => {
    worker = await startWorker()
  }, 60_000)
  afterAll(() => worker.stop())

  it('serves FHIR on localhost, with links under the name that was asked', async () => {
    const made = await fetch(`${worker.base}/Patient`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: '{"resourceType":"Patient","active":true}',
    })
    expect(made.status).toBe(201)
    const location = made.headers.get('location') ?? ''
    expect(location.startsWith(`${worker.base}/Patient/`)).toBe(true)
    expect(await (await fetch(location)).text()).toBe(await made.text())
    const statement = await (await worker.fetch('http://localhost/fhir/metadata')).json()
    expect((statement as { resourceType: string }).resourceType).toBe('CapabilityStatement')
  })

  it.each([
    'http://nadi.example.org/fhir/metadata',
    'http://localhost.example.org/healthz',
    'http://192.168.1.4/fhir',
  ])('without sign-in answers 503 elsewhere: %s', async url => {
    const response = await worker.fetch(url)
    expect(response.status).toBe(503)
    expect(((await response.json()) as { resourceType: string }).resourceType).toBe('OperationOutcome')
  })

  it('is watched like the server', async () => {
    const root = new URL(worker.base).origin
    expect((await fetch(`${root}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${root}/metrics`)).text()).toContain(
      'nadi_http_requests_total{interaction="ready"',
    )
  })
})

describe('a Worker with a bad setting', () => {
  it('answers 503 and names the setting in its log only', async () => {
    const worker = await startWorker({ vars: { NADI_ZONE: 'Asia/Kochi' } })
    const response = await fetch(`${worker.base}/metadata`)
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('Kochi')
    await worker.stop()
  }, 60_000)
})
