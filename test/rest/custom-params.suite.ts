/** Search parameters that are posted while several servers on one store write, and a server that is killed while it indexes. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningServer } from '../runtime/server.ts'
import { type Api, api, bundle, entry, type Tree, word } from './client.ts'

const TRIBE = 'http://example.org/tribe'

export const searchParameter = (code: string, more: Tree = {}): Tree => ({
  resourceType: 'SearchParameter',
  url: `http://example.org/SearchParameter/${code}`,
  name: code,
  status: 'active',
  description: code,
  code,
  base: ['Patient'],
  type: 'token',
  expression: `Patient.extension('${TRIBE}').value`,
  ...more,
})
const member = (tribe: string, more: Tree = {}): Tree => ({
  resourceType: 'Patient',
  extension: [{ url: TRIBE, valueString: tribe }],
  ...more,
})
/** The body of an operation that takes no parameters. */
const NOTHING = { resourceType: 'Parameters' }
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until a search is answered and returns how many it finds; until then it must be refused, never answered in part. */
async function whenWhole(client: Api, query: string, within = 60_000): Promise<number> {
  for (const until = Date.now() + within; ; await sleep(20)) {
    const answer = await client.get(`${query}&_summary=count`)
    if (answer.status === 200) return answer.body.total
    expect(answer.status, answer.text).toBe(503)
    expect(answer.body.issue[0].diagnostics).toContain('is being indexed')
    expect(answer.headers.get('retry-after')).not.toBeNull()
    expect(Date.now(), answer.text).toBeLessThan(until)
  }
}

/** The jobs of $reindex-status, newest first. */
async function jobs(client: Api): Promise<Tree[]> {
  const { status, body, text } = await client.get('$reindex-status')
  expect(status, text).toBe(200)
  return (body.parameter ?? []).map(({ part }: Tree) =>
    Object.fromEntries(
      part.map((one: Tree) => [
        one.name,
        one.valueInteger ?? one.valueString ?? one.valueCode ?? one.valueInstant,
      ]),
    ),
  )
}

async function load(client: Api, resource: Tree, count: number): Promise<void> {
  for (let at = 0; at < count; at += 50) {
    const entries = Array.from({ length: 50 }, () => entry('POST', resource.resourceType, { resource }))
    expect((await client.post('', bundle('transaction', ...entries))).status).toBe(200)
  }
}

/** `start` gives a server on the same store each time; so many resources take seconds to index. */
export function customParamsSuite(start: () => Promise<RunningServer>, count: number): void {
  let servers: RunningServer[]
  let clients: Api[]
  beforeAll(async () => {
    servers = [await start(), await start()]
    clients = servers.map(server => api(server.base))
  }, 60_000)
  afterAll(async () => {
    await Promise.all(servers.map(server => server.stop()))
  })

  it('no write of either server misses a parameter that one was sent while both write', {
    timeout: 90_000,
  }, async () => {
    const [a, b] = clients as [Api, Api]
    const [old, current, moved] = [word(), word(), word()]
    await load(a, member(old), 200)
    const ids = await b.found(`Patient?_count=200`)
    let writing = true
    let created = 0
    const changed = new Set<string>()
    const creator = async (client: Api) => {
      while (writing) {
        const { status, text } = await client.post('Patient', member(current))
        expect(status, text).toBe(201)
        created++
        await sleep(10)
      }
    }
    const updater = async (client: Api, mine: string[]) => {
      for (const id of mine) {
        if (!writing) return
        const { status, text } = await client.put(`Patient/${id}`, member(moved, { id }))
        expect(status, text).toBe(200)
        changed.add(id)
      }
    }
    const work = [creator(a), creator(b), updater(a, ids.slice(0, 100)), updater(b, ids.slice(100))]
    await sleep(300)
    const code = `t${word()}`
    expect((await a.post('SearchParameter', searchParameter(code))).status).toBe(201)
    await Promise.all(clients.map(client => whenWhole(client, `Patient?${code}=${current}`)))
    await sleep(300)
    writing = false
    await Promise.all(work)
    expect(created).toBeGreaterThan(20)
    for (const client of clients) {
      expect(await whenWhole(client, `Patient?${code}=${current}`)).toBe(created)
      expect(await whenWhole(client, `Patient?${code}=${moved}`)).toBe(changed.size)
      expect(await whenWhole(client, `Patient?${code}=${old}`)).toBe(200 - changed.size)
    }
  })

  it('both servers list a parameter that is complete, and neither one that is gone', {
    timeout: 60_000,
  }, async () => {
    const [a, b] = clients as [Api, Api]
    const code = `t${word()}`
    const stored = await a.made(searchParameter(code))
    await whenWhole(b, `Patient?${code}=x`)
    const lists = async (client: Api) =>
      (await client.get('metadata')).body.rest[0].resource
        .find((one: Tree) => one.type === 'Patient')
        .searchParam.some((one: Tree) => one.name === code)
    await expect.poll(() => lists(a), { timeout: 10_000 }).toBe(true)
    await expect.poll(() => lists(b), { timeout: 10_000 }).toBe(true)
    for (const sort of [code, `-${code}`]) {
      const { status, text, body } = await a.get(`Patient?_sort=${sort}&_count=1&${code}:missing=false`)
      expect(status, text).toBe(200)
      expect(body.entry, text).toHaveLength(1)
    }
    expect((await b.delete(`SearchParameter/${stored.id}`)).status).toBe(204)
    for (const client of clients) expect((await client.get(`Patient?${code}=x`)).status).toBe(400)
    await expect.poll(() => lists(a), { timeout: 10_000 }).toBe(false)
  })

  it('in a transaction one may take the place of another, and two of one code are refused whole', async () => {
    const [a, b] = clients as [Api, Api]
    const code = `t${word()}`
    const two = [1, 2].map(n =>
      entry('POST', 'SearchParameter', { resource: searchParameter(code, { url: `urn:x:${code}:${n}` }) }),
    )
    const refusedBoth = await a.post('', bundle('transaction', ...two))
    expect(refusedBoth.status, refusedBoth.text).toBe(422)
    expect(await a.found(`SearchParameter?code=${code}`)).toEqual([])
    const { id } = await b.made(searchParameter(code))
    const swap = await a.post('', bundle('transaction', entry('DELETE', `SearchParameter/${id}`), two[0]))
    expect(swap.status, swap.text).toBe(200)
    expect(await whenWhole(b, `Patient?${code}=nobody`)).toBe(0)
    const bad = searchParameter(`t${word()}`, { expression: 'Patient.nothing' })
    const answer = await a.post(
      '',
      bundle('transaction', entry('POST', 'SearchParameter', { resource: bad })),
    )
    expect(answer.status, answer.text).toBe(422)
    expect(answer.body.issue[0].expression).toEqual(['Bundle.entry[0].resource.expression'])
  })

  it('$reindex of all, of a type and of a parameter, asked of either server, is done in the end', {
    timeout: 120_000,
  }, async () => {
    const [a, b] = clients as [Api, Api]
    for (const path of ['$reindex', 'Patient/$reindex']) {
      const answers = await Promise.all([a.post(path, NOTHING), b.post(path, NOTHING)])
      for (const answer of answers) expect(answer.status, answer.text).toBe(200)
      const wanted = path === '$reindex' ? 'all' : 'Patient'
      const states = async () =>
        new Set((await jobs(b)).filter(({ what }) => what === wanted).map(({ state }) => state))
      await expect.poll(states, { timeout: 60_000 }).toEqual(new Set(['done']))
    }
    const [last] = await jobs(a)
    expect(last).toMatchObject({ what: 'Patient', type: 'Patient', done: last.total })
    expect((await a.get('$reindex')).status).toBe(405)
    expect((await a.post('Patient/x/$reindex', NOTHING)).status).toBe(400)
    const { id } = await a.made(searchParameter(`t${word()}`))
    const one = await b.post(`SearchParameter/${id}/$reindex`, NOTHING)
    expect(one.status, one.text).toBe(200)
    expect(one.text).toContain(`SearchParameter/${id}`)
    const open = async () => (await jobs(a)).filter(({ state }) => state !== 'done')
    await expect.poll(open, { timeout: 60_000 }).toEqual([])
  })

  it('a server that is killed while it indexes is followed by the other, which goes on', {
    timeout: 120_000,
  }, async () => {
    const [a, b] = clients as [Api, Api]
    const tribe = word()
    // Of a type of their own, so that nothing else is walked.
    await load(a, member(tribe, { resourceType: 'Practitioner' }), count)
    const code = `t${word()}`
    const expression = `Practitioner.extension('${TRIBE}').value`
    await a.made(searchParameter(code, { base: ['Practitioner'], expression }))
    const running = async () => (await jobs(b)).find(({ state, done }) => state === 'running' && done > 0)
    let seen: Tree
    for (const until = Date.now() + 30_000; seen === undefined && Date.now() < until; await sleep(10))
      seen = await running()
    expect(seen, 'nothing was seen of the work').toBeDefined()
    // Whichever is at it ends without a word, then the other one, and one comes back.
    for (const server of servers) await server.kill9()
    servers = [await start()]
    clients = servers.map(server => api(server.base))
    const left = (await jobs(clients[0]!)).find(({ id }) => id === seen.id)
    expect(left?.done ?? 0).toBeGreaterThanOrEqual(seen.done)
    expect(await whenWhole(clients[0]!, `Practitioner?${code}=${tribe}`)).toBe(count)
  })
}
