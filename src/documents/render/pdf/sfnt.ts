/**
 * TrueType files as tables: taken apart, put together, and cut down to the outlines that are used.
 * https://learn.microsoft.com/typography/opentype/spec/otff
 */

/** Tables by their tag of four characters. */
export type Tables = Map<string, Uint8Array>

const HEADER = 12
const RECORD = 16

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const tagAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

/** Returns the tables of a TrueType file. Throws RangeError for what is none. */
export function readTables(file: Uint8Array): Tables {
  const view = viewOf(file)
  const tables: Tables = new Map()
  for (let i = 0; i < view.getUint16(4); i++) {
    const at = HEADER + RECORD * i
    const from = view.getUint32(at + 8)
    tables.set(tagAt(file, at), file.subarray(from, from + view.getUint32(at + 12)))
  }
  return tables
}

/** Returns the TrueType file of these tables, checksums included. */
export function writeTables(tables: Tables): Uint8Array<ArrayBuffer> {
  const sorted = [...tables].sort(([a], [b]) => (a < b ? -1 : 1))
  const padded = (length: number): number => (length + 3) & ~3
  const start = HEADER + RECORD * sorted.length
  const file = new Uint8Array(sorted.reduce((sum, [, table]) => sum + padded(table.length), start))
  const view = viewOf(file)
  const power = 31 - Math.clz32(sorted.length)
  view.setUint32(0, 0x00010000)
  view.setUint16(4, sorted.length)
  view.setUint16(6, RECORD << power)
  view.setUint16(8, power)
  view.setUint16(10, RECORD * sorted.length - (RECORD << power))
  let at = start
  for (const [i, [tag, table]] of sorted.entries()) {
    const record = HEADER + RECORD * i
    file.set(table, at)
    for (let k = 0; k < 4; k++) file[record + k] = tag.charCodeAt(k)
    let sum = 0
    for (let k = at; k < at + padded(table.length); k += 4) sum = (sum + view.getUint32(k)) >>> 0
    view.setUint32(record + 4, sum)
    view.setUint32(record + 8, at)
    view.setUint32(record + 12, table.length)
    at += padded(table.length)
  }
  return file
}

/** Returns where each glyph's outline stands in `glyf`, with the end of the last. */
function outlinesAt(tables: Tables): number[] {
  const long = viewOf(tables.get('head')!).getInt16(50) === 1
  const loca = viewOf(tables.get('loca')!)
  return Array.from({ length: loca.byteLength / (long ? 4 : 2) }, (_, i) =>
    long ? loca.getUint32(4 * i) : 2 * loca.getUint16(2 * i),
  )
}

const WORDS = 0x1
const SCALE = 0x8
const MORE = 0x20
const TWO_SCALES = 0x40
const MATRIX = 0x80

/** Returns the glyphs that a composite glyph is made of; none for a simple one. */
function partsOf(outline: Uint8Array): number[] {
  const parts: number[] = []
  const view = viewOf(outline)
  if (outline.length < 10 || view.getInt16(0) >= 0) return parts
  for (let at = 10; at + 4 <= outline.length; ) {
    const flags = view.getUint16(at)
    parts.push(view.getUint16(at + 2))
    if (!(flags & MORE)) break
    at += 4 + (flags & WORDS ? 4 : 2) + (flags & SCALE ? 2 : flags & TWO_SCALES ? 4 : flags & MATRIX ? 8 : 0)
  }
  return parts
}

/** Returns the tables with the outlines of these glyphs, of glyph 0 and of what they are made of; all others are empty. Glyph ids stay. */
export function keepOutlines(tables: Tables, glyphs: Iterable<number>): Tables {
  const at = outlinesAt(tables)
  const glyf = tables.get('glyf')!
  const outline = (glyph: number): Uint8Array => glyf.subarray(at[glyph], at[glyph + 1])
  const kept = new Set<number>()
  for (const todo = [0, ...glyphs]; todo.length > 0; ) {
    const glyph = todo.pop()!
    if (kept.has(glyph) || glyph + 1 >= at.length) continue
    kept.add(glyph)
    todo.push(...partsOf(outline(glyph)))
  }
  const even = (length: number): number => (length + 1) & ~1
  const size = [...kept].reduce((sum, glyph) => sum + even(outline(glyph).length), 0)
  const cut = new Uint8Array(size)
  const loca = new DataView(new ArrayBuffer(4 * at.length))
  let end = 0
  for (let glyph = 0; glyph + 1 < at.length; glyph++) {
    loca.setUint32(4 * glyph, end)
    if (!kept.has(glyph)) continue
    cut.set(outline(glyph), end)
    end += even(outline(glyph).length)
  }
  loca.setUint32(4 * (at.length - 1), end)
  const head = tables.get('head')!.slice()
  viewOf(head).setInt16(50, 1)
  return new Map([...tables, ['head', head], ['glyf', cut], ['loca', new Uint8Array(loca.buffer)]])
}

/** Returns what `head` and `hhea` say of the whole font, in font units. */
export function metricsOf(tables: Tables): FontMetrics {
  const head = viewOf(tables.get('head')!)
  const hhea = viewOf(tables.get('hhea')!)
  return {
    unitsPerEm: head.getUint16(18),
    box: [head.getInt16(36), head.getInt16(38), head.getInt16(40), head.getInt16(42)],
    ascent: hhea.getInt16(4),
    descent: hhea.getInt16(6),
  }
}

export interface FontMetrics {
  unitsPerEm: number
  box: [number, number, number, number]
  ascent: number
  /** Below the line, so negative. */
  descent: number
}

/** Returns the glyph of each code point that a font has, from its `cmap` (formats 4 and 12). */
export function readCmap(tables: Tables): Map<number, number> {
  const cmap = viewOf(tables.get('cmap')!)
  const glyphs = new Map<number, number>()
  for (let i = 0; i < cmap.getUint16(2); i++) {
    const at = cmap.getUint32(4 + 8 * i + 4)
    const format = cmap.getUint16(at)
    if (format === 12)
      for (let group = 0; group < cmap.getUint32(at + 12); group++) {
        const row = at + 16 + 12 * group
        const first = cmap.getUint32(row)
        for (let code = first; code <= cmap.getUint32(row + 4); code++)
          glyphs.set(code, cmap.getUint32(row + 8) + code - first)
      }
    if (format !== 4) continue
    const doubled = cmap.getUint16(at + 6)
    for (let k = 0; k < doubled; k += 2) {
      const end = cmap.getUint16(at + 14 + k)
      const start = cmap.getUint16(at + 16 + doubled + k)
      const delta = cmap.getUint16(at + 16 + 2 * doubled + k)
      const place = at + 16 + 3 * doubled + k
      const offset = cmap.getUint16(place)
      for (let code = start; code <= end && code !== 0xffff; code++) {
        const raw = offset === 0 ? code : cmap.getUint16(place + offset + 2 * (code - start))
        const glyph = offset === 0 || raw !== 0 ? (raw + delta) & 0xffff : 0
        if (glyph !== 0) glyphs.set(code, glyph)
      }
    }
  }
  return glyphs
}
