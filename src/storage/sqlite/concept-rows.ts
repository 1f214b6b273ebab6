/** Releases and concepts as rows of their tables. */
import type { Concept, ConceptRow, Release } from '../concepts.ts'
import { indexText } from './concept-words.ts'
import type { Row } from './driver.ts'

/** What `conceptOf` reads. */
export const READ_COLUMNS = 'c.code, c.active, c.parents, c.body'

/** Display, properties, designations (language, use, value; null where there is none), reference sets. */
type Body = [string, Record<string, string[]>, [string | null, string | null, string][], string[]]

/** Returns the columns of a concept as a JSON array, with the length of its display in characters, `most` at most. */
export function columnsOf(row: ConceptRow, most: number): string {
  const { code, display, active, parents, properties, designations, sets } = row
  const names = designations.map(one => [one.language ?? null, one.use ?? null, one.value])
  const body = [display, properties, names, sets]
  const length = Math.min(display.length, most)
  return JSON.stringify([code, length, active ? 1 : 0, names.length, parents, body, indexText(row)])
}

export function conceptOf(row: Row): Concept {
  const [display, properties, names, sets] = JSON.parse(row[3] as string) as Body
  return {
    code: row[0] as string,
    display,
    active: row[1] === 1,
    parents: JSON.parse(row[2] as string) as string[],
    properties,
    designations: names.map(([language, use, value]) => ({
      ...(language === null ? {} : { language }),
      ...(use === null ? {} : { use }),
      value,
    })),
    sets,
  }
}

export function releaseOf(row: Row): Release {
  const [id, system, version, title, state, at, concepts, designations, types] = row
  return {
    id: id as number,
    system: system as string,
    version: version as string,
    title: title as string,
    state: state as Release['state'],
    at: at as number,
    concepts: concepts as number,
    designations: designations as number,
    propertyTypes: JSON.parse(types as string) as Release['propertyTypes'],
  }
}
