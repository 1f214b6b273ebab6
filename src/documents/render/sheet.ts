/**
 * A document as it is read: what both renderings, HTML and PDF, are made of. It holds texts alone, never markup.
 * https://hl7.org/fhir/R4/documents.html#presentation
 */
import { fhirError } from '../../fhir/error.ts'

/** A piece of a line. `alert` is what must not be overlooked; `struck` what is not true. */
export interface Span {
  text: string
  bold?: boolean
  tone?: 'alert' | 'muted'
  struck?: boolean
}

export type Line = readonly Span[]

/** Lines one below the other. */
export type Cell = readonly Line[]

export interface Fact {
  label: string
  value: Cell
}

export interface Column {
  title: string
  /** Of amounts. */
  right?: boolean
}

export interface Row {
  cells: readonly Cell[]
  /** The sum of the rows above it. */
  total?: boolean
}

export interface Picture {
  kind: 'image'
  contentType: 'image/png' | 'image/jpeg'
  bytes: Uint8Array<ArrayBuffer>
  caption: string
}

export type Block =
  | { kind: 'heading'; text: string }
  | { kind: 'text'; lines: Cell }
  | { kind: 'list'; items: readonly Cell[] }
  | { kind: 'facts'; facts: readonly Fact[] }
  | { kind: 'table'; columns: readonly Column[]; rows: readonly Row[] }
  | Picture

export interface Section {
  title: string
  /** 1 for a section of the document, 2 for one inside it, and so on. */
  level: number
  blocks: readonly Block[]
}

export interface Sheet {
  /** BCP 47. */
  language: string
  title: string
  /** Of the document, and whom it is about: above the pages after the first. */
  running: string
  date: string
  /** Whose document it is: name, then further names, address, telephone, registration. */
  letterhead: {
    name: string
    lines: readonly string[]
    marks: readonly string[]
  }
  /** What is to be known before anything is read: that the document was entered in error, or is preliminary. */
  notices: readonly string[]
  patient: readonly Fact[]
  visit: readonly Fact[]
  sections: readonly Section[]
  signatures: readonly Cell[]
  /** Identifier of the Bundle. */
  footer: string
}

/** What may be rendered: beyond it the document is refused. */
export interface RenderLimits {
  entries: number
  /** References that are followed. */
  references: number
  /** Characters of all texts that are shown. */
  characters: number
  pages: number
  /** Bytes of all images that are shown. */
  imageBytes: number
  /** Pixels of one image. */
  pixels: number
}

export const RENDER_LIMITS: RenderLimits = {
  entries: 2000,
  references: 50_000,
  characters: 500_000,
  pages: 200,
  imageBytes: 10_000_000,
  pixels: 25_000_000,
}

/** Controls, and what turns the direction of a text around: they could make it say another thing than it holds. */
const UNSEEN = /[\p{Cc}\u061c\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/gu
const SPACES = /[\s\u2000-\u200a]+/gu

/** Returns a text as it may be shown: white space is one blank, no-break spaces stay, what cannot be seen is gone. */
export const clean = (text: string): string =>
  text.replace(SPACES, run => (run === '\u00a0' ? run : ' ')).replace(UNSEEN, '')

export const span = (text: string): Span => ({ text })
export const line = (text: string): Line => [{ text }]
export const muted = (text: string): Line => [{ text, tone: 'muted' }]
export const alert = (text: string): Line => [{ text, tone: 'alert', bold: true }]

/** Returns the lines of a text that may hold line breaks; none for no text. */
export const linesOf = (text: string | undefined): Line[] =>
  text === undefined
    ? []
    : text
        .split(/\r\n|\r|\n/)
        .map(part => part.trim())
        .filter(part => part !== '')
        .map(line)

/** Returns a cell with a line for each text that there is. */
export const cell = (...texts: readonly (string | undefined)[]): Cell => texts.flatMap(linesOf)

/** Returns a table without the columns that no row fills; none where there are no rows. */
export function table(columns: readonly Column[], rows: readonly Row[]): Block[] {
  if (rows.length === 0) return []
  const kept = columns.map((_, i) => i === 0 || rows.some(row => (row.cells[i]?.length ?? 0) > 0))
  return [
    {
      kind: 'table',
      columns: columns.filter((_, i) => kept[i]),
      rows: rows.map(row => ({
        ...row,
        cells: columns.map((_, i) => row.cells[i] ?? []).filter((_, i) => kept[i]),
      })),
    },
  ]
}

/** Returns the facts that have a value. */
export const facts = (...pairs: readonly (readonly [string, Cell | string | undefined])[]): Fact[] =>
  pairs
    .map(([label, value]) => ({
      label,
      value: typeof value === 'object' ? value : linesOf(value),
    }))
    .filter(({ value }) => value.length > 0)

/** Returns every character that a sheet shows, for the fonts to be known. */
export function charactersOf(sheet: Sheet): Set<string> {
  const found = new Set('0123456789')
  const visit = (value: unknown): void => {
    if (typeof value === 'string') for (const char of clean(value)) found.add(char)
    else if (Array.isArray(value)) for (const one of value) visit(one)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      for (const one of Object.values(value)) visit(one)
  }
  visit(sheet)
  return found
}

/** Returns how many characters a part of a sheet holds. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + lengthOf(one), 0)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  return Object.values(value).reduce((sum: number, one) => sum + lengthOf(one), 0)
}

/** Throws `too-costly` (413) for more characters than may be shown. */
export function checkLength(length: number, { characters }: RenderLimits): void {
  if (length > characters)
    throw fhirError('too-costly', `A document of more than ${characters} characters is not rendered.`)
}
