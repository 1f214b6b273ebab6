/**
 * The places in a resource that hold links, known by element type and never by name: References, elements of type uri, url, oid and
 * uuid, and the links of narratives. Elements of type canonical are none.
 * https://hl7.org/fhir/R4/http.html#trules
 */
import { elementsOf, isPrimitive, jsonName } from './definitions/types.ts'
import { isObject, type Json, type JsonObject, type Resource, toExpression } from './json.ts'

export type LinkKind = 'reference' | 'uri' | 'html'

/** Returns the link to stand in place of `text`. */
export type LinkMap = (text: string, kind: LinkKind) => string

/** What a member is to us: a link itself, or something that may hold some. `type` is what to go down into. */
type Member =
  | { does: 'uri' }
  | { does: 'html' }
  | { does: 'resource' }
  | { does: 'reference' | 'down'; type: string }

const LINK_TYPES: ReadonlySet<string> = new Set(['uri', 'url', 'oid', 'uuid'])
const known = new Map<string, ReadonlyMap<string, Member>>()

function membersOf(type: string): ReadonlyMap<string, Member> {
  const cached = known.get(type)
  if (cached !== undefined) return cached
  const members = new Map<string, Member>()
  const elements = elementsOf(type)
  // Names that a client makes up are not kept.
  if (elements === undefined) return members
  for (const element of elements)
    for (const elementType of element.types) {
      const name = jsonName(element, elementType)
      if (LINK_TYPES.has(elementType)) members.set(name, { does: 'uri' })
      else if (elementType === 'xhtml') members.set(name, { does: 'html' })
      else if (elementType === 'Resource') members.set(name, { does: 'resource' })
      else if (elementType === 'Reference') members.set(name, { does: 'reference', type: 'Reference' })
      else if (!isPrimitive(elementType)) members.set(name, { does: 'down', type: elementType })
      if (isPrimitive(elementType)) members.set(`_${name}`, { does: 'down', type: 'Element' })
    }
  known.set(type, members)
  return members
}

/**
 * Returns the resource with every link replaced by what `map` says of it, contained resources included; the same object where nothing
 * changes, and never a changed one: what differs is new. A Bundle inside is left as it is, for its links are of its own scope.
 */
export function mapLinks(resource: Resource, map: LinkMap): Resource {
  return inResource(resource, map) as Resource
}

function inResource(value: Json, map: LinkMap): Json {
  if (!isObject(value) || typeof value.resourceType !== 'string' || value.resourceType === 'Bundle')
    return value
  return inObject(value, value.resourceType, map)
}

function inObject(object: JsonObject, type: string, map: LinkMap): JsonObject {
  const members = membersOf(type)
  let changed: JsonObject | undefined
  for (const name in object) {
    const member = members.get(name)
    if (member === undefined) continue
    const value = object[name]
    if (value === undefined) continue
    const mapped = inValue(value, member, map)
    if (mapped === value) continue
    changed ??= { ...object }
    changed[name] = mapped
  }
  return changed ?? object
}

function inValue(value: Json, member: Member, map: LinkMap): Json {
  if (Array.isArray(value)) {
    let changed: Json[] | undefined
    for (let i = 0; i < value.length; i++) {
      const mapped = inValue(value[i]!, member, map)
      if (mapped === value[i]) continue
      changed ??= [...value]
      changed[i] = mapped
    }
    return changed ?? value
  }
  switch (member.does) {
    case 'uri':
      return typeof value === 'string' ? map(value, 'uri') : value
    case 'html':
      return typeof value === 'string' ? inNarrative(value, map) : value
    case 'resource':
      return inResource(value, map)
    case 'down':
      return isObject(value) ? inObject(value, member.type, map) : value
    case 'reference': {
      if (!isObject(value)) return value
      const below = inObject(value, member.type, map)
      const { reference } = below
      if (typeof reference !== 'string') return below
      const mapped = map(reference, 'reference')
      return mapped === reference ? below : { ...below, reference: mapped }
    }
  }
}

/** The start of a tag that may hold a link; an attribute, its value in either quotes. */
const TAG = /<(?:a|img)(?=\s)/g
const ATTRIBUTE = /\s+([^\s=<>"'/]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y

/** Each character is looked at once or twice: a hostile narrative costs no more than its length. */
function inNarrative(div: string, map: LinkMap): string {
  if (!div.includes('<a') && !div.includes('<img')) return div
  let text = ''
  let done = 0
  for (const tag of div.matchAll(TAG)) {
    const wanted = tag[0] === '<a' ? 'href' : 'src'
    ATTRIBUTE.lastIndex = tag.index + tag[0].length
    for (;;) {
      const found = ATTRIBUTE.exec(div)
      if (found === null) break
      const [whole, name, double, single] = found
      if (name !== wanted) continue
      const value = double ?? single ?? ''
      const link = value.replaceAll('&amp;', '&')
      const mapped = map(link, 'html')
      if (mapped === link) continue
      const at = found.index + whole.length - value.length - 2
      text += `${div.slice(done, at)}"${mapped.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}"`
      done = ATTRIBUTE.lastIndex
    }
  }
  return done === 0 ? div : text + div.slice(done)
}

/**
 * Returns the FHIRPath of the first Reference.reference that `is` accepts, such as `Observation.subject.reference`; undefined where there
 * is none. It walks the whole resource: for errors only.
 */
export function placeOfReference(resource: Resource, is: (reference: string) => boolean): string | undefined {
  const path = wayTo(resource, resource.resourceType, is)
  return path === undefined ? undefined : toExpression(resource.resourceType, path)
}

function wayTo(
  value: Json,
  type: string,
  is: (reference: string) => boolean,
): (string | number)[] | undefined {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const below = wayTo(value[i]!, type, is)
      if (below !== undefined) return [i, ...below]
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  const { reference } = value
  if (type === 'Reference' && typeof reference === 'string' && is(reference)) return ['reference']
  for (const [name, member] of membersOf(type)) {
    const below = value[name]
    if (below === undefined || member.does === 'uri' || member.does === 'html') continue
    if (member.does !== 'resource') {
      const way = wayTo(below, member.type, is)
      if (way !== undefined) return [name, ...way]
      continue
    }
    const items = Array.isArray(below) ? below : [below]
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!
      if (!isObject(item) || typeof item.resourceType !== 'string' || item.resourceType === 'Bundle') continue
      const way = wayTo(item, item.resourceType, is)
      if (way !== undefined) return Array.isArray(below) ? [name, i, ...way] : [name, ...way]
    }
  }
  return undefined
}
