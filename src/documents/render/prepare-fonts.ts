/**
 * Writes the fonts of the PDF rendering, compacted, from the packages in which the Noto fonts are published (npm: prepare).
 * https://www.w3.org/TR/WOFF/, https://notofonts.github.io (SIL Open Font License 1.1)
 *
 * The packages have each font in pieces by script, as browsers load them; here a piece is a font of its own, and takes turns with others.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync, inflateSync } from 'node:zlib'
import { keepOutlines, readCmap, type Tables, writeTables } from './pdf/sfnt.ts'

const GENERATED = join(dirname(fileURLToPath(import.meta.url)), 'generated')
/** Names and hints, which a PDF has no use for. */
const UNUSED = new Set(['STAT', 'gasp', 'name', 'post', 'DSIG', 'fpgm', 'prep', 'cvt ', 'MATH'])
/** Of the extended Latin piece: letters of languages in use and of transliteration, punctuation and currencies; no phonetics. */
const LATIN_EXTENDED: readonly Range[] = [
  [0x100, 0x17f],
  [0x1e00, 0x1eff],
  [0x2000, 0x206f],
  [0x20a0, 0x20c0],
]

/** Dashes, raised and lowered digits, arrows, comparisons, shapes and the tick. */
const SIGNS: readonly Range[] = [
  [0x2010, 0x2015],
  [0x2070, 0x209c],
  [0x2113, 0x2113],
  [0x2190, 0x2199],
  [0x2200, 0x2265],
  [0x25a0, 0x25ff],
  [0x2713, 0x2713],
]

type Range = readonly [from: number, to: number]

interface Piece {
  name: string
  package: string
  file: string
  only?: readonly Range[]
}

const SCRIPTS = [
  'devanagari',
  'malayalam',
  'tamil',
  'telugu',
  'kannada',
  'bengali',
  'gujarati',
  'gurmukhi',
  'oriya',
]

const PIECES: readonly Piece[] = [
  ...['400', '700'].flatMap(weight => [
    { name: `latin-${weight}`, package: 'noto-sans', file: `latin-${weight}` },
    {
      name: `latin-ext-${weight}`,
      package: 'noto-sans',
      file: `latin-ext-${weight}`,
      only: LATIN_EXTENDED,
    },
  ]),
  { name: 'greek', package: 'noto-sans', file: 'greek-400' },
  { name: 'signs', package: 'noto-sans-math', file: 'latin-400', only: SIGNS },
  ...SCRIPTS.map(name => ({
    name,
    package: `noto-sans-${name}`,
    file: `${name}-400`,
  })),
]

/** Returns the tables of a WOFF file. */
function readWoff(file: Buffer): Tables {
  const tables: Tables = new Map()
  for (let i = 0; i < file.readUInt16BE(12); i++) {
    const at = 44 + 20 * i
    const from = file.readUInt32BE(at + 4)
    const packed = file.subarray(from, from + file.readUInt32BE(at + 8))
    const table = packed.length < file.readUInt32BE(at + 12) ? inflateSync(packed) : packed
    tables.set(file.toString('latin1', at, at + 4), new Uint8Array(table))
  }
  return tables
}

/** Returns first and last of each run of code points, one after the other. */
function runs(codes: readonly number[]): number[] {
  const ranges: number[] = []
  for (const code of codes.toSorted((a, b) => a - b))
    if (ranges.length > 0 && ranges.at(-1)! + 1 === code) ranges[ranges.length - 1] = code
    else ranges.push(code, code)
  return ranges
}

function compact({ package: from, file, only }: Piece): {
  ranges: number[]
  font: string
} {
  const resolve = createRequire(import.meta.url).resolve
  const tables = readWoff(readFileSync(resolve(`@fontsource/${from}/files/${from}-${file}-normal.woff`)))
  for (const tag of tables.keys()) if (UNUSED.has(tag)) tables.delete(tag)
  const cmap = readCmap(tables)
  const codes = [...cmap.keys()].filter(
    code =>
      code > 0x20 && (only === undefined || only.some(([first, last]) => code >= first && code <= last)),
  )
  if (only === undefined) return { ranges: runs(codes), font: packed(tables) }
  // A substitution could lead to an outline that is gone.
  for (const tag of ['GSUB', 'GPOS', 'GDEF']) tables.delete(tag)
  return {
    ranges: runs(codes),
    font: packed(
      keepOutlines(
        tables,
        codes.map(code => cmap.get(code)!),
      ),
    ),
  }
}

const packed = (tables: Tables): string =>
  deflateRawSync(writeTables(tables), { level: 9 }).toString('base64')

function write(file: string, content: unknown): void {
  writeFileSync(join(GENERATED, `${file}.json`), `${JSON.stringify(content)}\n`)
  writeFileSync(join(GENERATED, `${file}.d.json.ts`), 'declare const content: unknown\nexport = content\n')
}

function installed(): boolean {
  try {
    createRequire(import.meta.url).resolve('@fontsource/noto-sans/package.json')
    return true
  } catch {
    return false
  }
}

if (installed()) {
  mkdirSync(GENERATED, { recursive: true })
  const coverage: Record<string, number[]> = {}
  for (const piece of PIECES) {
    const { ranges, font } = compact(piece)
    coverage[piece.name] = ranges
    write(piece.name, { font })
  }
  write('coverage', coverage)
} else if (!existsSync(join(GENERATED, 'coverage.json'))) {
  console.error(
    'The fonts of the PDF rendering cannot be made: the packages @fontsource/noto-sans* are not installed. ' +
      'Run `npm ci` with development dependencies once; the fonts in src/documents/render/generated are then kept.',
  )
  process.exitCode = 1
}
