/**
 * Snapshots from differentials: every element of a definition, with all that its bases and the types of its elements say of it.
 * https://hl7.org/fhir/R4/profiling.html#snapshot, https://hl7.org/fhir/R4/elementdefinition.html
 */
import { fhirError } from '../error.ts'
import {
  type ElementNode,
  elementsOfTree,
  emptyNode,
  inOrder,
  type Rule,
  resliced,
  treeOf,
} from './element-tree.ts'
import { mergeRules } from './merge-rules.ts'
import { MOST_ELEMENTS } from './read-structure.ts'
import type { Slicing, Structure, TypeRule } from './structure.ts'

/** Returns the definition of a canonical, snapshot or differential; undefined where there is none. */
export type Find = (canonical: string) => Promise<Structure | undefined>

/** Definitions that build on one another, or go into one another's types. */
const MOST_DEEP = 24
/**
 * Elements put onto others for one snapshot, beyond those of the definitions that it is made of: profiles within profiles can double them with
 * each. The largest of R4 and NRCeS come to some hundreds in all.
 */
const MOST_MERGES = 4000

const CORE = 'http://hl7.org/fhir/StructureDefinition/'

/**
 * Returns the snapshot of a definition; of one that has it already, the definition itself. Base definitions are asked of `find`, and so are
 * the types and profiles of elements that the differential goes into.
 *
 * Throws `not-found` (422) naming a canonical that `find` does not know, `business-rule` for a differential that does not fit its base or goes
 * round in circles, `too-costly` for a snapshot that would have too many elements.
 */
export function snapshotOf(structure: Structure, find: Find): Promise<Structure> {
  return snapshot(structure, {
    find,
    made: new Map(),
    within: [],
    merges: { of: structure, left: MOST_MERGES },
  })
}

interface Work {
  find: Find
  made: Map<Structure, Structure>
  /** The definitions whose snapshots wait for this one. */
  within: readonly Structure[]
  merges: { readonly of: Structure; left: number }
}

async function snapshot(structure: Structure, work: Work): Promise<Structure> {
  if (structure.snapshot) return structure
  const known = work.made.get(structure)
  if (known !== undefined) return known
  if (work.within.includes(structure)) {
    const circle = [...work.within.slice(work.within.indexOf(structure)), structure].map(({ url }) => url)
    throw refuse(structure, `it goes round in a circle: ${circle.slice(-6).join(' -> ')}`)
  }
  if (work.within.length >= MOST_DEEP)
    throw refuse(work.within[0]!, `it builds on more than ${MOST_DEEP} definitions that build on one another`)
  const inner: Work = { ...work, within: [...work.within, structure] }
  work.merges.left += structure.elements.length
  const base = structure.base === undefined ? undefined : await wanted(structure.base, structure, inner)
  const root = treeOf(structure)
  if (base !== undefined && structure.derivation === 'constraint' && base.type !== structure.type)
    throw refuse(
      structure,
      `it constrains ${structure.type}, but what it builds on, ${base.url}, is a definition of ${base.type}`,
    )
  const origin = base === undefined ? emptyNode(root.name) : { ...treeOf(base), name: root.name }
  const tree = await new Merge(structure, origin, inner).node(origin, root, root.name)
  const elements = elementsOfTree(tree, MOST_ELEMENTS)
  if (elements === undefined)
    throw fhirError(
      'too-costly',
      `The snapshot of ${structure.url} would have more than ${MOST_ELEMENTS} elements.`,
      { status: 422 },
    )
  const made: Structure = { ...structure, snapshot: true, elements }
  work.made.set(structure, made)
  return made
}

/** Returns the snapshot of what `by` refers to. */
async function wanted(canonical: string, by: Structure, work: Work): Promise<Structure> {
  const found = await work.find(canonical)
  if (found === undefined)
    throw fhirError(
      'not-found',
      `The snapshot of ${by.url} needs the definition ${canonical}, which this server does not have. Store it, or install the package that has it.`,
      { status: 422 },
    )
  return snapshot(found, work)
}

const soleProfile = ({ types }: Rule): string | undefined =>
  types?.length === 1 && types[0]!.profiles.length === 1 ? types[0]!.profiles[0] : undefined

/** Returns what a definition and its bases say of its root; undefined where one of them is not known, which is not the asker's fault. */
async function rootRule(canonical: string, { find }: Work): Promise<Rule | undefined> {
  const rules: Rule[] = []
  let structure = await find(canonical)
  while (structure !== undefined && rules.length < MOST_DEEP) {
    rules.unshift(treeOf(structure).rule)
    if (structure.snapshot || structure.base === undefined) return rules.reduce(mergeRules)
    structure = await find(structure.base)
  }
  return undefined
}

const refuse = (structure: Structure, why: string) =>
  fhirError('business-rule', `The snapshot of ${structure.url} cannot be made: ${why}.`, { status: 422 })

const EXTENSIONS: Slicing = {
  discriminators: [{ type: 'value', path: 'url' }],
  ordered: false,
  rules: 'open',
}
const BY_TYPE: Slicing = { discriminators: [{ type: 'type', path: '$this' }], ordered: false, rules: 'open' }

/** What the shorthand means to the tools of HL7, and in its own profiles: the types that are named so, and no others. */
const ONLY_THESE: Slicing = { ...BY_TYPE, rules: 'closed' }

/** One differential put onto its base. */
class Merge {
  private readonly structure: Structure
  private readonly origin: ElementNode
  private readonly work: Work

  constructor(structure: Structure, origin: ElementNode, work: Work) {
    this.structure = structure
    this.origin = origin
    this.work = work
  }

  /** Returns the base's element under what the differential says of it, its children and its slices. */
  async node(base: ElementNode, diff: ElementNode, at: string): Promise<ElementNode> {
    const { merges } = this.work
    if (--merges.left < 0)
      throw fhirError(
        'too-costly',
        `The snapshot of ${merges.of.url} takes more work than a definition may.`,
        {
          status: 422,
        },
      )
    let node: ElementNode = { ...base, rule: await this.rules(base.rule, diff.rule) }
    if (diff.children.length > 0) {
      const profile = soleProfile(diff.rule)
      if (node.children.length === 0) node = await this.opened(node, at)
      else if (profile !== undefined) {
        // What was said of the children already holds beside what the profile says of them.
        const { children } = treeOf(await wanted(profile, this.structure, this.work))
        node = await this.node(node, { ...emptyNode(node.name), children: [...children] }, at)
      }
      node = { ...node, children: await this.children(node, diff, at) }
    }
    if (diff.slices.length > 0) node = await this.sliced(node, diff, at)
    return node
  }

  /** Returns the merged rules; where the differential gives the one type a profile, what that says of the element as a whole is among them. */
  private async rules(base: Rule, diff: Rule): Promise<Rule> {
    const rule = mergeRules(base, diff)
    const profile = soleProfile(diff)
    const root = profile === undefined ? undefined : await rootRule(profile, this.work)
    if (root === undefined) return rule
    const { constraints = [], modifier } = root
    return mergeRules(rule, { ...(constraints.length > 0 && { constraints }), ...(modifier && { modifier }) })
  }

  private async children(node: ElementNode, diff: ElementNode, at: string): Promise<ElementNode[]> {
    const children = [...node.children]
    const places = new Map(children.map(({ name }, i) => [name, i]))
    for (const one of withoutShorthands(children, diff.children)) {
      const place = places.get(one.name)
      const path = `${at}.${one.name}`
      if (place !== undefined) children[place] = await this.node(children[place]!, one, path)
      else if (this.structure.derivation === 'constraint')
        throw refuse(this.structure, `there is no element ${path}`)
      else if (one.rule.min === undefined || one.rule.max === undefined)
        throw refuse(this.structure, `the new element ${path} needs min and max`)
      else children.push(await this.node(emptyNode(one.name), one, path))
    }
    return children
  }

  private async sliced(node: ElementNode, diff: ElementNode, at: string): Promise<ElementNode> {
    const slices = new Map(node.slices.map(one => [one.slice, one]))
    for (const one of diff.slices) {
      const known = slices.get(one.slice)
      const base = known ?? (await this.newSlice(node, slices.get(resliced(one.slice, slices)), one))
      slices.set(one.slice, await this.node(base, one, `${at}:${one.slice}`))
    }
    const standard = isChoice(node) ? BY_TYPE : isExtension(node) ? EXTENSIONS : undefined
    const slicing = node.rule.slicing ?? standard
    const rule = slicing === undefined ? node.rule : { ...node.rule, slicing }
    return { ...node, slices: inOrder([...slices.values()]), rule }
  }

  /** Returns what holds for a slice before anything is said of it: what holds for the element, or for the slice that it slices. */
  private async newSlice(
    element: ElementNode,
    of: ElementNode | undefined,
    { slice, rule: said }: ElementNode,
  ): Promise<ElementNode> {
    const { slicing: _, ...whole } = (of ?? element).rule
    // Each slice may be absent where another is there.
    const rule: Rule = { ...whole, min: 0 }
    const made = { name: element.name, slice, rule, children: (of ?? element).children, slices: [] }
    const types = isChoice(element) ? typesOfSlice(element, slice, said) : undefined
    if (types !== undefined) return { ...made, rule: { ...rule, types }, children: [] }
    if (!isExtension(element) || said.max !== undefined) return made
    // An extension's definition says how often it stands, unless the profile does.
    const profile = soleProfile(said)
    const max = profile === undefined ? undefined : (await rootRule(profile, this.work))?.max
    return max === undefined ? made : { ...made, rule: mergeRules(rule, { max }) }
  }

  /** Returns an element with the children of its type, of its one profile, or of the element whose content it has. */
  private async opened(node: ElementNode, at: string): Promise<ElementNode> {
    const { contentReference, ...rule } = node.rule
    if (contentReference !== undefined) {
      const target = await this.target(contentReference, at)
      const types = target.rule.types
      return { ...node, rule: types === undefined ? rule : { ...rule, types }, children: target.children }
    }
    const types = node.rule.types ?? []
    const codes = new Set(types.map(({ code }) => code))
    if (codes.size === 0) {
      if (this.structure.derivation !== 'constraint') return node
      throw refuse(this.structure, `it goes into ${at}, which has no type`)
    }
    const [first] = types as [TypeRule]
    const profiles = new Set(types.flatMap(type => type.profiles))
    const canonical =
      codes.size > 1
        ? await this.common(first)
        : profiles.size === 1
          ? [...profiles][0]!
          : typeCanonical(first.code)
    const opened = treeOf(await wanted(canonical, this.structure, this.work))
    return { ...node, children: opened.children }
  }

  /** Returns the type that an element's several types have in common. */
  private async common({ code }: TypeRule): Promise<string> {
    const { kind } = await wanted(typeCanonical(code), this.structure, this.work)
    return `${CORE}${kind === 'resource' ? 'Resource' : 'Element'}`
  }

  private async target(reference: string, at: string): Promise<ElementNode> {
    const [root, ...names] = reference.slice(1).split('.')
    let node: ElementNode | undefined =
      root === this.origin.name
        ? this.origin
        : treeOf(await wanted(typeCanonical(root!), this.structure, this.work))
    for (const part of names) {
      const [name, slice] = part.split(':')
      node = node?.children.find(one => one.name === name)
      if (slice !== undefined) node = node?.slices.find(one => one.slice === slice)
    }
    if (node === undefined) throw refuse(this.structure, `${at} refers to ${reference}, which is not there`)
    return node
  }
}

const typeCanonical = (code: string): string => (code.includes(':') ? code : CORE + code)

const isExtension = ({ name }: ElementNode): boolean => name === 'extension' || name === 'modifierExtension'

/** Returns the children, each `valueQuantity` as the slice of that name of `value[x]` where this is what the base has. */
function withoutShorthands(
  base: readonly ElementNode[],
  diff: readonly ElementNode[],
): Iterable<ElementNode> {
  const names = new Set(base.map(({ name }) => name))
  if (diff.every(({ name }) => names.has(name))) return diff
  const choices = new Map(
    base
      .filter(isChoice)
      .flatMap(one => (one.rule.types ?? []).map(type => [typedName(one.name, type), one])),
  )
  const children = new Map<string, ElementNode>()
  for (const one of diff) {
    const choice = names.has(one.name) ? undefined : choices.get(one.name)
    const name = choice?.name ?? one.name
    const known = children.get(name)
    if (choice === undefined) {
      children.set(name, known === undefined ? one : { ...one, slices: [...one.slices, ...known.slices] })
      continue
    }
    const element = known ?? emptyNode(name)
    const slices = [...element.slices, { ...one, name, slice: one.name, slices: [] }]
    const { slicing, types = [] } = element.rule
    const implied = choice.slices.length === 0 && (slicing === undefined || slicing === ONLY_THESE)
    const named = typesNamed(choice, one.name)!
    const rule = implied
      ? { ...element.rule, slicing: ONLY_THESE, types: [...types, ...named] }
      : element.rule
    children.set(name, { ...element, slices, rule })
  }
  return children.values()
}

const isChoice = ({ name }: ElementNode): boolean => name.endsWith('[x]')

const typedName = (choice: string, { code }: TypeRule): string =>
  choice.slice(0, -3) + code.slice(0, 1).toUpperCase() + code.slice(1)

/** Returns the types of a choice element that a name says, as `valueQuantity` says Quantity. */
function typesNamed({ name, rule }: ElementNode, said: string): TypeRule[] | undefined {
  const types = (rule.types ?? []).filter(type => typedName(name, type) === said)
  return types.length === 0 ? undefined : types
}

/** Returns the types of a slice of a choice element: those it has been given, or the one that its name says. */
function typesOfSlice(element: ElementNode, slice: string, said: Rule): readonly TypeRule[] | undefined {
  if (said.types === undefined) return typesNamed(element, slice)
  const codes = new Set(said.types.map(({ code }) => code))
  const known = (element.rule.types ?? []).filter(({ code }) => codes.has(code))
  return known.length === codes.size ? known : undefined
}
