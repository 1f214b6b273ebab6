/** A value of a parameter other than those given: what the index has of the parameter, without the ranges of those. */
import type { Document } from 'mongodb'
import { compareUtf8 } from '../../search/fold.ts'
import type { ParamName, Valued } from '../../search/plan-node.ts'
import { afterPrefix, LONG, longMark, prefixOf, textPrefix, textTerm, tokenTerms } from './terms.ts'
import { inShortTexts } from './texts.ts'

/** Returns the filter of resources that have a row of the parameter that meets none of the leaves, which are of one kind. */
export function otherThan(param: ParamName, from: readonly Valued[]): Document {
  const terms: string[] = []
  const prefixes: string[] = []
  const long: Valued[] = []
  let whole = textPrefix(param)
  for (const one of from) {
    if (one.kind === 'token') {
      whole = `${prefixOf(param)}${one.system === undefined ? '~' : '|'}`
      if (one.code === undefined)
        prefixes.push(one.system === undefined ? whole : tokenTerms.system(param, one.system))
      else
        terms.push(
          one.system === undefined
            ? tokenTerms.code(param, one.code)
            : tokenTerms.both(param, one.system, one.code),
        )
    } else {
      terms.push(textTerm(param, one.value))
      if (one.kind !== 'uri' || one.match !== 'versions') continue
      if (one.value.length < LONG) prefixes.push(textTerm(param, `${one.value}|`))
      else long.push(one)
    }
  }
  const others = without(whole, prefixes).map(([start, end]) => ({ $gte: start, $lt: end, $nin: terms }))
  if (long.length === 0) return anyOf(others.map(one => ({ ix: { $elemMatch: one } })))
  // Terms of long uris do not tell whether they are versions of one another.
  const v = { $nin: from.map(one => (one as Valued & { value: string }).value) }
  const apart = without(
    '',
    long.map(one => `${(one as Valued & { value: string }).value}|`),
  )
  return anyOf([
    ...others.map(one => inShortTexts(one)),
    ...apart.map(([$gte, $lt]) => ({
      ix: longMark(param),
      w: { $elemMatch: { p: param, v: { $gte, $lt, ...v } } },
    })),
  ])
}

const anyOf = (filters: readonly Document[]): Document =>
  filters.length === 1 ? filters[0]! : filters.length === 0 ? { _id: { $in: [] } } : { $or: filters }

/** Returns what is left of all texts with a beginning where those with other beginnings are left out. */
function without(whole: string, prefixes: readonly string[]): (readonly [from: string, to: string])[] {
  const ranges: (readonly [string, string])[] = []
  let from = whole
  for (const prefix of [...prefixes].sort(compareUtf8)) {
    if (compareUtf8(from, prefix) < 0) ranges.push([from, prefix])
    const after = afterPrefix(prefix)
    if (compareUtf8(from, after) < 0) from = after
  }
  const end = afterPrefix(whole)
  return compareUtf8(from, end) < 0 ? [...ranges, [from, end]] : ranges
}
