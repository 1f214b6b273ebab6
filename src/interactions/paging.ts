/**
 * What search and history share: page sizes, periods, and links that carry the parameters applied.
 * https://hl7.org/fhir/R4/http.html#paging
 */
import type { Context } from '../context.ts'
import type { BundleLink } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import { type TimeRange, timeRange } from '../fhir/instant.ts'
import type { Pairs } from './written.ts'

/**
 * Returns the size of a page: the default without `_count`, at most the setting's; 0 asks for the count alone.
 *
 * Throws `invalid` where the value is no whole number of 0 or more.
 */
export function countOf(ctx: Context, text: string | undefined): number {
  const { pageDefault, pageMax } = ctx.settings.limits
  if (text === undefined) return pageDefault
  if (!/^[0-9]{1,9}$/.test(text))
    throw fhirError('invalid', '_count must be a whole number of 0 or more.', { expression: 'http._count' })
  return Math.min(Number(text), pageMax)
}

/** Returns a link under the base URL with these parameters. */
export function linkOf(ctx: Context, relation: string, path: string, pairs: Pairs): BundleLink {
  const query = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  const url = path === '' ? ctx.settings.baseUrl : `${ctx.settings.baseUrl}/${path}`
  return { relation, url: query === '' ? url : `${url}?${query}` }
}

/** Escapes what a query may not hold; leaves `:`, `,`, `/` and `|` readable where RFC 3986 allows them. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(?:3A|2C|2F|24|40)/g, escaped => decodeURIComponent(escaped))

/**
 * Returns the time that `_since` or `_at` names, ms since 1970; a date without a zone is read in the server's. A space stands for a plus
 * sign that was not escaped.
 *
 * Throws `invalid` for what is no date.
 */
export function periodOf(ctx: Context, name: string, text: string): TimeRange {
  const range = timeRange(text.replace(/ ([0-9]{2}:[0-9]{2})$/, '+$1'), ctx.settings.zone)
  if (range === undefined)
    throw fhirError('invalid', `${name} must be an instant or a date, such as 2026-11-21T10:41:00+05:30.`, {
      expression: `http.${name}`,
    })
  return range
}
