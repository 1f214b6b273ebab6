/**
 * A narrative as blocks of plain texts: of its XHTML only paragraphs, lists, tables and emphasis are kept, and no markup at all, so that
 * nothing in it can become active. It reads each character once, and any text, well formed or not. https://hl7.org/fhir/R4/narrative.html
 */
import { narrativeText } from '../../search/narrative.ts'
import type { Block, Cell, Line, Row, Span } from './sheet.ts'

/** Elements of which nothing is shown, their contents included. */
const DROPPED = new Set([
  'script',
  'style',
  'head',
  'title',
  'object',
  'iframe',
  'svg',
  'math',
  'template',
  'form',
])
const BREAKS = new Set(['p', 'div', 'br', 'hr', 'blockquote', 'pre', 'dl', 'dt', 'dd', 'caption', 'ul', 'ol'])
const HEADINGS = /^h[1-6]$/
const STRONG = new Set(['b', 'strong', 'th'])
const TAG = /^<(\/?)([A-Za-z][A-Za-z0-9]*)/

interface Open {
  blocks: Block[]
  lines: Line[]
  spans: Span[]
  items: Cell[] | undefined
  rows: { cells: Cell[]; head: boolean }[] | undefined
}

/** Returns what the narrative says; no block for an empty one. */
export function narrativeBlocks(xhtml: string): Block[] {
  const open: Open = {
    blocks: [],
    lines: [],
    spans: [],
    items: undefined,
    rows: undefined,
  }
  let strong = 0
  let at = 0
  while (at < xhtml.length) {
    const tag = nextTag(xhtml, at)
    const words = narrativeText(xhtml.slice(at, tag)).replace(/\s+/g, ' ')
    if (words !== '' && (words !== ' ' || open.spans.length > 0))
      open.spans.push(strong > 0 ? { text: words, bold: true } : { text: words })
    if (tag >= xhtml.length) break
    const [, close = '', spelled = ''] = TAG.exec(xhtml.slice(tag, tag + 20)) ?? []
    const name = spelled.toLowerCase()
    at = tagEnd(xhtml, tag)
    if (close === '' && DROPPED.has(name) && xhtml[at - 2] !== '/') {
      const end = new RegExp(`</${name}[\\s>]`, 'gi')
      end.lastIndex = at
      const found = end.exec(xhtml)
      at = found === null ? xhtml.length : tagEnd(xhtml, found.index)
      continue
    }
    if (STRONG.has(name)) strong = Math.max(0, strong + (close === '' ? 1 : -1))
    structure(open, name, close === '')
  }
  endTable(open)
  endList(open)
  endText(open)
  return open.blocks
}

/** Returns where the next tag or comment begins; `<` before a blank or a number is a character. */
function nextTag(xhtml: string, from: number): number {
  for (let at = xhtml.indexOf('<', from); at >= 0; at = xhtml.indexOf('<', at + 1))
    if (/[A-Za-z/!?]/.test(xhtml[at + 1] ?? '')) return at
  return xhtml.length
}

function tagEnd(xhtml: string, tag: number): number {
  const comment = xhtml.startsWith('<!--', tag)
  if (comment) return after(xhtml, '-->', tag + 4)
  let quote = ''
  for (let at = tag + 1; at < xhtml.length; at++) {
    const char = xhtml[at]!
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if (char === '>') return at + 1
  }
  return xhtml.length
}

function after(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at < 0 ? text.length : at + what.length
}

function structure(open: Open, name: string, begins: boolean): void {
  if (name === 'table') {
    endTable(open)
    if (begins) {
      endText(open)
      open.rows = []
    }
  } else if (open.rows !== undefined && (name === 'tr' || name === 'td' || name === 'th')) {
    if (begins && name === 'tr') open.rows.push({ cells: [], head: true })
    const row = open.rows.at(-1)
    if (name !== 'tr' && row !== undefined) {
      if (begins) {
        takeLines(open)
        if (name === 'td') row.head = false
      } else if (row.cells.length < MAX_COLUMNS) row.cells.push(takeLines(open))
      else takeLines(open)
    }
  } else if (name === 'li') {
    if (begins) {
      if (open.rows === undefined && open.items === undefined) {
        endText(open)
        open.items = []
      } else endItem(open)
    } else endItem(open)
  } else if (name === 'ul' || name === 'ol') {
    if (!begins) endList(open)
  } else if (HEADINGS.test(name) && open.rows === undefined && open.items === undefined) {
    if (begins) {
      endText(open)
      return
    }
    const text = open.spans.map(span => span.text).join('')
    open.spans = []
    endText(open)
    if (text.trim() !== '') open.blocks.push({ kind: 'heading', text: text.trim() })
  } else if (BREAKS.has(name)) endLine(open)
}

const MAX_COLUMNS = 12

function endLine(open: Open): void {
  if (open.spans.some(span => span.text.trim() !== '')) open.lines.push(open.spans)
  open.spans = []
}

function takeLines(open: Open): Cell {
  endLine(open)
  const lines = open.lines
  open.lines = []
  return lines
}

function endText(open: Open): void {
  const lines = takeLines(open)
  if (lines.length > 0) open.blocks.push({ kind: 'text', lines })
}

function endItem(open: Open): void {
  if (open.items === undefined) {
    endLine(open)
    return
  }
  const lines = takeLines(open)
  if (lines.length > 0) open.items.push(lines)
}

function endList(open: Open): void {
  if (open.items === undefined) return
  endItem(open)
  if (open.items.length > 0) open.blocks.push({ kind: 'list', items: open.items })
  open.items = undefined
}

function endTable(open: Open): void {
  if (open.rows === undefined) return
  const rest = takeLines(open)
  const rows = open.rows.filter(row => row.cells.length > 0)
  open.rows = undefined
  const width = Math.max(0, ...rows.map(row => row.cells.length))
  if (width > 0) {
    const first = rows[0]!.head ? rows.shift()! : undefined
    const title = (i: number): string =>
      (first?.cells[i] ?? []).map(line => line.map(span => span.text).join('')).join(' ')
    open.blocks.push({
      kind: 'table',
      columns: Array.from({ length: width }, (_, i) => ({ title: title(i) })),
      rows: rows.map(
        ({ cells }): Row => ({
          cells: Array.from({ length: width }, (_, i) => cells[i] ?? []),
        }),
      ),
    })
  }
  if (rest.length > 0) open.blocks.push({ kind: 'text', lines: rest })
}
