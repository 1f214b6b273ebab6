/**
 * Types by name, and the elements that a type has by the name that FHIRPath gives them.
 * https://hl7.org/fhir/R4/fhirpath.html#types, http://hl7.org/fhirpath/N1/#types
 */
import { baseOf, elementsOf, isPrimitive, jsonName, TYPE_NAMES } from '../definitions/types.ts'

export interface Member {
  /** `value` for value[x]. */
  name: string
  /** `valueQuantity` */
  key: string
  /** `_valueString`; undefined for complex types. */
  sibling: string | undefined
  type: string
}

interface Shape {
  byName: Map<string, readonly Member[]>
  byKey: Map<string, Member>
}

const shapes = new Map<string, Shape | null>()

function shapeOf(type: string): Shape | null {
  let shape = shapes.get(type)
  if (shape === undefined) {
    shape = readShape(type)
    // Names of resource types come from data: what the specification does not have is not kept.
    if (shape !== null) shapes.set(type, shape)
  }
  return shape
}

function readShape(type: string): Shape | null {
  const elements = elementsOf(type)
  if (elements === undefined) return null
  const shape: Shape = { byName: new Map(), byKey: new Map() }
  for (const element of elements) {
    const name = element.choice ? element.name.slice(0, -3) : element.name
    const members = element.types.map(of => {
      const key = jsonName(element, of)
      return { name, key, sibling: isPrimitive(of) ? `_${key}` : undefined, type: of }
    })
    shape.byName.set(name, members)
    for (const member of members) shape.byKey.set(member.key, member)
  }
  return shape
}

/** Returns the elements of a complex type under a name, one for each type of a choice; null where there is none, undefined for unknown types. */
export function membersOf(type: string, name: string): readonly Member[] | null | undefined {
  const shape = shapeOf(type)
  return shape === null ? undefined : (shape.byName.get(name) ?? null)
}

/** Returns the element that a JSON property of a complex type holds; undefined for none. */
export const memberAt = (type: string, key: string): Member | undefined => shapeOf(type)?.byKey.get(key)

const PRIMITIVE_BASES = new Map([
  ['code', 'string'],
  ['id', 'string'],
  ['markdown', 'string'],
  ['canonical', 'uri'],
  ['oid', 'uri'],
  ['url', 'uri'],
  ['uuid', 'uri'],
  ['positiveInt', 'integer'],
  ['unsignedInt', 'integer'],
  ['Age', 'Quantity'],
  ['Count', 'Quantity'],
  ['Distance', 'Quantity'],
  ['Duration', 'Quantity'],
  ['BackboneElement', 'Element'],
])
const PRIMITIVES =
  'base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time unsignedInt uri url uuid xhtml'
const FHIR_TYPES: ReadonlySet<string> = new Set([...TYPE_NAMES, ...PRIMITIVES.split(' ')])
const SYSTEM = 'Any Boolean String Integer Long Decimal Date DateTime Time Quantity TypeInfo'
const SYSTEM_TYPES: ReadonlySet<string> = new Set(SYSTEM.split(' '))

export const isTypeName = (name: string): boolean => FHIR_TYPES.has(name)

/** A type specifier: which names of FHIR types and of System types it means. */
export interface TypeName {
  fhir: string | undefined
  system: string | undefined
}

/** Returns what a type specifier such as `Quantity`, `FHIR.code` or `System.String` means; undefined for no type. */
export function readTypeName(text: string): TypeName | undefined {
  if (text.startsWith('System.')) {
    const name = text.slice(7)
    // System.Patient is a name that no value has; the official tests ask for false and not for a fault.
    return SYSTEM_TYPES.has(name) || FHIR_TYPES.has(name) ? { fhir: undefined, system: text } : undefined
  }
  const name = text.startsWith('FHIR.') ? text.slice(5) : text
  const fhir = FHIR_TYPES.has(name) ? name : undefined
  const system = name === text && SYSTEM_TYPES.has(text) ? `System.${text}` : undefined
  return fhir === undefined && system === undefined ? undefined : { fhir, system }
}

/** Returns the type that a type specializes; undefined for a root. */
export const parentOf = (type: string): string | undefined => PRIMITIVE_BASES.get(type) ?? baseOf(type)

/** Returns whether a value's type is the one, or specializes it. */
export function isOfType(type: string, { fhir, system }: TypeName): boolean {
  if (type.startsWith('System.')) return type === system
  for (let one: string | undefined = type; one !== undefined; one = parentOf(one))
    if (one === fhir) return true
  return fhir === 'Element' && isPrimitive(type)
}

/** Returns whether as() and ofType() keep a value: of primitives only the type itself, as R4's dom-3 and the official tests have it. */
export function isKeptAs(type: string, name: TypeName): boolean {
  if (type !== '' && isPrimitive(type)) return type === name.fhir
  return isOfType(type, name)
}
