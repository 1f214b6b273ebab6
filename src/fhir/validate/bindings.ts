/**
 * Required bindings: codes that must come from a value set.
 * https://hl7.org/fhir/R4/terminologies.html#required
 */
import { type Codes, codesOf } from '../definitions/value-sets.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { listed, quoted, type Run, report } from './issues.ts'
import { closest } from './suggest.ts'

/** Returns what is wrong with a code, or undefined. */
export type CodeCheck = (code: string) => string | undefined

/** Returns the check of a bound code; undefined where the value set cannot be listed. */
export function codeCheck(valueSet: string): CodeCheck | undefined {
  const systems = codesOf(valueSet)
  if (systems === undefined) return undefined
  const all = new Set([...systems.values()].flatMap(codes => [...codes]))
  return code => (all.has(code) ? undefined : `is not in the value set ${valueSet}. ${advice(code, all)}`)
}

function advice(code: string, codes: ReadonlySet<string>): string {
  const near = codes.size > 8 ? closest(code, codes) : undefined
  return near === undefined ? `Use ${listed([...codes])}` : `Did you mean ${near}?`
}

/** Returns the check of a bound CodeableConcept or Coding; undefined where the value set cannot be listed. */
export function conceptCheck(
  valueSet: string,
  type: string,
): ((concept: JsonObject, run: Run) => void) | undefined {
  const systems = codesOf(valueSet)
  if (systems === undefined) return undefined
  if (type === 'Coding')
    return (coding, run) => {
      if (!isIn(systems, coding)) report(run, 'code-invalid', '', sentence([coding], systems, valueSet))
    }
  return (concept, run) => {
    const codings = Array.isArray(concept.coding) ? concept.coding : []
    if (!codings.some(coding => isIn(systems, coding)))
      report(run, 'code-invalid', codings.length === 0 ? '' : '.coding', sentence(codings, systems, valueSet))
  }
}

function isIn(systems: Codes, coding: Json): boolean {
  return (
    isObject(coding) &&
    typeof coding.system === 'string' &&
    typeof coding.code === 'string' &&
    systems.get(coding.system)?.has(coding.code) === true
  )
}

function sentence(codings: readonly Json[], systems: Codes, valueSet: string): string {
  const codes = codings.map(coding =>
    isObject(coding) && typeof coding.code === 'string' ? quoted(coding.code) : 'no code',
  )
  const found = codes.length === 0 ? 'There is no coding here' : `${listed(codes)} is not in the value set`
  const allowed = [...systems].map(([system, members]) => `${listed([...members])} of ${system}`).join('; ')
  return `${found}, and ${valueSet} is required. Use ${allowed}.`
}
