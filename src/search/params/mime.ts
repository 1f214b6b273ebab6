/**
 * Codes that are MIME types: what lies below one is told by their text, not by a code system.
 * https://hl7.org/fhir/R4/search.html#mimetype
 */

import { type Ask, anyOf, type Planner, refusal } from '../ask.ts'
import type { TypedPath } from '../expression.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import type { SearchParam } from '../registry.ts'
import { addRow, mimeName } from '../sink.ts'
import { planCodeAbove, planCodeBelow, TOKEN_WRITERS, tokenText, type Writer } from './token.ts'

const MIME_TYPES = 'http://hl7.org/fhir/ValueSet/mimetypes'
/** The system that the value set takes its codes from. */
const SYSTEM = 'urn:ietf:bcp:13'

/** Whether values at the end of the path are MIME types by their binding. */
export const isMime = ({ type, valueSet }: TypedPath): boolean => type === 'code' && valueSet === MIME_TYPES

const areMime = ({ paths }: SearchParam): boolean => paths.length > 0 && paths.every(isMime)

/** Returns a MIME type without its parameters, in lower case: MIME types are the same in any. */
const baseOf = (text: string): string => text.split(';', 1)[0]!.trim().toLowerCase()

/** Writes the row of the code itself, and one each for its type with subtype and for its type alone. */
export const writeMime: Writer = (value, names, sink) => {
  TOKEN_WRITERS.code!(value, names, sink)
  const base = typeof value === 'string' ? baseOf(tokenText(value)) : ''
  if (base === '') return
  for (const code of new Set([base, base.split('/', 1)[0]!]))
    if (code !== '') addRow(sink, { kind: 'token', param: mimeName(names.name), system: '', code })
}

/** Returns the MIME type asked for, without its system. Throws `invalid` for one of another system. */
function askedFor({ criterion, value }: Ask): string {
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
  const code = tokenText(parts.at(-1)!).trim()
  const known = parts.length === 1 || (parts.length === 2 && (parts[0] === '' || parts[0] === SYSTEM))
  if (!known || baseOf(code) === '')
    throw refusal(criterion, `A value of "${criterion.name}" is a MIME type, such as text/xml or image.`)
  return code
}

/** The code as it was sent. */
const asSent = ({ rows }: SearchParam, codes: readonly string[]): Node =>
  anyOf(rows.flatMap(name => codes.map((code): Node => ({ kind: 'token', param: name, code }))))

/** `:below`: on MIME types `text/xml` whatever its parameters, `image` every type of image; one with parameters is itself only. */
export const planTokenBelow: Planner = ask => {
  const { param } = ask
  if (!areMime(param)) return planCodeBelow(ask)
  const code = askedFor(ask)
  if (code.includes(';')) return asSent(param, [code])
  return anyOf(param.rows.map(name => ({ kind: 'token', param: mimeName(name), code: baseOf(code) })))
}

/** `:above`: on MIME types the code, it without its parameters, and its type alone. */
export const planTokenAbove: Planner = ask => {
  if (!areMime(ask.param)) return planCodeAbove(ask)
  const code = askedFor(ask)
  const base = code.split(';', 1)[0]!.trim()
  return asSent(ask.param, [...new Set([code, base, base.split('/', 1)[0]!])])
}
