/**
 * The scripts of India in the PDF, painted by pdf.js and held against the same words painted by Skia with the original font.
 * https://www.unicode.org/versions/Unicode15.1.0/ch12.pdf
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import { describe, expect, it } from 'vitest'
import { renderPdf } from '../../../src/documents/render/render-pdf.ts'
import { documentOf } from './documents.ts'
import {
  type Box,
  harfbuzz,
  inkBox,
  likeness,
  openPdf,
  type Painting,
  type Placed,
  paint,
  paintingOf,
  placed,
} from './painted.ts'

/** Conjuncts, vowels that stand before or on both sides, signs above and below, chillus. */
const WORDS: Record<string, readonly string[]> = {
  malayalam: ['കൊച്ചി', 'ക്ഷയം', 'മെഡിക്കൽ', 'ശ്വാസകോശം', 'സ്ത്രീ', 'കൃഷ്ണൻ', 'എന്റെ', 'ഭക്ഷണത്തിനു'],
  devanagari: ['क्षत्रिय', 'स्त्री', 'हिन्दी', 'ज्ञान', 'कर्म', 'र्क्ष', 'श्रृंगार', 'द्ध्य'],
  tamil: ['தமிழ்', 'க்ஷ', 'ஸ்ரீ', 'கொ', 'கௌ', 'மருத்துவம்'],
  telugu: ['క్షేమం', 'స్త్రీ', 'వైద్యం', 'ఆరోగ్యం', 'క్తా'],
  kannada: ['ಕ್ಷಾ', 'ಸ್ತ್ರೀ', 'ವೈದ್ಯ', 'ಆರೋಗ್ಯ', 'ಕ್ಷೇ'],
  bengali: ['ক্ষুধা', 'স্ত্রী', 'চিকিৎসা', 'ক্ক', 'কৌ'],
  gujarati: ['ક્ષય', 'સ્ત્રી', 'જ્ઞાન', 'થ્ળ્રુ'],
  gurmukhi: ['ਪੰਜਾਬੀ', 'ਸ੍ਰੀ', 'ਕ੍ਕੁ', 'ਸਿਹਤ'],
  oriya: ['କ୍ଷୟ', 'ସ୍ତ୍ରୀ', 'କ୍ଡ୍ରେ', 'ଜ୍ଞାନ'],
}

const SCALE = 8
/** Points of the texts of a section. */
const SIZE = 9

const fontFile = (script: string): Buffer =>
  readFileSync(
    createRequire(import.meta.url).resolve(
      `@fontsource/noto-sans-${script}/files/noto-sans-${script}-${script}-400-normal.woff`,
    ),
  )

/** Returns a word painted by Skia with the font as it is published. */
function expected(script: string, word: string): { painting: Painting; box: Box } {
  const canvas = createCanvas(1200, 300)
  const context = canvas.getContext('2d')
  context.font = `${SIZE * SCALE}px "test ${script}"`
  context.fillText(word, 60, 170)
  const painting = paintingOf(canvas)
  return { painting, box: inkBox(painting, { left: 0, top: 0, right: 1200, bottom: 300 })! }
}

/** Returns the texts line by line: a sign that stands raised is a piece of its own to pdf.js. */
function rowsOf(pieces: readonly Placed[]): { text: string; baseline: number }[] {
  const rows: { text: string; baseline: number }[] = []
  for (const { text, y } of pieces) {
    const last = rows.at(-1)
    if (last !== undefined && Math.abs(last.baseline - y) < SIZE / 2) last.text += text
    else rows.push({ text, baseline: y })
  }
  return rows
}

describe.each(Object.entries(WORDS))('%s', (script, words) => {
  it('is painted as by another program, and is read back', async () => {
    GlobalFonts.register(fontFile(script), `test ${script}`)
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${words.map(word => `<p>${word}</p>`).join('')}</div>`
    const bytes = await renderPdf(documentOf([{ title: 'Words', text: { status: 'generated', div } }]), {
      zone: 'Asia/Kolkata',
      harfbuzz,
    })
    const pdf = await openPdf(bytes)
    const page = await paint(pdf, 1, SCALE)
    const lines = await placed(pdf, 1)
    const start = lines.findIndex(({ text }) => text === 'Words') + 1
    const found: Record<string, number> = {}
    const rows = rowsOf(lines.slice(start))
    for (const [i, word] of words.entries()) {
      const { text, baseline } = rows[i]!
      expect(text.normalize('NFC')).toBe(word.normalize('NFC'))
      const box = inkBox(page, {
        left: 40 * SCALE,
        right: 300 * SCALE,
        top: Math.round((baseline - 9.6) * SCALE),
        bottom: Math.round((baseline + 4.4) * SCALE),
      })!
      const { painting, box: own } = expected(script, word)
      found[word] = likeness(page, box, painting, own)
    }
    // The same outlines, placed by fractions of a pixel otherwise; one wrong glyph makes 0.6 at the most.
    expect(Object.entries(found).filter(([, like]) => like < 0.84)).toEqual([])
  })
})
