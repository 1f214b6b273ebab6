/**
 * The text of a search: names, modifiers, chains and values, without any meaning yet.
 * https://hl7.org/fhir/R4/search.html#parameters, https://hl7.org/fhir/R4/search.html#escaping
 */
import { fhirError } from '../fhir/error.ts'

/** One parameter of a search. */
export interface Criterion {
  /** Name as it was sent: `subject:Patient.name:exact`. */
  name: string
  /** Value as it was sent, URL escapes undone. */
  value: string
  /** The parameter's own code: `subject`. */
  code: string
  modifier: string | undefined
  /** What follows the first dot, `name:exact`; for `_has` what follows its colon. */
  chain: string | undefined
  /** The values that a comma parts, their escapes left in; none is empty. */
  values: readonly string[]
}

/** The parameters in the order they came; those without a value are left out, as R4 wants. */
export type SearchRequest = readonly Criterion[]

const NAME = /^([A-Za-z_][A-Za-z0-9_-]*)(?::([A-Za-z-]+))?(?:\.(.+))?$/s

/**
 * Returns the criteria of a query. `pairs` are its names and values with URL escapes undone.
 *
 * Throws `invalid` for a name that is no parameter name, a backslash that escapes nothing, and commas with nothing between them.
 */
export function parseSearch(pairs: readonly (readonly [string, string])[]): SearchRequest {
  const criteria: Criterion[] = []
  for (const [name, value] of pairs) {
    if (value === '') continue
    // A filter has a grammar of its own.
    const values = name === '_filter' ? [value] : splitEscaped(value, ',', name).filter(one => one !== '')
    if (values.length === 0)
      throw fhirError('invalid', `"${shown(name)}" has commas and no value between them.`, {
        expression: `http.${shown(name)}`,
      })
    criteria.push({ name, value, ...parseName(name), values })
  }
  return criteria
}

/** Returns the parts of a name, or of what stands behind the link of a chain. Throws `invalid` for what is no parameter name. */
export function parseName(name: string): Pick<Criterion, 'code' | 'modifier' | 'chain'> {
  // Reverse chains have a grammar of their own: _has:Observation:patient:code
  if (name.startsWith('_has:')) return { code: '_has', modifier: undefined, chain: name.slice(5) }
  const match = NAME.exec(name)
  if (match === null)
    throw fhirError('invalid', `"${shown(name)}" is not the name of a search parameter.`, {
      expression: 'http',
    })
  return { code: match[1]!, modifier: match[2], chain: match[3] }
}

/** Returns a name as a message may repeat it. */
export const shown = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}...` : text)

/**
 * Returns the parts between separators that no backslash escapes; the escapes stay in.
 *
 * Throws `invalid` for a backslash before anything but `,`, `$`, `|` and itself.
 */
export function splitEscaped(value: string, separator: ',' | '$' | '|', name: string): string[] {
  if (!value.includes('\\')) return value.split(separator)
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '\\') {
      at++
      if (!',$|\\'.includes(value[at] ?? ' ')) throw badEscape(name)
    } else if (value[at] === separator) {
      parts.push(value.slice(start, at))
      start = at + 1
    }
  }
  parts.push(value.slice(start))
  return parts
}

const badEscape = (name: string) =>
  fhirError(
    'invalid',
    `In the value of "${shown(name)}" a backslash must stand before a comma, $, | or another backslash.`,
    {
      expression: `http.${shown(name)}`,
    },
  )

/** Returns the text with its escapes undone. */
export const unescapeValue = (value: string): string =>
  value.includes('\\') ? value.replace(/\\([,$|\\])/g, '$1') : value
