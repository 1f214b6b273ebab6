/** `npm run load -- bundles/` fills the clinic, and filling it twice changes nothing that one sees. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { type Api, api, type Tree } from './client.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUNDLES = join(ROOT, 'bundles')

const load = (base: string): Promise<{ code: number | null; out: string }> =>
  new Promise(resolve => {
    const child = spawn('npm', ['run', '--silent', 'load', '--', 'bundles/', '--base-url', base], {
      cwd: ROOT,
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', part => (out += part))
    child.on('close', code => resolve({ code, out }))
  })

describe('the clinic in bundles/', () => {
  const resources: Tree[] = readdirSync(BUNDLES)
    .filter(file => file.endsWith('.json'))
    .flatMap(file =>
      JSON.parse(readFileSync(join(BUNDLES, file), 'utf8')).entry.map((each: Tree) => each.resource),
    )
  let server: RunningServer
  let client: Api
  beforeAll(async () => {
    server = await startServer({ env: { NADI_REFERENCES: 'enforce' } })
    client = api(server.base)
  })
  afterAll(async () => {
    await server?.stop()
  })
  const counts = async () => {
    const types = [...new Set(resources.map(each => each.resourceType))]
    const found = types.map(async type => [type, (await client.get(`${type}?_summary=count`)).body.total])
    return Object.fromEntries(await Promise.all(found))
  }

  it('loads without a failure, and a second time as well, with references enforced', async () => {
    const expected: Record<string, number> = {}
    for (const { resourceType } of resources) expected[resourceType] = (expected[resourceType] ?? 0) + 1
    for (let time = 1; time <= 2; time++) {
      const { code, out } = await load(server.base)
      expect(code, out).toBe(0)
      expect(await counts()).toEqual(expected)
    }
  })

  it('finds patients by ABHA number, by ABHA address and by names in three scripts', async () => {
    const number = resources.find(each => each.id === 'meera-nair').identifier[1]
    expect(number.value).toMatch(/^\d\d-\d{4}-\d{4}-\d{4}$/)
    const queries = [
      ['identifier', `${number.system}|${number.value}`],
      ['identifier', `${number.system}|meera.nair@sbx`],
      ['name', 'meera'],
      ['name', 'മീര'],
    ]
    for (const [name, value] of queries) {
      expect(await client.found(`Patient?${name}=${encodeURIComponent(value as string)}`), value).toEqual([
        'meera-nair',
      ])
    }
    expect(await client.found(`Patient?name=${encodeURIComponent('राम')}`)).toEqual(['ram-sharma'])
    expect(await client.found(`Patient?name=${encodeURIComponent('मीरा')}`)).toEqual([])
  })

  it('finds a free slot of a doctor on a day', async () => {
    const slots = await client.found(
      'Slot?schedule=Schedule/anjali-menon&status=free&start=2026-11-30&_sort=start',
    )
    const booked = new Set(
      resources
        .filter(each => each.resourceType === 'Appointment')
        .flatMap(each => (each.slot ?? []).map((one: Tree) => one.reference)),
    )
    const written = resources.filter(
      each =>
        each.resourceType === 'Slot' &&
        each.schedule.reference === 'Schedule/anjali-menon' &&
        each.status === 'free' &&
        !booked.has(`Slot/${each.id}`) &&
        each.start.startsWith('2026-11-30'),
    )
    expect(slots).toEqual(written.map(each => each.id))
    expect(slots.length).toBeGreaterThan(3)
  })

  it('finds what belongs to one visit', async () => {
    expect(await client.found('Observation?encounter=Encounter/encounter-02&code=4548-4')).toHaveLength(1)
    expect(await client.found('MedicationRequest?encounter=Encounter/encounter-02')).toHaveLength(2)
    expect(await client.found('MedicationDispense?context=Encounter/encounter-02')).toHaveLength(2)
    expect(
      await client.found(`Invoice?totalgross=${encodeURIComponent('gt800|urn:iso:std:iso:4217|INR')}`),
    ).toContain('invoice-02')
    expect((await client.get('Observation/observation-14')).text).toContain('"value":37.20')
  })

  it('has every reference lead to a resource of its own', () => {
    const ids = new Set(resources.filter(each => each.id).map(each => `${each.resourceType}/${each.id}`))
    const references = [...JSON.stringify(resources).matchAll(/"reference":"([^"]+)"/g)].map(
      each => each[1] as string,
    )
    expect(references.length).toBeGreaterThan(300)
    expect(references.filter(each => !each.startsWith('urn:uuid:') && !ids.has(each))).toEqual([])
  })
})
