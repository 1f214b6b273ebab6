/** Reads the templates of a request to a text message provider of any kind. */

/** What may stand in braces. */
export const PLACEHOLDERS = [
  'to',
  'digits',
  'text',
  'key',
  'sender',
  'entity',
  'template',
  'secret',
  'event',
  'language',
] as const

const KNOWN = new RegExp(`^(?:${PLACEHOLDERS.join('|')}|var[1-9][0-9]?)$`)

/** A placeholder in braces; what stands between others is text. */
export const PLACEHOLDER = /\{([A-Za-z0-9]+)\}/g

const known = (text: string): boolean =>
  [...text.matchAll(PLACEHOLDER)].every(([, name]) => KNOWN.test(name as string))

/** Each returns undefined for what cannot be used. */
export const readTemplate = { url, body, headers }

function url(value: string): string | undefined {
  if (!known(value) || !URL.canParse(value.replace(PLACEHOLDER, '0'))) return undefined
  const { protocol, host, username, password } = new URL(value.replace(PLACEHOLDER, '0'))
  if (!['http:', 'https:'].includes(protocol) || username || password) return undefined
  // Nothing that a message carries decides where it goes to.
  return value.startsWith(`${protocol}//${host}`) && !value.includes('#') ? value : undefined
}

function body(value: string): string | undefined {
  if (!/^\s*[{[]/.test(value)) return known(value) && /^[^\s=&]+=/.test(value) ? value : undefined
  try {
    const tree: unknown = JSON.parse(value)
    return stringsOf(tree).every(known) ? value : undefined
  } catch {
    return undefined
  }
}

const stringsOf = (tree: unknown): string[] =>
  typeof tree === 'string'
    ? [tree]
    : typeof tree === 'object' && tree !== null
      ? Object.values(tree).flatMap(stringsOf)
      : []

function headers(value: string): Record<string, string> | undefined {
  try {
    const tree: unknown = JSON.parse(value)
    if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return undefined
    const fine = Object.entries(tree).every(
      ([name, one]) =>
        /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name) &&
        typeof one === 'string' &&
        /^[\x20-\x7e]{0,4000}$/.test(one),
    )
    return fine ? (tree as Record<string, string>) : undefined
  } catch {
    return undefined
  }
}
