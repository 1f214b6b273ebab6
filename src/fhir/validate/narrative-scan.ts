/**
 * The tags of an XHTML fragment, in one pass over the text; what is not well-formed XML ends it.
 * https://www.w3.org/TR/xml/, https://hl7.org/fhir/R4/narrative.html#xhtml
 */

export interface Tag {
  name: string
  attributes: ReadonlyMap<string, string>
  /** Tags around this one. */
  depth: number
}

export interface Scan {
  tag(tag: Tag): void
  /** Text between tags that is not only white space. */
  text(): void
}

/** Tags within tags: deeper ones are no document, but would keep whoever shows them busy. */
const DEEPEST = 100
const MOST_ATTRIBUTES = 50

const NAME = /[A-Za-z_][\w:.-]*/y
const SPACE = /[ \t\r\n]*/y
const ENTITY = /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|([A-Za-z][A-Za-z0-9]{0,31}));/y

/** Thrown with what is wrong, as a sentence that says how to mend it. */
export class NotWellFormed extends Error {}

interface Reading {
  source: string
  at: number
}

/** Tells `scan` of everything in the fragment, which is one element. Throws NotWellFormed. */
export function scanXhtml(source: string, scan: Scan): void {
  const reading: Reading = { source, at: 0 }
  const open: string[] = []
  take(reading, SPACE)
  if (source[reading.at] !== '<')
    throw fault(reading, 'Begin the narrative with <div xmlns="http://www.w3.org/1999/xhtml">')
  do {
    if (source.startsWith('<!--', reading.at)) skipComment(reading)
    else if (source[reading.at] === '<') readTag(reading, open, scan)
    else readText(reading, scan)
    if (reading.at >= source.length && open.length > 0)
      throw fault(reading, `Close <${open.at(-1)}>: the narrative ends inside it`)
  } while (open.length > 0)
  take(reading, SPACE)
  if (reading.at < source.length)
    throw fault(reading, 'Put everything into the one <div>: there is more after its end')
}

const fault = ({ source, at }: Reading, sentence: string): NotWellFormed =>
  new NotWellFormed(`${sentence}${at < source.length ? ` (at character ${at})` : ''}.`)

function take(reading: Reading, pattern: RegExp): string {
  pattern.lastIndex = reading.at
  const text = pattern.exec(reading.source)?.[0] ?? ''
  reading.at += text.length
  return text
}

function skipComment(reading: Reading): void {
  const { source } = reading
  const start = reading.at + 4
  const end = source.indexOf('--', start)
  // HTML ends comments at places where XML does not: such a comment would hide tags from one of the two.
  if (end < 0 || source[end + 2] !== '>' || source[start] === '>' || source.startsWith('->', start))
    throw fault(reading, 'Remove the comment or end it with -->, without -- inside')
  reading.at = end + 3
}

function readTag(reading: Reading, open: string[], scan: Scan): void {
  const { source } = reading
  const next = source[reading.at + 1]
  if (next === '/') {
    closeTag(reading, open)
    return
  }
  if (next === '!' || next === '?')
    throw fault(
      reading,
      'Remove the CDATA section, declaration or processing instruction; text has &lt; and &amp; instead',
    )
  reading.at++
  const name = take(reading, NAME)
  if (name === '') throw fault(reading, 'Write &lt; for a < that begins no tag')
  const attributes = readAttributes(reading, name)
  if (open.length >= DEEPEST) throw fault(reading, `Nest tags less deep than ${DEEPEST}`)
  scan.tag({ name, attributes, depth: open.length })
  if (source[reading.at] === '/') reading.at += 2
  else {
    reading.at++
    open.push(name)
  }
}

function closeTag(reading: Reading, open: string[]): void {
  const start = reading.at
  reading.at += 2
  const name = take(reading, NAME)
  take(reading, SPACE)
  if (reading.source[reading.at] !== '>') throw fault({ ...reading, at: start }, 'End each tag with >')
  const expected = open.pop()
  if (name !== expected)
    throw fault(
      { ...reading, at: start },
      `Close tags in the order in which they were opened: </${expected}> is expected and not </${name.slice(0, 20)}>`,
    )
  reading.at++
}

/** Reads up to the end of the tag, which is left to be taken. */
function readAttributes(reading: Reading, tag: string): Map<string, string> {
  const attributes = new Map<string, string>()
  const { source } = reading
  for (;;) {
    const space = take(reading, SPACE)
    if (source[reading.at] === '>' || source.startsWith('/>', reading.at)) return attributes
    const name = space === '' ? '' : take(reading, NAME)
    if (name === '') throw fault(reading, `End the tag <${tag.slice(0, 20)}> with > or />`)
    take(reading, SPACE)
    if (source[reading.at] !== '=')
      throw fault(reading, `Give the attribute ${name.slice(0, 20)} a value in quotes`)
    reading.at++
    take(reading, SPACE)
    if (attributes.has(name)) throw fault(reading, `Give the attribute ${name.slice(0, 20)} once`)
    if (attributes.size >= MOST_ATTRIBUTES)
      throw fault(reading, `Give a tag at most ${MOST_ATTRIBUTES} attributes`)
    attributes.set(name, readValue(reading, name))
  }
}

function readValue(reading: Reading, name: string): string {
  const { source } = reading
  const quote = source[reading.at]
  if (quote !== '"' && quote !== "'")
    throw fault(reading, `Give the attribute ${name.slice(0, 20)} a value in quotes`)
  const end = source.indexOf(quote, reading.at + 1)
  if (end < 0) throw fault(reading, `Close the quotes of the attribute ${name.slice(0, 20)}`)
  const raw = source.slice(reading.at + 1, end)
  if (raw.includes('<')) throw fault(reading, `Write &lt; for < in the attribute ${name.slice(0, 20)}`)
  const value = decoded(raw, reading.at + 1, reading)
  reading.at = end + 1
  return value
}

/** Returns the text with its entities replaced. */
function decoded(raw: string, start: number, reading: Reading): string {
  if (!raw.includes('&')) return raw
  const parts: string[] = []
  let last = 0
  for (let at = raw.indexOf('&'); at >= 0; at = raw.indexOf('&', last)) {
    parts.push(raw.slice(last, at))
    const entity = readEntity({ source: reading.source, at: start + at })
    parts.push(entity.character)
    last = at + entity.length
  }
  parts.push(raw.slice(last))
  return parts.join('')
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

function readEntity(reading: Reading): { character: string; length: number } {
  ENTITY.lastIndex = reading.at
  const match = ENTITY.exec(reading.source)
  if (match === null) throw fault(reading, 'Write &amp; for an & that begins no character reference')
  const [whole, hex, number, name] = match
  if (name !== undefined && !NAMED.has(name))
    throw fault(
      reading,
      `Write &${name}; as a number, as &#160; for &nbsp;: XML knows lt, gt, amp, quot and apos only`,
    )
  const point = hex !== undefined ? Number.parseInt(hex, 16) : Number(number)
  if (name === undefined && !isCharacter(point))
    throw fault(reading, `Remove ${whole}, which is no character of XML`)
  return {
    character: name === undefined ? String.fromCodePoint(point) : NAMED.get(name)!,
    length: whole.length,
  }
}

const isCharacter = (point: number): boolean =>
  point === 9 ||
  point === 10 ||
  point === 13 ||
  (point >= 32 && point < 0xd800) ||
  (point > 0xdfff && point < 0xfffe) ||
  (point > 0xffff && point < 0x110000)

function readText(reading: Reading, scan: Scan): void {
  const { source } = reading
  const end = source.indexOf('<', reading.at)
  const stop = end < 0 ? source.length : end
  const raw = source.slice(reading.at, stop)
  if (raw.includes(']]>')) throw fault(reading, 'Write ]]&gt; for ]]>')
  if (/[^ \t\r\n]/.test(decoded(raw, reading.at, reading))) scan.text()
  reading.at = stop
}
