/** Blocks of a document painted from the top down: lines, facts, headings, lists, images. */
import type { Block, Cell, Fact, Line, Picture } from '../sheet.ts'
import { breakLine, type LaidLine } from './lines.ts'
import { A4, ACCENT, type Color, INNER, MARGIN, MUTED, type Pages } from './pages.ts'
import type { Embedded } from './picture.ts'
import { paintTable } from './table.ts'
import type { Typeface } from './typeface.ts'

export const BODY = 9
export const SMALL = 7.6
/** Points at which images are painted at the most. */
const IMAGE = { width: INNER, height: 420 }
interface Style {
  size?: number
  color?: Color
  x?: number
  width?: number
  right?: boolean
}

/** Paints lines one below the other where the pages stand; moves on by them. */
export function paintLines(type: Typeface, pages: Pages, cell: Cell, style: Style = {}): void {
  const { size = BODY, color, x = MARGIN.side, width = INNER, right = false } = style
  for (const source of cell)
    for (const one of breakLine(type, source, size, width)) {
      pages.need(one.height)
      pages.text(one, right ? x + width - one.width : x, pages.y, color)
      pages.y += one.height
    }
}

export const bold = (text: string): Line => [{ text, bold: true }]

const LABEL = 78

/** Paints facts in two columns, the left one filled first to the half. */
export function paintFacts(type: Typeface, pages: Pages, facts: readonly Fact[], tint?: Color): void {
  if (facts.length === 0) return
  const pad = tint === undefined ? 0 : 7
  const width = (INNER - 2 * pad - 14) / 2
  const lay = ({ label, value }: Fact): { label: LaidLine[]; value: LaidLine[]; height: number } => {
    const head = breakLine(type, [{ text: label, tone: 'muted' }], 8.2, LABEL - 6)
    const body = value.flatMap(one => breakLine(type, one, BODY, width - LABEL))
    const sum = (lines: readonly LaidLine[]): number => lines.reduce((total, one) => total + one.height, 0)
    return {
      label: head,
      value: body,
      height: Math.max(sum(head), sum(body)) + 1.5,
    }
  }
  const laid = facts.map(lay)
  const rows = Math.ceil(laid.length / 2)
  const heights = Array.from({ length: rows }, (_, row) =>
    Math.max(laid[row]!.height, laid[rows + row]?.height ?? 0),
  )
  const total = heights.reduce((sum, height) => sum + height, 2 * pad)
  const boxed = total <= A4.height - MARGIN.top - MARGIN.bottom - 40
  if (boxed) {
    pages.need(total)
    if (tint !== undefined) pages.box(MARGIN.side, pages.y, INNER, total, tint)
  }
  pages.y += pad
  for (const [row, height] of heights.entries()) {
    if (!boxed) pages.need(height)
    for (const [side, one] of [laid[row], laid[rows + row]].entries()) {
      if (one === undefined) continue
      const x = MARGIN.side + pad + side * (width + 14)
      // Labels and values of a row stand on one line, whatever their scripts.
      const rise = Math.max(...[laid[row], laid[rows + row]].map(each => each?.value[0]?.rise ?? 0))
      let y = pages.y + rise - (one.label[0]?.rise ?? 0)
      for (const part of one.label) {
        pages.text(part, x, y, MUTED)
        y += part.height
      }
      y = pages.y + rise - (one.value[0]?.rise ?? 0)
      for (const part of one.value) {
        pages.text(part, x + LABEL, y)
        y += part.height
      }
    }
    pages.y += height
  }
  pages.y += pad + 7
}

export function paintHeading(type: Typeface, pages: Pages, title: string, level: number): void {
  pages.need(64)
  pages.y += level === 1 ? 5 : 2
  const size = level === 1 ? 10.8 : 9.6
  paintLines(type, pages, [bold(title)], { size, color: ACCENT })
  if (level === 1) pages.box(MARGIN.side, pages.y + 1, INNER, 0.7, ACCENT)
  pages.y += level === 1 ? 4.5 : 2.5
}

export function paintBlock(
  type: Typeface,
  pages: Pages,
  block: Block,
  pictures: ReadonlyMap<Picture, Embedded>,
): void {
  if (block.kind === 'table') {
    paintTable(type, pages, block.columns, block.rows)
    return
  }
  if (block.kind === 'facts') {
    paintFacts(type, pages, block.facts)
    return
  }
  if (block.kind === 'heading') {
    pages.need(44)
    paintLines(type, pages, [bold(block.text)])
    pages.y += 2
    return
  }
  if (block.kind === 'image') {
    const found = pictures.get(block)
    if (found !== undefined) paintPicture(pages, found)
    paintLines(
      type,
      pages,
      [
        [
          {
            text: found ? block.caption : `${block.caption} (cannot be shown)`,
            tone: 'muted',
          },
        ],
      ],
      {
        size: SMALL,
      },
    )
    pages.y += 6
    return
  }
  if (block.kind === 'text') paintLines(type, pages, block.lines)
  else
    for (const item of block.items) {
      const [bullet] = breakLine(type, [{ text: '\u2022' }], BODY, 12)
      pages.need(bullet!.height)
      pages.text(bullet!, MARGIN.side + 4, pages.y)
      paintLines(type, pages, item.length === 0 ? [[{ text: '' }]] : item, {
        x: MARGIN.side + 15,
        width: INNER - 15,
      })
    }
  pages.y += 5
}

function paintPicture(pages: Pages, { object, width, height }: Embedded): void {
  // An image of 96 dots per inch is as large as it was meant; larger ones are brought to the width of the page.
  const scale = Math.min(0.75, IMAGE.width / width, IMAGE.height / height)
  pages.need(height * scale + 16)
  pages.image(`I${object}`, MARGIN.side, pages.y, width * scale, height * scale)
  pages.y += height * scale + 3
}
