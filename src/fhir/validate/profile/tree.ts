/**
 * The elements of a StructureDefinition as a tree: children under their elements, slices beside what they slice.
 * https://hl7.org/fhir/R4/elementdefinition.html#path
 */
import type { ElementRule, Structure } from '../../definitions/structure.ts'

export interface ElementNode {
  rule: ElementRule
  /** The last part of the path: `identifier`, `value[x]`. */
  name: string
  children: ElementNode[]
  /** Slices of this element; those of a slice are its reslices. */
  slices: ElementNode[]
  root: ElementNode
}

const trees = new WeakMap<Structure, ElementNode | null>()

/** Returns the root element; undefined where the structure has no elements. */
export function treeOf(structure: Structure): ElementNode | undefined {
  let tree = trees.get(structure)
  if (tree === undefined) {
    tree = build(structure.elements)
    trees.set(structure, tree)
  }
  return tree ?? undefined
}

function build(rules: readonly ElementRule[]): ElementNode | null {
  let root: ElementNode | undefined
  // The elements on the way to the last one, by depth.
  const way: ElementNode[] = []
  for (const rule of rules) {
    const parts = rule.path.split('.')
    const depth = parts.length - 1
    const node = { rule, name: parts[depth]!, children: [], slices: [] } as unknown as ElementNode
    if (root === undefined) {
      if (depth !== 0) return null
      root = node
    }
    node.root = root
    if (depth > way.length) continue
    if (depth > 0) {
      const parent = way[depth - 1]!
      const sliced =
        rule.sliceName === undefined ? undefined : slicedBy(parent.children, node.name, rule.sliceName)
      if (sliced !== undefined) sliced.slices.push(node)
      else parent.children.push(node)
    }
    way.length = depth
    way[depth] = node
  }
  return root ?? null
}

/** Returns what a slice slices: `abha/old` the slice `abha`, every other the element itself. */
function slicedBy(
  siblings: readonly ElementNode[],
  name: string,
  sliceName: string,
): ElementNode | undefined {
  const element = siblings.findLast(one => one.name === name)
  if (element === undefined) return undefined
  const slash = sliceName.lastIndexOf('/')
  if (slash < 0) return element
  return find(element, sliceName.slice(0, slash)) ?? element
}

function find(node: ElementNode, sliceName: string): ElementNode | undefined {
  for (const slice of node.slices) {
    if (slice.rule.sliceName === sliceName) return slice
    if (sliceName.startsWith(`${slice.rule.sliceName}/`)) return find(slice, sliceName)
  }
  return undefined
}

/** Returns the element that a content reference names (`#Questionnaire.item`). */
export function referred(root: ElementNode, contentReference: string): ElementNode | undefined {
  const id = contentReference.slice(contentReference.indexOf('#') + 1)
  const parts = id.split('.')
  let node: ElementNode | undefined = root
  for (const part of parts.slice(1)) {
    const colon = part.indexOf(':')
    const name = colon < 0 ? part : part.slice(0, colon)
    node = node.children.find(one => one.name === name)
    if (node !== undefined && colon >= 0) node = find(node, part.slice(colon + 1)) ?? node
    if (node === undefined) return undefined
  }
  return node
}
