/**
 * A place in a resource while it is held against definitions: the value, its FHIR type, and the way to it.
 * https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/fhirpath.html
 */
import { isObject, type Json, type JsonObject } from '../../json.ts'
import { namesOf, type Property, propertiesOf } from './properties.ts'

export interface Spot {
  /** Null for a primitive that has extensions or an id and no value. */
  value: Json
  /** What stands beside a primitive, in `_birthDate`. */
  sibling: JsonObject | undefined
  /** FHIR type: `HumanName`, `code`, a resource type, or the path of a backbone element such as `Patient.contact`. */
  type: string
  /** Name of the element; `value[x]` for `valueQuantity`. */
  element: string
  /** -1 where the element does not repeat. */
  index: number
  /** Undefined for the resource that validation began with. */
  up: Spot | undefined
  scope: Scope
}

/** The resource that a place belongs to. */
export interface Scope {
  /** Itself, as a place. */
  at: Spot
  resource: JsonObject
  /** The resource that contains it; undefined for those that stand by themselves or in a Bundle's entry. */
  container: Scope | undefined
  /** The Bundle or Parameters that it stands in. */
  within: Scope | undefined
  /** Index of its entry in that Bundle; -1 for others. */
  entry: number
}

/** Returns the place of a resource by itself. */
export function rootSpot(resource: JsonObject, type: string): Spot {
  return resourceSpot(resource, type, type, -1, undefined, 'root')
}

function resourceSpot(
  resource: JsonObject,
  type: string,
  element: string,
  index: number,
  up: Spot | undefined,
  way: 'root' | 'contained' | 'nested',
): Spot {
  const spot = { value: resource, sibling: undefined, type, element, index, up } as unknown as Spot
  spot.scope = {
    at: spot,
    resource,
    container: way === 'contained' ? up!.scope : undefined,
    within: way === 'nested' ? up!.scope : way === 'contained' ? up!.scope.within : undefined,
    entry: way === 'nested' && up!.type === 'Bundle.entry' ? up!.index : -1,
  }
  return spot
}

/** Returns the FHIRPath of a place: `Bundle.entry[0].resource.name[1].given[0]`. */
export function placeOf(spot: Spot): string {
  let text = ''
  for (let at: Spot | undefined = spot; at !== undefined; at = at.up) {
    const index = at.index < 0 ? '' : `[${at.index}]`
    text = `${at.up === undefined ? '' : '.'}${plainName(at.element)}${index}${text}`
  }
  return text
}

/** `value` for `value[x]`. */
export const plainName = (element: string): string =>
  element.charCodeAt(element.length - 1) === 93 && element.endsWith('[x]') ? element.slice(0, -3) : element

const NONE: readonly Spot[] = []

/** Returns the places of an element's values below a place, in their order; `element` is `value[x]` for a choice. */
export function childrenOf(spot: Spot, element: string): readonly Spot[] {
  const owner = spot.value
  if (!isObject(owner))
    return spot.sibling === undefined ? NONE : under(spot, spot.sibling, 'Element', element)
  return under(spot, owner, spot.type, element)
}

function under(spot: Spot, owner: JsonObject, type: string, element: string): readonly Spot[] {
  const names = namesOf(type, element)
  if (names === undefined) return NONE
  for (const { name, sibling, property } of names) {
    const value = owner[name]
    const beside = sibling === undefined ? undefined : owner[sibling]
    if (value !== undefined || beside !== undefined) return spotsOf(spot, property, value, beside)
  }
  return NONE
}

/** Returns the places of a property's values. What is no list where one belongs, or the reverse, has been reported before this. */
export function spotsOf(
  up: Spot,
  property: Property,
  value: Json | undefined,
  beside: Json | undefined,
): readonly Spot[] {
  if (!property.many) {
    const one = spotOf(up, property, value, beside, -1)
    return one === undefined ? NONE : [one]
  }
  const values = Array.isArray(value) ? value : []
  const besides = Array.isArray(beside) ? beside : []
  const spots: Spot[] = []
  const count = values.length > besides.length ? values.length : besides.length
  for (let i = 0; i < count; i++) {
    const one = spotOf(up, property, values[i], besides[i], i)
    if (one !== undefined) spots.push(one)
  }
  return spots
}

/** Returns the place of one value; undefined where its JSON is not of the kind that the type has. */
export function spotOf(
  up: Spot,
  property: Property,
  value: Json | undefined,
  beside: Json | undefined,
  index: number,
): Spot | undefined {
  const { type, element } = property
  if (type === 'Resource') {
    if (!isObject(value) || typeof value.resourceType !== 'string') return undefined
    if (propertiesOf(value.resourceType) === undefined) return undefined
    const way = element === 'contained' ? 'contained' : 'nested'
    return resourceSpot(value, value.resourceType, element, index, up, way)
  }
  if (!property.primitive)
    return isObject(value)
      ? { value, sibling: undefined, type, element, index, up, scope: up.scope }
      : undefined
  const plain = value === undefined || Array.isArray(value) || isObject(value) ? null : value
  const sibling = isObject(beside) ? beside : undefined
  return plain === null && sibling === undefined
    ? undefined
    : { value: plain, sibling, type, element, index, up, scope: up.scope }
}
