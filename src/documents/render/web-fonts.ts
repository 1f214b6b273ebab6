/** The fonts that a page brings along, for the scripts of India that it holds. https://www.w3.org/TR/WOFF/ */
import { toBase64 } from '../../lib/base64.ts'
import { deflate } from './pdf/file.ts'
import { type FontName, fontFor, isIndic, loadFont, rangesOf } from './pdf/fonts.ts'
import { readTables, writeTables } from './pdf/sfnt.ts'

export interface WebFonts {
  /** `@font-face` rules. */
  faces: string
  /** Names of families, each followed by a comma. */
  families: string
}

/** Returns the rules for the scripts of these characters; none for Latin, which every device has. */
export async function webFonts(characters: Iterable<string>): Promise<WebFonts> {
  const names = new Set<FontName>()
  for (const char of characters) {
    const name = fontFor(char.codePointAt(0)!, false)
    if (name !== undefined && isIndic(name)) names.add(name)
  }
  const faces = await Promise.all(
    [...names].map(async name => {
      const source = `url(data:font/woff;base64,${toBase64(await woff(await loadFont(name)))})`
      return `@font-face{font-family:"Nadi ${name}";src:${source};unicode-range:${unicodeRange(name)}}`
    }),
  )
  return { faces: faces.join(''), families: [...names].map(name => `"Nadi ${name}",`).join('') }
}

/** What is common to all scripts stays with the font around it, but for joiners and the carrier of marks. */
const unicodeRange = (name: FontName): string =>
  rangesOf(name)
    .filter(([first]) => first >= 0x900 && (first < 0x2000 || first === 0x200c || first > 0x20cf))
    .concat([[0x200c, 0x200d]])
    .map(([first, last]) => `U+${first.toString(16)}-${last.toString(16)}`)
    .join(',')

const HEADER = 44
const RECORD = 20

/** Browsers refuse a font without them: a table of no names, and one that says that glyphs have none. */
const NAME = new Uint8Array([0, 0, 0, 0, 0, 6])
const POST = new Uint8Array(32)
POST[1] = 3

/** Returns the WOFF of a TrueType file. */
async function woff(bare: Uint8Array): Promise<Uint8Array> {
  const file = writeTables(new Map([...readTables(bare), ['name', NAME], ['post', POST]]))
  const source = new DataView(file.buffer)
  const tables = [...readTables(file)]
  const packed = await Promise.all(
    tables.map(async ([, table]) => {
      const small = await deflate(table.slice())
      return small.length < table.length ? small : table
    }),
  )
  const padded = (length: number): number => (length + 3) & ~3
  const start = HEADER + RECORD * tables.length
  const out = new Uint8Array(packed.reduce((sum, table) => sum + padded(table.length), start))
  const view = new DataView(out.buffer)
  view.setUint32(0, 0x774f4646)
  view.setUint32(4, source.getUint32(0))
  view.setUint32(8, out.length)
  view.setUint16(12, tables.length)
  view.setUint32(
    16,
    tables.reduce((sum, [, table]) => sum + padded(table.length), 12 + 16 * tables.length),
  )
  let at = start
  for (const [i, [tag, table]] of tables.entries()) {
    const record = HEADER + RECORD * i
    for (let k = 0; k < 4; k++) out[record + k] = tag.charCodeAt(k)
    view.setUint32(record + 4, at)
    view.setUint32(record + 8, packed[i]!.length)
    view.setUint32(record + 12, table.length)
    // The checksum is that of the record in the TrueType file, in which tables have the same order.
    view.setUint32(record + 16, source.getUint32(12 + 16 * i + 4))
    out.set(packed[i]!, at)
    at += padded(packed[i]!.length)
  }
  return out
}
