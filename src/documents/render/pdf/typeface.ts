/**
 * Fonts of one document: text to glyphs that are embedded, each with the text that it stands for, so that it can be searched and copied.
 * ISO 32000-2, 9.7.4 (CIDFonts) and 9.10.3 (ToUnicode CMaps)
 */

import { num, type PdfFile, utf16 } from './file.ts'
import { type FontName, fontFor, loadFont, singleWeight } from './fonts.ts'
import { isComplex, runsOf, type TextRun } from './runs.ts'
import { type FontMetrics, keepOutlines, metricsOf, readTables, type Tables, writeTables } from './sfnt.ts'
import type { Glyph, Shaper } from './shaper.ts'

/** A code of an embedded font: the same glyph has as many codes as it stands for texts. */
interface Code {
  glyph: number
  text: string
}

interface Face {
  name: FontName
  handle: number
  tables: Tables
  metrics: FontMetrics
  codes: Code[]
  known: Map<string, number>
}

/** A run with its glyphs. Widths are in thousandths of the size. */
export interface ShapedRun extends TextRun {
  glyphs: readonly Glyph[]
  width: number
}

export interface Word {
  runs: readonly ShapedRun[]
  width: number
}

export interface Typeface {
  /** Returns a text without blanks as glyphs. */
  word(text: string, bold: boolean): Word
  /** Returns the width of a blank, in thousandths of the size. */
  blank: number
  /** Returns the operators that paint a run at the present point, the font chosen. */
  paint(run: ShapedRun): string
  /** Returns the name of a font in the resources of a page. */
  resource(name: FontName): string
  /** Whether bold text of this font is painted with a stroke. */
  stroked(name: FontName): boolean
  /** Writes the fonts that were used; returns the entries of the dictionary of fonts. */
  embed(file: PdfFile): Promise<string>
}

/** Returns the fonts that these characters need, loaded. */
export async function openTypeface(shaper: Shaper, characters: Iterable<string>): Promise<Typeface> {
  const names = new Set<FontName>(['latin-400', 'latin-700'])
  for (const char of characters)
    for (const bold of [false, true]) names.add(fontFor(char.codePointAt(0)!, bold) ?? 'latin-400')
  const faces = new Map<FontName, Face>()
  for (const name of names) {
    const file = await loadFont(name)
    const tables = readTables(file)
    faces.set(name, {
      name,
      handle: shaper.addFont(file),
      tables,
      metrics: metricsOf(tables),
      codes: [],
      known: new Map(),
    })
  }
  const order = [...faces.keys()]
  const words = new Map<string, Word>()
  const shape = (run: TextRun): ShapedRun => {
    const face = faces.get(run.font)!
    const scale = 1000 / face.metrics.unitsPerEm
    const glyphs = shaper.shape(face.handle, run.text).map(glyph => ({
      ...glyph,
      advance: glyph.advance * scale,
      dx: glyph.dx * scale,
      dy: glyph.dy * scale,
    }))
    return {
      ...run,
      glyphs,
      width: glyphs.reduce((sum, { advance }) => sum + advance, 0),
    }
  }
  const word = (text: string, bold: boolean): Word => {
    const key = `${bold ? 'b' : 'n'}${text}`
    let known = words.get(key)
    if (known === undefined) {
      const runs = runsOf(text, bold).map(shape)
      known = { runs, width: runs.reduce((sum, { width }) => sum + width, 0) }
      words.set(key, known)
    }
    return known
  }
  return {
    word,
    blank: word(' ', false).width,
    resource: name => `F${order.indexOf(name)}`,
    stroked: singleWeight,
    paint: run => paintRun(faces.get(run.font)!, run),
    async embed(file) {
      const entries: string[] = []
      for (const face of faces.values())
        if (face.codes.length > 0)
          entries.push(`/F${order.indexOf(face.name)} ${await embedFace(file, face)} 0 R`)
      return entries.join(' ')
    },
  }
}

/** Returns the code for a glyph that stands for this text. Codes begin with 1: a reader takes 0 for a character that is missing. */
function codeFor(face: Face, glyph: number, text: string): number {
  const key = `${glyph} ${text}`
  const known = face.known.get(key)
  if (known !== undefined) return known
  if (face.codes.length >= 0xfffe) return face.known.values().next().value!
  face.known.set(key, face.codes.push({ glyph, text }))
  return face.codes.length
}

const advanceOf = ({ tables, metrics }: Face, glyph: number): number => {
  const hhea = tables.get('hhea')!
  const hmtx = tables.get('hmtx')!
  const wide = new DataView(hhea.buffer, hhea.byteOffset).getUint16(34)
  const at = 4 * Math.min(glyph, wide - 1)
  return (new DataView(hmtx.buffer, hmtx.byteOffset).getUint16(at) * 1000) / metrics.unitsPerEm
}

function paintRun(face: Face, run: ShapedRun): string {
  const texts = textsOf(run)
  let operators = ''
  let array = ''
  let hex = ''
  const closeHex = (): void => {
    if (hex !== '') array += `<${hex}>`
    hex = ''
  }
  const move = (thousandths: number): void => {
    if (Math.abs(thousandths) < 0.5) return
    closeHex()
    array += ` ${num(-thousandths)} `
  }
  const show = (): void => {
    closeHex()
    if (array !== '') operators += `[${array}] TJ `
    array = ''
  }
  for (const [i, glyph] of run.glyphs.entries()) {
    const code = codeFor(face, glyph.id, texts[i]!).toString(16).padStart(4, '0')
    if (glyph.dy !== 0) {
      show()
      // Rise is in units of text space, of which a size is 1 here: the painter scales the matrix.
      operators += `${num(glyph.dy / 1000)} Ts `
    }
    move(glyph.dx)
    hex += code
    move(glyph.advance - glyph.dx - advanceOf(face, glyph.id))
    if (glyph.dy !== 0) {
      show()
      operators += '0 Ts '
    }
  }
  show()
  return isComplex(run) ? `/Span << /ActualText ${actual(run.text)} >> BDC ${operators}EMC ` : operators
}

const actual = (text: string): string => `<feff${utf16(text)}>`

/** Stands for a glyph whose text is with its neighbour: a reader skips it. */
const NOTHING = '\u200b'

/** Returns the text that each glyph of a run stands for: that of its cluster, shared out in the order of the characters. */
function textsOf({ text, glyphs }: ShapedRun): string[] {
  const texts: string[] = []
  for (let i = 0; i < glyphs.length; ) {
    const { cluster } = glyphs[i]!
    let end = i
    while (end < glyphs.length && glyphs[end]!.cluster === cluster) end++
    const own = text.slice(cluster, glyphs[end]?.cluster ?? text.length)
    const count = end - i
    let chars = [...own]
    // A vowel in two halves is two characters in Unicode's canonical decomposition.
    if (chars.length < count) chars = [...own.normalize('NFD')]
    for (let k = 0; k < count; k++)
      texts.push(k === count - 1 ? chars.slice(k).join('') || NOTHING : (chars[k] ?? NOTHING))
    i = end
  }
  return texts
}

const hex4 = (value: number): string => value.toString(16).padStart(4, '0')

async function embedFace(file: PdfFile, face: Face): Promise<number> {
  const { tables, metrics, codes, name } = face
  const thousand = (units: number): string => num((units * 1000) / metrics.unitsPerEm)
  const cut = keepOutlines(
    tables,
    codes.map(({ glyph }) => glyph),
  )
  for (const tag of cut.keys()) if (!EMBEDDED.has(tag)) cut.delete(tag)
  const font = writeTables(cut)
  const data = await file.stream(`/Length1 ${font.length}`, font)
  const base = `NADIAA+NotoSans-${name}`
  const descriptor = file.add(
    `<< /Type /FontDescriptor /FontName /${base} /Flags 4 /FontBBox [${metrics.box.map(thousand).join(' ')}] ` +
      `/ItalicAngle 0 /Ascent ${thousand(metrics.ascent)} /Descent ${thousand(metrics.descent)} /CapHeight 714 ` +
      `/StemV ${name.endsWith('700') ? 140 : 80} /FontFile2 ${data} 0 R >>`,
  )
  const glyphs = new DataView(new ArrayBuffer(2 * codes.length + 2))
  for (const [i, { glyph }] of codes.entries()) glyphs.setUint16(2 * i + 2, glyph)
  const map = await file.stream('', new Uint8Array(glyphs.buffer))
  const widths = codes.map(({ glyph }) => num(advanceOf(face, glyph))).join(' ')
  const descendant = file.add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /${base} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> ` +
      `/FontDescriptor ${descriptor} 0 R /DW 0 /W [1 [${widths}]] /CIDToGIDMap ${map} 0 R >>`,
  )
  const unicode = await file.stream('', new TextEncoder().encode(toUnicode(codes)))
  return file.add(
    `<< /Type /Font /Subtype /Type0 /BaseFont /${base} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] ` +
      `/ToUnicode ${unicode} 0 R >>`,
  )
}

/** What a CIDFontType2 needs: ISO 32000-2, 9.9. */
const EMBEDDED = new Set(['glyf', 'head', 'hhea', 'hmtx', 'loca', 'maxp'])

function toUnicode(codes: readonly Code[]): string {
  const blocks: string[] = []
  for (let at = 0; at < codes.length; at += 100) {
    const rows = codes.slice(at, at + 100).map(({ text }, i) => `<${hex4(at + i + 1)}> <${utf16(text)}>`)
    blocks.push(`${rows.length} beginbfchar\n${rows.join('\n')}\nendbfchar\n`)
  }
  return (
    '/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n' +
    '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n' +
    `1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n${blocks.join('')}endcmap\n` +
    'CMapName currentdict /CMap defineresource pop\nend\nend\n'
  )
}
