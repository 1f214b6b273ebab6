/** Tables: column widths by what they hold, rows that go on over pages, headings repeated. */
import { type Cell, type Column, line, type Row, type Span } from '../sheet.ts'
import { breakLine, type LaidLine, widths } from './lines.ts'
import { ACCENT, INNER, MARGIN, type Pages, RULE, TINT } from './pages.ts'
import type { Typeface } from './typeface.ts'

const SIZE = 8.6
const HEAD = 7.8
const PAD = { x: 4.5, y: 3.2 }

const headSpan = (title: string): Span => ({ text: title, bold: true })

/** Returns the widths of the columns, which fill the line: as browsers share it out, between the widest word and the whole text of each. */
export function columnWidths(columns: readonly { least: number; most: number }[], width: number): number[] {
  const least = columns.reduce((sum, column) => sum + column.least, 0)
  const most = columns.reduce((sum, column) => sum + column.most, 0)
  // Words that are longer than their share are broken, short ones are not.
  if (least >= width) {
    const fair = width / columns.length
    const kept = columns.map(column => (column.least <= fair ? column.least : 0))
    const rest = width - kept.reduce((sum, one) => sum + one, 0)
    const long = columns.reduce((sum, column) => sum + (column.least <= fair ? 0 : column.least), 0)
    return columns.map((column, i) => kept[i] || (rest * column.least) / long)
  }
  if (most <= width) return columns.map(column => column.most + ((width - most) * column.most) / most)
  // Where one column is long text, the short ones have the room that they need.
  const cap = (column: { least: number; most: number }): number =>
    Math.max(column.least, Math.min(column.most, width / columns.length))
  const capped = columns.reduce((sum, column) => sum + cap(column), 0)
  if (capped <= width)
    return columns.map(
      column => cap(column) + ((width - capped) * (column.most - cap(column))) / (most - capped),
    )
  return columns.map(
    column => column.least + ((width - least) * (cap(column) - column.least)) / (capped - least),
  )
}

/** Paints a table from where the pages stand. */
export function paintTable(
  type: Typeface,
  pages: Pages,
  columns: readonly Column[],
  rows: readonly Row[],
): void {
  const spans = columns.map((column, i) => {
    const head = widths(type, [headSpan(column.title)], HEAD)
    let least = head.word
    let most = head.line
    for (const row of rows)
      for (const one of row.cells[i] ?? []) {
        const found = widths(type, one, SIZE)
        least = Math.max(least, found.word)
        most = Math.max(most, found.line)
      }
    return {
      least: least + 2 * PAD.x + 0.5,
      most: Math.min(most, INNER) + 2 * PAD.x + 0.5,
    }
  })
  const wide = columnWidths(spans, INNER)
  const inner = (i: number): number => wide[i]! - 2 * PAD.x
  const lefts = wide.map((_, i) => MARGIN.side + wide.slice(0, i).reduce((sum, one) => sum + one, 0))
  const heads = columns.map((column, i) => breakLine(type, [headSpan(column.title)], HEAD, inner(i)))
  const headHeight = rowHeight(heads) + 2 * PAD.y

  const paintHead = (): void => {
    pages.box(MARGIN.side, pages.y, INNER, headHeight, TINT)
    for (const [i, lines] of heads.entries()) paintCell(i, lines, pages.y + PAD.y, leadOf(heads), true)
    pages.y += headHeight
  }
  /** `lead`: from the top to the first baseline, which is that of the whole row, whatever the scripts of its cells. */
  const paintCell = (
    i: number,
    lines: readonly LaidLine[],
    top: number,
    lead: number,
    head = false,
  ): void => {
    let y = top + lead - (lines[0]?.rise ?? 0)
    for (const one of lines) {
      const x = lefts[i]! + PAD.x + (columns[i]!.right ? inner(i) - one.width : 0)
      pages.text(one, x, y, head ? ACCENT : undefined)
      y += one.height
    }
  }

  const laid = rows.map(row =>
    columns.map((_, i) => layCell(type, row.cells[i] ?? [], inner(i), row.total === true)),
  )
  const heightAt = (index: number): number => rowHeight(laid[index] ?? []) + 2 * PAD.y
  // A heading without a row under it helps nobody.
  pages.need(headHeight + Math.min(heightAt(0), 90))
  paintHead()
  for (const [index, row] of rows.entries()) {
    let rest = laid[index]!
    // A row that is higher than what is left goes to the next page, unless it would leave much of this one empty.
    if (heightAt(index) > pages.left() && (pages.left() < 110 || heightAt(index) < 110)) {
      pages.next()
      paintHead()
    }
    if (row.total) pages.box(MARGIN.side, pages.y, INNER, 0.8, ACCENT)
    for (;;) {
      const fitting = rest.map(lines =>
        fit(lines, pages.left() - 2 * PAD.y - (leadOf(rest) - (lines[0]?.rise ?? 0))),
      )
      const whole = fitting.every((count, i) => count === rest[i]!.length)
      const shown = rest.map((lines, i) => lines.slice(0, Math.max(fitting[i]!, whole ? 0 : 1)))
      const lead = leadOf(shown)
      for (const [i, lines] of shown.entries()) paintCell(i, lines, pages.y + PAD.y, lead)
      pages.y += rowHeight(shown) + 2 * PAD.y
      pages.box(MARGIN.side, pages.y, INNER, 0.5, RULE)
      if (whole) break
      rest = rest.map((lines, i) => lines.slice(shown[i]!.length))
      if (rest.every(lines => lines.length === 0)) break
      pages.next()
      paintHead()
    }
  }
  pages.y += 4
}

const heightOf = (lines: readonly LaidLine[]): number => lines.reduce((sum, { height }) => sum + height, 0)

const leadOf = (cells: readonly (readonly LaidLine[])[]): number =>
  Math.max(...cells.map(lines => lines[0]?.rise ?? 0))

const rowHeight = (cells: readonly (readonly LaidLine[])[]): number =>
  Math.max(SIZE, ...cells.map(lines => heightOf(lines) + leadOf(cells) - (lines[0]?.rise ?? 0)))

function fit(lines: readonly LaidLine[], height: number): number {
  let sum = 0
  for (const [i, one] of lines.entries()) {
    sum += one.height
    if (sum > height + 0.01) return i
  }
  return lines.length
}

function layCell(type: Typeface, cell: Cell, width: number, bold: boolean): LaidLine[] {
  const lines = cell.length === 0 ? [line('')] : cell
  return lines.flatMap(one =>
    breakLine(type, bold ? one.map(part => ({ ...part, bold: true })) : one, SIZE, width),
  )
}
