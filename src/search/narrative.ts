/**
 * The text of a narrative: XHTML without its tags, entities decoded. It reads each character once, and any text, well formed or not.
 * https://hl7.org/fhir/R4/narrative.html
 */

/** Returns the text; where a tag or comment stood, there is a blank. */
export function narrativeText(xhtml: string): string {
  let text = ''
  let at = 0
  while (at < xhtml.length) {
    const tag = xhtml.indexOf('<', at)
    const end = tag < 0 ? xhtml.length : tag
    if (end > at) text += decoded(xhtml.slice(at, end))
    if (tag < 0) break
    if (!/[A-Za-z/!?]/.test(xhtml[tag + 1] ?? '')) {
      // Ill formed, and meant as it stands: pressure < 120.
      text += '<'
      at = tag + 1
    } else if (xhtml.startsWith('<![CDATA[', tag)) {
      const close = xhtml.indexOf(']]>', tag)
      text += xhtml.slice(tag + 9, close < 0 ? xhtml.length : close)
      at = close < 0 ? xhtml.length : close + 3
    } else {
      text += ' '
      at = xhtml.startsWith('<!--', tag) ? after(xhtml, '-->', tag + 4) : tagEnd(xhtml, tag + 1)
    }
  }
  return text
}

function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at < 0 ? text.length : at + what.length
}

const TAG_PART = /[>"']/g

/** Returns where the tag has ended; in quotes a `>` ends nothing. */
function tagEnd(text: string, from: number): number {
  for (let at = from; ; ) {
    TAG_PART.lastIndex = at
    const found = TAG_PART.exec(text)
    if (found === null) return text.length
    if (found[0] === '>') return found.index + 1
    at = after(text, found[0], found.index + 1)
  }
}

const ENTITY = /&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,15}));/g

const decoded = (text: string): string =>
  text.includes('&')
    ? text.replace(ENTITY, (_, decimal?: string, hex?: string, name?: string) =>
        name === undefined
          ? character(decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal))
          : named(name),
      )
    : text

const character = (code: number): string =>
  code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ' '

const ACCENTS: Readonly<Record<string, string>> = {
  grave: '\u0300',
  acute: '\u0301',
  circ: '\u0302',
  tilde: '\u0303',
  uml: '\u0308',
  ring: '\u030a',
  cedil: '\u0327',
  caron: '\u030c',
}
const ACCENTED = /^([A-Za-z])(grave|acute|circ|tilde|uml|ring|cedil|caron)$/

/** Letters of XHTML's entities that are no letter and accent; the Greek ones are named as they are called. */
const LETTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  shy: '',
  zwj: '\u200d',
  zwnj: '\u200c',
  szlig: 'ß',
  aelig: 'æ',
  AElig: 'Æ',
  oelig: 'œ',
  OElig: 'Œ',
  oslash: 'ø',
  Oslash: 'Ø',
  eth: 'ð',
  ETH: 'Ð',
  thorn: 'þ',
  THORN: 'Þ',
  micro: 'µ',
  ordf: 'ª',
  ordm: 'º',
  sup1: '¹',
  sup2: '²',
  sup3: '³',
  frac12: '½',
  frac14: '¼',
  frac34: '¾',
}
const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega'.split(
    ' ',
  )

function named(name: string): string {
  if (Object.hasOwn(LETTERS, name)) return LETTERS[name]!
  const [, letter, accent] = ACCENTED.exec(name) ?? []
  if (letter !== undefined) return letter + ACCENTS[accent!]!
  const greek = GREEK.indexOf(name.toLowerCase())
  if (greek >= 0) return String.fromCodePoint((/^[A-Z]/.test(name) ? 0x391 : 0x3b1) + greek)
  return ' '
}
