/**
 * Literal references: relative, absolute, versioned, to our own base, to fragments and by URN.
 * https://hl7.org/fhir/R4/references.html#literal
 */

/** What the text of a Reference.reference (or of a uri or canonical) points to. */
export type LiteralReference =
  /** A resource of this server: relative, or absolute under our own base. `version` is that of the history. */
  | { kind: 'local'; type: string; id: string; version: string | undefined }
  /** A resource of another server; `url` has neither history nor fragment, `base` no slash at the end. */
  | { kind: 'foreign'; url: string; base: string; type: string; id: string; version: string | undefined }
  /** A contained resource: `#id`; `id` is empty for the container itself (`#`). */
  | { kind: 'fragment'; id: string }
  /** Any other address: a URN, a canonical URL, a URL that is not RESTful. */
  | { kind: 'uri'; uri: string }

const RELATIVE =
  /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?(?:#.*)?$/
const ABSOLUTE =
  /^(https?:\/\/[^?#]*?)\/([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?(?:#.*)?$/

/** Returns whether the text can be a logical id or a version: 1 to 64 of `A-Z a-z 0-9 - .`. */
export const isId = (text: string): boolean => /^[A-Za-z0-9\-.]{1,64}$/.test(text)

/**
 * Returns what a reference points to. `baseUrl` is our own, without a slash at the end.
 * Whether the type is one of R4's is the caller's to judge.
 */
export function parseReference(text: string, baseUrl: string): LiteralReference {
  if (text.charCodeAt(0) === 35) return { kind: 'fragment', id: text.slice(1) }
  const own = text.startsWith(baseUrl) && text[baseUrl.length] === '/' ? text.slice(baseUrl.length + 1) : text
  const relative = RELATIVE.exec(own)
  if (relative !== null) return { kind: 'local', type: relative[1]!, id: relative[2]!, version: relative[3] }
  if (text.length > 4096 || !text.startsWith('http')) return { kind: 'uri', uri: text }
  const absolute = ABSOLUTE.exec(text)
  if (absolute === null) return { kind: 'uri', uri: text }
  const [, base, type, id, version] = absolute
  return { kind: 'foreign', url: `${base}/${type}/${id}`, base: base!, type: type!, id: id!, version }
}

/** Returns the text of a reference to a resource of this server: `Patient/1`, or `Patient/1/_history/2`. */
export const formatReference = (type: string, id: string, version?: string): string =>
  version === undefined ? `${type}/${id}` : `${type}/${id}/_history/${version}`
