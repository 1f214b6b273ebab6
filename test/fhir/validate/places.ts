/** Where the properties of an example stand in FHIRPath, read from HL7's StructureDefinitions and not from our tables. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isObject, type Json, type JsonObject, type Resource } from '../../../src/fhir/json.ts'

/** The folder of the package hl7.fhir.r4.examples. */
export const FOLDER = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))

export interface Element {
  path: string
  min: number
  contentReference?: string
  type?: { code: string }[]
  binding?: { strength: string; valueSet?: string }
}

const definitions = new Map<string, Element[]>()

/** Returns the snapshot of a type. */
export function elementsOf(type: string): Element[] {
  let elements = definitions.get(type)
  if (elements === undefined) {
    const text = readFileSync(join(FOLDER, `StructureDefinition-${type}.json`), 'utf8')
    elements = (JSON.parse(text) as { snapshot: { element: Element[] } }).snapshot.element
    definitions.set(type, elements)
  }
  return elements
}

export interface Place {
  owner: JsonObject
  property: string
  /** FHIRPath: `Observation.value` for valueQuantity, `Patient.birthDate` for _birthDate. */
  expression: string
  /** The type of the value; Element beside a primitive. */
  type: string
  definition: Element
}

/** Returns every property of a resource but resourceType. */
export function places(resource: Resource): Place[] {
  const found: Place[] = []
  const walk = (value: Json, type: string, path: string, expression: string): void => {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) walk(item, type, path, `${expression}[${i}]`)
      return
    }
    if (!isObject(value)) return
    // ExampleScenario.instance has an element of the name resourceType.
    const own = type === 'Resource' || value === resource
    const [inType, inPath] = own ? [value.resourceType as string, value.resourceType as string] : [type, path]
    for (const property of Object.keys(value)) {
      if (own && property === 'resourceType') continue
      const [name, element, code] = elementOf(inType, inPath, property)
      const place = `${expression}.${name}`
      const type = property[0] === '_' ? 'Element' : code
      found.push({ owner: value, property, expression: place, type, definition: element })
      if (property[0] === '_') walk(value[property]!, 'Element', 'Element', place)
      else if (element.contentReference)
        walk(value[property]!, inType, element.contentReference.slice(1), place)
      else if (code === 'BackboneElement' || code === 'Element')
        walk(value[property]!, inType, element.path, place)
      else walk(value[property]!, code, code, place)
    }
  }
  walk(resource, resource.resourceType, resource.resourceType, resource.resourceType)
  return found
}

/** Returns the element's name, its definition and the type of the value. */
function elementOf(type: string, path: string, property: string): [string, Element, string] {
  const plain = property.replace(/^_/, '')
  for (const element of elementsOf(type)) {
    if (element.path === `${path}.${plain}`) return [plain, element, element.type?.[0]?.code ?? '']
    if (!element.path.startsWith(`${path}.`) || !element.path.endsWith('[x]')) continue
    const name = element.path.slice(path.length + 1, -3)
    const code = element.type!.find(
      ({ code }) => plain === name + code[0]!.toUpperCase() + code.slice(1),
    )?.code
    if (code !== undefined) return [name, element, code]
  }
  throw new Error(`${path} has no element ${property}`)
}
