/**
 * The compact form in which definitions come with the server: an array for an element, its types and constraints by their places in two lists
 * that all definitions share.
 * https://hl7.org/fhir/R4/elementdefinition.html
 */
import { parseJson, writeJson } from '../json.ts'
import type { Constraint, ElementRule, Slicing, Structure, TypeRule } from './structure.ts'

/** All definitions; each text is opened when it is asked for. */
export interface StructureTable {
  /** JSON of a TypeRule without its empty lists, of a Constraint as `[key, severity, human, expression]`. */
  types: string[]
  constraints: string[]
  /** By canonical, without version. */
  definitions: Record<string, string>
  /** Canonicals of the profiles in `profiles/` by the type that they constrain, sorted. */
  profiles: Record<string, string[]>
}

type Value = [type: string, json: string]

/** What few elements have. */
interface Rare {
  path?: string
  sliceName?: string
  slicing?: [rules: Slicing['rules'], ordered: 0 | 1, discriminators: [type: string, path: string][]]
  contentReference?: string
  fixed?: Value
  pattern?: Value
  minValue?: Value
  maxValue?: Value
  maxLength?: number
  binding?: [strength: string, valueSet?: string]
  modifier?: boolean
  mustSupport?: boolean
}

/** The id without the root's name, min and max (-1: `*`; null: not said), places of types and constraints. */
type Row = [
  id: string,
  min: number | null,
  max: number | null,
  types: number[] | 0,
  constraints: number[] | 0,
  rare?: Rare,
]

interface Head {
  version?: string
  type: string
  kind: Structure['kind']
  abstract?: 1
  derivation?: Structure['derivation']
  base?: string
  context?: [type: string, expression: string][]
  contextInvariant?: readonly string[]
  snapshot?: 1
  elements: Row[]
}

/** A list of texts that knows where each stands. */
export class Interned {
  readonly texts: string[] = []
  private readonly places = new Map<string, number>()

  place(text: string): number {
    const known = this.places.get(text)
    if (known !== undefined) return known
    this.places.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

/** Returns the text of a definition; its types and constraints go to the lists. */
export function packStructure(structure: Structure, types: Interned, constraints: Interned): string {
  const { version, type, kind, abstract, derivation, base, context, contextInvariant, snapshot } = structure
  const root = rootOf(type)
  const head: Head = {
    ...(version !== undefined && { version }),
    type,
    kind,
    ...(abstract && { abstract: 1 }),
    ...(derivation !== undefined && { derivation }),
    ...(base !== undefined && { base }),
    ...(context.length > 0 && { context: context.map(one => [one.type, one.expression]) }),
    ...(contextInvariant.length > 0 && { contextInvariant }),
    ...(snapshot && { snapshot: 1 }),
    elements: structure.elements.map(rule => {
      const rare = rareOf(rule)
      const row: Row = [
        rule.id.slice(root.length),
        rule.min ?? null,
        rule.max === undefined ? null : rule.max === Number.POSITIVE_INFINITY ? -1 : rule.max,
        rule.types?.map(one => types.place(typeText(one))) ?? 0,
        rule.constraints?.map(one => constraints.place(constraintText(one))) ?? 0,
      ]
      if (Object.keys(rare).length > 0) row.push(rare)
      return row
    }),
  }
  return JSON.stringify(head)
}

/** Returns the definition of a text. */
export function openStructure(
  url: string,
  text: string,
  table: Pick<StructureTable, 'types' | 'constraints'>,
): Structure {
  const head = JSON.parse(text) as Head
  const root = rootOf(head.type)
  return {
    url,
    version: head.version,
    type: head.type,
    kind: head.kind,
    abstract: head.abstract === 1,
    derivation: head.derivation,
    base: head.base,
    context: (head.context ?? []).map(
      ([type, expression]) => ({ type, expression }) as Structure['context'][number],
    ),
    contextInvariant: head.contextInvariant ?? [],
    snapshot: head.snapshot === 1,
    elements: head.elements.map(row => openRow(root, row, table)),
  }
}

const rootOf = (type: string): string => type.slice(type.lastIndexOf('/') + 1)
const plainPath = (id: string): string => id.replace(/:[^.]*/g, '')
const lastSlice = (id: string): string | undefined => /:([^.:]*)$/.exec(id)?.[1]

function rareOf(rule: ElementRule): Rare {
  const { id, path, sliceName, slicing, contentReference, binding, maxLength, modifier, mustSupport } = rule
  const rare: Rare = {}
  if (path !== plainPath(id)) rare.path = path
  if (sliceName !== lastSlice(id)) rare.sliceName = sliceName ?? ''
  if (slicing !== undefined)
    rare.slicing = [
      slicing.rules,
      slicing.ordered ? 1 : 0,
      slicing.discriminators.map(one => [one.type, one.path]),
    ]
  if (contentReference !== undefined) rare.contentReference = contentReference
  for (const name of ['fixed', 'pattern', 'minValue', 'maxValue'] as const) {
    const one = rule[name]
    if (one !== undefined) rare[name] = [one.type, writeJson(one.value)]
  }
  if (maxLength !== undefined) rare.maxLength = maxLength
  if (binding !== undefined)
    rare.binding = binding.valueSet === undefined ? [binding.strength] : [binding.strength, binding.valueSet]
  // Published snapshots say false of nearly every element.
  if (modifier) rare.modifier = true
  if (mustSupport) rare.mustSupport = true
  return rare
}

function openRow(root: string, row: Row, table: Pick<StructureTable, 'types' | 'constraints'>): ElementRule {
  const [tail, min, max, types, constraints, rare = {}] = row
  const id = root + tail
  const rule: ElementRule = { id, path: rare.path ?? plainPath(id) }
  const sliceName = rare.sliceName ?? lastSlice(id)
  if (sliceName) rule.sliceName = sliceName
  if (rare.slicing !== undefined) {
    const [rules, ordered, discriminators] = rare.slicing
    rule.slicing = {
      discriminators: discriminators.map(
        ([type, path]) => ({ type, path }) as Slicing['discriminators'][number],
      ),
      ordered: ordered === 1,
      rules,
    }
  }
  if (min !== null) rule.min = min
  if (max !== null) rule.max = max < 0 ? Number.POSITIVE_INFINITY : max
  if (types !== 0) rule.types = types.map(place => openType(table.types[place]!))
  if (rare.contentReference !== undefined) rule.contentReference = rare.contentReference
  for (const name of ['fixed', 'pattern', 'minValue', 'maxValue'] as const) {
    const one = rare[name]
    if (one !== undefined) rule[name] = { type: one[0], value: parseJson(one[1]) }
  }
  if (rare.maxLength !== undefined) rule.maxLength = rare.maxLength
  if (rare.binding !== undefined)
    rule.binding = { strength: rare.binding[0], valueSet: rare.binding[1] } as ElementRule['binding'] & {}
  if (constraints !== 0)
    rule.constraints = constraints.map(place => openConstraint(table.constraints[place]!))
  if (rare.modifier) rule.modifier = true
  if (rare.mustSupport) rule.mustSupport = true
  return rule
}

const typeText = ({ code, profiles, targets, aggregation }: TypeRule): string =>
  JSON.stringify({
    code,
    ...(profiles.length > 0 && { profiles }),
    ...(targets.length > 0 && { targets }),
    ...(aggregation.length > 0 && { aggregation }),
  })

const constraintText = ({ key, severity, human, expression }: Constraint): string =>
  JSON.stringify([key, severity, human, ...(expression === undefined ? [] : [expression])])

const openedTypes = new Map<string, TypeRule>()
const openedConstraints = new Map<string, Constraint>()

function openType(text: string): TypeRule {
  const known = openedTypes.get(text)
  if (known !== undefined) return known
  const made: TypeRule = {
    profiles: [],
    targets: [],
    aggregation: [],
    ...(JSON.parse(text) as { code: string }),
  }
  openedTypes.set(text, made)
  return made
}

function openConstraint(text: string): Constraint {
  const known = openedConstraints.get(text)
  if (known !== undefined) return known
  const [key, severity, human, expression] = JSON.parse(text) as [
    string,
    Constraint['severity'],
    string,
    string | undefined,
  ]
  const made: Constraint = { key, severity, human, expression }
  openedConstraints.set(text, made)
  return made
}
