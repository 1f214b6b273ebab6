/** The criteria of a search as one text: equal for equal meaning, whatever the order of parameters and values. */
import type { Node, SortKey } from './plan-node.ts'

/**
 * Returns the text. `marks` stand in for nodes whose bounds depend on the time of asking, so that the next page and a repetition of the
 * same search have the same text.
 */
export function fingerprintOf(
  types: readonly string[],
  where: Node,
  sort: readonly SortKey[],
  marks: ReadonlyMap<Node, string> = new Map(),
): string {
  const order = sort.map(key => [key.descending ? '-' : '+', ...keyOf(key)])
  return JSON.stringify([[...types].sort(), canonical(where, marks), order])
}

function keyOf(key: SortKey): (string | number)[] {
  if (key.by === 'param') return [...key.params].sort()
  return key.by === 'distance' ? [key.by, key.param, key.latitude, key.longitude] : [key.by]
}

function canonical(node: Node, marks: ReadonlyMap<Node, string>): string {
  const mark = marks.get(node)
  if (mark !== undefined) return JSON.stringify(['ap', mark])
  switch (node.kind) {
    case 'and':
    case 'or': {
      const parts = new Set(
        node.nodes.flatMap(one =>
          one.kind === node.kind && !marks.has(one) ? nested(one, marks) : [canonical(one, marks)],
        ),
      )
      if (parts.size === 1) return [...parts][0]!
      return `${node.kind}(${[...parts].sort().join()})`
    }
    case 'not':
      return `not(${canonical(node.node, marks)})`
    case 'id':
      return node.ids.length === 1
        ? `id(${JSON.stringify(node.ids[0])})`
        : canonical({ kind: 'or', nodes: node.ids.map(id => ({ kind: 'id', ids: [id] })) }, marks)
    case 'type':
      return `type(${[...node.types].sort().join()})`
    case 'differs':
      return `differs(${node.from
        .map(one => canonical(one, marks))
        .sort()
        .join()})`
    case 'chain':
      return `chain(${JSON.stringify([[...node.params].sort(), [...node.types].sort(), node.canonical])},${canonical(node.node, marks)})`
    case 'has':
      return `has(${JSON.stringify([node.type, [...node.params].sort()])},${canonical(node.node, marks)})`
    default:
      return JSON.stringify(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** `a or (b or c)` is `(a or b) or c`. */
const nested = (node: Extract<Node, { kind: 'and' | 'or' }>, marks: ReadonlyMap<Node, string>): string[] =>
  node.nodes.flatMap(one =>
    one.kind === node.kind && !marks.has(one) ? nested(one, marks) : [canonical(one, marks)],
  )
