/**
 * Version-aware headers and their Bundle twins: ETag, Last-Modified, If-Match, If-None-Match, If-Modified-Since.
 * https://hl7.org/fhir/R4/http.html#concurrency, https://hl7.org/fhir/R4/http.html#cread
 */
import { fhirError } from '../fhir/error.ts'
import type { Stored } from '../storage/port.ts'
import type { WriteOptions } from './written.ts'

/** Returns the weak ETag of a version: `W/"3"`. */
export const etag = (stored: { version: number }): string => `W/"${stored.version}"`

/** Returns the HTTP date of lastUpdated, which is cut to whole seconds: `Sat, 21 Nov 2026 10:41:00 GMT`. */
export const httpDate = (stored: { at: number }): string => new Date(stored.at).toUTCString()

const TAG = /^\s*(?:W\/)?"([^"]*)"\s*$/

/**
 * Returns the versions that an If-Match or If-None-Match names, or 'any' for `*`. A tag that is no version of ours stands as 0, which matches nothing.
 *
 * Throws `invalid` where the text is no list of entity tags.
 */
export function ifMatchVersions(text: string, header = 'If-Match'): readonly number[] | 'any' {
  if (text.trim() === '*') return 'any'
  return text.split(',').map(part => {
    const tag = TAG.exec(part)
    if (tag === null)
      throw fhirError('invalid', `${header} must be \`*\` or entity tags such as W/"3".`, {
        expression: `http.${header}`,
      })
    return /^[1-9][0-9]{0,14}$/.test(tag[1]!) ? Number(tag[1]) : 0
  })
}

/**
 * Throws `conflict` with status 412 where the current version is none that If-Match names. `current` is undefined or has no text where
 * there is no live resource: then nothing matches, `*` included.
 */
export function checkIfMatch(ifMatch: string | undefined, current: Stored | undefined): void {
  if (ifMatch === undefined) return
  const versions = ifMatchVersions(ifMatch)
  const live = current?.text === undefined ? undefined : current
  if (live !== undefined && (versions === 'any' || versions.includes(live.version))) return
  const have = live === undefined ? 'there is no current version' : `the current version is ${live.version}`
  throw fhirError('conflict', `If-Match does not hold: ${have}.`, {
    status: 412,
    expression: 'http.If-Match',
  })
}

/**
 * Throws `invalid` for headers that say nothing, before anything is looked for.
 *
 * An If-Unmodified-Since that is no date counts as not sent, as RFC 9110 asks.
 */
export function checkOptions({ ifMatch, ifNoneMatch }: WriteOptions): void {
  if (ifMatch !== undefined) ifMatchVersions(ifMatch)
  if (ifNoneMatch !== undefined) ifMatchVersions(ifNoneMatch, 'If-None-Match')
}

/**
 * Throws `conflict` with status 412 where what the client wants to find is not so: If-Match, If-Unmodified-Since (without an If-Match)
 * and If-None-Match, in the order of https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2.
 */
export function checkWrite(options: WriteOptions, current: Stored | undefined): void {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = options
  checkIfMatch(ifMatch, current)
  if (current?.text === undefined) return
  const refuse = (header: string) =>
    fhirError('conflict', `${header} does not hold: the current version is ${current.version}.`, {
      status: 412,
      expression: `http.${header}`,
    })
  if (
    ifMatch === undefined &&
    ifUnmodifiedSince !== undefined &&
    isNewer(current, ifUnmodifiedSince) === true
  )
    throw refuse('If-Unmodified-Since')
  if (ifNoneMatch === undefined) return
  const versions = ifMatchVersions(ifNoneMatch, 'If-None-Match')
  if (versions === 'any' || versions.includes(current.version)) throw refuse('If-None-Match')
}

const DATE = /^(?:[A-Z][a-z]{2,8},? |[0-9]{4}-[0-9]{2}-[0-9]{2}T)/

/** Returns whether a version is newer than an HTTP date or an instant, undefined where the text is neither. */
function isNewer(stored: Stored, text: string): boolean | undefined {
  const time = DATE.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) return undefined
  // An HTTP date has no milliseconds: within its second nothing newer can be told from it.
  return (/^[0-9]{4}-/.test(text) ? stored.at : Math.floor(stored.at / 1000) * 1000) > time
}

export interface ReadConditions {
  ifNoneMatch?: string
  /** HTTP date, or an instant as Bundle.entry.request.ifModifiedSince has it. */
  ifModifiedSince?: string
}

/**
 * Returns true where a conditional read is answered 304: If-None-Match names the version, or, without it, nothing is newer than
 * If-Modified-Since. What cannot be understood of either counts as not sent, as RFC 9110 asks.
 */
export function notModified(stored: Stored, conditions: ReadConditions): boolean {
  if (conditions.ifNoneMatch !== undefined) {
    if (conditions.ifNoneMatch.trim() === '*') return true
    return conditions.ifNoneMatch.split(',').some(part => TAG.exec(part)?.[1] === String(stored.version))
  }
  if (conditions.ifModifiedSince === undefined) return false
  return isNewer(stored, conditions.ifModifiedSince) === false
}
