/**
 * Whether the display of a coding is one of its code, case and white space aside.
 * https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 */
import { type Concept, designationsOf } from './code-system.ts'

/** Returns the text as it is compared: one blank between words, lower case. */
export const foldDisplay = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase()

/** Returns all texts that a concept may be shown with. */
export function displaysOf(concept: Concept | undefined): string[] {
  if (concept === undefined) return []
  const display = concept.display === undefined ? [] : [concept.display]
  return [...display, ...designationsOf(concept.source).map(({ value }) => value)]
}

/** Returns whether the text is one of the displays; where there are none, nothing can be said against it. */
export function isDisplay(sent: string, displays: readonly string[]): boolean {
  if (displays.length === 0 || displays.includes(sent)) return true
  const folded = foldDisplay(sent)
  return displays.some(one => foldDisplay(one) === folded)
}
