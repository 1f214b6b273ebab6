/**
 * Narratives: XHTML that is well formed, harmless and says something (txt-1, txt-2).
 * https://hl7.org/fhir/R4/narrative.html
 */
import { isObject } from '../../json.ts'
import { narrativeFaults } from '../narrative.ts'
import type { Spot } from './spot.ts'
import { report, type Walk } from './walk.ts'

/** Reports what is wrong with the XHTML of a Narrative. */
export function checkNarrative(spot: Spot, walk: Walk): void {
  const div = isObject(spot.value) ? spot.value.div : undefined
  if (typeof div !== 'string') return
  for (const { severity, rule, diagnostics } of narrativeFaults(div))
    report(walk, severity, 'invariant', rule, spot, () => diagnostics, '.div')
}
