/** Names of custom parameters in the index: `Patient.tribe@7`, of the parameter whose rows are made since index epoch 7. */
import type { Node, ParamName, SearchPlan } from './plan-node.ts'

/** Returns the index epoch since which rows of the name are made; undefined for R4's own, which have been there always. */
export function sinceOf(name: ParamName): number | undefined {
  const since = /@(\d+)/.exec(name)?.[1]
  return since === undefined ? undefined : Number(since)
}

/** Returns the custom parameters that a plan asks of the index, without `:text` and the like, each once. */
export function customNames(plan: SearchPlan): ParamName[] {
  const found = new Set<ParamName>()
  const add = (name: ParamName): void => {
    if (name.includes('@')) found.add(name.replace(/:.*$/s, ''))
  }
  const visit = (node: Node): void => {
    if ('param' in node) add(node.param)
    if ('params' in node) for (const name of node.params) add(name)
    if ('node' in node) visit(node.node)
    if ('nodes' in node) for (const one of node.nodes) visit(one)
  }
  visit(plan.where)
  for (const key of plan.sort) {
    if ('param' in key) add(key.param)
    if ('params' in key) for (const name of key.params) add(name)
  }
  return [...found]
}
