/**
 * `$render`: a document Bundle as a page to read or a PDF to hand over. It is Nadi's own; R4 has no operation for it.
 * https://hl7.org/fhir/R4/documents.html#presentation
 */
import type { Context } from '../context.ts'
import { renderHtml } from '../documents/render/html.ts'
import { renderPdf } from '../documents/render/render-pdf.ts'
import { fhirError } from '../fhir/error.ts'
import { parseJson, type Resource, writeJson } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { toBase64 } from '../lib/base64.ts'
import type { Call, Operation } from './operation.ts'
import { resourceOf, textOf } from './operation.ts'

const HTML = 'text/html'
const PDF = 'application/pdf'

export const render: Operation = {
  name: 'render',
  definition: 'urn:nadi:operation:render',
  types: ['Bundle'],
  levels: ['type', 'instance'],
  affectsState: false,
  parameters: [
    { name: 'resource', type: 'Resource', min: 0, max: 1, resourceTypes: ['Bundle'] },
    { name: 'as', type: 'code', min: 0, max: 1 },
  ],
  body: 'resource',
  media: [HTML, PDF],
  async run(ctx, call) {
    const bundle = await bundleOf(ctx, call)
    const wanted = call.media ?? mediaOf(textOf(call, 'as'))
    const data = await paint(ctx, bundle, wanted)
    if (call.media === undefined) return { text: binary(data, wanted) }
    const headers = { 'Content-Disposition': `inline; filename="${fileName(bundle, wanted)}"` }
    return { text: data, contentType: wanted === HTML ? 'text/html; charset=utf-8' : PDF, headers }
  },
}

/** Returns the stored document, or the one that was sent. Throws `required` where there is none, `invalid` where there are two. */
async function bundleOf(ctx: Context, call: Call): Promise<Resource> {
  const sent = resourceOf(call, 'resource')
  if (call.level === 'type') {
    if (sent === undefined)
      throw fhirError('required', 'The document to be rendered is the body, or the parameter resource.', {
        expression: 'http.resource',
      })
    return sent
  }
  if (sent !== undefined)
    throw fhirError(
      'invalid',
      'The document is the stored one here: send none, or send it to Bundle/$render.',
      {
        expression: 'http.resource',
      },
    )
  const stored = await read(ctx, 'Bundle', call.id)
  return parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource
}

/** The format inside a Binary. Throws `value` for another than html and pdf. */
function mediaOf(as: string | undefined): string {
  if (as === undefined || as === 'pdf') return PDF
  if (as === 'html') return HTML
  throw fhirError('value', 'as is html or pdf.', { expression: 'http.as' })
}

async function paint(ctx: Context, bundle: Resource, media: string): Promise<Uint8Array<ArrayBuffer>> {
  const { zone } = ctx.settings
  if (media === HTML) return new TextEncoder().encode(await renderHtml(bundle, { zone }))
  if (ctx.harfbuzz === undefined)
    throw fhirError('not-supported', 'This server makes no PDF.', { status: 501 })
  return renderPdf(bundle, { zone, harfbuzz: await ctx.harfbuzz() })
}

const binary = (data: Uint8Array, contentType: string): string =>
  writeJson({ resourceType: 'Binary', contentType, data: toBase64(data) })

/** A name of letters and digits alone: nothing of the patient stands in the lists of downloads. */
function fileName(bundle: Resource, media: string): string {
  const id = String(bundle.id ?? '')
    .replace(/[^A-Za-z0-9.-]/g, '')
    .slice(0, 64)
  return `${id === '' ? 'document' : id}.${media === HTML ? 'html' : 'pdf'}`
}
