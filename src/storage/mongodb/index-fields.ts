/** From the index rows of a resource to the fields of its document that search reads. */
import type { IndexRow } from '../../search/index-row.ts'
import { idOf, type Key } from '../port.ts'
import type { IndexFields, LongValue, Place, Span } from './document.ts'
import {
  boundPrefix,
  cut,
  exactTerm,
  idTerm,
  instantKey,
  inverted,
  LONG,
  longMark,
  placePrefix,
  placeTerm,
  referenceTerm,
  sortField,
  spanName,
  textTerm,
  tokenTerms,
} from './terms.ts'
import { windowsOf } from './texts.ts'

/** Values of a sort key beyond this do not take part in the order. */
const SORT_LENGTH = 1024

/** MongoDB refuses a document of more keys in one index (its parameter indexMaxNumGeneratedKeysPerDocument). */
export const MAX_KEYS = 100_000

/** Returns what search knows of a resource by its index rows. */
export function indexFields(key: Key, rows: readonly IndexRow[]): IndexFields {
  const ix = new Set<string>([idTerm(idOf(key))])
  const d: Span[] = []
  const w: LongValue[] = []
  const g: Place[] = []
  const words: Extract<IndexRow, { kind: 'words' }>[] = []
  const strings = new Map<string, Set<string>>()
  const s: Record<string, string> = {}
  const sx: Record<string, string> = {}
  const text = (param: string, value: string): void => {
    ix.add(textTerm(param, value))
    if (value.length <= LONG) return
    ix.add(longMark(param))
    w.push({ p: param, v: value })
  }
  const span = (param: string, unit: string | undefined, lo: number | string, hi: number | string): void => {
    const key = (value: number | string): string => (typeof value === 'number' ? instantKey(value) : value)
    ix.add(boundPrefix(param, 'lo', unit) + key(lo))
    ix.add(boundPrefix(param, 'hi', unit) + key(hi))
    d.push({ p: spanName(param, unit), lo, hi })
  }
  for (const row of rows) {
    if (row.kind === 'token') {
      ix.add(tokenTerms.code(row.param, row.code))
      ix.add(tokenTerms.both(row.param, row.system, row.code))
    } else if (row.kind === 'string') {
      text(row.param, row.folded)
      const texts = strings.get(row.param)
      if (texts === undefined) strings.set(row.param, new Set([row.folded]))
      else texts.add(row.folded)
      ix.add(exactTerm(row.param, row.exact))
    } else if (row.kind === 'uri') text(row.param, row.value)
    else if (row.kind === 'words') words.push(row)
    else if (row.kind === 'position') {
      ix.add(placeTerm(row.param, row.latitude))
      g.push({ p: placePrefix(row.param), lat: row.latitude, lon: row.longitude })
    } else if (row.kind === 'date') span(row.param, undefined, row.lo, row.hi)
    else if (row.kind === 'quantity') span(row.param, row.unit, row.lo, row.hi)
    else if (row.kind === 'reference') {
      for (const version of row.version === '' ? [''] : ['', row.version]) {
        ix.add(referenceTerm(row.param, undefined, row.id, version))
        ix.add(referenceTerm(row.param, row.type, row.id, version))
      }
    } else if (row.kind === 'sort') {
      s[sortField(row.param)] = inverted(cut(row.min, SORT_LENGTH))
      sx[sortField(row.param)] = cut(row.max, SORT_LENGTH)
    }
  }
  // The most of them last.
  for (const row of words) for (const word of row.words) text(row.param, word)
  const { terms, unwindowed } = windowsOf(strings, MAX_KEYS - ix.size - strings.size)
  for (const param of unwindowed) ix.add(longMark(param))
  for (const term of terms) ix.add(term)
  const fields: IndexFields = { ix: [...ix] }
  if (d.length > 0) fields.d = d
  if (w.length > 0) fields.w = w
  if (g.length > 0) fields.g = g
  if (Object.keys(s).length > 0) Object.assign(fields, { s, sx })
  return fields
}
