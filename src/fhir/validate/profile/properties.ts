/**
 * The JSON properties of the R4 types, by name and by element.
 * https://hl7.org/fhir/R4/json.html
 */
import { elementsOf, isPrimitive, jsonName } from '../../definitions/types.ts'

export interface Property {
  /** `value[x]` for `valueQuantity`. */
  element: string
  /** `Quantity`; of a backbone element its path. */
  type: string
  primitive: boolean
  many: boolean
  choice: boolean
  /** The value set of a required binding that the structural check has held it against already. */
  valueSet: string | undefined
  min: number
}

export interface Named {
  name: string
  /** `_birthDate`; undefined for what has no such property. */
  sibling: string | undefined
  property: Property
}

interface Table {
  byProperty: ReadonlyMap<string, Property>
  byElement: ReadonlyMap<string, readonly Named[]>
}

const tables = new Map<string, Table | undefined>()

function tableOf(type: string): Table | undefined {
  if (tables.has(type)) return tables.get(type)
  const elements = elementsOf(type)
  let table: Table | undefined
  if (elements !== undefined) {
    const byProperty = new Map<string, Property>()
    const byElement = new Map<string, Named[]>()
    for (const element of elements) {
      const named: Named[] = []
      for (const of of element.types) {
        const primitive = isPrimitive(of)
        const { name, choice, valueSet, min } = element
        const property = { element: name, type: of, primitive, many: element.max > 1, choice, valueSet, min }
        const json = jsonName(element, of)
        byProperty.set(json, property)
        named.push({ name: json, sibling: primitive ? `_${json}` : undefined, property })
      }
      byElement.set(element.name, named)
    }
    table = { byProperty, byElement }
  }
  // Types come from definitions too, which anybody may write: only those that exist are kept.
  if (table !== undefined) tables.set(type, table)
  return table
}

/** Returns the properties of a type by their JSON names, or undefined where R4 has no such type. */
export const propertiesOf = (type: string): ReadonlyMap<string, Property> | undefined =>
  tableOf(type)?.byProperty

/** Returns the properties that an element may have in JSON; undefined where the type has no such element. */
export const namesOf = (type: string, element: string): readonly Named[] | undefined =>
  tableOf(type)?.byElement.get(element)

/** Returns the name of the choice element (`value[x]`) that a property such as `valueQuantity` or the bare `value` belongs to. */
export function choiceOf(
  type: string,
  name: string,
): { element: string; type: string | undefined } | undefined {
  const table = tableOf(type)
  if (table === undefined) return undefined
  if (table.byElement.has(`${name}[x]`)) return { element: `${name}[x]`, type: undefined }
  const property = table.byProperty.get(name)
  return property?.choice ? { element: property.element, type: property.type } : undefined
}

/** Returns the element names of a type; undefined where R4 has no such type. */
export const elementNamesOf = (type: string): IterableIterator<string> | undefined =>
  tableOf(type)?.byElement.keys()
