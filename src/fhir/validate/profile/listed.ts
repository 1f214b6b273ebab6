/**
 * The value sets whose codes the structural check knows.
 * https://hl7.org/fhir/R4/terminologies.html#required
 */
import { codesOf } from '../../definitions/value-sets.ts'

/** Returns whether the structural check judges a required binding to this value set. */
export function isListed(valueSet: string): boolean {
  const bar = valueSet.indexOf('|')
  return codesOf(bar < 0 ? valueSet : valueSet.slice(0, bar)) !== undefined
}
