import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fhirError } from '../../src/fhir/error.ts'
import { NOW, type TestApp, testApp } from './test-app.ts'

const FHIR = 'application/fhir+json'
const patient = (id: string, rest = '') => `{"resourceType":"Patient","id":"${id}"${rest}}`

let app: TestApp
let n = 0
/** An id that no other test has. */
let id = ''
beforeAll(async () => {
  app = await testApp()
})
afterAll(() => app.close())
beforeEach(() => {
  id = `t${++n}`
})

async function refused(response: Response, status: number, code?: string): Promise<string> {
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8')
  const outcome = await response.json()
  expect(outcome.resourceType).toBe('OperationOutcome')
  expect(outcome.issue[0].severity).toMatch(/^(fatal|error)$/)
  if (code !== undefined) expect(outcome.issue[0].code).toBe(code)
  return outcome.issue[0].diagnostics
}

const put = (path: string, body: string, headers: Record<string, string> = {}) =>
  app.ask('PUT', path, { body, headers: { 'content-type': FHIR, ...headers } })
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  app.ask('POST', path, { body, headers: { 'content-type': FHIR, ...headers } })

describe('routes', () => {
  it('an unknown address is 404 with an OperationOutcome', async () => {
    await refused(await app.ask('GET', '/nowhere'), 404, 'not-found')
    await refused(await app.ask('GET', '/fhir/Patient/1/2/3/4'), 404, 'not-found')
    await refused(await app.ask('GET', '/fhir/Patent/1'), 404)
    await refused(
      await app.ask('POST', '/fhir/$nothing', { body: '{}', headers: { 'content-type': FHIR } }),
      404,
    )
  })

  it.each([
    ['PUT', '/fhir', 'GET, HEAD, POST, OPTIONS'],
    ['DELETE', '/fhir/metadata', 'GET, HEAD, OPTIONS'],
    ['POST', '/fhir/Patient/1', 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'],
    ['GET', '/fhir/Patient/_search', 'POST, OPTIONS'],
    ['PUT', '/fhir/Patient/1/_history/2', 'GET, HEAD, OPTIONS'],
    ['POST', '/healthz', 'GET, HEAD, OPTIONS'],
    ['TRACEROUTE', '/fhir/Patient', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const response = await app.ask(method, path)
    expect(response.headers.get('allow')).toBe(allow)
    await refused(response, 405, 'not-supported')
  })

  it('OPTIONS says what is allowed, and no CORS header lets a web page read', async () => {
    const response = await app.ask('OPTIONS', '/fhir/Patient/1', {
      headers: { origin: 'https://evil.example.org' },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('allow')).toBe('GET, HEAD, PUT, PATCH, DELETE, OPTIONS')
    expect([...response.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
  })

  it('a slash at the end makes no difference', async () => {
    expect((await app.ask('GET', '/fhir/metadata/')).status).toBe(200)
    expect((await app.ask('GET', '/fhir/Patient/?_count=0')).status).toBe(200)
  })

  it('the root says where to go', async () => {
    const body = await (await app.ask('GET', '/')).json()
    expect(body.capabilities).toBe('http://127.0.0.1:8080/fhir/metadata')
  })
})

describe('request ids', () => {
  it('a harmless one is given back', async () =>
    expect(
      (await app.ask('GET', '/healthz', { headers: { 'x-request-id': 'abc-1:2.3_4' } })).headers.get(
        'x-request-id',
      ),
    ).toBe('abc-1:2.3_4'))

  it.each(['', 'a b', 'a"b', 'x'.repeat(129)])('"%s" is replaced by one of ours', async sent => {
    const got = (await app.ask('GET', '/nowhere', { headers: { 'x-request-id': sent } })).headers.get(
      'x-request-id',
    )
    expect(got).not.toBe(sent)
    expect(got).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('a write', () => {
  it('a create answers Location, ETag, Last-Modified and the body as stored', async () => {
    const response = await post('/fhir/Patient', '{"resourceType":"Patient","gender":"female"}')
    expect(response.status).toBe(201)
    const { headers } = response
    const location = headers.get('location') ?? ''
    expect(location).toMatch(/^http:\/\/127\.0\.0\.1:8080\/fhir\/Patient\/[0-9a-f-]{36}\/_history\/1$/)
    expect(headers.get('content-location')).toBe(location)
    expect(headers.get('etag')).toBe('W/"1"')
    expect(Date.parse(headers.get('last-modified') ?? '')).toBe(NOW)
    const text = await response.text()
    expect(await (await app.ask('GET', new URL(location).pathname)).text()).toBe(text)
  })

  it('Prefer decides about the body', async () => {
    const minimal = await put(`/fhir/Patient/${id}`, patient(id), { prefer: 'return=minimal' })
    expect([minimal.status, await minimal.text()]).toEqual([201, ''])
    expect(minimal.headers.get('location')).toBe(`http://127.0.0.1:8080/fhir/Patient/${id}/_history/1`)
    const outcome = await put(`/fhir/Patient/${id}`, patient(id, ',"active":true'), {
      prefer: 'return=OperationOutcome',
    })
    expect(outcome.status).toBe(200)
    expect((await outcome.json()).issue[0].severity).toBe('information')
    expect(outcome.headers.get('location')).toBeNull()
    const whole = await put(`/fhir/Patient/${id}`, patient(id, ',"active":false'), {
      prefer: 'return=representation',
    })
    expect((await whole.json()).active).toBe(false)
  })

  it('If-Match guards an update, a patch and a delete with 412', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    await refused(
      await put(`/fhir/Patient/${id}`, patient(id, ',"active":true'), { 'if-match': 'W/"7"' }),
      412,
    )
    await refused(
      await app.ask('PATCH', `/fhir/Patient/${id}`, {
        body: '[{"op":"add","path":"/active","value":true}]',
        headers: { 'content-type': 'application/json-patch+json', 'if-match': 'W/"7"' },
      }),
      412,
    )
    await refused(await app.ask('DELETE', `/fhir/Patient/${id}`, { headers: { 'if-match': 'W/"7"' } }), 412)
    expect(
      (await put(`/fhir/Patient/${id}`, patient(id, ',"active":true'), { 'if-match': 'W/"1"' })).status,
    ).toBe(200)
  })

  it('If-None-Match: * writes only where there is nothing, as RFC 9110 has it', async () => {
    const absent = { 'if-none-match': '*' }
    expect((await put(`/fhir/Patient/${id}`, patient(id), absent)).status).toBe(201)
    await refused(await put(`/fhir/Patient/${id}`, patient(id, ',"active":true'), absent), 412, 'conflict')
    await refused(await put(`/fhir/Patient/${id}`, patient(id), { 'if-none-match': 'W/"1"' }), 412)
    await refused(await put(`/fhir/Patient/${id}`, patient(id), { 'if-none-match': 'one' }), 400)
    await refused(await put(`/fhir/Patient?_id=${id}`, patient(id), absent), 412)
    await refused(await app.ask('DELETE', `/fhir/Patient/${id}`, { headers: absent }), 412)
    expect((await put(`/fhir/Patient/${id}`, patient(id), { 'if-none-match': 'W/"9"' })).status).toBe(200)
    await app.ask('DELETE', `/fhir/Patient/${id}`)
    expect((await put(`/fhir/Patient/${id}`, patient(id), absent)).status).toBe(201)
  })

  it('of many that want to be the first, one is', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () => put(`/fhir/Patient/${id}`, patient(id), { 'if-none-match': '*' })),
    )
    const statuses = all.map(({ status }) => status)
    expect(statuses.filter(status => status === 201)).toHaveLength(1)
    expect(statuses.filter(status => status === 412)).toHaveLength(19)
  })

  it('If-Unmodified-Since guards where there is no If-Match', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    const early = { 'if-unmodified-since': new Date(NOW - 1000).toUTCString() }
    await refused(await put(`/fhir/Patient/${id}`, patient(id), early), 412)
    expect((await put(`/fhir/Patient/${id}`, patient(id), { ...early, 'if-match': 'W/"1"' })).status).toBe(
      200,
    )
    const now = { 'if-unmodified-since': new Date(NOW).toUTCString() }
    expect((await put(`/fhir/Patient/${id}`, patient(id), now)).status).toBe(200)
    expect((await put(`/fhir/Patient/${id}`, patient(id), { 'if-unmodified-since': '0' })).status).toBe(200)
  })

  it('a client that wants no body still learns which resource its criteria found', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    const location = `http://127.0.0.1:8080/fhir/Patient/${id}/_history/`
    const minimal = { prefer: 'return=minimal' }
    const found = await post('/fhir/Patient', '{"resourceType":"Patient"}', {
      ...minimal,
      'if-none-exist': `_id=${id}`,
    })
    expect([found.status, found.headers.get('location')]).toEqual([200, `${location}1`])
    const updated = await put(`/fhir/Patient?_id=${id}`, '{"resourceType":"Patient"}', minimal)
    expect([updated.status, updated.headers.get('location')]).toEqual([200, `${location}2`])
  })

  it('the ids . and .. are refused: no URL could name them', async () => {
    for (const name of ['.', '..']) {
      await refused(await put('/fhir/Patient?identifier=none', patient(name)), 400, 'value')
      const entry = `{"resource":${patient(name)},"request":{"method":"PUT","url":"Patient/${name}"}}`
      await refused(
        await post('/fhir', `{"resourceType":"Bundle","type":"transaction","entry":[${entry}]}`),
        400,
      )
    }
  })

  it('an error is not as long as the name that it complains of', async () => {
    const name = 'a'.repeat(400_000)
    const text = await refused(
      await post('/fhir/Patient', `{"resourceType":"Patient","${name}":1,"${name}":1}`),
      400,
    )
    expect(text.length).toBeLessThan(1000)
    const response = await post('/fhir/Patient', `{"resourceType":"Patient","${name}":1,"${name}":1}`)
    expect((await response.text()).length).toBeLessThan(1000)
  })

  it('If-None-Exist makes a create conditional', async () => {
    const body = `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"${id}"}]}`
    const first = await post('/fhir/Patient', body, { 'if-none-exist': `identifier=urn:x|${id}` })
    const second = await post('/fhir/Patient', body, { 'if-none-exist': `identifier=urn:x|${id}` })
    expect([first.status, second.status]).toEqual([201, 200])
    expect((await second.json()).id).toBe((await first.json()).id)
  })

  it('a delete is 204, then 410 on read and 204 again', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    expect((await app.ask('DELETE', `/fhir/Patient/${id}`)).status).toBe(204)
    await refused(await app.ask('GET', `/fhir/Patient/${id}`), 410, 'deleted')
    expect((await app.ask('DELETE', `/fhir/Patient/${id}`)).status).toBe(204)
  })

  it('malformed JSON, no JSON and bad UTF-8 are 400 with the place', async () => {
    await refused(await post('/fhir/Patient', '{"resourceType":"Patient"'), 400, 'structure')
    await refused(await post('/fhir/Patient', ''), 400, 'structure')
    const bytes = new Uint8Array([
      ...new TextEncoder().encode('{"resourceType":"Patient","gender":"'),
      0xff,
      0x22,
      0x7d,
    ])
    const response = await app.ask('POST', '/fhir/Patient', {
      body: bytes,
      headers: { 'content-type': FHIR },
    })
    expect((await response.clone().json()).issue[0].expression).toEqual(['Patient.gender'])
    await refused(response, 400, 'structure')
  })

  it('a parameter without meaning is refused unless handling is lenient', async () => {
    await refused(await put(`/fhir/Patient/${id}?name=x`, patient(id)), 400, 'not-supported')
    expect(
      (await put(`/fhir/Patient/${id}?name=x`, patient(id), { prefer: 'handling=lenient' })).status,
    ).toBe(201)
  })

  it('a foreign page may not write', async () =>
    void (await refused(
      await post('/fhir/Patient', patient(id), { origin: 'https://evil.example.org' }),
      403,
      'security',
    )))

  it('a Bundle of another type, or another resource, is not taken at the base', async () => {
    await refused(await post('/fhir', '{"resourceType":"Bundle","type":"collection"}'), 400)
    await refused(await post('/fhir', patient(id)), 400)
    await refused(await post('/fhir', '[]'), 400)
  })
})

describe('a read', () => {
  it('is 304 by If-None-Match and If-Modified-Since, with headers and no body', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    const path = `/fhir/Patient/${id}`
    const conditions: Record<string, string>[] = [
      { 'if-none-match': 'W/"1"' },
      { 'if-modified-since': new Date(NOW + 1000).toUTCString() },
    ]
    for (const headers of conditions) {
      const response = await app.ask('GET', path, { headers })
      expect([response.status, await response.text()]).toEqual([304, ''])
      expect(response.headers.get('etag')).toBe('W/"1"')
    }
    expect((await app.ask('GET', path, { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(200)
    expect(
      (await app.ask('GET', path, { headers: { 'if-modified-since': new Date(NOW - 1000).toUTCString() } }))
        .status,
    ).toBe(200)
  })

  it('HEAD gives the headers of GET without a body', async () => {
    await put(`/fhir/Patient/${id}`, patient(id, ',"name":[{"text":"മീര"}]'))
    const get = await app.ask('GET', `/fhir/Patient/${id}`)
    const head = await app.ask('HEAD', `/fhir/Patient/${id}`)
    expect([head.status, await head.text()]).toEqual([200, ''])
    const length = new TextEncoder().encode(await get.text()).length
    expect(head.headers.get('content-length')).toBe(String(length))
    for (const name of ['etag', 'last-modified', 'content-type', 'cache-control'])
      expect(head.headers.get(name)).toBe(get.headers.get(name))
    expect((await app.ask('HEAD', '/fhir/Patient/none')).status).toBe(404)
  })

  it('_pretty indents and keeps the text of numbers', async () => {
    const body = `{"resourceType":"Observation","id":"${id}","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}`
    await put(`/fhir/Observation/${id}`, body)
    const text = await (await app.ask('GET', `/fhir/Observation/${id}?_pretty=true&_format=json`)).text()
    expect(text).toContain('\n  "valueQuantity": {\n    "value": 1.00\n  }\n')
  })

  it('_summary and _elements show a part, marked so', async () => {
    await put(`/fhir/Patient/${id}`, patient(id, ',"gender":"male","active":true'))
    const part = await (await app.ask('GET', `/fhir/Patient/${id}?_elements=gender`)).json()
    expect(part).toMatchObject({ resourceType: 'Patient', id, gender: 'male' })
    expect(part.active).toBeUndefined()
    expect(part.meta.tag[0].code).toBe('SUBSETTED')
    await refused(await app.ask('GET', `/fhir/Patient/${id}?_summary=count`), 400, 'invalid')
    await refused(await app.ask('GET', `/fhir/Patient/${id}?_elements=a.b`), 400, 'invalid')
  })

  it('_format wins over Accept; XML is 406', async () => {
    await put(`/fhir/Patient/${id}`, patient(id))
    const xml = { accept: 'application/fhir+xml' }
    await refused(await app.ask('GET', `/fhir/Patient/${id}`, { headers: xml }), 406, 'not-supported')
    await refused(await app.ask('GET', `/fhir/Patient/${id}?_format=xml`), 406)
    expect((await app.ask('GET', `/fhir/Patient/${id}?_format=json`, { headers: xml })).status).toBe(200)
  })

  it('a long answer is compressed for who takes it, a short one is not', async () => {
    const long = 'മ'.repeat(3000)
    await put(`/fhir/Patient/${id}`, patient(id, `,"name":[{"text":"${long}"}]`))
    const plain = await (await app.ask('GET', `/fhir/Patient/${id}`)).text()
    for (const [accept, encoding, unpack] of [
      ['gzip, deflate', 'gzip', gunzipSync],
      ['gzip, br', 'br', brotliDecompressSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ] as const) {
      const response = await app.ask('GET', `/fhir/Patient/${id}`, { headers: { 'accept-encoding': accept } })
      expect(response.headers.get('content-encoding')).toBe(encoding)
      expect(response.headers.get('vary')).toContain('Accept-Encoding')
      expect(unpack(Buffer.from(await response.arrayBuffer())).toString()).toBe(plain)
    }
    const none = await app.ask('GET', `/fhir/Patient/${id}`, {
      headers: { 'accept-encoding': 'identity, gzip;q=0' },
    })
    expect(none.headers.get('content-encoding')).toBeNull()
    const short = await app.ask('GET', '/healthz', { headers: { 'accept-encoding': 'gzip' } })
    expect(short.headers.get('content-encoding')).toBeNull()
  })
})

describe('search by POST', () => {
  it('joins the parameters of the URL and of the form', async () => {
    await put(`/fhir/Patient/${id}`, patient(id, ',"gender":"male"'))
    const search = (query: string, form: string) =>
      app.ask('POST', `/fhir/Patient/_search${query}`, {
        body: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
    expect((await (await search('?gender=male', `_id=${id}`)).json()).entry.length).toBe(1)
    expect((await (await search('?gender=female', `_id=${id}`)).json()).entry).toBeUndefined()
    await refused(await search('', '_id=%zz'), 400)
  })

  it('refuses a form that is not UTF-8', async () => {
    const body = new Uint8Array([...new TextEncoder().encode('name='), 0xe9])
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await refused(await app.ask('POST', '/fhir/Patient/_search', { body, headers }), 400, 'invalid')
  })

  it('needs no Content-Type where the parameters are all in the URL', async () => {
    await put(`/fhir/Patient/${id}`, patient(id, ',"gender":"male"'))
    const search = (body?: string) =>
      app.ask('POST', `/fhir/Patient/_search?gender=male&_id=${id}`, {
        ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
      })
    expect((await (await search()).json()).entry.length).toBe(1)
    expect((await (await search('')).json()).entry.length).toBe(1)
    await refused(await search('_id=other'), 415)
  })

  it('wants a form', async () => void (await refused(await post('/fhir/Patient/_search', '{}'), 415)))
})

describe('Binary', () => {
  const bytes = new Uint8Array([0, 1, 2, 250, 251, 252])
  const raw = (method: string, path: string) =>
    app.ask(method, path, {
      body: bytes,
      headers: { 'content-type': 'image/png', 'x-security-context': 'Patient/1' },
    })

  it('is written and read raw, and can do no harm in a browser', async () => {
    expect((await raw('PUT', `/fhir/Binary/${id}`)).status).toBe(201)
    const response = await app.ask('GET', `/fhir/Binary/${id}`, { headers: { accept: 'image/png' } })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'attachment',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'x-security-context': 'Patient/1',
      etag: 'W/"1"',
    })
    const posted = await raw('POST', '/fhir/Binary')
    expect(posted.status).toBe(201)
  })

  it('is a FHIR resource for who asks for FHIR', async () => {
    await raw('PUT', `/fhir/Binary/${id}`)
    for (const ask of [
      app.ask('GET', `/fhir/Binary/${id}`, { headers: { accept: FHIR } }),
      app.ask('GET', `/fhir/Binary/${id}?_format=json`),
    ]) {
      const resource = await (await ask).json()
      expect(resource).toMatchObject({ resourceType: 'Binary', contentType: 'image/png', data: 'AAEC+vv8' })
      expect(resource.securityContext).toEqual({ reference: 'Patient/1' })
    }
  })

  it('is raw without an Accept, 406 for another type, and 304 like any read', async () => {
    await raw('PUT', `/fhir/Binary/${id}`)
    expect(
      (await app.ask('GET', `/fhir/Binary/${id}`, { headers: { accept: '*/*' } })).headers.get(
        'content-type',
      ),
    ).toBe('image/png')
    await refused(await app.ask('GET', `/fhir/Binary/${id}`, { headers: { accept: 'text/html' } }), 406)
    expect(
      (await app.ask('GET', `/fhir/Binary/${id}`, { headers: { 'if-none-match': 'W/"1"' } })).status,
    ).toBe(304)
  })

  it('keeps the parameters of a Content-Type, with one space where there are several', async () => {
    const headers = { 'content-type': 'text/plain;  charset=utf-8' }
    expect((await app.ask('PUT', `/fhir/Binary/${id}`, { body: 'x', headers })).status).toBe(201)
    expect((await app.ask('GET', `/fhir/Binary/${id}`)).headers.get('content-type')).toBe(
      'text/plain; charset=utf-8',
    )
  })

  it('takes JSON that is no Binary as content, FHIR or not, exactly as it is', async () => {
    for (const [type, body] of [
      ['application/json', ' {"a": 1.00}'],
      [FHIR, `{"resourceType": "Patient", "id": "${id}"}`],
    ] as const) {
      const headers = { 'content-type': type }
      expect((await app.ask('PUT', `/fhir/Binary/${id}`, { body, headers })).status).toBeLessThan(202)
      const response = await app.ask('GET', `/fhir/Binary/${id}`)
      expect(response.headers.get('content-type')).toBe(type)
      expect(await response.text()).toBe(body)
      const resource = await (await app.ask('GET', `/fhir/Binary/${id}?_format=json`)).json()
      expect(resource).toMatchObject({ resourceType: 'Binary', id, contentType: type, data: btoa(body) })
    }
    await refused(await put(`/fhir/Binary/${id}`, '{"resourceType":"Binary","id":'), 400, 'structure')
  })

  it('is written as FHIR JSON too, and refuses a malformed X-Security-Context', async () => {
    const body = `{"resourceType":"Binary","id":"${id}","contentType":"text/plain","data":"aGk="}`
    expect((await put(`/fhir/Binary/${id}`, body)).status).toBe(201)
    expect(await (await app.ask('GET', `/fhir/Binary/${id}`)).text()).toBe('hi')
    const headers = { 'content-type': 'text/plain', 'x-security-context': 'not a reference' }
    await refused(await app.ask('POST', '/fhir/Binary', { body: 'x', headers }), 400)
  })
})

describe('limits', () => {
  it('a URL that is too long is 414', async () =>
    void (await refused(await app.ask('GET', `/fhir/Patient?name=${'x'.repeat(9000)}`), 414, 'too-long')))

  it('a body that is too large is 413, also without a Content-Length', async () => {
    const big = patient(id, `,"name":[{"text":"${'x'.repeat(2_000_000)}"}]`)
    await refused(await post('/fhir/Patient', big), 413, 'too-costly')
    const body = new Blob([big]).stream()
    await refused(
      await app.ask('POST', '/fhir/Patient', { body, headers: { 'content-type': FHIR } }),
      413,
      'too-costly',
    )
  })

  it('JSON that is nested too deep is refused', async () =>
    void (await refused(
      await post('/fhir/Patient', `{"resourceType":"Patient","x":${'['.repeat(1000)}`),
      400,
      'structure',
    )))

  it('a Bundle with too many entries is refused', async () => {
    const entry = '{"request":{"method":"GET","url":"Patient/1"}}'
    const body = `{"resourceType":"Bundle","type":"batch","entry":[${Array(51).fill(entry).join()}]}`
    await refused(await post('/fhir', body), 413, 'too-costly')
  })
})

describe('Host and proxies', () => {
  it('a foreign Host is 421', async () =>
    void (await refused(
      await app.ask('GET', '/fhir/metadata', { headers: { host: 'evil.example.org' } }),
      421,
      'security',
    )))

  it('forwarding headers count from a trusted proxy only', async () => {
    const headers = {
      'x-forwarded-host': 'nadi.example.org',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/ehr',
    }
    const direct = await post('/fhir/Patient', '{"resourceType":"Patient"}', headers)
    expect(direct.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:8080\/fhir\/Patient\//)
    app.viaProxy = true
    try {
      const proxied = await post('/fhir/Patient', '{"resourceType":"Patient"}', headers)
      expect(proxied.headers.get('location')).toMatch(/^https:\/\/nadi\.example\.org\/ehr\/fhir\/Patient\//)
    } finally {
      app.viaProxy = false
    }
  })
})

describe('watching', () => {
  it('/healthz lives, /readyz follows the storage', async () => {
    expect((await app.ask('GET', '/healthz')).status).toBe(200)
    expect((await app.ask('GET', '/readyz')).status).toBe(200)
    const broken = await testApp()
    await broken.ctx.storage.close()
    expect((await broken.ask('GET', '/healthz')).status).toBe(200)
    await refused(await broken.ask('GET', '/readyz'), 503, 'transient')
  })

  it('/metrics counts requests by interaction, type and status class, and never by what a client makes up', async () => {
    const own = await testApp()
    await own.ask('PUT', '/fhir/Patient/m1', { body: patient('m1'), headers: { 'content-type': FHIR } })
    await own.ask('GET', '/fhir/Patient/m1')
    await own.ask('GET', '/fhir/Patient/m1')
    await own.ask('GET', '/fhir/Patient/none')
    await own.ask('GET', '/fhir/Invented/1')
    const text = await (await own.ask('GET', '/metrics')).text()
    expect(text).toContain('nadi_http_requests_total{interaction="read",type="Patient",status="2xx"} 2\n')
    expect(text).toContain('nadi_http_requests_total{interaction="read",type="Patient",status="4xx"} 1\n')
    expect(text).toContain('nadi_http_requests_total{interaction="update",type="Patient",status="2xx"} 1\n')
    expect(text).toContain('nadi_http_request_seconds_count{interaction="read"} 4\n')
    expect(text).toContain('nadi_http_request_seconds_bucket{interaction="read",le="+Inf"} 4\n')
    expect(text).toContain('nadi_http_in_flight 1\n')
    expect(text).toMatch(/\nnadi_storage_\w+ /)
    expect(text).not.toContain('Invented')
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (TYPE|HELP) \w+ .+|\w+(\{[^}]*\})? [-\d.e+]+)$/)
    await own.close()
  })

  it('a request makes one log line, without ids, parameters and bodies', async () => {
    app.lines.length = 0
    await put(`/fhir/Patient/secret-id`, patient('secret-id', ',"name":[{"family":"Secretname"}]'))
    await app.ask('GET', '/fhir/Patient?name=Secretname')
    await app.ask('GET', '/fhir/Patient/secret-id?Secretname=1')
    expect(app.lines.map(line => JSON.parse(line))).toMatchObject([
      {
        level: 'info',
        message: 'request',
        method: 'PUT',
        interaction: 'update',
        type: 'Patient',
        status: 201,
      },
      { interaction: 'search', status: 200 },
      { interaction: 'read', status: 400 },
    ])
    expect(app.lines.join()).not.toMatch(/secret/i)
  })

  it('an unexpected error is 500 without its message, and logged with it', async () => {
    const broken = await testApp({
      read: () => {
        throw new TypeError('Secretname is not a function')
      },
    })
    expect(await refused(await broken.ask('GET', '/fhir/Patient/1'), 500, 'exception')).not.toContain(
      'Secret',
    )
    const line = broken.lines.map(text => JSON.parse(text)).find(({ level }) => level === 'error')
    expect(line.error).toContain('TypeError: Secretname is not a function\n    at ')
    await broken.close()
  })

  const driverError = () =>
    Object.assign(new Error('dup key: { _id: "Secretname" }'), { name: 'MongoServerError', code: 11000 })
  const failing = async (error: () => unknown) => {
    const broken = await testApp({
      read: () => {
        throw error()
      },
    })
    const entry = { request: { method: 'GET', url: 'Patient/1' } }
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [entry] })
    await broken.ask('GET', '/fhir/Patient/1')
    await broken.ask('POST', '/fhir', { body, headers: { 'content-type': FHIR } })
    await broken.close()
    return broken.lines.map(text => JSON.parse(text)).filter(({ message }) => message !== 'request')
  }

  it('an unexpected error of a driver is logged with name, code and places, in a batch too', async () => {
    const lines = await failing(driverError)
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error'])
    for (const { error } of lines) expect(error).toMatch(/^MongoServerError 11000\n +at .+app\.test\.ts/)
    expect(JSON.stringify(lines)).not.toContain('Secret')
  })

  it.each(['transient', 'too-costly'] as const)(
    'a refusal as %s is logged with its sentence and what caused it, without places',
    async code => {
      const [line] = await failing(() =>
        fhirError(code, 'Too many writes met.', { status: 503, cause: driverError() }),
      )
      expect(line).toMatchObject({
        level: 'warn',
        message: 'request failed',
        code,
        error: 'Too many writes met.',
        cause: 'MongoServerError 11000',
      })
      expect(JSON.stringify(line)).not.toMatch(/Secret| at /)
    },
  )
})
