/**
 * The elements of the R4 types, from the table that `prepare` writes.
 * https://hl7.org/fhir/R4/elementdefinition.html
 */
import content from './generated/types.json' with { type: 'json' }

export interface ElementInfo {
  /** As in the specification; a choice element is `value[x]`. */
  name: string
  min: number
  /** Infinity where the specification says `*`. */
  max: number
  /** Type names; a backbone element's type is its path, such as `Patient.contact`. */
  types: readonly string[]
  choice: boolean
  /** Resource types that a Reference may point to; absent where any will do. */
  targets: readonly string[] | undefined
  /** Canonical url, without version, of the value set of a required binding. */
  valueSet: string | undefined
  /** It is shown under `_summary=true`. */
  summary: boolean
}

type ElementRow = [string, number, number, string[], (string[] | null)?, (string | null)?, 1?]

const table = content as { resources: string[]; types: Record<string, [string, ElementRow[]]> }

export const RESOURCES: readonly string[] = table.resources

/** The names of all complex types: data types, resources, abstract ones included, and backbone elements by path. */
export const TYPE_NAMES: readonly string[] = Object.keys(table.types)

const cache = new Map<string, readonly ElementInfo[]>()

/** Returns the elements of a complex type, inherited ones first, or undefined where there is no such type. */
export function elementsOf(type: string): readonly ElementInfo[] | undefined {
  const known = cache.get(type)
  if (known !== undefined) return known
  if (!Object.hasOwn(table.types, type)) return undefined
  const [base, rows] = table.types[type]!
  const elements = [...(base === '' ? [] : elementsOf(base)!), ...rows.map(elementInfo)]
  cache.set(type, elements)
  return elements
}

/** Returns the type that a type extends in the table: Element, BackboneElement, Resource or DomainResource. */
export function baseOf(type: string): string | undefined {
  return Object.hasOwn(table.types, type) ? table.types[type]![0] || undefined : undefined
}

/** Returns the name that an element has in JSON for one of its types: `valueQuantity` for `value[x]` and Quantity. */
export function jsonName(element: ElementInfo, type: string): string {
  return element.choice ? element.name.slice(0, -3) + type[0]!.toUpperCase() + type.slice(1) : element.name
}

/** Primitive types begin with a small letter, and no other type does. */
export function isPrimitive(type: string): boolean {
  return type.charCodeAt(0) >= 97
}

function elementInfo(row: ElementRow): ElementInfo {
  const [name, min, max, types, targets, valueSet, summary] = row
  return {
    name,
    min,
    max: max < 0 ? Number.POSITIVE_INFINITY : max,
    types,
    choice: name.endsWith('[x]'),
    targets: targets ?? undefined,
    valueSet: valueSet ?? undefined,
    summary: summary === 1,
  }
}
