/**
 * The elements of a definition as a tree of elements, their children and their slices. Nodes carry no path of their own, so that a type's
 * children can stand anywhere without being copied; nobody writes into a node that has been handed on.
 * https://hl7.org/fhir/R4/profiling.html#snapshot
 */
import { idOf, type Step, stepsOf } from './element-places.ts'
import type { ElementRule, Structure } from './structure.ts'

/** What is said of an element, without where it stands. */
export type Rule = Omit<ElementRule, 'id' | 'path' | 'sliceName'>

export interface ElementNode {
  name: string
  /** Empty for the element itself; of a reslice the whole name. */
  slice: string
  rule: Rule
  children: ElementNode[]
  /** In the order of the definition, reslices after what they slice. */
  slices: ElementNode[]
}

const trees = new WeakMap<Structure, ElementNode>()

/** Returns the tree of a definition, elements that it only passes through included. */
export function treeOf(structure: Structure): ElementNode {
  const known = trees.get(structure)
  if (known !== undefined) return known
  const { type, elements } = structure
  const root = nodeOf(type.slice(type.lastIndexOf('/') + 1), '')
  let steps: Step[] = []
  for (const element of elements) {
    steps = stepsOf(element, steps)
    let node = root
    for (const [i, { name, slice }] of steps.entries()) {
      if (i > 0) node = child(node, name)
      if (slice !== '') node = sliceOf(node, slice)
    }
    const { id: _, path: __, sliceName: ___, ...rule } = element
    node.rule = rule
  }
  trees.set(structure, root)
  return root
}

export const nodeOf = (name: string, slice: string): ElementNode => ({
  name,
  slice,
  rule: {},
  children: [],
  slices: [],
})

function child(node: ElementNode, name: string): ElementNode {
  const known = node.children.find(one => one.name === name)
  if (known !== undefined) return known
  const made = nodeOf(name, '')
  node.children.push(made)
  return made
}

function sliceOf(node: ElementNode, slice: string): ElementNode {
  const known = node.slices.find(one => one.slice === slice)
  if (known !== undefined) return known
  const made = nodeOf(node.name, slice)
  insertSlice(node.slices, made)
  return made
}

/** Puts a slice behind the others, a reslice behind what it slices and the other slices of that. */
export function insertSlice(slices: ElementNode[], made: ElementNode): void {
  const bar = made.slice.lastIndexOf('/')
  const of = bar < 0 ? undefined : made.slice.slice(0, bar)
  const last =
    of === undefined ? -1 : slices.findLastIndex(one => one.slice === of || one.slice.startsWith(`${of}/`))
  slices.splice(last < 0 ? slices.length : last + 1, 0, made)
}

/** Returns the elements of a tree in the order of a definition, or undefined where they are more than `most`. */
export function elementsOfTree(root: ElementNode, most: number): ElementRule[] | undefined {
  const elements: ElementRule[] = []
  const walk = (node: ElementNode, before: readonly Step[]): boolean => {
    if (elements.length >= most) return false
    const steps = [...before, { name: node.name, slice: node.slice }]
    const path = steps.map(({ name }) => name).join('.')
    const named = node.slice === '' ? {} : { sliceName: node.slice }
    elements.push({ id: idOf(steps), path, ...named, ...node.rule })
    return node.children.every(one => walk(one, steps)) && node.slices.every(one => walk(one, before))
  }
  return walk(root, []) ? elements : undefined
}
