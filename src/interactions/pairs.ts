/** Parameters of a URL or a form body, strictly decoded. https://url.spec.whatwg.org/#application/x-www-form-urlencoded */
import { fhirError } from '../fhir/error.ts'
import type { Pairs } from './written.ts'

/**
 * Returns the parameters in order.
 *
 * Throws `invalid` for an escape that is malformed or no UTF-8, and for U+0000, which no backend keeps.
 */
export function parsePairs(text: string): Pairs {
  const pairs: (readonly [string, string])[] = []
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals), undefined)
    pairs.push([name, equals < 0 ? '' : decode(part.slice(equals + 1), name)])
  }
  return pairs
}

function decode(text: string, name: string | undefined): string {
  let value: string
  try {
    value = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw fhirError(
      'invalid',
      'A parameter has a malformed % escape.',
      name ? { expression: `http.${name}` } : {},
    )
  }
  if (value.includes('\0') || !value.isWellFormed())
    throw fhirError(
      'invalid',
      'A parameter holds the character U+0000.',
      name ? { expression: `http.${name}` } : {},
    )
  return value
}
