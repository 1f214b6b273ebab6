/**
 * Where the links, images and styles of a narrative may lead.
 * https://hl7.org/fhir/R4/narrative.html#xhtml, https://hl7.org/fhir/R4/security.html#narrative
 */

export interface UrlFault {
  severity: 'error' | 'warning'
  /** The end of a sentence that names the attribute first. */
  text: string
}

/** Browsers skip these in a URL, so that a scheme can be hidden by them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const IGNORED = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]+/g
const SCHEME = /^([a-z][a-z0-9+.-]*):/i
const LINKS: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'mailto', 'tel', 'urn'])
const DATA_IMAGE = /^data:image\/(?:png|gif|jpe?g|bmp|webp|tiff|x-icon);base64,/i
/** As much of a URL as is looked at: the picture behind it may be a megabyte. */
const LOOKED_AT = 200

const head = (url: string): string => url.slice(0, LOOKED_AT).replace(IGNORED, '')

/** Returns why a link is not allowed; undefined for links to http, https, ftp, mailto, tel and urn, relative ones and `#id`. */
export function linkFault(url: string): UrlFault | undefined {
  const scheme = SCHEME.exec(head(url))?.[1]?.toLowerCase()
  if (scheme === undefined || LINKS.has(scheme)) return undefined
  return {
    severity: 'error',
    text: `links by ${scheme.slice(0, 20)}:, which is not allowed: use http, https, ftp, mailto, tel, urn or #id`,
  }
}

/** Returns why an image is not allowed: it has to be `#id` of a contained resource, or a data: URL of a picture. */
export function imageFault(url: string): UrlFault | undefined {
  const start = head(url)
  if (start.startsWith('#') || DATA_IMAGE.test(start)) return undefined
  const scheme = SCHEME.exec(start)?.[1]?.toLowerCase()
  if (scheme === undefined && !/^[\\/]{2}/.test(start))
    return {
      severity: 'warning',
      text: 'names an image that is not in the resource: contain it (#id), or write it as a data: URL',
    }
  const text =
    scheme === 'data'
      ? 'is a data: URL of what is no picture in base64 (png, gif, jpeg, bmp, webp, tiff)'
      : 'loads from elsewhere, which tells that place who is being read: contain the image (#id), or write it as a data: URL'
  return { severity: 'error', text }
}

const ACTIVE =
  /expression\s*\(|javascript:|vbscript:|@import|behaviou?r\s*:|-moz-binding|image-set\s*\(|(?<![a-z-])(?:image|src|element)\s*\(/i
const URL = /url\s*\(\s*(["']?)/gi

/** Returns why a style is not allowed: it runs or loads something. */
export function styleFault(style: string): UrlFault | undefined {
  // Both hide words from a reader that a browser puts together.
  if (style.includes('\\') || style.includes('/*'))
    return { severity: 'error', text: 'has a backslash or a comment: remove it' }
  if (ACTIVE.test(style))
    return { severity: 'error', text: 'runs or loads something: leave only colours, sizes and the like' }
  for (const match of style.matchAll(URL)) {
    const start = match.index + match[0].length
    const found = imageFault(style.slice(start, start + LOOKED_AT))
    if (found !== undefined) return { ...found, text: `has a url() that ${found.text}` }
  }
  return undefined
}
