/**
 * Discriminators: how a slice's definition tells which values belong to it.
 * https://hl7.org/fhir/R4/profiling.html#discriminator
 */
import type { Slicing, Structure } from '../../definitions/structure.ts'
import { builtInStructure } from '../../definitions/structures.ts'
import { isObject } from '../../json.ts'
import { codingsAt } from './bindings.ts'
import { CORE, isA } from './core.ts'
import { readPath, type Step, valuesAt } from './discriminator-path.ts'
import { resolve } from './resolve.ts'
import { childrenOf, type Spot } from './spot.ts'
import { type ElementNode, referred, treeOf } from './tree.ts'
import { equals, matches } from './values.ts'
import { hasFailed, type Walk } from './walk.ts'

/** Whether a value belongs to a slice, as far as one discriminator tells. */
export type Belongs = (spot: Spot, walk: Walk) => boolean

/** What a definition's path leads to: elements, or the types and profiles of what a reference points to. */
interface Defined {
  nodes: readonly ElementNode[]
  /** Canonicals of the targets, where the path ends in resolve(). */
  targets: readonly string[] | undefined
}

/** The finder of definitions; PENDING where one is not known yet. */
export type Find = (canonical: string) => Structure | null | undefined
export const PENDING = Symbol('pending')

function definedAt(slice: ElementNode, steps: readonly Step[], find: Find): Defined | typeof PENDING {
  let at: Defined = { nodes: [slice], targets: undefined }
  for (const step of steps) {
    const next = follow(at, step, find)
    if (next === PENDING) return PENDING
    at = next
  }
  return at
}

function follow(at: Defined, step: Step, find: Find): Defined | typeof PENDING {
  if (step.do === 'resolve')
    return {
      nodes: [],
      targets: at.nodes.flatMap(node => node.rule.types?.flatMap(({ targets }) => targets) ?? []),
    }
  let { nodes } = at
  if (at.targets !== undefined) {
    // Past a reference, what one target's definition says holds; several say nothing in common.
    if (at.targets.length !== 1) return { nodes: [], targets: undefined }
    const root = rootOf(at.targets[0]!, find)
    if (root === PENDING) return PENDING
    nodes = root === undefined ? [] : [root]
  }
  const found: ElementNode[] = []
  for (const node of nodes) {
    const next = below(node, step, find)
    if (next === PENDING) return PENDING
    found.push(...next)
  }
  return { nodes: found, targets: undefined }
}

function rootOf(canonical: string, find: Find): ElementNode | undefined | typeof PENDING {
  const structure = builtInBase(canonical) ?? find(canonical)
  if (structure === undefined) return PENDING
  return structure === null ? undefined : treeOf(structure)
}

const builtInBase = (canonical: string): Structure | undefined => {
  const structure = canonical.startsWith(CORE) ? builtInStructure(canonical) : undefined
  return structure?.snapshot ? structure : undefined
}

function below(node: ElementNode, step: Step, find: Find): readonly ElementNode[] | typeof PENDING {
  if (step.do === 'ofType') {
    const typed = node.slices.filter(
      ({ rule }) => rule.types?.length === 1 && rule.types[0]!.code === step.type,
    )
    return typed.length > 0 ? typed : [node]
  }
  const name = step.do === 'extension' ? 'extension' : (step as { name: string }).name
  const children = childrenOfNode(node, find)
  if (children === PENDING) return PENDING
  const child = children.find(one => one.name === name || one.name === `${name}[x]`)
  if (child === undefined) return []
  if (step.do === 'extension') {
    const slice = child.slices.find(
      ({ rule, children: parts }) =>
        rule.types?.some(({ profiles }) => profiles.some(one => one.split('|', 1)[0] === step.url)) ||
        parts.some(part => part.name === 'url' && part.rule.fixed?.value === step.url),
    )
    if (slice !== undefined) return [slice]
    const root = rootOf(step.url, find)
    return root === PENDING ? PENDING : root === undefined ? [] : [root]
  }
  // What is said of slices that have to be there counts as well: code.coding of a slice whose coding is sliced by system.
  return [child, ...child.slices.filter(({ rule }) => (rule.min ?? 0) > 0)]
}

/** The children that the definition lists, or those of what it refers to: a content reference, a profile of its type. */
function childrenOfNode(node: ElementNode, find: Find): readonly ElementNode[] | typeof PENDING {
  if (node.children.length > 0) return node.children
  const { contentReference, types } = node.rule
  if (contentReference !== undefined) return referred(node.root, contentReference)?.children ?? []
  if (types?.length !== 1) return []
  const profile = types[0]!.profiles[0]
  const root = profile === undefined ? undefined : rootOf(profile, find)
  return root === PENDING ? PENDING : (root?.children ?? [])
}

/**
 * Returns how a discriminator tells the values of a slice. Undefined where its definition says nothing at that path, so that it tells
 * nothing; PENDING where a definition is not known yet.
 */
export function belongsTo(
  slice: ElementNode,
  { type, path }: Slicing['discriminators'][number],
  find: Find,
): Belongs | undefined | typeof PENDING {
  const steps = readPath(path)
  if (steps === undefined) return undefined
  if (isUrlOfExtension(slice, steps)) {
    const url = slice.rule.types![0]!.profiles[0]!.split('|', 1)[0]!
    return spot => isObject(spot.value) && spot.value.url === url
  }
  const defined = definedAt(slice, steps, find)
  if (defined === PENDING) return PENDING
  if (type === 'type') return byType(steps, defined, find)
  if (type === 'profile') return byProfile(steps, defined)
  if (type === 'exists') return byExistence(steps, defined)
  return byValue(steps, defined)
}

/** Extensions are sliced by their url, which is the canonical of the slice's profile. */
const isUrlOfExtension = ({ name, rule }: ElementNode, steps: readonly Step[]): boolean =>
  (name === 'extension' || name === 'modifierExtension') &&
  steps.length === 1 &&
  steps[0]!.do === 'child' &&
  steps[0]!.name === 'url' &&
  rule.types?.length === 1 &&
  rule.types[0]!.profiles.length === 1

function byType(
  steps: readonly Step[],
  { nodes, targets }: Defined,
  find: Find,
): Belongs | undefined | typeof PENDING {
  const types: string[] = []
  for (const target of targets ?? []) {
    const structure = builtInBase(target) ?? find(target)
    if (structure === undefined) return PENDING
    // The address of a definition that nobody knows often ends in its type.
    types.push(structure?.type ?? target.slice(target.lastIndexOf('/') + 1).split('|', 1)[0]!)
  }
  if (targets === undefined)
    types.push(...nodes.flatMap(({ rule }) => rule.types?.map(({ code }) => code) ?? []))
  if (types.length === 0) return undefined
  if (targets !== undefined) {
    const before = steps.slice(0, -1)
    return (spot, walk) =>
      valuesAt(spot, before, walk).some(one => {
        const to = resolve(one, walk)
        const type = to.how === 'not here' ? to.type : to.spot.type
        return type !== undefined && types.some(wanted => isA(type, wanted))
      })
  }
  return (spot, walk) => valuesAt(spot, steps, walk).some(one => types.some(wanted => isA(one.type, wanted)))
}

function byProfile(steps: readonly Step[], { nodes, targets }: Defined): Belongs | undefined {
  const profiles =
    targets ??
    nodes.flatMap(
      ({ rule }) =>
        rule.types?.flatMap(({ code, profiles: own }) => (own.length > 0 ? own : [CORE + code])) ?? [],
    )
  if (profiles.length === 0) return undefined
  return (spot, walk) =>
    valuesAt(spot, steps, walk).some(one => profiles.some(profile => conforms(one, profile, walk)))
}

function conforms(spot: Spot, profile: string, walk: Walk): boolean {
  const base = builtInBase(profile)
  if (base !== undefined && base.derivation !== 'constraint') return isA(spot.type, base.type)
  const held = walk.conform(spot, profile)
  return held !== undefined && !hasFailed(walk, held)
}

function byExistence(steps: readonly Step[], { nodes }: Defined): Belongs | undefined {
  if (nodes.some(({ rule }) => rule.max === 0))
    return (spot, walk) => valuesAt(spot, steps, walk).length === 0
  if (nodes.some(({ rule }) => (rule.min ?? 0) > 0))
    return (spot, walk) => valuesAt(spot, steps, walk).length > 0
  return undefined
}

function byValue(steps: readonly Step[], { nodes }: Defined): Belongs | undefined {
  const tests = nodes.flatMap(node => together(conditions(node, 0)))
  if (tests.length > 0)
    return (spot, walk) => {
      const values = valuesAt(spot, steps, walk)
      return tests.every(test => values.some(one => test(one, walk)))
    }
  // A value that must not be there tells as well.
  return nodes.some(({ rule }) => rule.max === 0)
    ? (spot, walk) => valuesAt(spot, steps, walk).length === 0
    : undefined
}

/** What the definition of an element says of its value: fixed, pattern, a required value set; or what it says so of its parts. */
function conditions(node: ElementNode, depth: number): Belongs[] {
  const { fixed, pattern, binding } = node.rule
  if (fixed !== undefined) return [({ value }) => equals(value, fixed.value)]
  if (pattern !== undefined) return [({ value }) => matches(value, pattern.value)]
  if (depth < 4) {
    const parts = node.children.flatMap(child =>
      [child, ...child.slices.filter(({ rule }) => (rule.min ?? 0) > 0)].flatMap(one =>
        together(conditions(one, depth + 1)).map(
          (test): Belongs =>
            (spot, walk) =>
              childrenOf(spot, child.name).some(part => test(part, walk)),
        ),
      ),
    )
    if (parts.length > 0) return parts
  }
  const { strength, valueSet } = binding ?? {}
  if (depth === 0 && strength === 'required' && valueSet !== undefined) return [inValueSet(valueSet)]
  return []
}

/** One value has to meet all: the system of one coding and the code of another make no coding. */
const together = (tests: Belongs[]): Belongs[] =>
  tests.length < 2 ? tests : [(spot, walk) => tests.every(test => test(spot, walk))]

const inValueSet =
  (valueSet: string): Belongs =>
  (spot, walk) => {
    const codings = codingsAt(spot)
    if (codings === undefined || codings.length === 0) return false
    const question = { valueSet, codings, inferSystem: typeof spot.value === 'string' }
    return walk.answer({ question, strength: 'required', at: spot, profile: walk.profile })?.result === 'in'
  }
