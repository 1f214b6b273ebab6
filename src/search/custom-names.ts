/** Names of custom parameters in the index: `Patient.tribe@7`, of the parameter whose rows are made since index epoch 7. */
import { fnv1a } from '../lib/fnv.ts'
import type { Node, ParamName, SearchPlan } from './plan-node.ts'
import { createRegistry } from './registry.ts'
import { allNames } from './sink.ts'

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

/** Hashes of the names that R4's parameters have in the index, and of the resource types. */
let taken: Set<number> | undefined

/**
 * Returns the version of a parameter whose rows are made since this epoch. It begins with the epoch, and is such that no name of the
 * parameter has the hash of one of R4's: SQLite and D1 know names by their hashes.
 */
export function newVersion(code: string, bases: readonly string[], since: number): string {
  taken ??= hashesOfR4()
  for (let version = String(since); ; version += '~') {
    const names = bases
      .flatMap(base => allNames(`${base}.${code}@${version}`))
      .concat(allNames(`${code}@${version}`))
    if (!names.some(name => taken!.has(fnv1a(name)))) return version
  }
}

function hashesOfR4(): Set<number> {
  const { types, params } = createRegistry()
  const names = types.flatMap(type => params(type).flatMap(param => allNames(param.name)))
  return new Set([...types, ...names].map(fnv1a))
}
