/** `nadi restore` under two servers that are used meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { runCli } from './run-cli.ts'

const dir = mkdtempSync(join(tmpdir(), 'nadi-restore-'))
const servers: RunningServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.stop()))
})
afterAll(() => rmSync(dir, { recursive: true }))

const start = async (env: Record<string, string>): Promise<string> => {
  const server = await startServer({ env })
  servers.push(server)
  return server.base
}

interface Answer {
  status: number
  body: { total?: number; entry?: { resource: { id: string } }[]; link?: { relation: string; url: string }[] }
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, headers: { 'content-type': 'application/fhir+json' } })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const patient = (id: string, system: string, birthDate = '1990-05-01') =>
  `{"resourceType":"Patient","id":"${id}","identifier":[{"system":"${system}","value":"1"}],"name":[{"family":"${system.slice(4)}"}],"birthDate":"${birthDate}"}`
const put = async (base: string, id: string, system: string) =>
  (await ask(`${base}/Patient/${id}`, { method: 'PUT', body: patient(id, system) })).status
const idsOf = ({ body }: Answer) => (body.entry ?? []).map(entry => entry.resource.id).sort()
const search = async (base: string, query: string) => idsOf(await ask(`${base}/Patient?_count=1000&${query}`))

it('two servers go on with the content of the backup and with what they acknowledge after it', async () => {
  const env = { NADI_STORAGE: `sqlite:${dir}/nadi.db` }
  const bases = [await start(env), await start(env)]
  const [first, second] = bases as [string, string]
  for (let n = 0; n < 30; n++) expect(await put(bases[n % 2]!, `kept-${n}`, 'urn:kept')).toBe(201)
  expect((await runCli(['backup', `${dir}/copy`], env)).code).toBe(0)
  // These systems get numbers that are given again after the restore, in the other order and to both servers.
  for (const base of bases)
    for (const system of ['urn:apple', 'urn:pear'])
      await put(base, `${system.slice(4)}-${bases.indexOf(base)}`, system)
  const link = (await ask(`${first}/Patient?_count=5`)).body.link!.find(one => one.relation === 'next')!.url

  let working = true
  const seen: Record<string, number> = {}
  const count = (what: string, status: number) => {
    seen[`${what} ${status}`] = (seen[`${what} ${status}`] ?? 0) + 1
  }
  const writers = [0, 1, 2, 3].map(async w => {
    const mine: { id: string; status: number }[] = []
    for (let n = 0; working; n++) {
      const base = bases[w % 2]!
      const status = await put(base, `w${w}-${n}`, `urn:s${n % 5}`)
      count('create', status)
      mine.push({ id: `w${w}-${n}`, status })
      count('update', await put(base, 'kept-0', 'urn:kept'))
    }
    return mine
  })
  const searchers = bases.map(async base => {
    while (working) {
      const answer = await ask(`${base}/Patient?_count=1000&identifier=urn:kept|1`)
      count('search', answer.status)
      expect(answer.body.entry).toHaveLength(30)
    }
  })
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(await runCli(['restore', `${dir}/copy`, '--force'], env)).toMatchObject({ code: 0, err: '' })
  const later = new Date().toISOString()
  expect(await put(first, 'pear-later', 'urn:pear')).toBe(201)
  expect(await put(second, 'apple-later', 'urn:apple')).toBe(201)
  await new Promise(resolve => setTimeout(resolve, 300))
  working = false
  const written = await Promise.all(writers)
  await Promise.all(searchers)
  expect(Object.keys(seen).filter(what => !/ (200|201|409|412|503)$/.test(what))).toEqual([])

  for (const base of bases) {
    expect(await search(base, 'identifier=urn:pear|1')).toEqual(['pear-later'])
    expect(await search(base, 'identifier=urn:apple|1')).toEqual(['apple-later'])
    expect(await search(base, 'family=pear')).toEqual(['pear-later'])
    expect(await search(base, 'family:contains=appl')).toEqual(['apple-later'])
    expect((await ask(link.replace(first, base))).status).toBe(400)
  }
  const all = new Set(await search(first, '_elements=id'))
  expect(all).toEqual(new Set(await search(second, '_elements=id')))
  for (let n = 0; n < 30; n++) expect(all).toContain(`kept-${n}`)
  for (const mine of written) {
    const acknowledged = mine.filter(one => one.status === 201)
    const there = acknowledged.map(one => all.has(one.id))
    // Those before the restore are gone, those after it are there.
    expect(there.at(0)).toBe(false)
    expect(there.at(-1)).toBe(true)
    expect(there.lastIndexOf(false)).toBeLessThan(there.indexOf(true))
    for (const [i, { id }] of acknowledged.entries())
      if (there[i]) {
        const system = `urn:s${Number(id.split('-')[1]) % 5}`
        expect(await search(second, `identifier=${system}|1&_id=${id}`)).toEqual([id])
      }
  }
  // A poller of the history misses none of them.
  const polled = await ask(`${second}/Patient/_history?_count=1000&_since=${later}`)
  expect(idsOf(polled)).toContain('apple-later')
}, 60_000)

it('a backup made under another zone is found by the days of the servers, or waits for them to stop', async () => {
  const day = (base: string) => search(base, 'birthdate=2026-01-01')
  const utc = { NADI_STORAGE: `sqlite:${dir}/utc.db`, NADI_ZONE: 'UTC' }
  const old = await start(utc)
  await ask(`${old}/Patient/a`, { method: 'PUT', body: patient('a', 'urn:x', '2026-01-01') })
  expect((await runCli(['backup', `${dir}/utc`], utc)).code).toBe(0)
  const kolkata = { NADI_STORAGE: `sqlite:${dir}/kolkata.db`, NADI_ZONE: 'Asia/Kolkata', NADI_LOG: 'silent' }
  const bases = [await start(kolkata), await start(kolkata)]
  await ask(`${bases[0]}/Patient/b`, { method: 'PUT', body: patient('b', 'urn:y', '2026-01-01') })

  const refused = await runCli(['restore', `${dir}/utc`, '--force'], { ...kolkata, NADI_ZONE: 'UTC' })
  expect(refused.code).toBe(1)
  expect(refused.err).toMatch(/in use.*zone Asia\/Kolkata.*zone UTC.*Stop the server/)
  for (const base of bases) expect(await day(base)).toEqual(['b'])

  expect(await runCli(['restore', `${dir}/utc`, '--force'], kolkata)).toMatchObject({ code: 0 })
  for (const base of bases) expect(await day(base)).toEqual(['a'])
  for (const base of bases) {
    const fresh = `c${bases.indexOf(base)}`
    const made = await ask(`${base}/Patient/${fresh}`, {
      method: 'PUT',
      body: patient(fresh, 'urn:z', '2026-01-01'),
    })
    expect(made.status).toBe(201)
  }
  for (const base of bases) expect(await day(base)).toEqual(['a', 'c0', 'c1'])
}, 60_000)
