import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import {
  type CursorScope,
  importCursorKey,
  newCursorKey,
  openCursor,
  sealCursor,
} from '../../src/search/cursor.ts'

const SCOPE: CursorScope = {
  fingerprint: '[["Patient"],"family"]',
  principal: 'system',
  index: 'index 1',
  direction: 'after',
}
const VALUES = ['നായർ', 1704067200000, null, 'Patient/1']

const refused = async (opening: Promise<unknown>) => {
  const error = await opening.catch(thrown => thrown)
  expect(error).toBeInstanceOf(FhirError)
  const { code, status } = error as FhirError
  expect({ code, status }).toEqual({ code: 'invalid', status: 400 })
}

describe('a cursor', async () => {
  const key = await importCursorKey(newCursorKey())

  test('opens to what was sealed', async () => {
    expect(await openCursor(await sealCursor(VALUES, SCOPE, key), SCOPE, key)).toEqual(VALUES)
  })

  test('can be opened by every instance that keeps the key', async () => {
    const text = newCursorKey()
    const sealed = await sealCursor(VALUES, SCOPE, await importCursorKey(text))
    expect(await openCursor(sealed, SCOPE, await importCursorKey(text))).toEqual(VALUES)
  })

  test('needs no escape in a URL and shows nothing of its values', async () => {
    const sealed = await sealCursor(VALUES, SCOPE, key)
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/)
    const bytes = Buffer.from(sealed, 'base64url')
    expect(bytes.includes('1704067200000')).toBe(false)
    expect(bytes.includes('Patient/1')).toBe(false)
  })

  test('differs each time it is sealed', async () => {
    expect(await sealCursor(VALUES, SCOPE, key)).not.toBe(await sealCursor(VALUES, SCOPE, key))
  })

  test.each([
    ['another search', { fingerprint: '[["Patient"],"given"]' }],
    ['another principal', { principal: 'somebody' }],
    ['another index', { index: 'index 2' }],
    ['the other direction', { direction: 'before' as const }],
  ])('is refused for %s', async (_, change) => {
    await refused(openCursor(await sealCursor(VALUES, SCOPE, key), { ...SCOPE, ...change }, key))
  })

  test('is refused under another key', async () => {
    await refused(
      openCursor(await sealCursor(VALUES, SCOPE, key), SCOPE, await importCursorKey(newCursorKey())),
    )
  })

  test('is refused when any of its bytes was changed', async () => {
    const bytes = Buffer.from(await sealCursor(['a'], SCOPE, key), 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      await refused(openCursor(changed.toString('base64url'), SCOPE, key))
    }
  })

  test.each(['', 'x', 'AAAA', '!!!', '..', 'A'.repeat(100_000), 'é', '%00', '=', 'AQ'])(
    '%j is no cursor',
    async text => {
      await refused(openCursor(text, SCOPE, key))
    },
  )
})
