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
  children: readonly ElementNode[]
  /** In the order of the definition. */
  slices: readonly ElementNode[]
}

const trees = new WeakMap<Structure, ElementNode>()

/** Returns the tree of a definition, elements that it only passes through included. */
export function treeOf(structure: Structure): ElementNode {
  const known = trees.get(structure)
  if (known !== undefined) return known
  const { type, elements } = structure
  const nodes = new Map<string, Growing>()
  const root = grown({ name: type.slice(type.lastIndexOf('/') + 1), slice: '' })
  let steps: Step[] = []
  for (const element of elements) {
    steps = stepsOf(element, steps)
    let node = root
    let id = ''
    for (const [i, step] of steps.entries()) {
      if (i > 0) {
        id += `.${step.name}`
        node = nodes.get(id) ?? add(nodes, id, node.children, { ...step, slice: '' })
      }
      if (step.slice !== '') {
        id += `:${step.slice}`
        node = nodes.get(id) ?? add(nodes, id, node.slices, step)
      }
    }
    const { id: _, path: __, sliceName: ___, ...rule } = element
    node.rule = rule
  }
  trees.set(structure, root)
  return root
}

type Growing = ElementNode & { children: Growing[]; slices: Growing[] }

const grown = ({ name, slice }: Step): Growing => ({ name, slice, rule: {}, children: [], slices: [] })

function add(nodes: Map<string, Growing>, id: string, to: Growing[], step: Step): Growing {
  const made = grown(step)
  nodes.set(id, made)
  to.push(made)
  return made
}

/** Returns an element of which nothing is said. */
export const emptyNode = (name: string): ElementNode => grown({ name, slice: '' })

/** Returns the slices with each reslice behind what it slices. */
export function inOrder(slices: readonly ElementNode[]): readonly ElementNode[] {
  if (!slices.some(({ slice }) => slice.includes('/'))) return slices
  const names = new Set(slices.map(({ slice }) => slice))
  const of = Map.groupBy(slices, ({ slice }) => resliced(slice, names))
  const from = (name: string): ElementNode[] => (of.get(name) ?? []).flatMap(one => [one, ...from(one.slice)])
  return from('')
}

/** Returns the slice that a slice slices, empty for none. */
export function resliced(slice: string, names: { has(name: string): boolean }): string {
  const bar = slice.lastIndexOf('/')
  return bar > 0 && names.has(slice.slice(0, bar)) ? slice.slice(0, bar) : ''
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
