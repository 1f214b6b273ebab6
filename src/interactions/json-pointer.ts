/**
 * JSON Pointer: the way to one place in a tree.
 * https://www.rfc-editor.org/rfc/rfc6901
 */
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json } from '../fhir/json.ts'

/**
 * Returns the reference tokens of a pointer, unescaped; none for the whole document.
 *
 * Throws `invalid` where the text is no JSON Pointer.
 */
export function pointerTokens(pointer: string, expression: string): string[] {
  if (pointer === '') return []
  if (pointer[0] !== '/' || /~(?![01])/.test(pointer))
    throw fhirError(
      'invalid',
      'A JSON Pointer is empty or begins with a slash, and ~ stands only in ~0 and ~1.',
      {
        expression,
      },
    )
  return pointer
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const INDEX = /^(?:0|[1-9][0-9]{0,8})$/

/** Returns the array position that a token names, `length` for `-`; undefined where it is none, or beyond `most`. */
export function position(token: string, length: number, most: number): number | undefined {
  if (token === '-') return length <= most ? length : undefined
  if (!INDEX.test(token)) return undefined
  const at = Number(token)
  return at <= most ? at : undefined
}

/** Returns the member or item that a token names; undefined where there is none. */
export function step(value: Json | undefined, token: string): Json | undefined {
  if (Array.isArray(value)) {
    const at = position(token, value.length, value.length - 1)
    return at === undefined ? undefined : value[at]
  }
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined
}
