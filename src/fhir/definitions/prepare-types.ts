/**
 * StructureDefinitions to rows of the type table.
 * https://hl7.org/fhir/R4/structuredefinition.html
 */

export interface StructureDefinition {
  url: string
  type: string
  kind: string
  abstract: boolean
  derivation?: string
  baseDefinition?: string
  snapshot: { element: ElementDefinition[] }
}

interface ElementDefinition {
  path: string
  min: number
  max: string
  type?: { code: string; targetProfile?: string[]; extension?: { url: string; valueUrl?: string }[] }[]
  contentReference?: string
  isSummary?: boolean
  binding?: { strength: string; valueSet?: string }
}

/**
 * `[name, min, max (-1: unlimited), types, reference targets, canonical of the required value set, 1 where it belongs to the summary]`,
 * trailing empties left out.
 */
export type ElementRow = [string, number, number, string[], (string[] | null)?, (string | null)?, 1?]

/** The type that it extends ('' for none), and the elements that it adds. */
export type TypeRow = [string, ElementRow[]]

const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type'
const PROFILE = 'http://hl7.org/fhir/StructureDefinition/'

/** The elements that each type has from its base, which are therefore not repeated in its row. */
const INHERITED: Record<string, readonly string[]> = {
  '': [],
  Element: ['id', 'extension'],
  BackboneElement: ['id', 'extension', 'modifierExtension'],
  Resource: ['id', 'meta', 'implicitRules', 'language'],
  DomainResource: [
    'id',
    'meta',
    'implicitRules',
    'language',
    'text',
    'contained',
    'extension',
    'modifierExtension',
  ],
}

/** Returns the rows of a type and of the backbone elements in it, by path; adds the required value sets it names to `bound`. */
export function typeRow(definition: StructureDefinition, bound: Set<string>): Map<string, TypeRow> {
  const rows = new Map<string, TypeRow>()
  const base = definition.baseDefinition?.slice(PROFILE.length) ?? ''
  const [root, ...elements] = definition.snapshot.element
  rows.set(root!.path, [inheritable(base), []])
  for (const element of elements) {
    const at = element.path.lastIndexOf('.')
    const [parent, name] = [element.path.slice(0, at), element.path.slice(at + 1)]
    const row = rows.get(parent)
    if (row === undefined) throw new Error(`${element.path} stands before its parent`)
    if (INHERITED[row[0]]!.includes(name)) continue
    const own = element.type?.[0]?.code
    const nested = own === 'BackboneElement' || own === 'Element'
    if (nested) rows.set(element.path, [own, []])
    row[1].push(elementRow(element, name, nested ? [element.path] : undefined, bound))
  }
  return rows
}

/** Quantity's children Age, Count and others repeat all its elements, so that they need no base but Element. */
function inheritable(base: string): string {
  return base in INHERITED ? base : base === 'Quantity' ? 'Element' : 'BackboneElement'
}

function elementRow(
  element: ElementDefinition,
  name: string,
  nested: string[] | undefined,
  bound: Set<string>,
): ElementRow {
  const types =
    nested ?? (element.contentReference ? [element.contentReference.slice(1)] : typeCodes(element))
  const max = element.max === '*' ? -1 : Number(element.max)
  const row: ElementRow = [name, element.min, max, types]
  const targets = targetTypes(element)
  const valueSet = element.binding?.strength === 'required' ? element.binding.valueSet : undefined
  const summary = element.isSummary === true
  if (targets !== null || valueSet !== undefined || summary) row.push(targets)
  if (valueSet !== undefined) {
    const url = valueSet.split('|')[0]!
    bound.add(url)
    row.push(url)
  } else if (summary) row.push(null)
  if (summary) row.push(1)
  return row
}

function typeCodes(element: ElementDefinition): string[] {
  // R4 says string here, yet gives resource ids the syntax of the id type.
  if (element.path === 'Resource.id') return ['id']
  return element.type!.map(type => {
    if (!type.code.startsWith('http://hl7.org/fhirpath/')) return type.code
    const declared = type.extension?.find(extension => extension.url === FHIR_TYPE)?.valueUrl
    if (declared === undefined) throw new Error(`${element.path} has no FHIR type`)
    return declared
  })
}

/** Returns the resource types that a Reference may point to, or null where any will do. */
function targetTypes(element: ElementDefinition): string[] | null {
  const references = element.type?.filter(type => type.code === 'Reference') ?? []
  if (references.length === 0 || references.some(type => type.targetProfile === undefined)) return null
  const targets = references.flatMap(type =>
    type.targetProfile!.map(profile => profile.slice(PROFILE.length)),
  )
  return targets.includes('Resource') ? null : targets.sort()
}
