/** PDFs as another program sees them: their text and their pages painted, by Mozilla's pdf.js. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Canvas, createCanvas } from '@napi-rs/canvas'
import { getDocument, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'

/** HarfBuzz as a server has it. */
export const harfbuzz = await WebAssembly.compile(
  new Uint8Array(readFileSync(fileURLToPath(import.meta.resolve('harfbuzzjs/dist/harfbuzz.wasm')))),
)

export const openPdf = (bytes: Uint8Array): Promise<PDFDocumentProxy> =>
  // It takes the bytes away from their owner.
  getDocument({ data: bytes.slice(), verbosity: 0 }).promise

export interface Placed {
  text: string
  /** Points from the left and from the top. */
  x: number
  y: number
  width: number
  height: number
}

/** Returns the texts of a page, in the order of painting, with their places; `y` is that of the baseline. */
export async function placed(pdf: PDFDocumentProxy, number: number): Promise<Placed[]> {
  const page = await pdf.getPage(number)
  const height = page.view[3]!
  const { items } = await page.getTextContent()
  return items.flatMap(item =>
    'str' in item && item.str.trim() !== ''
      ? [
          {
            text: item.str,
            x: item.transform[4],
            y: height - item.transform[5],
            width: item.width,
            height: item.height,
          },
        ]
      : [],
  )
}

/** Returns the text of a page; what stands on one line has blanks between. */
export async function pageText(pdf: PDFDocumentProxy, number: number): Promise<string> {
  const page = await pdf.getPage(number)
  const { items } = await page.getTextContent()
  return items
    .map(item => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
    .join('')
    .replace(/[ \t]+/g, ' ')
}

export interface Painting {
  width: number
  height: number
  /** 0 for ink, 255 for paper, by rows. */
  grey: Uint8Array
  png(): Buffer
}

/** Returns a page painted, so many pixels to the point. */
export async function paint(pdf: PDFDocumentProxy, number: number, scale: number): Promise<Painting> {
  const page = await pdf.getPage(number)
  const viewport = page.getViewport({ scale })
  const canvas = createCanvas(Math.ceil(viewport.width), Math.ceil(viewport.height))
  // biome-ignore lint/suspicious/noExplicitAny: the canvas of this package is not that of browsers by type
  await page.render({ canvas: canvas as any, viewport }).promise
  return paintingOf(canvas)
}

/** Returns what is on a canvas, on white paper. */
export function paintingOf(canvas: Canvas): Painting {
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  const grey = new Uint8Array(width * height)
  for (let i = 0; i < grey.length; i++) {
    const alpha = data[4 * i + 3]! / 255
    const light = (data[4 * i]! + data[4 * i + 1]! + data[4 * i + 2]!) / 3
    grey[i] = light * alpha + 255 * (1 - alpha)
  }
  return { width, height, grey, png: () => canvas.toBuffer('image/png') }
}

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** Returns the box around the ink in a part of a painting; undefined where there is none. */
export function inkBox({ width, grey }: Painting, part: Box): Box | undefined {
  let box: Box | undefined
  for (let y = part.top; y < part.bottom; y++)
    for (let x = part.left; x < part.right; x++) {
      if (grey[y * width + x]! > 128) continue
      box ??= { left: x, top: y, right: x + 1, bottom: y + 1 }
      box.left = Math.min(box.left, x)
      box.right = Math.max(box.right, x + 1)
      box.bottom = y + 1
    }
  return box
}

/** Returns how alike two parts are, laid on each other where they match best: 1 for the same, about 0 for nothing in common. */
export function likeness(a: Painting, boxA: Box, b: Painting, boxB: Box): number {
  let best = 0
  for (const dx of SHIFTS) for (const dy of SHIFTS) best = Math.max(best, overlap(a, boxA, b, boxB, dx, dy))
  return best
}

const SHIFTS = [-1, 0, 1]

function overlap(a: Painting, boxA: Box, b: Painting, boxB: Box, dx: number, dy: number): number {
  const width = Math.max(boxA.right - boxA.left, boxB.right - boxB.left)
  const height = Math.max(boxA.bottom - boxA.top, boxB.bottom - boxB.top)
  let both = 0
  let either = 0
  const ink = (of: Painting, box: Box, x: number, y: number): number => {
    const [column, row] = [box.left + x, box.top + y]
    const inside = column >= box.left && column < box.right && row >= box.top && row < box.bottom
    return inside && of.grey[row * of.width + column]! < 128 ? 1 : 0
  }
  for (let y = -1; y <= height; y++)
    for (let x = -1; x <= width; x++) {
      const [one, other] = [ink(a, boxA, x, y), ink(b, boxB, x + dx, y + dy)]
      both += Math.min(one, other)
      either += Math.max(one, other)
    }
  return either === 0 ? 0 : both / either
}
