/**
 * What R4 itself says of an element, without any profile.
 * https://hl7.org/fhir/R4/datatypes.html, https://hl7.org/fhir/R4/resourcelist.html
 */
import type { Constraint, ElementRule } from '../../definitions/structure.ts'
import { builtInStructure } from '../../definitions/structures.ts'
import { baseOf } from '../../definitions/types.ts'

export const CORE = 'http://hl7.org/fhir/StructureDefinition/'

const types = new Map<string, ReadonlyMap<string, ElementRule>>()

function rulesOf(type: string): ReadonlyMap<string, ElementRule> {
  const known = types.get(type)
  if (known !== undefined) return known
  const structure = builtInStructure(CORE + type)
  const rules = new Map<string, ElementRule>()
  if (structure?.derivation !== 'constraint')
    for (const rule of structure?.elements ?? []) if (rule.sliceName === undefined) rules.set(rule.path, rule)
  if (structure !== undefined) types.set(type, rules)
  return rules
}

/** Returns the rule of a type itself, a backbone element's path among them: `HumanName`, `Patient.contact`. */
export function typeRule(type: string): ElementRule | undefined {
  const dot = type.indexOf('.')
  return rulesOf(dot < 0 ? type : type.slice(0, dot)).get(type)
}

/** Returns the rule of an element of a type: `name` of `Patient.contact`. */
export function elementRule(type: string, element: string): ElementRule | undefined {
  const dot = type.indexOf('.')
  return rulesOf(dot < 0 ? type : type.slice(0, dot)).get(`${type}.${element}`)
}

/** Returns the constraints that hold of a value by these rules and by its type. */
export const knownConstraints = (type: string, rules: readonly (ElementRule | undefined)[]): Constraint[] =>
  [...rules, typeRule(type)].flatMap(rule => rule?.constraints ?? [])

/** Returns whether a type is another, or builds on it: Patient is a DomainResource, Age a Quantity, Patient.contact a BackboneElement. */
export function isA(type: string, ancestor: string): boolean {
  for (let at: string | undefined = type, i = 0; at !== undefined && i < 10; at = parentOf(at), i++)
    if (at === ancestor) return true
  return false
}

const PRIMITIVE_BASES: Readonly<Record<string, string>> = {
  code: 'string',
  id: 'string',
  markdown: 'string',
  url: 'uri',
  canonical: 'uri',
  uuid: 'uri',
  oid: 'uri',
  positiveInt: 'integer',
  unsignedInt: 'integer',
}
const QUANTITIES = new Set(['Age', 'Count', 'Distance', 'Duration', 'MoneyQuantity', 'SimpleQuantity'])

function parentOf(type: string): string | undefined {
  if (type.charCodeAt(0) >= 97) return PRIMITIVE_BASES[type] ?? 'Element'
  if (QUANTITIES.has(type)) return 'Quantity'
  return baseOf(type)
}
