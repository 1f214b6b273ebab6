/** A word as runs of characters that one font sets: Latin and Indian scripts mix in a line. https://www.unicode.org/reports/tr24/ */
import { covers, type FontName, fontFor, isIndic } from './fonts.ts'

export interface TextRun {
  font: FontName
  text: string
}

/** Joins, marks and signs that belong to what stands before them, if its font has them. */
const FOLLOWS = /^(?:\p{M}|\u200c|\u200d|[\u0964\u0965\u25cc])$/u

/** Returns the runs. A character that no font has is left to Latin, which paints a box for it. */
export function runsOf(text: string, bold: boolean): TextRun[] {
  const runs: TextRun[] = []
  const latin: FontName = bold ? 'latin-700' : 'latin-400'
  for (const char of text) {
    const code = char.codePointAt(0)!
    const last = runs.at(-1)
    const stays = last !== undefined && FOLLOWS.test(char) && covers(last.font, code)
    // A Devanagari danda is common to the scripts of India, and so are joiners: without a word before them they take any font.
    const font = stays ? last.font : (fontFor(code, bold) ?? latin)
    if (last?.font === font) last.text += char
    else runs.push({ font, text: char })
  }
  return runs
}

/** Whether a run is of a script whose glyphs stand in another order than its characters. */
export const isComplex = (run: TextRun): boolean => isIndic(run.font)
