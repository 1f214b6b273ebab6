/** The release formats that can be loaded. */
import { claml } from './claml.ts'
import type { Format, SystemName } from './format.ts'
import { icd10cm } from './icd10cm.ts'
import { loinc } from './loinc.ts'
import { snomed } from './snomed.ts'
import type { Source } from './sources.ts'

export const FORMATS: readonly Format[] = [snomed, loinc, claml, icd10cm]

/** Returns the format of the files. Throws in words for people where there is none, or more than one. */
export async function formatOf(files: readonly Source[], system: SystemName | undefined): Promise<Format> {
  const asked = FORMATS.filter(({ name }) => system === undefined || name === system)
  const held: Format[] = []
  for (const format of asked) if (await format.holds(files)) held.push(format)
  const [first, second] = held
  if (first === undefined)
    throw new Error(`There is no release that can be loaded: ${asked.map(one => one.wanted).join('; ')}.`)
  if (second !== undefined)
    throw new Error(
      first.name === second.name
        ? `There are two kinds of ${first.name} release: ${first.wanted}; ${second.wanted}. Name the files of one.`
        : `There are releases of several systems (${held.map(one => one.name).join(', ')}): choose one with --system.`,
    )
  return first
}
