/**
 * A concept's descriptions as designations: who prefers which is in the language reference sets.
 * https://terminology.hl7.org/SNOMEDCT.html
 */
import type { Designation } from '../../storage/concepts.ts'
import { ID } from './snomed-files.ts'

export interface Description {
  /** languageCode: `en`. */
  language: string
  type: string
  term: string
  /** Language reference sets that prefer it, and that accept it only. */
  preferred: readonly string[]
  acceptable: readonly string[]
}

const DIALECTS: Record<string, string> = { [ID.british]: 'en-GB', [ID.american]: 'en-US' }

/** Returns the name that people are shown in the language, `en-GB` or `ml`; undefined where there is no name at all. */
export function displayOf(descriptions: readonly Description[], language: string): string | undefined {
  const wanted = language.toLowerCase()
  const [main] = wanted.split('-')
  const rank = ({ type, language: own, preferred, acceptable }: Description): number => {
    const isPreferred = preferred.length > 0
    if (type === ID.synonym) {
      const dialects = preferred.map(set => (DIALECTS[set] ?? own).toLowerCase())
      if (dialects.includes(wanted)) return 0
      if (isPreferred && own === main) return 1
      if (isPreferred) return own === 'en' ? 2 : 3
      return acceptable.length > 0 ? 5 : 6
    }
    return type === ID.fullName ? (own === main || own === 'en' ? 4 : 7) : 9
  }
  const better = (a: Description, b: Description): number => rank(a) - rank(b) || compare(a.term, b.term)
  const [best] = [...descriptions].sort(better)
  return best?.type === ID.definition ? undefined : best?.term
}

/** Returns the designations in a steady order: full names, preferred ones, others, definitions. */
export function designationsOf(descriptions: readonly Description[]): Designation[] {
  const found = descriptions.flatMap((one): Designation[] => {
    if (one.type !== ID.synonym) return [{ language: one.language, use: one.type, value: one.term }]
    const preferred = dialects(one.preferred, one.language)
    const acceptable = dialects(one.acceptable, one.language).filter(
      language => !preferred.includes(language),
    )
    const designations = preferred.map(language => ({
      language,
      use: ID.preferred as string,
      value: one.term,
    }))
    // Acceptable in American where it is preferred in British: both are said. Of no set: a name all the same.
    if (acceptable.length > 0 || preferred.length === 0)
      for (const language of acceptable.length > 0 ? acceptable : [one.language])
        designations.push({ language, use: ID.synonym, value: one.term })
    return designations
  })
  return found.sort(
    (a, b) =>
      ORDER.indexOf(a.use!) - ORDER.indexOf(b.use!) ||
      compare(a.value, b.value) ||
      compare(a.language!, b.language!),
  )
}

const ORDER: readonly string[] = [ID.fullName, ID.preferred, ID.synonym, ID.definition]

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Returns the languages that sets stand for: the language itself where both dialects of English, or another set, agree. */
function dialects(sets: readonly string[], language: string): string[] {
  const known = sets.flatMap(set => DIALECTS[set] ?? [])
  if (sets.length > known.length || known.length === Object.keys(DIALECTS).length) return [language]
  return known
}
