/** The server as a process: how it starts, refuses, serves hostile clients and stops. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, spawnServer, startServer } from './server.ts'

const dir = mkdtempSync(join(tmpdir(), 'nadi-node-'))
afterAll(() => rmSync(dir, { recursive: true }))

const PATIENT = '{"resourceType":"Patient","id":"p1","active":true}'
const PUT_HEAD = 'PUT /fhir/Patient/p1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\n'
const put = (base: string, body = PATIENT) =>
  fetch(`${base}/Patient/p1`, { method: 'PUT', body, headers: { 'content-type': 'application/fhir+json' } })

/** A bare connection that sends what it is told and gathers what comes. */
async function dial(
  base: string,
): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const { hostname, port } = new URL(base)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', data => {
    text += data
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, answer: () => text, closed: once(socket, 'close') }
}

/** Waits until a request other than the asking one is under way. */
async function underWay(base: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const text = await (await fetch(new URL('/metrics', base), { headers: { connection: 'close' } })).text()
    if (text.includes('nadi_http_in_flight 2')) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('no request is under way')
}

async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not come true in time')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Runs a server that is expected to give up, and returns what it says. */
async function givesUp(
  env: Record<string, string>,
  args: string[] = [],
): Promise<{ code: number | null; said: string }> {
  const server = spawnServer({ env, args })
  const [code] = await once(server.process, 'close')
  return { code, said: [...server.out, ...server.err].join('\n') }
}

describe('start', () => {
  it('the banner says address, storage, how to load samples and where to look next', async () => {
    const server = await startServer({ env: { NADI_STORAGE: `sqlite:${dir}/banner/nadi.db` } })
    expect(server.out[0]).toMatch(/^Nadi \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+\/fhir$/)
    await until(() => server.out.length >= 5)
    const rest = server.out.join('\n')
    for (const part of [
      `${dir}/banner/nadi.db`,
      'npm run load -- bundles/',
      `${server.base}/metadata`,
      'docs/',
    ])
      expect(rest).toContain(part)
    expect((await fetch(new URL('/readyz', server.base))).status).toBe(200)
    expect(await server.stop()).toBe(0)
  })

  it('names the profiles that it cannot find in the log, since writes are refused meanwhile', async () => {
    const profiles = ['http://example.org/none', 'https://nrces.in/ndhm/fhir/r4/StructureDefinition/Patient']
    const env = { NADI_VALIDATE: 'profile', NADI_PROFILES: profiles.join(), NADI_LOG: 'warn' }
    const server = await startServer({ env })
    await expect.poll(() => server.err.length, { timeout: 10_000 }).toBe(1)
    expect(JSON.parse(server.err[0]!)).toMatchObject({ level: 'warn', profiles: ['http://example.org/none'] })
    expect((await put(server.base)).status).toBe(400)
    await server.stop()
  })

  it('a base URL is served under its path and used in links', async () => {
    const server = await startServer({ env: { NADI_BASE_URL: 'https://nadi.example.org/r4' } })
    expect(new URL(server.base).pathname).toBe('/r4')
    expect((await put(server.base)).headers.get('location')).toBe(
      'https://nadi.example.org/r4/Patient/p1/_history/1',
    )
    await server.stop()
  })

  it('forwarding headers of a trusted proxy make the links, those of others do not', async () => {
    const headers = { 'content-type': 'application/fhir+json', 'x-forwarded-host': 'nadi.example.org' }
    const make = (base: string) =>
      fetch(`${base}/Patient`, { method: 'POST', body: '{"resourceType":"Patient"}', headers })
    const trusting = await startServer({ env: { NADI_TRUSTED_PROXIES: '127.0.0.0/8' } })
    expect((await make(trusting.base)).headers.get('location')).toMatch(
      /^http:\/\/nadi\.example\.org\/fhir\/Patient\//,
    )
    await trusting.stop()
    const other = await startServer({ env: { NADI_TRUSTED_PROXIES: '10.0.0.1' } })
    expect((await make(other.base)).headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:/)
    await other.stop()
  })

  it('a port in use is said in a sentence', async () => {
    const first = await startServer()
    const { port } = new URL(first.base)
    const { code, said } = await givesUp({ NADI_PORT: port })
    expect(code).toBe(1)
    expect(said).toBe(
      `127.0.0.1:${port} is in use: another server, perhaps another Nadi, listens there. Choose another port with --port.`,
    )
    await first.stop()
  })

  it('bad and unknown settings are all named', async () => {
    const { code, said } = await givesUp({ NADI_ZONE: 'Asia/Kochi', NADI_PROT: '1' }, ['--limit', '3'])
    expect(code).toBe(1)
    for (const name of ['NADI_ZONE', 'NADI_PROT', '--limit']) expect(said).toContain(name)
  })

  it('without sign-in it binds nothing but loopback', async () => {
    const { code, said } = await givesUp({ NADI_HOST: '0.0.0.0' })
    expect(code).toBe(1)
    expect(said).toContain('loopback')
  })

  it('a file that is no database is named', async () => {
    const { code, said } = await givesUp({
      NADI_STORAGE: `sqlite:${join(import.meta.dirname, 'node.test.ts')}`,
    })
    expect(code).toBe(1)
    expect(said).toMatch(/^The storage SQLite .*node\.test\.ts \(sync full\) cannot be opened: /)
    expect(said.split('\n')).toHaveLength(1)
  })

  it('an old Node is told in a sentence what to do', () => {
    const old = spawnSync(process.execPath, [
      '--input-type=module',
      '-e',
      "Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import('./src/require-node.mjs')",
    ])
    expect(old.status).toBe(1)
    expect(String(old.stderr)).toMatch(/^Nadi needs Node 24 or newer/)
  })

  it('data is there after a restart, and the index is made anew when the zone changes', async () => {
    const env = { NADI_STORAGE: `sqlite:${dir}/zone.db`, NADI_LOG: 'info' }
    const body =
      '{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"period":{"start":"2026-11-21","end":"2026-11-21"}}'
    const found = async (base: string) => {
      const answer = await fetch(`${base}/Encounter?date=lt2026-11-20T22:00:00Z`)
      return ((await answer.json()) as { entry?: unknown[] }).entry?.length ?? 0
    }
    // In India the 21st begins on the 20th at 18:30 UTC, in London at midnight.
    const india = await startServer({ env })
    await fetch(`${india.base}/Encounter/e1`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(await found(india.base)).toBe(1)
    await india.stop()
    const london = await startServer({ env: { ...env, NADI_ZONE: 'Europe/London' } })
    expect(await found(london.base)).toBe(0)
    await until(() => london.err.join().includes('made anew'))
    expect((await put(london.base)).status).toBe(201)
    await london.stop()
    const again = await startServer({ env: { ...env, NADI_ZONE: 'Europe/London' } })
    expect(again.err.join()).not.toContain('made anew')
    expect((await fetch(`${again.base}/Encounter/e1`)).status).toBe(200)
    await again.stop()
  })
})

describe('stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a request under way finish, refuses new ones and ends with 0',
    async signal => {
      const server = await startServer({ env: { NADI_STORAGE: `sqlite:${dir}/${signal}.db` } })
      const slow = await dial(server.base)
      slow.socket.write(`${PUT_HEAD}Content-Length: ${PATIENT.length}\r\n\r\n`)
      const idle = await dial(server.base)
      await underWay(server.base)
      const exit = once(server.process, 'exit')
      // Twice: npm passes on what the terminal has sent to the process already.
      server.process.kill(signal)
      server.process.kill(signal)
      await idle.closed
      await expect(fetch(server.base)).rejects.toThrow()
      slow.socket.write(PATIENT)
      await slow.closed
      expect(slow.answer()).toContain('HTTP/1.1 201 Created')
      expect((await exit)[0]).toBe(0)
    },
  )

  it('a request that never ends is cut off in time', async () => {
    const server = await startServer({ env: { NADI_STOP_MS: '300' } })
    const slow = await dial(server.base)
    slow.socket.write(`${PUT_HEAD}Content-Length: 10\r\n\r\n`)
    await underWay(server.base)
    const start = Date.now()
    expect(await server.stop()).toBe(0)
    expect(Date.now() - start).toBeLessThan(3000)
    await slow.closed
  })

  it('a process that is killed has lost nothing that it acknowledged', async () => {
    const env = { NADI_STORAGE: `sqlite:${dir}/killed.db` }
    const server = await startServer({ env })
    expect((await put(server.base)).status).toBe(201)
    await server.kill9()
    const again = await startServer({ env })
    expect((await fetch(`${again.base}/Patient/p1`)).status).toBe(200)
    await again.stop()
  })
})

describe('hostile clients', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer({
      env: { NADI_HEADER_MS: '400', NADI_REQUEST_MS: '2500', NADI_BODY_LIMIT: '100000', NADI_LOG: 'info' },
    })
  })
  afterAll(async () => {
    expect(server.process.exitCode).toBeNull()
    await server.stop()
  })
  const head = 'POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\n'
  const outcome = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

  it('a header that does not end is 408', async () => {
    const { socket, answer, closed } = await dial(server.base)
    const start = Date.now()
    socket.write('GET /fhir/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
    await closed
    // Long before the time for a whole request is over.
    expect(Date.now() - start).toBeLessThan(2000)
    expect(answer()).toMatch(/^HTTP\/1\.1 408 /)
    expect(outcome(answer()).issue[0].code).toBe('timeout')
  })

  it('a body that trickles in is 408', async () => {
    const { socket, answer, closed } = await dial(server.base)
    socket.write(`${head}Content-Length: 50000\r\n\r\n`)
    const trickle = setInterval(() => socket.write(' '), 50)
    await closed
    clearInterval(trickle)
    expect(answer()).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('an endless chunked body is 413 and not read to its end', async () => {
    const { socket, answer, closed } = await dial(server.base)
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
    let sent = 0
    const flood = setInterval(() => {
      sent++
      socket.write(chunk)
    }, 2)
    await until(() => answer().includes('\r\n\r\n'))
    await closed
    clearInterval(flood)
    expect(answer()).toMatch(/^HTTP\/1\.1 413 /)
    expect(sent).toBeLessThan(2000)
  })

  it('a body announced too large is refused before it is sent', async () => {
    const { socket, answer, closed } = await dial(server.base)
    socket.write(`${head}Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n`)
    await until(() => answer().includes('\r\n\r\n'))
    expect(answer()).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer()).not.toContain('100 Continue')
    socket.destroy()
    await closed
  })

  it.each([
    ['no HTTP at all', 'HELO there\r\n\r\n', 400],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`, 400],
    ['a length and chunks', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['no Host', 'GET /fhir/metadata HTTP/1.1\r\n\r\n', 400],
    ['a foreign Host', 'GET /fhir/metadata HTTP/1.1\r\nHost: evil.example.org\r\n\r\n', 421],
    ['a header of 100 KB', `GET /fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['a backslash in the path', 'GET /fhir/\\Patient HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    [
      'a foreign absolute URL',
      'GET http://evil.example.org/fhir/metadata HTTP/1.1\r\nHost: evil.example.org\r\n\r\n',
      421,
    ],
    ['climbing out of the base', 'GET /fhir/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
    [
      'a URL of 20,000 characters',
      `GET /fhir/Patient?name=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      414,
    ],
    ['an escape that is none in the path', 'GET /fhir/Patient/%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
    ['an unknown expectation', 'GET /fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: miracles\r\n\r\n', 417],
    ['TRACE', 'TRACE /fhir/Patient/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405],
  ])('%s is refused with an OperationOutcome', async (_, text, status) => {
    const { socket, answer, closed } = await dial(server.base)
    socket.write(text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    await closed
    expect(answer()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(outcome(answer()).resourceType).toBe('OperationOutcome')
  })

  it('a client that goes away in the middle leaves no error behind', async () => {
    const { socket, closed } = await dial(server.base)
    socket.write(`${head}Content-Length: 50000\r\n\r\n{"resourceType":`)
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.destroy()
    await closed
    await fetch(`${server.base}/metadata`)
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(server.err.filter(line => /"level":"(error|warn)"/.test(line))).toEqual([])
  })

  it('answers are compressed with gzip and br for who takes it', async () => {
    const response = await fetch(`${server.base}/metadata`, { headers: { 'accept-encoding': 'br' } })
    expect(response.headers.get('content-encoding')).toBe('br')
    expect(((await response.json()) as { resourceType: string }).resourceType).toBe('CapabilityStatement')
  })
})
