/** Pages of A4, painted from the top down: texts, rules, boxes and images. ISO 32000-2, 8 and 9. */
import { fhirError } from '../../../fhir/error.ts'
import { num } from './file.ts'
import type { LaidLine } from './lines.ts'
import type { Typeface } from './typeface.ts'

/** Points. */
export const A4 = { width: 595.28, height: 841.89 }
export const MARGIN = { side: 45, top: 42, bottom: 54 }
export const INNER = A4.width - 2 * MARGIN.side

/** Red, green and blue, 0 to 1. */
export type Color = readonly [number, number, number]
export const INK: Color = [0.1, 0.11, 0.13]
export const MUTED: Color = [0.37, 0.4, 0.44]
export const ALERT: Color = [0.69, 0.06, 0.09]
export const ACCENT: Color = [0.04, 0.31, 0.38]
export const TINT: Color = [0.925, 0.955, 0.965]
export const RULE: Color = [0.8, 0.83, 0.85]

export interface Pages {
  /** Distance of what comes next from the top of the page, in points. */
  y: number
  /** Begins another page where less than this is left. Returns whether it did. */
  need(height: number): boolean
  /** Points that are left on this page. */
  left(): number
  next(): void
  /** Paints a line whose top is at `y`. */
  text(line: LaidLine, x: number, y: number, color?: Color): void
  box(x: number, y: number, width: number, height: number, color: Color): void
  image(name: string, x: number, y: number, width: number, height: number): void
  /** Goes to a page to paint what needs to know how many there are. */
  turnTo(page: number): void
  /** The operators of each page. */
  contents: readonly string[][]
}

const rgb = (color: Color): string => color.map(num).join(' ')

/** `onNew` is called with each page after the first, to paint what stands above it. Throws `too-costly` (413) for more than `limit` pages. */
export function createPages(type: Typeface, limit: number, onNew: (pages: Pages) => void): Pages {
  const contents: string[][] = [[]]
  let current = 0
  const put = (operators: string): void => {
    contents[current]!.push(operators)
  }
  const up = (y: number): string => num(A4.height - y)

  const pages: Pages = {
    y: MARGIN.top,
    contents,
    left: () => A4.height - MARGIN.bottom - pages.y,
    need(height) {
      if (height <= pages.left()) return false
      pages.next()
      return true
    },
    next() {
      if (contents.length >= limit)
        throw fhirError('too-costly', `The document is longer than ${limit} pages.`)
      current = contents.push([]) - 1
      pages.y = MARGIN.top
      onNew(pages)
    },
    turnTo(page) {
      current = page
    },
    box(x, y, width, height, color) {
      put(`${rgb(color)} rg ${num(x)} ${up(y + height)} ${num(width)} ${num(height)} re f`)
    },
    image(name, x, y, width, height) {
      put(`q ${num(width)} 0 0 ${num(height)} ${num(x)} ${up(y + height)} cm /${name} Do Q`)
    },
    text(line, x, y, color = INK) {
      if (line.pieces.length === 0) return
      const base = y + line.rise
      const colorOf = (tone: string | undefined): Color =>
        tone === 'alert' ? ALERT : tone === 'muted' ? MUTED : color
      let operators = `BT ${num(line.size)} 0 0 ${num(line.size)} ${num(x)} ${up(base)} Tm `
      let font = ''
      let paint = ''
      let mode = false
      for (const { runs, span } of line.pieces) {
        const fill = rgb(colorOf(span.tone))
        if (fill !== paint) operators += `${fill} rg ${fill} RG `
        paint = fill
        for (const run of runs) {
          const name = type.resource(run.font)
          if (name !== font) operators += `/${name} 1 Tf `
          font = name
          const stroke = span.bold === true && type.stroked(run.font)
          if (stroke !== mode) operators += stroke ? `2 Tr ${num(line.size * 0.035)} w ` : '0 Tr '
          mode = stroke
          operators += type.paint(run)
        }
      }
      put(`${operators}${mode ? '0 Tr ' : ''}ET`)
      for (const piece of line.pieces)
        if (piece.span.struck)
          pages.box(
            x + piece.x,
            base - 0.31 * line.size,
            piece.width,
            0.07 * line.size,
            colorOf(piece.span.tone),
          )
    },
  }
  return pages
}
