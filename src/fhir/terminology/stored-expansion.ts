/**
 * Whether an expansion that somebody has made is the whole of its value set.
 * https://hl7.org/fhir/R4/valueset.html#expansion
 */
import { type JsonObject, NumberText } from '../json.ts'
import { objects } from './code-system.ts'

const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed'
const TOO_COSTLY = 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly'

/** Returns whether an expansion says that it has not all codes. */
export const isPartOnly = ({ extension }: JsonObject): boolean =>
  objects(extension).some(
    ({ url, valueBoolean }) => (url === UNCLOSED || url === TOO_COSTLY) && valueBoolean !== false,
  )

/** Returns whether an expansion of so many entries may lack codes of its value set: a page of it, or what a parameter has left of it. */
export function isPartial(expansion: JsonObject, entries: number): boolean {
  const { total, offset } = expansion
  const asked = objects(expansion.parameter)
  const count = asked.find(({ name }) => name === 'count')?.valueInteger
  return (
    (total instanceof NumberText && Number(total.text) > entries) ||
    (total === undefined && count instanceof NumberText && entries >= Number(count.text)) ||
    (offset instanceof NumberText && Number(offset.text) > 0) ||
    asked.some(narrows) ||
    isPartOnly(expansion)
  )
}

/** Whether a parameter of an expansion has left out codes that are of the value set. */
const narrows = ({ name, valueString, valueBoolean }: JsonObject): boolean =>
  (name === 'filter' && valueString !== '') ||
  name === 'exclude-system' ||
  (name === 'activeOnly' && valueBoolean === true)
