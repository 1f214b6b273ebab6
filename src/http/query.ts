/** The query of a URL. https://www.rfc-editor.org/rfc/rfc3986#section-3.4 */

/** Returns the text after the question mark of a URL, '' where there is none. */
export function queryText(url: string): string {
  const at = url.indexOf('?')
  if (at < 0) return ''
  const hash = url.indexOf('#', at)
  return url.slice(at + 1, hash < 0 ? undefined : hash)
}
