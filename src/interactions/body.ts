/**
 * The text of a version: the server's identity first, then all else in the client's order.
 * https://hl7.org/fhir/R4/resource.html#Meta
 */
import { isObject, type Resource, writeJson } from '../fhir/json.ts'
import { type Body, stampText } from '../storage/port.ts'

/**
 * Returns the body of a version. versionId and lastUpdated are the server's; the rest of meta, and all other members, are as in the
 * resource. `at`: ms since 1970.
 */
export function bodyOf(resource: Resource, id: string, version: number, at: number): Body {
  const head = `{"resourceType":"${resource.resourceType}","id":"${id}","meta":{"versionId":"${version}","lastUpdated":"`
  let text = `${head}${stampText(at)}"`
  const meta = resource.meta
  if (isObject(meta)) {
    for (const name in meta)
      if (name !== 'versionId' && name !== 'lastUpdated' && meta[name] !== undefined)
        text += `,${JSON.stringify(name)}:${writeJson(meta[name])}`
  }
  text += '}'
  for (const name in resource) {
    if (name === 'resourceType' || name === 'id' || name === 'meta') continue
    const value = resource[name]
    if (value !== undefined) text += `,${JSON.stringify(name)}:${writeJson(value)}`
  }
  return { text: `${text}}`, stampAt: head.length }
}
