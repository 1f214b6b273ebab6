/**
 * Index rows of composites: for each shared element the values of its parts together, in rows of the kinds that there are.
 * https://hl7.org/fhir/R4/search.html#composite
 */
import { fhirError } from '../fhir/error.ts'
import { decimalKey } from '../lib/decimal.ts'
import { layoutOf, type Within } from './composite.ts'
import { formsOf } from './composite-forms.ts'
import type { IndexRow } from './index-row.ts'
import { addRow, begin, type Sink, sinkOf } from './sink.ts'
import { along, type Walk, walkOf } from './walk.ts'

/** Rows of one composite of a resource: each way to ask for one part meets each way to ask for another. */
export const MAX_COMPOSITE_ROWS = 10_000

/**
 * Returns the walk that adds a composite's rows. Its parts stand in one row: those that are compared for equality as forms
 * (`composite-forms.ts`), the last of them as the code of a token row and the others before it as the system; or all of them before the
 * unit of a quantity row, or before the text of a string row, that has the value of the part with an order. A date is a quantity in ms.
 *
 * Throws `too-costly` for a resource with more than MAX_COMPOSITE_ROWS of them.
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

  const write: Walk = (element, sink) => {
    const rows = readers.map(({ ofResource, walks }) => {
      const own = sinkOf(sink.resource, sink.zone, sink.baseUrl)
      for (const walk of walks) walk(ofResource ? sink.resource : element, own)
      return own.rows.filter(row => row.param === '')
    })
    if (rows.some(list => list.length === 0)) return
    const put = (row: IndexRow): void => {
      addRow(sink, row)
      if (sink.rows.length - sink.start > MAX_COMPOSITE_ROWS) throw tooMany(name)
    }
    for (const head of joined(heads.map(i => rows[i]!.flatMap(formsOf)))) {
      if (layout.ordered.length === 0)
        for (const row of rows[valued]!)
          for (const code of formsOf(row)) put({ kind: 'token', param: name, system: head, code })
      else writeOrdered(head, layout.ordered, rows, name, put)
    }
  }
  const walks = elements.map(path => along(path.steps, write))
  return (value, sink: Sink) => {
    begin(sink)
    for (const walk of walks) walk(value, sink)
  }
}

/** Returns the part whose form is the code: a reference, of which there are many, else the last. */
export const valuedPart = (equal: readonly number[], parts: Within['parts']): number =>
  equal.find(i => parts[i]!.param.type === 'reference') ?? equal.at(-1) ?? -1

/** Returns each way to take one text of each list, put together. */
export function* joined(lists: readonly (readonly string[])[], at = 0, before = ''): Generator<string> {
  if (at === lists.length) yield before
  else for (const one of lists[at]!) yield* joined(lists, at + 1, before + one)
}

const isRange = (row: IndexRow): row is Extract<IndexRow, { kind: 'quantity' }> => row.kind === 'quantity'

function writeOrdered(
  head: string,
  ordered: readonly number[],
  rows: readonly IndexRow[][],
  name: string,
  put: (row: IndexRow) => void,
): void {
  const [first, second] = ordered
  if (second !== undefined) {
    // A range that ends before it begins is none.
    for (const { lo } of rows[first!]!.filter(isRange))
      for (const { hi } of rows[second]!.filter(isRange))
        if (lo <= hi) put({ kind: 'quantity', param: name, unit: head, lo, hi })
    return
  }
  for (const row of rows[first!]!)
    if (row.kind === 'quantity') put({ ...row, param: name, unit: head + row.unit })
    else if (row.kind === 'date')
      put({ kind: 'quantity', param: name, unit: head, lo: instantKey(row.lo), hi: instantKey(row.hi) })
    else if (row.kind === 'string') put({ kind: 'string', param: name, folded: head + row.folded, exact: '' })
}

/** Returns the decimal key of ms since 1970. */
export const instantKey = (at: number): string => decimalKey(String(at))

const tooMany = (name: string) =>
  fhirError(
    'too-costly',
    `The resource has so many values together under the search parameter ${name} that they cannot be indexed; the limit is ${MAX_COMPOSITE_ROWS}.`,
    { status: 413 },
  )
