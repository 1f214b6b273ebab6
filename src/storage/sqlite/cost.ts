/**
 * What a search is likely to cost, in microseconds: it decides which way is taken and who runs it. Measured at a million resources: what is
 * read in the order of rid is read from neighbouring pages, and costs a fifth of what is read here and there.
 */
import type { Node } from '../../search/plan-node.ts'

/** Rows of an index, one after the other; to make each resource stand once among them; to look into one of another index. */
const ROW = 0.1
const ONCE = 0.8
const LOOK = { near: 0.3, far: 1.6 }

/** A search of more does not run where it holds up others. */
export const LONG = 6_000
/** The part of that which is not worth looking for another way. */
export const CHEAP = 1 / 3

/** Returns how many looks judge a resource by a node. */
export function looks(node: Node): number {
  switch (node.kind) {
    case 'and':
    case 'or': {
      const sum = node.nodes.reduce((total, one) => total + looks(one), 0)
      // Long lists are looked through at once.
      return Math.min(sum, 5)
    }
    case 'not':
      return looks(node.node)
    case 'chain':
    case 'has':
      return 3 + looks(node.node)
    case 'string':
    case 'word':
    case 'present':
      return 2
    default:
      return 1
  }
}

/** What the nodes cost, judged in turn: as a rule the first few fail. */
const looksOf = (nodes: readonly Node[]): number =>
  nodes.reduce((sum, node, i) => sum + looks(node) * (i === 0 ? 1 : 0.3), 0)

/** A step of a walk on which the nodes are judged in this order; `ordered`: in the order of rid. */
export const stepCost = (filters: readonly Node[], ordered: boolean): number =>
  ROW + looksOf(filters) * (ordered ? LOOK.near : LOOK.far)

/** Rows gathered, judged and sorted by so many keys. */
export function gatherCost(rows: number, filters: readonly Node[], ordered: boolean, keys: number): number {
  const left = filters.length === 0 ? rows : rows / 2
  return rows * stepCost(filters, ordered) + (keys === 0 ? 0 : left * (ONCE + keys * LOOK.far))
}

/** Returns the nodes in the order in which they are best judged: what is quick and often fails first. */
export const judged = (nodes: readonly Node[]): Node[] =>
  nodes
    .map(node => ({ node, at: place(node) }))
    .sort((a, b) => a.at - b.at)
    .map(({ node }) => node)

function place(node: Node): number {
  switch (node.kind) {
    case 'token':
    case 'reference':
    case 'uri':
    case 'id':
    case 'type':
      return 0
    case 'or':
    case 'and':
      return Math.max(0, ...node.nodes.map(place)) + 0.5
    case 'not':
      return place(node.node) + 3
    case 'chain':
    case 'has':
      return 10 + place(node.node)
    default:
      return 2
  }
}
