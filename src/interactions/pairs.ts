/** Parameters of a URL, strictly decoded. https://url.spec.whatwg.org/#application/x-www-form-urlencoded */
import { fhirError } from '../fhir/error.ts'
import type { Pairs } from './written.ts'

/**
 * Returns the parameters of a query, in order; the text begins after the question mark.
 *
 * Throws `invalid` for an escape that is malformed or no UTF-8, and for U+0000, which no backend keeps.
 */
export function pairsOf(text: string): Pairs {
  const pairs: (readonly [string, string])[] = []
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals < 0) pairs.push([decoded(part), ''])
    else pairs.push([decoded(part.slice(0, equals)), decoded(part.slice(equals + 1))])
  }
  return pairs
}

function decoded(text: string): string {
  let value: string
  try {
    value = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw fhirError('invalid', 'A parameter has a malformed % escape.', { expression: 'http' })
  }
  if (value.includes('\0') || !value.isWellFormed())
    throw fhirError('invalid', 'A parameter holds the character U+0000.', { expression: 'http' })
  return value
}
