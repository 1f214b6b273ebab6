/**
 * What to write for elements whose absence is the usual fault of a document: their values follow from what is there.
 * https://hl7.org/fhir/R4/documents.html
 */
import { isObject } from '../../json.ts'
import { resolve } from './resolve.ts'
import type { Spot } from './spot.ts'
import type { Walk } from './walk.ts'

/** Returns ` with the value "Patient"` and the like for an element that an owner lacks; undefined where nothing special can be said. */
export function mending(owner: Spot, name: string, walk: Walk): string | undefined {
  if (owner.type === 'Reference' && name === 'type') {
    const to = resolve(owner, walk)
    const type = to.how === 'not here' ? to.type : to.spot.type
    return type === undefined ? ' with the resource type that is referred to' : ` with the value "${type}"`
  }
  if (owner.type === 'Meta' && name === 'versionId') return ', such as "versionId": "1"'
  if (name === 'meta' && isObject(owner.value)) return ' with versionId, such as "meta": {"versionId": "1"}'
  if (name === 'identifier') {
    if (owner.type === 'Bundle') return ' with system and value, such as a urn:uuid: of its own for the value'
    return ' with its system and value'
  }
  if (owner.type === 'Bundle' && name === 'timestamp')
    return ': the instant at which the Bundle was put together, with a zone'
  return undefined
}
