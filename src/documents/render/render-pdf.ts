/** The PDF of a document Bundle. */
import type { Resource } from '../../fhir/json.ts'
import { paintPdf } from './pdf/pdf.ts'
import { RENDER_LIMITS } from './sheet.ts'
import { type RenderOptions, sheetOf } from './sheet-of.ts'
import { text } from './tree.ts'

export interface PdfOptions extends RenderOptions {
  /** HarfBuzz, compiled: harfbuzz.wasm of the package harfbuzzjs. */
  harfbuzz: WebAssembly.Module
}

/**
 * Returns an A4 PDF with its fonts in it. The same document has the same bytes always.
 *
 * Throws as `sheetOf` does, and `too-costly` (413) for more pages than may be rendered.
 */
export async function renderPdf(bundle: Resource, options: PdfOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { harfbuzz, limits = RENDER_LIMITS } = options
  const sheet = sheetOf(bundle, options)
  const made = Date.parse(text(bundle, 'timestamp') ?? '')
  return paintPdf(sheet, {
    harfbuzz,
    created: Number.isNaN(made) ? 0 : made,
    limits,
  })
}
