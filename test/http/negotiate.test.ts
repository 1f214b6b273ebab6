import { describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import {
  bodyType,
  chosenMedia,
  JSON_PATCH,
  negotiate,
  prefer,
  WRITE_TYPES,
} from '../../src/http/negotiate.ts'

const status = (act: () => unknown): number => {
  try {
    act()
    return 200
  } catch (error) {
    if (error instanceof FhirError) return error.status
    throw error
  }
}

describe('Accept and _format', () => {
  it.each([
    [null],
    [''],
    ['*/*'],
    ['application/*'],
    ['application/fhir+json'],
    ['application/json'],
    ['text/json'],
    ['application/fhir+json; fhirVersion=4.0'],
    ['application/fhir+json;charset=UTF-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['application/fhir+xml;q=0.5, application/fhir+json;q=0.1'],
    ['APPLICATION/FHIR+JSON'],
  ])('Accept: %s is answered', accept => expect(status(() => negotiate(accept, []))).toBe(200))

  it.each([
    ['application/fhir+xml'],
    ['text/html'],
    ['application/fhir+json;q=0'],
    ['application/fhir+json; fhirVersion=3.0'],
    ['application/fhir+json; fhirVersion=5.0'],
    ['text/turtle, application/fhir+xml;q=0.9'],
    ['nonsense'],
  ])('Accept: %s is refused with 406', accept => expect(status(() => negotiate(accept, []))).toBe(406))

  it.each([
    ['json'],
    ['application/json'],
    ['application/fhir+json'],
    ['application/fhir json'],
    ['application/fhir+json; fhirVersion=4.0'],
    ['text/json'],
  ])('_format=%s is answered, whatever Accept says', format =>
    expect(status(() => negotiate('application/fhir+xml', [['_format', format]]))).toBe(200),
  )

  it.each([['xml'], ['application/fhir+xml'], ['text/xml'], ['ttl'], ['html'], [''], ['yaml']])(
    '_format=%s is refused with 406, whatever Accept says',
    format => expect(status(() => negotiate('application/fhir+json', [['_format', format]]))).toBe(406),
  )

  it('_pretty is true or false', () => {
    expect(negotiate(null, [['_pretty', 'true']])).toBe(true)
    expect(negotiate(null, [['_pretty', 'false']])).toBe(false)
    expect(status(() => negotiate(null, [['_pretty', 'yes']]))).toBe(400)
  })
})

describe('what an operation answers in beside JSON', () => {
  const offered = ['text/html', 'application/pdf']
  it.each([
    [null, undefined],
    ['*/*', undefined],
    ['*/*, text/html', undefined],
    ['application/fhir+json', undefined],
    ['application/pdf', 'application/pdf'],
    ['application/pdf, application/fhir+json', 'application/pdf'],
    ['application/fhir+json, application/pdf', undefined],
    ['text/html;q=0.5, application/fhir+json;q=0.9', undefined],
    ['application/json;q=0.5, text/html;q=0.9', 'text/html'],
    ['text/html;q=0.4, application/pdf', 'application/pdf'],
    ['text/html;q=0, application/pdf;q=0.1', 'application/pdf'],
    ['text/html;q=x', 'text/html'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['image/png', undefined],
  ])('Accept: %s chooses %s', (accept, media) => expect(chosenMedia(accept, [], offered)).toBe(media))

  it.each([
    ['html', 'text/html'],
    ['PDF', 'application/pdf'],
    ['text/html; charset=utf-8', 'text/html'],
    ['json', undefined],
    ['png', undefined],
  ])('_format=%s chooses %s whatever Accept says', (format, media) => {
    for (const accept of [null, 'application/pdf', 'application/fhir+json'])
      expect(chosenMedia(accept, [['_format', format]], offered)).toBe(media)
  })
})

describe('Content-Type of a write', () => {
  it.each([
    ['application/fhir+json'],
    ['application/json'],
    ['text/json'],
    ['application/fhir+json; charset=utf-8'],
    ['application/fhir+json; charset="UTF-8"; fhirVersion=4.0'],
  ])('%s is taken', type => expect(status(() => bodyType(type, WRITE_TYPES))).toBe(200))

  it.each([
    [null],
    [''],
    ['text/plain'],
    ['application/fhir+xml'],
    ['application/x-www-form-urlencoded'],
    ['application/fhir+json; charset=iso-8859-1'],
    ['application/fhir+json; fhirVersion=3.0'],
    [JSON_PATCH],
  ])('%s is refused with 415', type => expect(status(() => bodyType(type, WRITE_TYPES))).toBe(415))
})

describe('Prefer', () => {
  it('return and handling are read, others ignored', () => {
    expect(prefer(null)).toEqual({ lenient: false })
    expect(prefer('return=minimal')).toEqual({ return: 'minimal', lenient: false })
    expect(prefer('handling=lenient; return=representation')).toEqual({
      return: 'representation',
      lenient: true,
    })
    expect(prefer('return="OperationOutcome", handling=strict')).toEqual({
      return: 'OperationOutcome',
      lenient: false,
    })
    expect(prefer('respond-async, return=everything, wait=5')).toEqual({ lenient: false })
  })
})
