/** Texts of release files, read in pieces; what is wrong in them is said with file and line. */
import type { Source } from './sources.ts'

/** A fault of the person's file, in words for that person. */
export class FileFault extends Error {
  constructor(source: Source, line: number | undefined, what: string) {
    super(`${source.path}${line === undefined ? '' : `, line ${line}`}: ${what}`)
    this.name = 'FileFault'
  }
}

/** Hears of bytes read. */
export type OnBytes = (bytes: number) => void

/** Longer than any line or record of a release, UTF-16 units: beyond it the file is none, and would fill the memory. */
const MOST_LENGTH = 4_000_000

/** Yields the text of a file in pieces. Throws FileFault where it is no UTF-8 or cannot be read. */
export async function* textOf(source: Source, onBytes: OnBytes): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let lines = 0
  const decoded = (bytes: Buffer | undefined): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
    } catch {
      const at = bytes === undefined ? 0 : faultIn(bytes)
      throw new FileFault(source, lines + 1 + at, 'the text is not UTF-8.')
    }
  }
  try {
    for await (const chunk of await source.open()) {
      const bytes = chunk as Buffer
      onBytes(bytes.length)
      const text = decoded(bytes)
      yield text
      lines += newLines(bytes)
    }
  } catch (error) {
    if (error instanceof FileFault) throw error
    throw new FileFault(source, undefined, `it cannot be read: ${(error as Error).message}.`)
  }
  const rest = decoded(undefined)
  if (rest !== '') yield rest
}

function newLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

/** Returns how many lines of the bytes come before the first that is no UTF-8. */
function faultIn(bytes: Buffer): number {
  let line = 0
  let from = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    // What begins in the piece before is cut at its first character.
    const text = bytes.subarray(from, at).toString()
    if (text.indexOf('\ufffd', from === 0 ? 4 : 0) >= 0) return line
    line++
    from = at + 1
  }
  return line
}

/** Calls `each` with every line, numbered from 1, without its end. */
export async function eachLine(
  source: Source,
  onBytes: OnBytes,
  each: (line: string, number: number) => void,
): Promise<void> {
  let number = 0
  let rest = ''
  for await (const piece of textOf(source, onBytes)) {
    const text = rest + piece
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      const end = at > from && text.charCodeAt(at - 1) === 13 ? at - 1 : at
      each(text.slice(from, end), ++number)
      from = at + 1
    }
    rest = text.slice(from)
    if (rest.length > MOST_LENGTH) throw new FileFault(source, number + 1, 'the line does not end.')
  }
  if (rest !== '') each(rest.endsWith('\r') ? rest.slice(0, -1) : rest, number + 1)
}

/** Calls `each` with the fields of every line of a tab-delimited file but the first, which names them. Throws FileFault for a short line. */
export async function eachTabbed(
  source: Source,
  columns: readonly string[],
  onBytes: OnBytes,
  each: (fields: string[], line: string, number: number) => void,
): Promise<void> {
  await eachLine(source, onBytes, (line, number) => {
    if (line === '') return
    const fields = line.split('\t')
    if (number === 1) {
      const wrong = columns.findIndex((name, i) => fields[i] !== name)
      if (wrong >= 0)
        throw new FileFault(
          source,
          1,
          `column ${wrong + 1} is to be ${columns[wrong]}, not ${shown(fields[wrong])}.`,
        )
      return
    }
    if (fields.length < columns.length)
      throw new FileFault(source, number, `it has ${fields.length} fields, not ${columns.length}.`)
    each(fields, line, number)
  })
}

const shown = (text: string | undefined): string =>
  text === undefined ? 'missing' : JSON.stringify(text.slice(0, 40))

/** A record of a CSV file by the names of its columns. */
export type CsvRecord = (column: string) => string

/**
 * Calls `each` with every record of a CSV file (RFC 4180: quotes, doubled quotes, line ends within quotes) and the line that it begins in.
 *
 * Throws FileFault where a column of `columns` is missing, a quote is not closed, or a record has too many or too few fields.
 */
export async function eachCsv(
  source: Source,
  columns: readonly string[],
  onBytes: OnBytes,
  each: (record: CsvRecord, line: number) => void,
): Promise<void> {
  let places: Map<string, number> | undefined
  const take = (fields: string[], line: number): void => {
    if (fields.length === 1 && fields[0] === '') return
    if (places === undefined) {
      const named = new Map(fields.map((name, i) => [name.trim().toUpperCase(), i]))
      for (const name of columns)
        if (!named.has(name.toUpperCase())) throw new FileFault(source, line, `there is no column ${name}.`)
      places = named
      return
    }
    if (fields.length !== places.size)
      throw new FileFault(source, line, `it has ${fields.length} fields, not ${places.size}.`)
    const at = places
    each(column => fields[at.get(column.toUpperCase()) ?? -1] ?? '', line)
  }

  let fields: string[] = []
  let field = ''
  let quoted = false
  /** After a quote within quotes: the end of the field, or half of a doubled one. */
  let closing = false
  let line = 1
  let begin = 1
  for await (const text of textOf(source, onBytes)) {
    let i = 0
    while (i < text.length) {
      if (quoted) {
        const at = text.indexOf('"', i)
        const piece = text.slice(i, at < 0 ? text.length : at)
        for (let n = piece.indexOf('\n'); n >= 0; n = piece.indexOf('\n', n + 1)) line++
        field += piece
        if (field.length > MOST_LENGTH) throw new FileFault(source, begin, 'a quote is not closed.')
        if (at < 0) break
        quoted = false
        closing = true
        i = at + 1
        continue
      }
      const one = text[i]!
      if (closing && one === '"') {
        field += '"'
        quoted = true
        closing = false
        i++
        continue
      }
      closing = false
      if (one === '"' && field === '') {
        quoted = true
        i++
      } else if (one === ',') {
        fields.push(field)
        field = ''
        i++
      } else if (one === '\n') {
        fields.push(field.endsWith('\r') ? field.slice(0, -1) : field)
        take(fields, begin)
        fields = []
        field = ''
        begin = ++line
        i++
      } else {
        PLAIN.lastIndex = i + 1
        PLAIN.test(text)
        const end = PLAIN.lastIndex === 0 ? text.length : PLAIN.lastIndex - 1
        field += text.slice(i, end)
        i = end
      }
    }
  }
  if (quoted) throw new FileFault(source, begin, 'a quote is not closed.')
  if (field !== '' || fields.length > 0) {
    fields.push(field)
    take(fields, begin)
  }
}

/** Where a run of plain characters ends. */
const PLAIN = /[,\n"]/g
