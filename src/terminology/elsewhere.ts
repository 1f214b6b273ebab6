/**
 * What another terminology server says of a code that is not held here.
 * https://hl7.org/fhir/R4/terminology-service.html
 */
import type { Context } from '../context.ts'
import type { Elsewhere } from '../fhir/terminology/expand.ts'
import type { Verdict } from '../fhir/terminology/member.ts'

/** Returns what asks the server of NADI_TERMINOLOGY_URL; undefined where none is set. */
export function elsewhereOf(
  _ctx: Context,
  _deadline: number,
): ((question: Elsewhere) => Promise<Verdict | undefined>) | undefined {
  return undefined
}
