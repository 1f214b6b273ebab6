/** What a search is likely to cost, in microseconds: it decides which way is taken, and who runs it. */
import type { Node } from '../../search/plan-node.ts'

/** One row of a find, gathered. */
export const ROW = 0.4
/** A key of one row, looked up. */
export const KEY = 2

/** Returns the cost of judging a resource by a node. */
export function costOf(node: Node): number {
  switch (node.kind) {
    case 'and':
    case 'or':
      // A long list is one look into a set, and half of a short one is judged as a rule.
      return Math.min(
        10,
        node.nodes.reduce((sum, one) => sum + costOf(one), 0.5),
      )
    case 'not':
      return costOf(node.node)
    case 'chain':
    case 'has':
      return 4 + costOf(node.node)
    case 'string':
    case 'near':
      return 3
    case 'word':
    case 'present':
      return 4
    default:
      return 2
  }
}

export const costOfAll = (nodes: readonly Node[]): number =>
  nodes.reduce((sum, node) => sum + costOf(node), 0)

/** A search of more does not run where it holds up others. */
export const LONG = 6_000
