/** Codes that no list here has: languages, currencies, countries. https://hl7.org/fhir/R4/terminologies-systems.html */
import { describe, expect, it } from 'vitest'
import { isInactive } from '../../../src/fhir/terminology/code-system.ts'
import { grammarSystem } from '../../../src/fhir/terminology/grammar-systems.ts'

const verdict = async (system: string, code: string): Promise<boolean | 'unknown'> => {
  const asked = grammarSystem(system)!
  if ((await asked.find(code)) !== undefined) return true
  return asked.doubts?.(code) ? 'unknown' : false
}

describe('tags of languages (BCP 47)', () => {
  it.each(['hi', 'ml', 'ml-IN', 'ml-Mlym-IN', 'EN-us', 'en', 'kok', 'brx', 'und', 'zxx', 'mul', 'sat-Olck'])(
    'are %s',
    async code => expect(await verdict('urn:ietf:bcp:47', code)).toBe(true),
  )
  // Subtags of four to eight letters are reserved (RFC 5646, 2.2.1): no language is registered with one.
  it.each([
    'Hindi',
    'English',
    'Tamil',
    'english-us',
    'malayalam',
    'en_US',
    'xx',
    'zz',
    'e',
    '',
    'hi-',
    'en-IND',
  ])('are not %s', async code => expect(await verdict('urn:ietf:bcp:47', code)).toBe(false))
  it.each(['hin', 'cmn', 'x-thanal', 'i-klingon', 'zh-yue', 'unr'])('may be %s', async code =>
    expect(await verdict('urn:ietf:bcp:47', code)).toBe('unknown'),
  )
})

describe('countries (ISO 3166-1)', () => {
  const url = 'urn:iso:std:iso:3166'
  it.each(['IN', 'GB', 'US', 'LK', 'AE', 'SS', 'BQ', 'TL'])('are %s', async code =>
    expect(await verdict(url, code)).toBe(true),
  )
  it.each(['UK', 'SU', 'YU', 'ZR', 'TP', 'AN', 'EU', 'XK', 'IC', 'AC', 'in', 'ZZ'])(
    'are not %s',
    async code => expect(await verdict(url, code)).toBe(false),
  )
  it('are 249', async () => {
    const filters = [{ property: 'code', op: 'regex', value: '[A-Z]{2}' }]
    expect((await grammarSystem(url)!.list({ filters, offset: 0, limit: 1 })).total).toBe(249)
  })
})

describe('currencies (ISO 4217)', () => {
  const asked = grammarSystem('urn:iso:std:iso:4217')!
  it.each(['INR', 'USD', 'XXX', 'XAU', 'XTS', 'CLF', 'COU'])('are %s, in use and listed', async code => {
    const found = await asked.find(code)
    expect(found).toBeDefined()
    expect(isInactive(found!)).toBe(false)
    expect(
      (await asked.list({ filters: [], offset: 0, limit: 1000 })).concepts.map(one => one.code),
    ).toContain(code)
  })
  it.each(['DEM', 'FRF'])('were %s, which is not active', async code => {
    expect(isInactive((await asked.find(code))!)).toBe(true)
  })
  it.each(['RUPEE', 'inr', 'QQQ', 'Rs'])('are not %s', async code =>
    expect(await asked.find(code)).toBeUndefined(),
  )
})
