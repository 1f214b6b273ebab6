/**
 * Functions on collections as a whole: parts, sets, counts, and what is below in the tree.
 * http://hl7.org/fhirpath/N1/#subsetting, http://hl7.org/fhirpath/N1/#combining, http://hl7.org/fhirpath/N1/#tree-navigation
 */
import { type Functions, integerOf, onAll, single } from '../compiled.ts'
import { type Environment, spend } from '../environment.ts'
import { distinct, keyOf } from '../equality.ts'
import { putChildren, putDescendants } from '../navigate.ts'
import { union } from '../operators.ts'
import { EMPTY, integer, logical, type PathValue, type Values } from '../value.ts'

const keysOf = (values: Values, env: Environment): Set<string> =>
  new Set(values.map(value => keyOf(value, env)))

function subset(inner: Values, outer: Values, env: Environment): boolean {
  const keys = keysOf(outer, env)
  return inner.every(value => keys.has(keyOf(value, env)))
}

function intersect(a: Values, b: Values, env: Environment): Values {
  const keys = keysOf(b, env)
  return distinct(a, env).filter(value => keys.has(keyOf(value, env)))
}

function exclude(a: Values, b: Values, env: Environment): Values {
  const keys = keysOf(b, env)
  return a.filter(value => !keys.has(keyOf(value, env)))
}

function optional(value: PathValue | undefined): Values {
  return value === undefined ? EMPTY : [value]
}

function skip(input: Values, count: number | undefined): Values {
  if (count === undefined) return EMPTY
  return count <= 0 ? input : input.slice(count)
}

function take(input: Values, count: number | undefined): Values {
  return count === undefined || count <= 0 ? EMPTY : input.slice(0, count)
}

function children(input: Values, env: Environment): Values {
  const out: PathValue[] = []
  for (const value of input) putChildren(value, out)
  spend(env, out.length)
  return out
}

function descendants(input: Values, env: Environment): Values {
  const out: PathValue[] = []
  for (const value of input) putDescendants(value, out, env)
  return out
}

export const COLLECTION_FUNCTIONS: Functions = [
  ['count', onAll(0, 0, input => integer(input.length))],
  ['distinct', onAll(0, 0, (input, _, env) => distinct(input, env))],
  ['isDistinct', onAll(0, 0, (input, _, env) => logical(distinct(input, env).length === input.length))],
  ['subsetOf', onAll(1, 1, (input, [other], env) => logical(subset(input, other!, env)))],
  ['supersetOf', onAll(1, 1, (input, [other], env) => logical(subset(other!, input, env)))],
  ['single', onAll(0, 0, input => optional(single(input)))],
  ['first', onAll(0, 0, input => optional(input[0]))],
  ['last', onAll(0, 0, input => optional(input.at(-1)))],
  ['tail', onAll(0, 0, input => skip(input, 1))],
  ['skip', onAll(1, 1, (input, [count]) => skip(input, integerOf(count!)))],
  ['take', onAll(1, 1, (input, [count]) => take(input, integerOf(count!)))],
  ['intersect', onAll(1, 1, (input, [other], env) => intersect(input, other!, env))],
  ['exclude', onAll(1, 1, (input, [other], env) => exclude(input, other!, env))],
  ['union', onAll(1, 1, (input, [other], env) => union(input, other!, env))],
  ['combine', onAll(1, 1, (input, [other], env) => combined(input, other!, env))],
  ['children', onAll(0, 0, (input, _, env) => children(input, env))],
  ['descendants', onAll(0, 0, (input, _, env) => descendants(input, env))],
]

function combined(a: Values, b: Values, env: Environment): Values {
  spend(env, b.length)
  return [...a, ...b]
}
