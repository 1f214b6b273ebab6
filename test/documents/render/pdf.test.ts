/** The PDF of documents, read and painted by pdf.js. */
import { createCanvas } from '@napi-rs/canvas'
import { describe, expect, it } from 'vitest'
import { renderPdf } from '../../../src/documents/render/render-pdf.ts'
import { RENDER_LIMITS, type RenderLimits } from '../../../src/documents/render/sheet.ts'
import { FhirError } from '../../../src/fhir/error.ts'
import type { Resource } from '../../../src/fhir/json.ts'
import { consultation, documentOf, invoiced } from './documents.ts'
import { harfbuzz, inkBox, openPdf, pageText, paint, placed } from './painted.ts'

const pdfOf = (bundle: Resource, limits: Partial<RenderLimits> = {}) =>
  renderPdf(bundle, { zone: 'Asia/Kolkata', harfbuzz, limits: { ...RENDER_LIMITS, ...limits } })

const A4 = { width: 595, height: 842 }
/** Points that nothing is painted in at each side, and above and below. */
const MARGIN = 40

/** Returns a document with a table of so many rows. */
function long(rows: number, words = 'twice a day after food'): Resource {
  const resources = Array.from({ length: rows }, (_, i) => ({
    resourceType: 'MedicationStatement',
    id: `m${i}`,
    status: 'active',
    medicationCodeableConcept: { text: `Medicine ${i}.` },
    dosage: [{ text: words }],
  }))
  return documentOf(
    [{ title: 'Medicines', entry: resources.map(({ id }) => `MedicationStatement/${id}`) }],
    resources,
  )
}

const narrative = (words: string): Resource =>
  documentOf([{ title: 'Story', text: { div: `<div><p>${words}</p></div>` } }])

describe('a document', () => {
  it('is A4, and says what it is about in its text and its properties', async () => {
    const pdf = await openPdf(await pdfOf(consultation()))
    const page = await pdf.getPage(1)
    expect(page.view.map(Math.round)).toEqual([0, 0, A4.width, A4.height])
    const text = await pageText(pdf, 1)
    for (const words of [
      'Thanal Family Clinic',
      'തണൽ ഫാമിലി ക്ലിനിക്',
      'OP Consultation Record',
      'Meera Krishnan',
      'മീര കൃഷ്ണൻ',
      '34 years, born 20 Aug 1991',
      'ENTERED IN ERROR',
      '118/76 mmHg',
      'Tab. Paracetamol 500 mg',
      '3 times a day, after meals',
      'ദിവസം 3 നേരം ഭക്ഷണത്തിനു ശേഷം',
      'STOPPED',
      'Document urn:uuid:7b9a3c52-0001-4c00-8000-000000000001',
    ])
      expect(text.replace(/\s+/g, ' ')).toContain(words)
    const { info } = await pdf.getMetadata()
    expect(info).toMatchObject({
      Title: 'OP Consultation Record',
      Author: 'Thanal Family Clinic',
      Language: 'en-IN',
    })
  })

  it('says rupees', async () => {
    const text = await pageText(await openPdf(await pdfOf(invoiced())), 1)
    expect(text).toContain('₹1,05,500.00')
  })

  it('has the same bytes each time', async () => {
    expect(await pdfOf(consultation())).toEqual(await pdfOf(consultation()))
  })

  it('has its ink inside the margins, on every page', async () => {
    const pdf = await openPdf(await pdfOf(long(60)))
    expect(pdf.numPages).toBeGreaterThan(1)
    for (let number = 1; number <= pdf.numPages; number++) {
      const painting = await paint(pdf, number, 1)
      const box = inkBox(painting, { left: 0, top: 0, right: painting.width, bottom: painting.height })!
      expect(box.left).toBeGreaterThanOrEqual(MARGIN)
      expect(box.top).toBeGreaterThanOrEqual(MARGIN)
      expect(box.right).toBeLessThanOrEqual(A4.width - MARGIN)
      expect(box.bottom).toBeLessThanOrEqual(A4.height - 25)
    }
  })

  it('has the texts of its tables beside each other and not on each other', async () => {
    const pdf = await openPdf(await pdfOf(consultation()))
    const texts = await placed(pdf, 1)
    for (const one of texts)
      for (const other of texts) {
        if (one === other || Math.abs(one.y - other.y) > 5) continue
        const apart = one.x + one.width <= other.x + 0.5 || other.x + other.width <= one.x + 0.5
        expect([apart, one.text, other.text]).toEqual([true, one.text, other.text])
      }
  })
})

describe('a long table', () => {
  it('goes on over pages with its headings, every row once, and every page numbered', async () => {
    const pdf = await openPdf(await pdfOf(long(120)))
    expect(pdf.numPages).toBeGreaterThan(2)
    let all = ''
    for (let number = 1; number <= pdf.numPages; number++) {
      const text = await pageText(pdf, number)
      expect(text).toContain(`Page ${number} of ${pdf.numPages}`)
      if (text.includes('Medicine 1')) expect(text).toContain('When')
      if (number > 1) expect(text).toContain('OP Consultation Record \u00b7 Meera Krishnan')
      all += text
    }
    for (let i = 0; i < 120; i++) expect(all.split(`Medicine ${i}.`)).toHaveLength(2)
  })

  it('has a row that is higher than a page in pieces, and no word lost', async () => {
    const words = Array.from({ length: 1500 }, (_, i) => `word${i};`).join(' ')
    const pdf = await openPdf(await pdfOf(long(1, words)))
    let all = ''
    for (let number = 1; number <= pdf.numPages; number++) all += await pageText(pdf, number)
    for (const word of words.split(' ')) expect(all.split(word)).toHaveLength(2)
  })
})

describe('a word', () => {
  it('that is longer than a line goes on in the next, inside the margins', async () => {
    const pdf = await openPdf(await pdfOf(narrative('x'.repeat(400))))
    const lines = (await placed(pdf, 1)).filter(({ text }) => /^x+$/.test(text))
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.map(({ text }) => text).join('')).toBe('x'.repeat(400))
    for (const { x, width } of lines) expect(x + width).toBeLessThanOrEqual(A4.width - MARGIN)
  })

  it('of an Indian script is never torn within a cluster', async () => {
    const pdf = await openPdf(await pdfOf(narrative('ക്ഷ്മീ'.repeat(80))))
    const lines = (await placed(pdf, 1)).map(({ text }) => text).filter(text => text.includes('ക്ഷ്'))
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines) expect(line).toMatch(/^(ക്ഷ്മീ)+$/)
  })

  it('of a script that no font has is painted as boxes and still read', async () => {
    const pdf = await openPdf(await pdfOf(narrative('before 漢字 after')))
    expect(await pageText(pdf, 1)).toContain('before 漢字 after')
    const one = (await placed(pdf, 1)).find(({ text }) => text.includes('漢字'))!
    const painting = await paint(pdf, 1, 2)
    const box = { left: one.x * 2, top: (one.y - 9) * 2, right: (one.x + one.width) * 2, bottom: one.y * 2 }
    expect(inkBox(painting, mapped(box))).toBeDefined()
  })
})

const mapped = (box: { left: number; top: number; right: number; bottom: number }) => ({
  left: Math.floor(box.left),
  top: Math.floor(box.top),
  right: Math.ceil(box.right),
  bottom: Math.ceil(box.bottom),
})

describe('an image', () => {
  /** A red square with a clear half, 40 by 40 pixels. */
  function square(type: 'image/png' | 'image/jpeg'): string {
    const canvas = createCanvas(40, 40)
    const context = canvas.getContext('2d')
    context.fillStyle = '#c00000'
    context.fillRect(0, 0, type === 'image/jpeg' ? 40 : 20, 40)
    return (type === 'image/jpeg' ? canvas.toBuffer(type) : canvas.toBuffer(type)).toString('base64')
  }
  const holding = (contentType: string, data: string): Resource =>
    documentOf(
      [{ title: 'Files', entry: ['DocumentReference/d'] }],
      [
        {
          resourceType: 'DocumentReference',
          id: 'd',
          content: [{ attachment: { contentType, data, title: 'Scan' } }],
        },
      ],
    )

  it.each([
    ['image/png', 15],
    ['image/jpeg', 30],
  ] as const)('of %s is painted at 96 dots per inch, clear where it is clear', async (type, width) => {
    const pdf = await openPdf(await pdfOf(holding(type, square(type))))
    const caption = (await placed(pdf, 1)).find(({ text }) => text === 'Scan')!
    const painting = await paint(pdf, 1, 2)
    const box = inkBox(
      painting,
      mapped({ left: 80, right: 300, top: (caption.y - 42) * 2, bottom: (caption.y - 9) * 2 }),
    )!
    // 40 pixels are 30 points.
    expect((box.right - box.left) / 2).toBeCloseTo(width, -1)
    expect((box.bottom - box.top) / 2).toBeCloseTo(30, -1)
    expect(Math.abs((box.right - box.left) / 2 - width)).toBeLessThan(1.1)
  })

  it('that is none is named and not painted', async () => {
    const text = await pageText(await openPdf(await pdfOf(holding('image/png', btoa('not an image')))), 1)
    expect(text).toContain('Scan (PNG image that cannot be shown')
  })

  it('cut short at any byte spoils nothing else', async () => {
    for (const type of ['image/png', 'image/jpeg'] as const) {
      const whole = Buffer.from(square(type), 'base64')
      for (let end = 0; end < whole.length; end += 7) {
        const pdf = await openPdf(
          await pdfOf(holding(type, whole.subarray(0, end).toString('base64') || 'AAAA')),
        )
        expect(await pageText(pdf, 1)).toContain('Scan')
      }
    }
  })
})

describe('what is too much', () => {
  const status = (making: Promise<unknown>) =>
    making.then(
      () => 200,
      error => (error instanceof FhirError ? error.status : error),
    )

  it('is refused: more pages than may be', async () => {
    expect(await status(pdfOf(long(60), { pages: 1 }))).toBe(413)
    expect(await status(pdfOf(long(2), { pages: 1 }))).toBe(200)
  })

  it('is refused soon: half a million characters without a blank', async () => {
    const started = performance.now()
    expect(await status(pdfOf(narrative('ക്ഷ'.repeat(160_000)), { pages: 20 }))).toBe(413)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
