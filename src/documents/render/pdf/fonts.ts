/** The fonts of the PDF: which covers a character, and its file, which is unpacked when it is needed. Made by prepare-fonts.ts. */
import { fromBase64 } from '../../../lib/base64.ts'
import coverage from '../generated/coverage.json' with { type: 'json' }

type Packed = { default: unknown }

/** In the order in which they are asked for a character. */
const LOADS = {
  'latin-400': () => import('../generated/latin-400.json', { with: { type: 'json' } }),
  'latin-700': () => import('../generated/latin-700.json', { with: { type: 'json' } }),
  'latin-ext-400': () => import('../generated/latin-ext-400.json', { with: { type: 'json' } }),
  'latin-ext-700': () => import('../generated/latin-ext-700.json', { with: { type: 'json' } }),
  devanagari: () => import('../generated/devanagari.json', { with: { type: 'json' } }),
  malayalam: () => import('../generated/malayalam.json', { with: { type: 'json' } }),
  tamil: () => import('../generated/tamil.json', { with: { type: 'json' } }),
  telugu: () => import('../generated/telugu.json', { with: { type: 'json' } }),
  kannada: () => import('../generated/kannada.json', { with: { type: 'json' } }),
  bengali: () => import('../generated/bengali.json', { with: { type: 'json' } }),
  gujarati: () => import('../generated/gujarati.json', { with: { type: 'json' } }),
  gurmukhi: () => import('../generated/gurmukhi.json', { with: { type: 'json' } }),
  oriya: () => import('../generated/oriya.json', { with: { type: 'json' } }),
  greek: () => import('../generated/greek.json', { with: { type: 'json' } }),
  signs: () => import('../generated/signs.json', { with: { type: 'json' } }),
} satisfies Record<string, () => Promise<Packed>>

export type FontName = keyof typeof LOADS

/** First and last code points of runs. */
const COVERAGE = coverage as Record<FontName, readonly number[]>
const NAMES = Object.keys(LOADS) as FontName[]

/** Returns whether the font has the code point. */
export function covers(name: FontName, code: number): boolean {
  const ranges = COVERAGE[name]
  for (let i = 0; i < ranges.length; i += 2) if (code >= ranges[i]! && code <= ranges[i + 1]!) return true
  return false
}

/** Returns first and last code points of the runs that a font has. */
export const rangesOf = (name: FontName): [first: number, last: number][] =>
  Array.from({ length: COVERAGE[name].length / 2 }, (_, i) => [
    COVERAGE[name][2 * i]!,
    COVERAGE[name][2 * i + 1]!,
  ])

/** Returns the font for a code point: an upright or a bold Latin one, or that of its script; undefined where none has it. */
export const fontFor = (code: number, bold: boolean): FontName | undefined =>
  NAMES.find(name => !name.endsWith(bold ? '-400' : '-700') && covers(name, code))

/** Whether the font has one weight only, so that bold text is painted with a stroke around it. */
export const singleWeight = (name: FontName): boolean => !name.startsWith('latin')

/** Whether glyphs of the font stand in another order or number than its characters. */
export const isIndic = (name: FontName): boolean => singleWeight(name) && name !== 'greek' && name !== 'signs'

/** Returns the TrueType file. */
export async function loadFont(name: FontName): Promise<Uint8Array<ArrayBuffer>> {
  const packed = ((await LOADS[name]()) as Packed).default as { font: string }
  const stream = new Blob([fromBase64(packed.font)!]).stream()
  return new Uint8Array(
    await new Response(stream.pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer(),
  )
}
