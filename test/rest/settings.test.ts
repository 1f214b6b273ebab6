/** Settings as a client sees them: the zone of dates, validation switched off, and a log that tells nothing about patients. */
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { api, byIdentifier, observation, patient, refused, word } from './client.ts'

const running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(server => server.stop()))
})
async function start(env: Record<string, string>) {
  const server = await startServer({ env })
  running.push(server)
  return { server, client: api(server.base) }
}

describe('NADI_ZONE', () => {
  it('decides which day a visit in the night belongs to', async () => {
    const { client } = await start({ NADI_ZONE: 'UTC' })
    const { id } = await client.made(observation({ effectiveDateTime: '2026-11-21T01:00:00+05:30' }))
    expect(await client.found('Observation?date=2026-11-20')).toEqual([id])
    expect(await client.found('Observation?date=2026-11-21')).toEqual([])
  })
})

describe('NADI_VALIDATE=off', () => {
  it('takes what the definitions do not allow, but nothing that is no JSON', async () => {
    const { client } = await start({ NADI_VALIDATE: 'off' })
    const stored = await client.made({ resourceType: 'Patient', nmae: 'x', gender: 'x' })
    expect((await client.get(`Patient/${stored.id}`)).body.nmae).toBe('x')
    refused(await client.post('Patient', '{"resourceType":"Patient","active":true,"active":true}'), 400)
    refused(await client.post('Patient', '{"resourceType":"Nonsense"}'), 400, 404)
  })
})

describe('NADI_LOG=info', () => {
  it('writes one JSON line for each request, with its id and without patient data', async () => {
    const { server, client } = await start({ NADI_LOG: 'info' })
    const secret = word()
    const stored = await client.made(patient(secret, { name: [{ family: `Family${secret}` }] }))
    await client.get(`Patient?family=Family${secret}`, { 'x-request-id': 'asked-1' })
    await client.get(`Patient?${byIdentifier(secret)}&nonsense=${secret}`)
    await client.post('Patient', `{"resourceType":"Patient","birthDate":"${secret}"}`)
    await client.post('Patient/_search', `family=Family${secret}`, {
      'content-type': 'application/x-www-form-urlencoded',
    })
    await client.get(`Patient/${stored.id}`)
    await server.stop()
    const lines = server.err.filter(line => line !== '')
    expect(lines.length).toBeGreaterThanOrEqual(6)
    for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow()
    expect(lines.join('\n')).toContain('asked-1')
    expect(lines.join('\n')).not.toContain(secret)
  })
})
