/** https://hl7.org/fhir/R4/http.html#cread, https://www.rfc-editor.org/rfc/rfc9110#section-13 */
import { describe, expect, test } from 'vitest'
import { etag, httpDate, notModified } from '../../src/interactions/preconditions.ts'
import type { Stored } from '../../src/storage/port.ts'

const at = Date.UTC(2026, 10, 21, 5, 11, 0, 123)
const stored: Stored = { key: 'Patient/a', version: 3, at, method: 'PUT', text: '{}' }

test('the tag is weak, the date has whole seconds', () => {
  expect(etag(stored)).toBe('W/"3"')
  expect(httpDate(stored)).toBe('Sat, 21 Nov 2026 05:11:00 GMT')
})

describe('a read is answered 304', () => {
  test.each(['W/"3"', '"3"', 'W/"1", W/"3"', '*'])('to If-None-Match: %s', ifNoneMatch =>
    expect(notModified(stored, { ifNoneMatch })).toBe(true),
  )
  test.each(['Sat, 21 Nov 2026 05:11:00 GMT', 'Sun, 22 Nov 2026 00:00:00 GMT', '2026-11-21T05:11:00.123Z'])(
    'to If-Modified-Since: %s',
    ifModifiedSince => expect(notModified(stored, { ifModifiedSince })).toBe(true),
  )
})

describe('a read is answered in full', () => {
  test.each(['W/"2"', '3', '', '"W/3"'])('to If-None-Match: %s', ifNoneMatch =>
    expect(notModified(stored, { ifNoneMatch })).toBe(false),
  )
  test.each(['Sat, 21 Nov 2026 05:10:59 GMT', 'yesterday', '2099', '2026-11-21T05:11:00.122Z'])(
    'to If-Modified-Since: %s',
    ifModifiedSince => expect(notModified(stored, { ifModifiedSince })).toBe(false),
  )
  test('where If-None-Match does not hold, whatever If-Modified-Since says', () => {
    const ifModifiedSince = 'Sun, 22 Nov 2026 00:00:00 GMT'
    expect(notModified(stored, { ifNoneMatch: 'W/"2"', ifModifiedSince })).toBe(false)
  })
  test('without conditions', () => expect(notModified(stored, {})).toBe(false))
})
