import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inputFiles } from '../../src/cli/load/files.ts'
import { runCli } from './run-cli.ts'
import { type StubServer, stubServer } from './stub-server.ts'

let dir: string
let server: StubServer
const put = (name: string, content: string | Uint8Array) => {
  mkdirSync(join(dir, name, '..'), { recursive: true })
  writeFileSync(join(dir, name), content)
}
const load = (...args: string[]) => runCli(['load', ...args, '--base-url', server.base])
const transaction = (id: string) =>
  `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"${id}"},"request":{"method":"POST","url":"Patient"}}]}`
const outcome = (diagnostics: string, expression?: string) => ({
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'error', code: 'invalid', diagnostics, ...(expression && { expression: [expression] }) },
  ],
})

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nadi-load-'))
  server = await stubServer()
})
afterEach(async () => {
  rmSync(dir, { recursive: true })
  await server.stop()
})

describe('which files are loaded', () => {
  it('numbered ones first, in number order, then those that others refer to, then the rest by name', () => {
    for (const name of [
      'Zoe.json',
      'a/Bob.ndjson.gz',
      '10-later.json',
      '2-first.json',
      'hospitalInformation15.json',
      'readme.md',
      'x.JSON.GZ',
    ])
      put(name, '{}')
    const names = inputFiles([dir]).map(file => file.path.slice(dir.length + 1))
    expect(names).toEqual([
      '2-first.json',
      '10-later.json',
      'hospitalInformation15.json',
      'Zoe.json',
      'a/Bob.ndjson.gz',
      'x.JSON.GZ',
    ])
  })
})

describe('nadi load', () => {
  it('sends transactions as their files hold them, numbers and all', async () => {
    const text = `{ "resourceType":"Bundle", "type":"transaction", "entry":[{"fullUrl":"urn:uuid:1",
      "resource":{"resourceType":"Observation","valueQuantity":{"value":1.00, "unit":"മി"}},"request":{"method":"POST","url":"Observation"}}]}`
    put('one.json', text)
    put('two.json.gz', gzipSync(transaction('b')))
    const ran = await load(dir)
    expect(ran.code).toBe(0)
    expect([...server.received].sort()).toEqual([text, transaction('b')].sort())
    expect(ran.out).toMatch(/^Loaded 2 resources from 2 files in [\d.]+ s \([\d,]+ resources\/s\)\.\n$/)
  })

  it('puts the lines of NDJSON under their ids in groups, and posts those without', async () => {
    const lines = Array.from(
      { length: 601 },
      (_, i) => `{"resourceType":"Observation","id":"o${i}","valueInteger":${i}.0}`,
    )
    lines[600] = '{"resourceType":"Observation","valueInteger":1e3}'
    put('obs.ndjson.gz', gzipSync(`\uFEFF${lines.join('\r\n')}\n\n`))
    const ran = await load(join(dir, 'obs.ndjson.gz'))
    expect(ran.code).toBe(0)
    expect(ran.out).toContain('Loaded 601 resources from 1 file')
    const all = server.received.join()
    for (const line of lines) expect(all).toContain(`{"resource":${line},"request":`)
    const requests = server.received.flatMap(text =>
      JSON.parse(text).entry.map((e: { request: unknown }) => e.request),
    )
    expect(requests).toContainEqual({ method: 'PUT', url: 'Observation/o599' })
    expect(requests.filter(r => (r as { method: string }).method === 'POST')).toEqual([
      { method: 'POST', url: 'Observation' },
    ])
    expect(server.received.length).toBe(3)
  })

  it('takes the resources out of a collection with their numbers, and single resources', async () => {
    put(
      'c.json',
      '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Basic","id":"x","v":1.00}},{"link":[]}]}',
    )
    put('d.json', '{"resourceType":"Basic","id":"y","v":2.50}')
    const ran = await load(dir)
    expect(ran.out).toContain('Loaded 2 resources from 2 files')
    expect(server.received.join()).toContain(
      '{"resource":{"resourceType":"Basic","id":"x","v":1.00},"request":{"method":"PUT","url":"Basic/x"}}',
    )
    expect(server.received.join()).toContain('2.50')
  })

  it('loads numbered files one after another and the others side by side, within the limit', async () => {
    await server.stop()
    server = await stubServer(() => undefined, 60)
    for (const n of ['1-a', '2-b', '3-c']) put(`${n}.json`, transaction(n))
    for (const n of 'defghijkl') put(`${n}.json`, transaction(n))
    const ran = await load(dir, '--parallel', '3')
    expect(ran.code).toBe(0)
    expect(server.received.slice(0, 3)).toEqual(['1-a', '2-b', '3-c'].map(transaction))
    expect(server.received.length).toBe(12)
    expect(server.atOnce()).toBe(3)
  })

  it('sends a refused group again as a batch, and names the entry, status and reason of each failure', async () => {
    await server.stop()
    server = await stubServer(bundle => {
      if (bundle.type === 'transaction') return { status: 400, body: outcome('no') }
      const entry = bundle.entry!.map(({ resource }) =>
        resource?.id === 'bad'
          ? { response: { status: '422 Unprocessable', outcome: outcome('wrong gender', 'Patient.gender') } }
          : { response: { status: '200 OK' } },
      )
      return { status: 200, body: { resourceType: 'Bundle', type: 'batch-response', entry } }
    })
    put(
      'p.ndjson',
      '{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"bad"}\n{"resourceType":"Patient","id":"c"}\n',
    )
    const ran = await load(dir)
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('Loaded 2 resources')
    expect(ran.out).toContain('p.ndjson, line 2: 422: wrong gender (Patient.gender)')
    expect(ran.out).toContain('1 failed.')
  })

  it('names a refused transaction with its file, and goes on with the others', async () => {
    await server.stop()
    server = await stubServer((_, text) =>
      text.includes('"b"') ? { status: 412, body: outcome('many match', 'Bundle.entry[0]') } : undefined,
    )
    for (const n of 'abc') put(`${n}.json`, transaction(n))
    const ran = await load(dir)
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('Loaded 2 resources from 3 files')
    expect(ran.out).toContain('b.json: 412: many match (Bundle.entry[0])')
  })

  it('names what a resource was refused for, not what was only remarked', async () => {
    await server.stop()
    const { issue } = outcome('wrong gender', 'Patient.gender')
    const remarks = ['no narrative', 'no name', 'no contact'].map(diagnostics => ({
      severity: 'warning',
      code: 'invariant',
      diagnostics,
    }))
    const body = { resourceType: 'OperationOutcome', issue: [...remarks, ...issue] }
    server = await stubServer(() => ({ status: 400, body }))
    put('a.json', transaction('a'))
    expect((await load(dir)).out).toContain('a.json: 400: wrong gender (Patient.gender)')
  })

  it('tries again where the server is busy or another request was faster', async () => {
    let busy = 2
    await server.stop()
    server = await stubServer(() => (busy-- > 0 ? { status: 503, body: outcome('busy') } : undefined))
    put('a.json', transaction('a'))
    const ran = await load(dir)
    expect(ran.code).toBe(0)
    expect(server.received.length).toBe(3)
  })

  it('says what it cannot read', async () => {
    put('bad.json', '{"resourceType":')
    put('worse.json.gz', new Uint8Array([1, 2, 3]))
    put('lines.ndjson', '{"resourceType":"Basic","id":"1"}\n{oops}\n')
    put('other.json', '{"a":1}')
    const ran = await load(dir)
    expect(ran.code).toBe(1)
    expect(ran.out).toContain('Loaded 1 resource from')
    for (const place of [
      'bad.json: not sent',
      'worse.json.gz: not sent',
      'lines.ndjson, line 2: not sent',
      'other.json: not sent',
    ])
      expect(ran.out).toContain(place)
  })

  it('says in a sentence that there is no server, and nothing to load', async () => {
    put('a.json', transaction('a'))
    await server.stop()
    const gone = await load(dir)
    expect(gone.code).toBe(1)
    expect(gone.err).toMatch(
      /^No server answers at http:\/\/127\.0\.0\.1:\d+\/fhir \(ECONNREFUSED\)\. Start one/,
    )
    server = await stubServer()
    const missing = await load(join(dir, 'nowhere'))
    expect(missing.code).toBe(1)
    expect(missing.err).toContain('nowhere')
    const empty = await load()
    expect(empty.code).toBe(1)
    expect(empty.err).toContain('Usage')
  })

  it('stops when the server goes away in the middle, and says so', async () => {
    await server.stop()
    server = await stubServer((_, text) => (text.includes('"c"') ? 'hang up' : undefined))
    for (const n of 'abcdefghijklmnop') put(`${n}.json`, transaction(n))
    const ran = await load(dir, '--parallel', '1')
    expect(ran.code).toBe(1)
    expect(ran.err).toContain('does not answer any more')
    expect(server.received.length).toBeLessThan(6)
  })
})
