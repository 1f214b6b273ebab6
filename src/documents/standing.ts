/** States of resources in which they must not be read as if they simply were so. https://hl7.org/fhir/R4/resource.html#status */
import type { JsonObject } from '../fhir/json.ts'
import { at, text, texts } from '../fhir/tree.ts'

/** States in which something is not so, or not any more. */
export const STOPPED: ReadonlySet<string> = new Set([
  'aborted',
  'cancelled',
  'declined',
  'entered-in-error',
  'failed',
  'noshow',
  'not-done',
  'not-taken',
  'on-hold',
  'refuted',
  'rejected',
  'revoked',
  'stopped',
  'superseded',
  'suspended',
])

/** States in which it may yet change. */
export const OPEN: ReadonlySet<string> = new Set([
  'draft',
  'preliminary',
  'registered',
  'partial',
  'provisional',
  'differential',
  'unconfirmed',
])

/** Returns what a reader must know of how a resource stands: `not to be done, stopped`; '' where it simply is so. */
export function standingWords(tree: JsonObject): string {
  const states = texts([text(tree.status) ?? '', ...at(tree, 'verificationStatus.coding.code')])
  const words = states
    .filter(state => STOPPED.has(state) || OPEN.has(state))
    .map(state => state.replace(/-/g, ' '))
  if (tree.doNotPerform === true) words.unshift('not to be done')
  if (at(tree, 'modifierExtension').length > 0) words.push('its meaning is changed by an extension')
  return [...new Set(words)].join(', ')
}
