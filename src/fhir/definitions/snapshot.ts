/**
 * Snapshots from differentials: every element of a definition, with all that its bases and the types of its elements say of it.
 * https://hl7.org/fhir/R4/profiling.html#snapshot, https://hl7.org/fhir/R4/elementdefinition.html
 */
import { fhirError } from '../error.ts'
import { type ElementNode, elementsOfTree, insertSlice, nodeOf, type Rule, treeOf } from './element-tree.ts'
import { mergeRules } from './merge-rules.ts'
import { MOST_ELEMENTS } from './read-structure.ts'
import type { Slicing, Structure, TypeRule } from './structure.ts'

/** Returns the definition of a canonical, snapshot or differential; undefined where there is none. */
export type Find = (canonical: string) => Promise<Structure | undefined>

/** Definitions that build on one another, or go into one another's types. */
const MOST_DEEP = 24

const CORE = 'http://hl7.org/fhir/StructureDefinition/'

/**
 * Returns the snapshot of a definition; of one that has it already, the definition itself. Base definitions are asked of `find`, and so are
 * the types and profiles of elements that the differential goes into.
 *
 * Throws `not-found` (422) naming a canonical that `find` does not know, `business-rule` for a differential that does not fit its base or goes
 * round in circles, `too-costly` for a snapshot that would have too many elements.
 */
export function snapshotOf(structure: Structure, find: Find): Promise<Structure> {
  return snapshot(structure, { find, made: new Map(), within: [] })
}

interface Work {
  find: Find
  made: Map<Structure, Structure>
  /** The definitions whose snapshots wait for this one. */
  within: readonly Structure[]
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
  const base = structure.base === undefined ? undefined : await wanted(structure.base, structure, inner)
  const root = treeOf(structure)
  if (base !== undefined && structure.derivation === 'constraint' && base.type !== structure.type)
    throw refuse(
      structure,
      `it constrains ${structure.type}, but what it builds on, ${base.url}, is a definition of ${base.type}`,
    )
  const origin = base === undefined ? nodeOf(root.name, '') : { ...treeOf(base), name: root.name }
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
    let node: ElementNode = { ...base, rule: await this.rules(base.rule, diff.rule) }
    if (diff.children.length > 0) {
      if (node.children.length === 0) node = await this.opened(node, at)
      node.children = await this.children(node, diff, at)
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
    for (const one of withoutShorthands(children, diff.children)) {
      const place = children.findIndex(({ name }) => name === one.name)
      const path = `${at}.${one.name}`
      if (place >= 0) children[place] = await this.node(children[place]!, one, path)
      else if (this.structure.derivation === 'constraint')
        throw refuse(this.structure, `there is no element ${path}`)
      else if (one.rule.min === undefined || one.rule.max === undefined)
        throw refuse(this.structure, `the new element ${path} needs min and max`)
      else children.push(await this.node(nodeOf(one.name, ''), one, path))
    }
    return children
  }

  private async sliced(node: ElementNode, diff: ElementNode, at: string): Promise<ElementNode> {
    const slices = [...node.slices]
    const choice = node.name.endsWith('[x]')
    for (const one of diff.slices) {
      const place = slices.findIndex(({ slice }) => slice === one.slice)
      const path = `${at}:${one.slice}`
      if (place >= 0) {
        slices[place] = await this.node(slices[place]!, one, path)
        continue
      }
      const bar = one.slice.lastIndexOf('/')
      const of = (bar > 0 && slices.find(({ slice }) => slice === one.slice.slice(0, bar))) || node
      const { slicing: _, ...rule } = of.rule
      const made: ElementNode = { name: node.name, slice: one.slice, rule, children: of.children, slices: [] }
      // Each slice may be absent where another is there.
      rule.min = 0
      if (choice) {
        const types = typesOfSlice(node, one)
        if (types !== undefined) {
          made.rule = { ...rule, types }
          made.children = []
        }
      }
      if (isExtension(node) && one.rule.max === undefined) {
        // An extension's definition says how often it stands, unless the profile does.
        const profile = soleProfile(one.rule)
        const max = profile === undefined ? undefined : (await rootRule(profile, this.work))?.max
        if (max !== undefined) made.rule = mergeRules(made.rule, { max })
      }
      insertSlice(slices, await this.node(made, one, path))
    }
    const slicing = node.rule.slicing ?? (choice ? BY_TYPE : isExtension(node) ? EXTENSIONS : undefined)
    return { ...node, slices, rule: slicing === undefined ? node.rule : { ...node.rule, slicing } }
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
      codes.size > 1 ? `${CORE}Element` : profiles.size === 1 ? [...profiles][0]! : typeCanonical(first.code)
    const opened = treeOf(await wanted(canonical, this.structure, this.work))
    return { ...node, children: opened.children }
  }

  private async target(reference: string, at: string): Promise<ElementNode> {
    const [root, ...names] = reference.slice(1).split('.')
    let node: ElementNode | undefined =
      root === this.origin.name
        ? this.origin
        : treeOf(await wanted(typeCanonical(root!), this.structure, this.work))
    for (const name of names) node = node?.children.find(one => one.name === name)
    if (node === undefined) throw refuse(this.structure, `${at} refers to ${reference}, which is not there`)
    return node
  }
}

const typeCanonical = (code: string): string => (code.includes(':') ? code : CORE + code)

const isExtension = ({ name }: ElementNode): boolean => name === 'extension' || name === 'modifierExtension'

/** Returns the children, each `valueQuantity` as the slice of that name of `value[x]` where this is what the base has. */
function withoutShorthands(base: readonly ElementNode[], diff: readonly ElementNode[]): ElementNode[] {
  const children: ElementNode[] = []
  for (const one of diff) {
    const choice = base.some(({ name }) => name === one.name)
      ? undefined
      : base.find(({ name, rule }) => name.endsWith('[x]') && typeOfName(name, rule, one.name) !== undefined)
    const name = choice?.name ?? one.name
    const place = children.findIndex(other => other.name === name)
    const known = place < 0 ? nodeOf(name, '') : children[place]!
    let made: ElementNode
    if (choice === undefined) made = { ...one, slices: [...one.slices, ...known.slices] }
    else {
      const types = typeOfName(name, choice.rule, one.name)!
      made = { ...known, slices: [...known.slices] }
      insertSlice(made.slices, { ...one, name, slice: one.name, slices: [] })
      if (
        choice.slices.length === 0 &&
        (known.rule.slicing === undefined || known.rule.slicing === ONLY_THESE)
      )
        made.rule = { ...known.rule, slicing: ONLY_THESE, types: [...(known.rule.types ?? []), ...types] }
    }
    if (place < 0) children.push(made)
    else children[place] = made
  }
  return children
}

/** Returns the type that the name of a choice element says, as `valueQuantity` says Quantity. */
function typeOfName(choice: string, { types }: Rule, name: string): TypeRule[] | undefined {
  const stem = choice.slice(0, -3)
  if (!name.startsWith(stem)) return undefined
  const said = (types ?? []).filter(({ code }) => stem + code[0]!.toUpperCase() + code.slice(1) === name)
  return said.length === 0 ? undefined : said
}

/** Returns the types of a slice of a choice element: those it has been given, or the one that its name says. */
function typesOfSlice(node: ElementNode, { slice, rule }: ElementNode): readonly TypeRule[] | undefined {
  const said = typeOfName(node.name, node.rule, slice)
  if (rule.types === undefined) return said
  const codes = rule.types.map(({ code }) => code)
  const known = (node.rule.types ?? []).filter(({ code }) => codes.includes(code))
  return known.length === codes.length ? known : undefined
}
