/**
 * Index rows of composites: for each shared element the values of its parts together, in rows of the kinds that there are.
 * https://hl7.org/fhir/R4/search.html#composite
 */
import { fhirError } from '../fhir/error.ts'
import type { Json } from '../fhir/json.ts'
import { decimalKey } from '../lib/decimal.ts'
import { layoutOf, type Within } from './composite.ts'
import { formsOf } from './composite-forms.ts'
import type { IndexRow } from './index-row.ts'
import { addRow, begin, type Sink, sinkOf } from './sink.ts'
import { along, type Walk, walkOf } from './walk.ts'

/** Rows of one composite of a resource: each way to ask for one part meets each way to ask for another. */
export const MAX_COMPOSITE_ROWS = 10_000

/** Ways to put parts together that are gone through, those included that lead to a row that is there already. */
const MOST_WAYS = 10 * MAX_COMPOSITE_ROWS

/**
 * Returns the walk that adds a composite's rows. Its parts stand in one row: those that are compared for equality as forms
 * (`composite-forms.ts`), the last of them as the code of a token row and the others before it as the system; or all of them before the
 * unit of a quantity row, or before the text of a string row, that has the value of the part with an order. A date is a quantity in ms.
 *
 * Throws `too-costly` for a resource with more than MAX_COMPOSITE_ROWS of them, or with very many that are the same.
 */
export function compositeWalk({ name, elements, parts }: Within): Walk {
  const layout = layoutOf(parts.map(({ param }) => param))
  const readers = parts.map(({ param, ofResource }) => ({
    ofResource,
    walks: param.paths.flatMap(
      path => walkOf({ name: '', type: param.type, targets: param.targets }, path) ?? [],
    ),
  }))
  const valued = valuedPart(layout.equal, parts)
  const heads = layout.ordered.length > 0 ? layout.equal : layout.equal.filter(i => i !== valued)

  return (value, sink: Sink) => {
    begin(sink)
    let ways = 0
    const read = (i: number, from: Json): Read => {
      const own = sinkOf(sink.resource, sink.zone, sink.baseUrl)
      for (const walk of readers[i]!.walks) walk(from, own)
      const rows = own.rows.filter(row => row.param === '')
      return { rows, forms: [...new Set(rows.flatMap(formsOf))] }
    }
    // Once, however many elements there are.
    const ofResource = readers.map((one, i) => (one.ofResource ? read(i, sink.resource) : undefined))
    const write: Walk = element => {
      const all = readers.map((_, i) => ofResource[i] ?? read(i, element))
      const lists = heads.map(i => all[i]!.forms)
      const ends =
        layout.ordered.length > 0 ? orderedEnds(layout.ordered, all, name) : tokenEnds(all[valued]!, name)
      // Where one has nothing no way leads to a row, and there may be no end of ways.
      if (ends.length === 0 || lists.some(list => list.length === 0)) return
      for (const head of joined(lists))
        for (const end of ends) {
          addRow(sink, end(head))
          if (++ways > MOST_WAYS || sink.rows.length - sink.start > MAX_COMPOSITE_ROWS) throw tooMany(name)
        }
    }
    for (const path of elements) along(path.steps, write)(value, sink)
  }
}

/** Makes the row of the last part behind the forms of the others. */
type End = (head: string) => IndexRow

/** What a part has in an element. */
interface Read {
  rows: readonly IndexRow[]
  /** Each once. */
  forms: readonly string[]
}

const tokenEnds = ({ forms }: Read, name: string): End[] =>
  forms.map(code => system => ({ kind: 'token', param: name, system, code }))

/** Returns the part whose form is the code: a reference, of which there are many, else the last. */
export const valuedPart = (equal: readonly number[], parts: Within['parts']): number =>
  equal.find(i => parts[i]!.param.type === 'reference') ?? equal.at(-1) ?? -1

/** Returns each way to take one text of each list, put together. */
export function* joined(lists: readonly (readonly string[])[], at = 0, before = ''): Generator<string> {
  if (at === lists.length) yield before
  else for (const one of lists[at]!) yield* joined(lists, at + 1, before + one)
}

type Range = Extract<IndexRow, { kind: 'quantity' }>
const isRange = (row: IndexRow): row is Range => row.kind === 'quantity'

function orderedEnds(ordered: readonly number[], all: readonly Read[], name: string): End[] {
  const [first, second] = ordered
  if (second !== undefined) {
    const [starts, ends] = [first!, second].map(i => all[i]!.rows.filter(isRange)) as [Range[], Range[]]
    if (starts.length * ends.length > MOST_WAYS) throw tooMany(name)
    return starts.flatMap(({ lo }) =>
      ends
        // A range that ends before it begins is none.
        .filter(({ hi }) => lo <= hi)
        .map(
          ({ hi }): End =>
            unit => ({ kind: 'quantity', param: name, unit, lo, hi }),
        ),
    )
  }
  return all[first!]!.rows.flatMap((row): End[] => {
    if (row.kind === 'quantity') return [head => ({ ...row, param: name, unit: head + row.unit })]
    if (row.kind === 'date') {
      const [lo, hi] = [instantKey(row.lo), instantKey(row.hi)]
      return [unit => ({ kind: 'quantity', param: name, unit, lo, hi })]
    }
    if (row.kind === 'string')
      return [head => ({ kind: 'string', param: name, folded: head + row.folded, exact: '' })]
    return []
  })
}

/** Returns the decimal key of ms since 1970. */
export const instantKey = (at: number): string => decimalKey(String(at))

const tooMany = (name: string) =>
  fhirError(
    'too-costly',
    `The resource has so many values together under the search parameter ${name} that they cannot be indexed; the limit is ${MAX_COMPOSITE_ROWS}.`,
    { status: 413 },
  )
