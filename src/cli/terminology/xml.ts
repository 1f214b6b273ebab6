/**
 * XML read in pieces: start and end tags and texts, as they come. Entities of documents are not read, so that none can grow.
 * https://www.w3.org/TR/xml/
 */
import type { Source } from './sources.ts'
import { FileFault, type OnBytes, textOf } from './text.ts'

export interface XmlReader {
  start(name: string, attributes: Record<string, string>, line: number): void
  end(name: string, line: number): void
  text(text: string): void
}

/** Longer than any tag or comment, UTF-16 units. */
const MOST_LENGTH = 1_000_000
const MOST_DEPTH = 200

const NAME = /^[A-Za-z_:][\w:.-]*/
const ATTRIBUTE = /\s+([A-Za-z_:][\w:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Calls the reader with what the file holds. Throws FileFault where it is not well-formed. */
export async function readXml(source: Source, onBytes: OnBytes, reader: XmlReader): Promise<void> {
  let rest = ''
  let line = 1
  const open: string[] = []
  const fault = (what: string): FileFault => new FileFault(source, line, what)
  const count = (text: string): void => {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line++
  }
  const decoded = (text: string): string =>
    text.includes('&')
      ? text.replace(/&([^;]{0,32})(;?)/g, (_, name: string, end: string) => {
          const known = end === ';' ? (NAMED[name] ?? character(name)) : undefined
          if (known === undefined) throw fault(`&${name.slice(0, 20)} is no character that XML knows.`)
          return known
        })
      : text

  const tag = (text: string): void => {
    if (text.startsWith('/')) {
      const name = text.slice(1).trim()
      if (open.pop() !== name) throw fault(`</${name}> closes what is not open.`)
      reader.end(name, line)
      return
    }
    const name = NAME.exec(text)?.[0]
    if (name === undefined) throw fault(`<${text.slice(0, 20)} is no tag.`)
    const attributes: Record<string, string> = {}
    ATTRIBUTE.lastIndex = name.length
    let at = name.length
    for (let found = ATTRIBUTE.exec(text); found !== null; found = ATTRIBUTE.exec(text)) {
      attributes[found[1]!] = decoded(found[2] ?? found[3] ?? '')
      at = ATTRIBUTE.lastIndex
    }
    const end = text.slice(at).trim()
    if (end !== '' && end !== '/') throw fault(`the attributes of <${name}> cannot be read.`)
    if (open.length >= MOST_DEPTH) throw fault(`elements are nested more than ${MOST_DEPTH} deep.`)
    reader.start(name, attributes, line)
    if (end === '/') reader.end(name, line)
    else open.push(name)
  }

  /** Takes what is whole off the front of the text and returns what is not. */
  const take = (text: string, last: boolean): string => {
    let from = 0
    for (;;) {
      const at = text.indexOf('<', from)
      if (at < 0) {
        // A character may be cut in two.
        const end = last ? text.length : Math.max(from, text.lastIndexOf('&'))
        return run(text, from, end)
      }
      if (at > from) run(text, from, at)
      from = at
      const [begin, close] = piece(text, at)
      if (begin === '') return text.slice(at)
      const end = endOf(text, at, begin, close)
      if (end < 0) return text.slice(at)
      const inner = text.slice(at + begin.length, end)
      if (begin === '<') tag(inner)
      else if (begin === '<![CDATA[') reader.text(inner)
      count(text.slice(at, end))
      from = end + (close === '' ? 1 : close.length)
    }
  }
  const run = (text: string, from: number, to: number): string => {
    const piece = text.slice(from, to)
    if (piece !== '') {
      if (open.length > 0) reader.text(decoded(piece))
      else if (piece.replace(/^\ufeff/, '').trim() !== '')
        throw fault('there is text outside of the elements.')
      count(piece)
    }
    return text.slice(to)
  }

  for await (const piece of textOf(source, onBytes)) {
    rest = take(rest + piece, false)
    if (rest.length > MOST_LENGTH) throw fault('a tag or comment does not end.')
  }
  rest = take(rest, true)
  if (rest !== '') throw fault('the file ends within a tag.')
  if (open.length > 0) throw fault(`the file ends within <${open.at(-1)}>.`)
}

/** Returns how what begins at a `<` begins and ends; '' for the beginning where it is not whole yet, and for the end of a DOCTYPE. */
function piece(text: string, at: number): [begin: string, close: string] {
  const next = text.slice(at, at + 9)
  if (next.startsWith('<!--')) return ['<!--', '-->']
  if (next === '<![CDATA[') return ['<![CDATA[', ']]>']
  if (next.startsWith('<?')) return ['<?', '?>']
  if (next === '<!DOCTYPE') return ['<!DOCTYPE', '']
  if (next.startsWith('<!') || next === '<') return ['', '']
  return ['<', '>']
}

function endOf(text: string, at: number, begin: string, close: string): number {
  if (close === '') return endOfDoctype(text, at)
  if (begin !== '<') return text.indexOf(close, at + begin.length)
  // A value may hold a >.
  for (let i = at; i < text.length; i++) {
    const one = text[i]!
    if (one === '>') return i
    if (one === '"' || one === "'") {
      i = text.indexOf(one, i + 1)
      if (i < 0) return -1
    }
  }
  return -1
}

/** Returns the place of the `>` that ends a DOCTYPE; what it declares in brackets is passed by. */
function endOfDoctype(text: string, at: number): number {
  const bracket = text.indexOf('[', at)
  const end = text.indexOf('>', at)
  if (bracket < 0 || (end >= 0 && end < bracket)) return end
  const closed = text.indexOf(']', bracket)
  return closed < 0 ? -1 : text.indexOf('>', closed)
}

function character(name: string): string | undefined {
  const code = /^#x[0-9a-f]{1,6}$/i.test(name)
    ? Number.parseInt(name.slice(2), 16)
    : /^#[0-9]{1,7}$/.test(name)
      ? Number(name.slice(1))
      : undefined
  const isCharacter = code !== undefined && code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}
