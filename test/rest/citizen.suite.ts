/**
 * What any HTTP server owes: request ids, health, limits, errors that are OperationOutcomes, and nothing for strangers.
 * https://hl7.org/fhir/R4/http.html#Status-Codes
 */
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  type Api,
  bundle,
  byIdentifier,
  entry,
  FHIR,
  located,
  matches,
  patient,
  refused,
  word,
} from './client.ts'

export interface CitizenOptions {
  /** Largest body that the server was started with, bytes. */
  bodyLimit: number
  /** Most entries of a Bundle that it was started with. */
  entryLimit: number
  /** Whether it is the server on Node: before a Worker, the edge compresses. */
  node: boolean
}

/** Sends what fetch would not: any Host, any path as it is written. */
function raw(
  base: string,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: hostname, port, path, method, headers, setHost: headers.host === undefined },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', part => {
          text += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

export function citizenSuite(api: () => Api, options: CitizenOptions): void {
  describe('request ids', () => {
    it('come back as they were sent, and are made up otherwise', async () => {
      const sent = await api().get('metadata', { 'x-request-id': 'nadi-test.1' })
      expect(sent.headers.get('x-request-id')).toBe('nadi-test.1')
      const [one, two] = [await api().get('metadata'), await api().get('metadata')]
      expect(one.headers.get('x-request-id')).toMatch(/\S/)
      expect(one.headers.get('x-request-id')).not.toBe(two.headers.get('x-request-id'))
      expect((await api().get('Nonsense/1')).headers.get('x-request-id')).toMatch(/\S/)
    })

    it('that are hostile do no harm', async () => {
      for (const value of ['x'.repeat(4000), 'a b', '"><script>', '{"a":1}']) {
        const answer = await api().get('metadata', { 'x-request-id': value })
        expect(answer.status).toBeLessThan(500)
        expect((answer.headers.get('x-request-id') ?? '').length).toBeLessThanOrEqual(200)
      }
    })
  })

  describe('health', () => {
    it('/healthz says that it lives and /readyz that storage answers', async () => {
      expect((await api().get('//healthz', { accept: '*/*' })).status).toBe(200)
      expect((await api().get('//readyz', { accept: '*/*' })).status).toBe(200)
    })

    it('/metrics is Prometheus text', async () => {
      await api().made(patient(word()))
      const answer = await api().get('//metrics', { accept: '*/*' })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
      expect(answer.text).toMatch(/^# TYPE \w+ (counter|gauge|histogram|summary)$/m)
      for (const line of answer.text.split('\n').filter(line => line !== '' && !line.startsWith('#'))) {
        expect(line).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? (-?[0-9.eE+-]+|[+-]Inf|NaN)( \d+)?$/)
      }
      expect(answer.text).not.toMatch(/Patient\/\w{8}/)
    })
  })

  describe('errors', () => {
    it('on routes that do not exist are OperationOutcomes', async () => {
      for (const path of [
        '//nonsense',
        '//',
        'Nonsense',
        'Patient/1/2',
        'Patient/1/_history/1/2',
        '_nonsense',
        'Patient/$nonsense',
        '$nonsense',
      ]) {
        const answer = await api().get(path)
        if (path === '//' && answer.status < 400) continue
        refused(answer, 400, 404, 405)
      }
      refused(await api().post('Patient/1', patient('x')), 404, 405)
      refused(await api().put('Patient/1/_history/1', patient('x')), 404, 405)
      refused(await api().delete('metadata'), 404, 405)
    })

    it('on addresses that are no addresses are client errors', async () => {
      for (const path of [
        '/fhir/Patient/%',
        '/fhir/Patient/%ff',
        '/fhir/Patient?family=%E0%A4%A',
        '/fhir/Patient/..%2f..%2fetc',
        '/fhir//Patient',
        '/fhir/Patient/%00',
        '/fhir/Patient?_id=%00',
        '/fhir/Patient?=',
        '/fhir/Patient?&&',
        '/fhir/Patient?%',
      ]) {
        const answer = await raw(api().base, path, { accept: 'application/fhir+json' })
        expect(answer.status, `${path}: ${answer.text}`).toBeLessThan(500)
      }
    })

    it('carry no traces of the inside', async () => {
      const answer = await api().post('Patient', '{"resourceType":"Patient","active":')
      expect(answer.text).not.toMatch(/node_modules|\.ts:\d|at \w+ \(/)
    })
  })

  describe('limits', () => {
    const filler = 'x'.repeat(options.bodyLimit + 1000)
    it('a body above the limit is 413 too-costly', async () => {
      const outcome = refused(await api().post('Patient', patient(word(), { name: [{ text: filler }] })), 413)
      expect(outcome.issue[0].code).toMatch(/^too-(costly|long)$/)
    })

    const packed = (text: string) =>
      api().post('Patient', new Uint8Array(gzipSync(text)), {
        'content-type': FHIR,
        'content-encoding': 'gzip',
      })
    it('a packed body is unpacked, and 413 where it is too large then', async () => {
      const value = word()
      const answer = await packed(JSON.stringify(patient(value)))
      // A server that does not unpack says so.
      if (answer.status !== 201) return void refused(answer, 415)
      expect(await api().found(`Patient?${byIdentifier(value)}`)).toHaveLength(1)
      refused(await packed(JSON.stringify(patient(word(), { name: [{ text: filler }] }))), 413)
      const broken = await api().post('Patient', 'no gzip', {
        'content-type': FHIR,
        'content-encoding': 'gzip',
      })
      refused(broken, 400, 415)
      refused(await api().post('Patient', 'x', { 'content-type': FHIR, 'content-encoding': 'nonsense' }), 415)
    })

    it('a Bundle with too many entries is refused and nothing of it is stored', async () => {
      const value = word()
      const entries = Array.from({ length: options.entryLimit + 1 }, () =>
        entry('POST', 'Patient', { resource: patient(value) }),
      )
      for (const type of ['batch', 'transaction'] as const)
        refused(await api().post('', bundle(type, ...entries)), 400, 413, 422)
      expect(await api().found(`Patient?${byIdentifier(value)}`)).toEqual([])
    })

    it('a resource of three megabytes comes back as it was, or is 413 too-costly', async () => {
      // Thirty names, for a string holds 1024*1024 characters at most.
      const name = Array.from({ length: 30 }, (_, n) => ({ text: `${n}${'നാഡി'.repeat(100_000 / 12)}` }))
      const answer = await api().post('Patient', patient(word(), { name }))
      if (answer.status === 413) return void refused(answer, 413)
      expect((await api().get(`Patient/${located(answer).id}`)).body.name).toEqual(name)
    })

    it('a body below the limit is taken', async () => {
      const text = 'നാ'.repeat(Math.min(options.bodyLimit, 500_000) / 10)
      const stored = await api().made(patient(word(), { name: [{ text }] }))
      expect((await api().get(`Patient/${stored.id}`)).body.name[0].text).toBe(text)
    })

    it('an address above the limit is 414', async () => {
      refused(await api().get(`Patient?family=${'x'.repeat(10_000)}`), 414)
    })

    it('hostile parameters are answered in bounded time', async () => {
      const queries = [
        `_id=${Array.from({ length: 1500 }, (_, n) => n.toString(36)).join(',')}`,
        `family=${'a,'.repeat(2000)}a`,
        Array.from({ length: 300 }, (_, n) => `family=a${n}`).join('&'),
        `_sort=${'family,'.repeat(500)}family`,
        `family=${'\\'.repeat(3000)}`,
        `_elements=${'a,'.repeat(2000)}a`,
      ]
      for (const query of queries) {
        const from = Date.now()
        const answer = await api().get(`Patient?${query}`)
        expect(answer.status, `${query.slice(0, 40)}: ${answer.text.slice(0, 200)}`).toBeLessThan(500)
        expect(Date.now() - from).toBeLessThan(10_000)
      }
    })
  })

  describe('strangers', () => {
    it('are kept out by the Host header', async () => {
      for (const host of [
        'evil.example.org',
        'evil.example.org:8080',
        '127.0.0.1.evil.example.org',
        'localhost.evil.example.org',
        '8.8.8.8',
      ]) {
        const answer = await raw(api().base, '/fhir/Patient', { host, accept: 'application/fhir+json' })
        expect([400, 403, 421, 503], `${host}: ${answer.text.slice(0, 100)}`).toContain(answer.status)
        expect(answer.text).not.toContain('searchset')
      }
      const { port } = new URL(api().base)
      const friend = await raw(api().base, '/fhir/metadata', {
        host: `localhost:${port}`,
        accept: 'application/fhir+json',
      })
      expect(friend.status).toBe(200)
    })

    it('from other web pages get no CORS headers', async () => {
      const origin = 'https://evil.example.org'
      const simple = await api().get('Patient?_count=1', { origin })
      expect(simple.headers.get('access-control-allow-origin')).toBeNull()
      const preflight = await api().ask('OPTIONS', 'Patient', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      })
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
      expect(preflight.headers.get('access-control-allow-methods')).toBeNull()
    })

    it('cannot make a web page of the reader write by a simple form', async () => {
      const value = word()
      const form = await api().post('Patient', JSON.stringify(patient(value)), {
        'content-type': 'text/plain',
        origin: 'https://evil.example.org',
      })
      refused(form, 403, 415)
    })
  })

  if (options.node) {
    describe('compression', () => {
      it('is used when it is asked for, and says the same', async () => {
        const stored = await api().made(patient(word(), { name: [{ text: 'x'.repeat(5000) }] }))
        for (const encoding of ['gzip', 'br']) {
          const answer = await api().get(`Patient/${stored.id}`, { 'accept-encoding': encoding })
          expect(answer.headers.get('content-encoding'), encoding).toBe(encoding)
          expect(answer.headers.get('vary')).toMatch(/accept-encoding/i)
          expect(answer.body).toEqual(stored)
        }
        const plain = await raw(api().base, `/fhir/Patient/${stored.id}`, { 'accept-encoding': 'identity' })
        expect(plain.headers['content-encoding']).toBeUndefined()
      })
    })
  }

  describe('caches', () => {
    it('are told not to keep answers without asking', async () => {
      const stored = await api().made(patient(word()))
      for (const path of [
        `Patient/${stored.id}`,
        `Patient?_id=${stored.id}`,
        `Patient/${stored.id}/_history`,
      ]) {
        expect((await api().get(path)).headers.get('cache-control') ?? '', path).toMatch(
          /no-store|no-cache|private|max-age=0/,
        )
      }
    })
  })

  describe('a batch', () => {
    it('answers its entries as they would be answered alone', async () => {
      const stored = await api().made(patient(word()))
      const answer = await api().post(
        '',
        bundle('batch', entry('GET', `Patient?_id=${stored.id}`), entry('GET', `Patient/${stored.id}`)),
      )
      expect(matches(answer.body.entry[0].resource)).toEqual([stored])
      expect(answer.body.entry[1].resource).toEqual(stored)
    })
  })
}
