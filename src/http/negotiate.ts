/**
 * Which format the client wants, which it sends, and what it prefers.
 * https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#ops
 */
import { fhirError } from '../fhir/error.ts'
import type { Return } from '../interactions/batch.ts'
import type { Pairs } from '../interactions/written.ts'

export const FHIR_JSON = 'application/fhir+json'
/** The Content-Type of every FHIR answer. */
export const FHIR_JSON_UTF8 = 'application/fhir+json; charset=utf-8'
export const JSON_PATCH = 'application/json-patch+json'
export const FORM = 'application/x-www-form-urlencoded'

const JSON_TYPES = new Set([FHIR_JSON, 'application/json', 'text/json'])
/** The spellings that R4 names for `_format`. */
const FORMATS = new Set(['json', ...JSON_TYPES])

export interface MediaType {
  /** Lower case: `application/fhir+json`. */
  type: string
  /** Names in lower case. */
  params: ReadonlyMap<string, string>
}

/** Returns a media type in its parts, or undefined for text that is none. */
export function parseMediaType(text: string): MediaType | undefined {
  const [head = '', ...rest] = text.split(';')
  const type = head.trim().toLowerCase()
  if (!/^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+$/.test(type)) return undefined
  const params = new Map<string, string>()
  for (const part of rest) {
    const [name = '', ...value] = part.split('=')
    params.set(
      name.trim().toLowerCase(),
      value
        .join('=')
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    )
  }
  return { type, params }
}

export const isFhirJson = (media: MediaType): boolean => JSON_TYPES.has(media.type)

const isR4 = (media: MediaType): boolean => /^4\.0(\.1)?$/.test(media.params.get('fhirversion') ?? '4.0')

const weightOf = ({ params }: MediaType): number => {
  const weight = Number(params.get('q') ?? '1')
  return Number.isNaN(weight) ? 1 : weight
}

/** Returns the ranges of an Accept header that are wanted at all. */
export function acceptRanges(accept: string): MediaType[] {
  return accept
    .split(',')
    .map(parseMediaType)
    .filter(range => range !== undefined && weightOf(range) > 0) as MediaType[]
}

const WILD = new Set(['*/*', 'application/*'])

/** Answers per header text: clients send few different ones. */
const accepted = new Map<string, boolean>()

function acceptsJson(accept: string): boolean {
  let known = accepted.get(accept)
  if (known === undefined) {
    known = acceptRanges(accept).some(range => (isFhirJson(range) || WILD.has(range.type)) && isR4(range))
    if (accepted.size < 256 && accept.length < 512) accepted.set(accept, known)
  }
  return known
}

/**
 * Returns whether the answer is to be indented, by `_pretty`.
 *
 * Throws `not-supported` with status 406 where neither `_format`, which wins, nor Accept allows JSON of R4.
 */
export function negotiate(accept: string | null, pairs: Pairs): boolean {
  const format = pairs.find(([name]) => name === '_format')?.[1]
  if (format === undefined ? accept !== null && accept !== '' && !acceptsJson(accept) : !isJsonFormat(format))
    throw fhirError('not-supported', `This server answers in ${FHIR_JSON} of FHIR R4 (4.0) only.`, {
      status: 406,
      expression: format === undefined ? 'http.Accept' : 'http._format',
    })
  const pretty = pairs.find(([name]) => name === '_pretty')?.[1]
  if (pretty !== undefined && pretty !== 'true' && pretty !== 'false')
    throw fhirError('invalid', '_pretty is true or false.', { expression: 'http._pretty' })
  return pretty === 'true'
}

/** Short names of `_format` for what operations answer in beside JSON. */
const SHORT: Readonly<Record<string, string>> = { html: 'text/html', pdf: 'application/pdf' }

/**
 * Returns the media type of `offered` that the client wants before JSON, by `_format`, which wins, or by the weights of Accept and, where
 * these are the same, its order; undefined where it wants none of them.
 */
export function chosenMedia(
  accept: string | null,
  pairs: Pairs,
  offered: readonly string[],
): string | undefined {
  const format = pairs.find(([name]) => name === '_format')?.[1].toLowerCase()
  if (format !== undefined)
    return offered.find(type => type === (SHORT[format] ?? parseMediaType(format)?.type))
  const ranges = acceptRanges(accept ?? '').sort((a, b) => weightOf(b) - weightOf(a))
  for (const { type } of ranges) {
    if (offered.includes(type)) return type
    if (JSON_TYPES.has(type) || WILD.has(type)) return undefined
  }
  return undefined
}

export function isJsonFormat(format: string): boolean {
  // A plus that was not escaped in the URL has become a space.
  const media = format.replace('fhir json', 'fhir+json').toLowerCase()
  if (FORMATS.has(media)) return true
  const parsed = parseMediaType(media)
  return parsed !== undefined && isFhirJson(parsed) && isR4(parsed)
}

/** Returns the parameters that are not the presentation's. */
export const withoutPresentation = (pairs: Pairs): Pairs =>
  pairs.length === 0 ? pairs : pairs.filter(([name]) => name !== '_format' && name !== '_pretty')

/**
 * Returns the media type of a body that must be one of `types`.
 *
 * Throws `not-supported` with status 415 for another type, none at all, a charset that is not UTF-8, or another FHIR version. None at
 * all is refused because a foreign web page can send that, but no JSON type, without the browser asking us first.
 */
export function bodyType(contentType: string | null, types: readonly string[]): MediaType {
  const media = parseMediaType(contentType ?? '')
  const refuse = (diagnostics: string) =>
    fhirError('not-supported', diagnostics, { status: 415, expression: 'http.Content-Type' })
  if (media === undefined || !types.includes(media.type === 'text/json' ? 'application/json' : media.type))
    throw refuse(`The Content-Type here must be ${types.join(' or ')}.`)
  const charset = media.params.get('charset')?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw refuse('The charset must be utf-8.')
  if (!isR4(media)) throw refuse('The fhirVersion must be 4.0.')
  return media
}

export const WRITE_TYPES = [FHIR_JSON, 'application/json']

export interface Prefer {
  return?: Return
  lenient: boolean
}

const NO_PREFER: Prefer = { lenient: false }

/** Returns what the Prefer header says that we know; the rest is the client's wish only and ignored, as RFC 7240 asks. */
export function prefer(header: string | null): Prefer {
  if (header === null) return NO_PREFER
  const found: Prefer = { lenient: false }
  for (const part of header.split(/[,;]/)) {
    const [name = '', value = ''] = part.split('=').map(text => text.trim().replace(/^"(.*)"$/, '$1'))
    if (name.toLowerCase() === 'handling') found.lenient = value.toLowerCase() === 'lenient'
    if (name.toLowerCase() === 'return') {
      const known = (['minimal', 'representation', 'OperationOutcome'] as const).find(
        text => text.toLowerCase() === value.toLowerCase(),
      )
      if (known !== undefined) found.return = known
    }
  }
  return found
}
