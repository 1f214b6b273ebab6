/**
 * What a FHIRPath expression works on: a JSON value with the name of its type.
 * https://hl7.org/fhir/R4/fhirpath.html#types, http://hl7.org/fhirpath/N1/#types-and-reflection
 */
import { isObject, type Json, type JsonObject, NumberText } from '../json.ts'

export interface PathValue {
  /** Null for a primitive that has extensions only. A System.Quantity is `{value, unit}`, of a calendar word `{value, unit, calendar: true}`. */
  readonly value: Json
  /** `Patient`, `Patient.contact`, `code`; `System.String` for what is computed; empty where the type is not known. */
  readonly type: string
  /** Where a primitive keeps its id and extensions. */
  readonly sibling: JsonObject | undefined
}

export type Values = readonly PathValue[]

export const EMPTY: Values = []

/** Stands for the focus of an expression that has none. */
export const NOTHING: PathValue = { value: null, type: 'System.Nothing', sibling: undefined }

/** Returns a value for an expression to begin at. */
export const pathValue = (value: Json, type: string, sibling?: JsonObject): PathValue => ({
  value,
  type,
  sibling,
})

export type Kind =
  | 'Boolean'
  | 'String'
  | 'Integer'
  | 'Decimal'
  | 'Date'
  | 'DateTime'
  | 'Time'
  | 'Quantity'
  | undefined

const STRINGS = ['string', 'code', 'id', 'markdown', 'uri', 'url', 'canonical', 'uuid', 'oid', 'base64Binary']
const TEXT_KINDS = new Map<string, Kind>([
  ...STRINGS.map(type => [type, 'String'] as const),
  ['xhtml', 'String'],
  ['System.String', 'String'],
  ['', 'String'],
  ['date', 'Date'],
  ['System.Date', 'Date'],
  ['dateTime', 'DateTime'],
  ['instant', 'DateTime'],
  ['System.DateTime', 'DateTime'],
  ['time', 'Time'],
  ['System.Time', 'Time'],
])
const NUMBER_KINDS = new Map<string, Kind>([
  ['integer', 'Integer'],
  ['positiveInt', 'Integer'],
  ['unsignedInt', 'Integer'],
  ['System.Integer', 'Integer'],
  ['decimal', 'Decimal'],
  ['System.Decimal', 'Decimal'],
])
export const QUANTITIES: ReadonlySet<string> = new Set(['Quantity', 'Age', 'Count', 'Distance', 'Duration'])

/** Returns the System type that a value converts to by itself; undefined for complex values and primitives without value. */
export function kindOf({ value, type }: PathValue): Kind {
  if (typeof value === 'string') return TEXT_KINDS.get(type)
  if (typeof value === 'boolean') return 'Boolean'
  if (value instanceof NumberText)
    return NUMBER_KINDS.get(type) ?? (/^-?[0-9]+$/.test(value.text) ? 'Integer' : 'Decimal')
  if (type === 'System.Quantity') return 'Quantity'
  if (QUANTITIES.has(type) && isObject(value) && value.value instanceof NumberText) return 'Quantity'
  return undefined
}

const TRUE_VALUE: PathValue = { value: true, type: 'System.Boolean', sibling: undefined }
const FALSE_VALUE: PathValue = { value: false, type: 'System.Boolean', sibling: undefined }
const TRUE: Values = [TRUE_VALUE]
const FALSE: Values = [FALSE_VALUE]

export const logical = (value: boolean | undefined): Values =>
  value === undefined ? EMPTY : value ? TRUE : FALSE
export const text = (value: string): Values => [{ value, type: 'System.String', sibling: undefined }]
export const integer = (value: number): Values => [
  { value: new NumberText(String(value)), type: 'System.Integer', sibling: undefined },
]
export const decimal = (value: string): Values => [
  { value: new NumberText(value), type: 'System.Decimal', sibling: undefined },
]
export const system = (kind: string, value: Json): Values => [
  { value, type: `System.${kind}`, sibling: undefined },
]
