/** Lines of text broken to a width. */
import type { Line, Span } from '../sheet.ts'
import { clean } from '../sheet.ts'
import type { ShapedRun, Typeface, Word } from './typeface.ts'

export interface Piece {
  runs: readonly ShapedRun[]
  span: Span
  /** Points from the beginning of the line, and width. */
  x: number
  width: number
}

export interface LaidLine {
  pieces: readonly Piece[]
  width: number
  /** From this line's baseline to that of the next. */
  height: number
  /** From the top of the line to the baseline. */
  rise: number
  size: number
}

/** Heights in sizes: the scripts of India have marks above and conjuncts below. */
const LATIN = { height: 1.34, rise: 1 }
const INDIAN = { height: 1.62, rise: 1.16 }

/** Where a word may be broken that is longer than its line. */
const BREAK_AFTER = /(?<=[-/_.@,:;+&=?])/

/** Returns the lines, none of them wider than `width` points unless a single glyph is. */
export function breakLine(type: Typeface, source: Line, size: number, width: number): LaidLine[] {
  const lines: LaidLine[] = []
  let pieces: Piece[] = []
  let x = 0
  let pending: Span | undefined
  const scale = size / 1000
  const end = (): void => {
    const indian = pieces.some(({ runs }) => runs.some(({ font }) => !font.startsWith('latin')))
    const { height, rise } = indian ? INDIAN : LATIN
    lines.push({
      pieces,
      width: x,
      height: height * size,
      rise: rise * size,
      size,
    })
    pieces = []
    x = 0
    pending = undefined
  }
  const place = (word: Word, span: Span): void => {
    pieces.push({ runs: word.runs, span, x, width: word.width * scale })
    x += word.width * scale
  }
  const put = (text: string, span: Span): void => {
    const word = type.word(text, span.bold === true)
    const blank = pending === undefined || x === 0 ? 0 : type.blank * scale
    if (x > 0 && x + blank + word.width * scale > width) end()
    if (x > 0 && pending !== undefined) place(type.word(' ', false), pending)
    pending = undefined
    if (word.width * scale <= width - x) {
      place(word, span)
      return
    }
    for (const part of parts(type, text, span.bold === true, width / scale)) {
      const piece = type.word(part, span.bold === true)
      if (x > 0 && x + piece.width * scale > width) end()
      place(piece, span)
    }
  }
  for (const span of source)
    for (const token of clean(span.text).match(/ +|[^ ]+/g) ?? [])
      if (token[0] === ' ') pending = span
      else put(token, span)
  if (pieces.length > 0 || lines.length === 0) end()
  return lines
}

/** Returns a long word in parts, each of which fits a line: cut after its punctuation, else between its clusters. */
function parts(type: Typeface, text: string, bold: boolean, width: number): string[] {
  return text
    .split(BREAK_AFTER)
    .flatMap(part => (type.word(part, bold).width <= width ? [part] : clusters(type, part, bold, width)))
}

function clusters(type: Typeface, text: string, bold: boolean, width: number): string[] {
  const found: string[] = []
  let part = ''
  let used = 0
  for (const run of type.word(text, bold).runs)
    for (let i = 0; i < run.glyphs.length; ) {
      const start = run.glyphs[i]!.cluster
      let wide = 0
      while (i < run.glyphs.length && run.glyphs[i]!.cluster === start) wide += run.glyphs[i++]!.advance
      if (part !== '' && used + wide > width) {
        found.push(part)
        part = ''
        used = 0
      }
      part += run.text.slice(start, run.glyphs[i]?.cluster ?? run.text.length)
      used += wide
    }
  if (part !== '') found.push(part)
  return found
}

/** Returns the width in points of the widest word and of the whole line. */
export function widths(type: Typeface, source: Line, size: number): { word: number; line: number } {
  let widest = 0
  let sum = 0
  let blanks = 0
  for (const span of source)
    for (const token of clean(span.text).match(/ +|[^ ]+/g) ?? [])
      if (token[0] === ' ') blanks++
      else {
        const { width } = type.word(token, span.bold === true)
        sum += width
        if (width > widest) widest = width
      }
  return {
    word: (widest * size) / 1000,
    line: ((sum + blanks * type.blank) * size) / 1000,
  }
}
