import { describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { createOriginCheck, forwarded, forwardedBase } from '../../src/http/origin.ts'

const status = (act: () => unknown): number => {
  try {
    act()
    return 200
  } catch (error) {
    if (error instanceof FhirError) return error.status
    throw error
  }
}

describe('Host', () => {
  const check = createOriginCheck('https://fhir.example.org/r4')
  const hosted = (host: string) => status(() => check('GET', new Headers({ host })))

  it.each([
    'fhir.example.org',
    'FHIR.example.org:443',
    'localhost:8080',
    '127.0.0.1:9',
    '127.9.9.9',
    '[::1]:8080',
  ])('%s is ours', host => expect(hosted(host)).toBe(200))

  it.each([
    'evil.example.org',
    'fhir.example.org.evil.com',
    'localhost.evil.com:8080',
    '127.0.0.1.evil.com',
    '192.168.0.4:8080',
    '0.0.0.0:8080',
    'fhir.example.org/../x',
    'a b',
    '',
  ])('"%s" is refused with 421', host => expect(hosted(host)).toBe(421))

  it('is refused every time, not only the first', () => {
    expect(hosted('evil.example.org')).toBe(421)
    expect(hosted('evil.example.org')).toBe(421)
  })
})

describe('Origin', () => {
  const check = createOriginCheck('http://127.0.0.1:8080/fhir')
  const from = (method: string, origin: string) =>
    status(() => check(method, new Headers({ host: '127.0.0.1:8080', origin })))

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('a foreign page may not %s', method => {
    expect(from(method, 'https://evil.example.org')).toBe(403)
    expect(from(method, 'null')).toBe(403)
    expect(from(method, 'http://127.0.0.1:9999')).toBe(403)
    expect(from(method, 'http://127.0.0.1:8080')).toBe(200)
  })

  it('is not asked on reads, whose answers a foreign page cannot see', () =>
    expect(from('GET', 'https://evil.example.org')).toBe(200))
})

describe('forwarding headers', () => {
  it('Forwarded goes before X-Forwarded-*', () => {
    const said = forwarded(
      new Headers({
        forwarded: 'for=1.2.3.4;host="a.example.org:8443";proto=HTTPS',
        'x-forwarded-host': 'b.example.org',
      }),
    )
    expect(said).toEqual({ host: 'a.example.org:8443', proto: 'https' })
  })

  it('of several values the last counts, which the nearest proxy wrote', () => {
    const said = forwarded(
      new Headers({
        'x-forwarded-host': 'evil.example.org, real.example.org',
        'x-forwarded-proto': 'http, https',
      }),
    )
    expect(said).toEqual({ host: 'real.example.org', proto: 'https' })
  })

  it('make the base URL', () => {
    const base = 'http://127.0.0.1:8080/fhir'
    expect(forwardedBase(base, {})).toBe(base)
    expect(forwardedBase(base, { host: 'x.org', proto: 'https', prefix: '/nadi' })).toBe(
      'https://x.org/nadi/fhir',
    )
    expect(forwardedBase(base, { proto: 'https' })).toBe('https://127.0.0.1:8080/fhir')
  })

  it.each([
    ['x-forwarded-host', 'a b'],
    ['x-forwarded-host', 'x.org/evil'],
    ['x-forwarded-proto', 'javascript'],
    ['x-forwarded-prefix', '/a?b'],
    ['x-forwarded-prefix', '//evil.org'],
  ])('a malformed one is refused: %s: %s', (name, value) =>
    expect(status(() => forwarded(new Headers({ [name]: value })))).toBe(400),
  )
})
