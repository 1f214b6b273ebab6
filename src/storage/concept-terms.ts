/** What concepts are found by, the same for every adapter: the words of their names, and marks for what is above them and said of them. */
import { fhirError } from '../fhir/error.ts'
import { addWords } from '../search/words.ts'
import type { ConceptCondition, ConceptRow } from './concepts.ts'

/** Values of properties longer than this, UTF-16 units, are texts for people. */
const MAX_VALUE = 128

/** Words are letters, marks and digits; each mark begins with another character. */
const isA = (code: string): string => `^${code}`
const childOf = (code: string): string => `<${code}`
const ROOT = '<'
const memberOf = (set: string): string => `#${set}`
const property = (name: string, value: string): string => `=${name}\u0001${value}`

/** Returns the words and marks of a concept, each once. */
export function conceptTerms(row: ConceptRow): string[] {
  const terms = new Set<string>()
  addWords(row.display, terms)
  addWords(row.code, terms)
  for (const { value } of row.designations) addWords(value, terms)
  terms.add(isA(row.code))
  for (const code of row.ancestors) terms.add(isA(code))
  for (const code of row.parents) terms.add(childOf(code))
  if (row.parents.length === 0) terms.add(ROOT)
  for (const set of row.sets) terms.add(memberOf(set))
  for (const [name, values] of Object.entries(row.properties))
    for (const value of values) if (value.length <= MAX_VALUE) terms.add(property(name, value))
  return [...terms]
}

/** What a find asks of the index: some term of each group, and what the rows themselves tell. */
export interface ConceptQuestion {
  /** Beginnings of words. */
  words: readonly string[]
  /** Of each group one term at least. */
  terms: readonly (readonly string[])[]
  /** Only these codes. */
  codes: readonly string[] | undefined
  /** Not these codes. */
  not: readonly string[]
  active: boolean | undefined
  /** Nothing can match. */
  none: boolean
}

/** Words of one question; each costs some milliseconds where it begins very many words. */
const MOST_WORDS = 12
const MOST_CONDITIONS = 32
/** Values of a property that one condition may list. */
const MOST_VALUES = 1000

/** Returns the question. Throws FhirError `too-costly` (400) for more words or conditions than a question may have. */
export function conceptQuestion(
  words: readonly string[],
  where: readonly ConceptCondition[] = [],
): ConceptQuestion {
  if (words.length > MOST_WORDS || where.length > MOST_CONDITIONS)
    throw fhirError(
      'too-costly',
      `A search in a code system takes up to ${MOST_WORDS} words and ${MOST_CONDITIONS} conditions.`,
      { status: 400 },
    )
  const terms: string[][] = []
  const not: string[] = []
  let codes: readonly string[] | undefined
  let active: boolean | undefined
  let none = false
  for (const one of where)
    switch (one.is) {
      case 'isA':
        terms.push([isA(one.code)])
        break
      case 'descendentOf':
        terms.push([isA(one.code)])
        not.push(one.code)
        break
      case 'childOf':
        terms.push([childOf(one.code)])
        break
      case 'root':
        terms.push([ROOT])
        break
      case 'memberOf':
        terms.push([memberOf(one.set)])
        break
      case 'property':
        if (one.values.length > MOST_VALUES)
          throw fhirError('too-costly', `A property is compared with up to ${MOST_VALUES} values.`, {
            status: 400,
          })
        terms.push(one.values.filter(v => v.length <= MAX_VALUE).map(v => property(one.property, v)))
        break
      case 'active':
        none ||= active !== undefined && active !== one.active
        active = one.active
        break
      case 'code': {
        const before: ReadonlySet<string> | undefined = codes && new Set(codes)
        codes = before === undefined ? one.codes : one.codes.filter(code => before.has(code))
        break
      }
    }
  none ||= codes?.length === 0 || terms.some(group => group.length === 0)
  return { words, terms, codes, not, active, none }
}
