/**
 * What an expression is compiled to, and how collections become the single values that most operators and functions take.
 * http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
 */
import { NumberText } from '../json.ts'
import { type Environment, spend, spendOn } from './environment.ts'
import { pathFault } from './fault.ts'
import type { Ast } from './parse.ts'
import { EMPTY, kindOf, type PathValue, type Values } from './value.ts'

/** `self` is `$this`. */
export type Evaluate = (self: PathValue, env: Environment) => Values
export type Test = (self: PathValue, env: Environment) => boolean | undefined

/** Given to functions, so that they compile their arguments as they need them. */
export interface Compiler {
  values(ast: Ast): Evaluate
  test(ast: Ast): Test
}

export interface PathFunction {
  /** How many arguments it takes, at least and at most. */
  args: readonly [least: number, most: number]
  /** Its arguments are evaluated on each item of its input, and not on what is `$this` around it. */
  iterates?: true
  compile(input: Evaluate, args: readonly Ast[], compiler: Compiler): Evaluate
}

/** Returns the only value; undefined for none. Throws for more than one. */
export function single(values: Values): PathValue | undefined {
  if (values.length > 1) throw pathFault(`one value is expected where there are ${values.length}`)
  return values[0]
}

/** Returns whether a collection counts as true: a single value that is no boolean does. Throws for more than one value. */
export function truth(values: Values): boolean | undefined {
  if (values.length === 0) return undefined
  const { value, type } = single(values)!
  if (typeof value === 'boolean') return value
  // A boolean without value, which extensions stand for.
  return value === null && type === 'boolean' ? undefined : true
}

/** Returns the text of the only value, which has to be a primitive; undefined for none. */
export function textOf(values: Values): string | undefined {
  const one = single(values)
  if (one === undefined || one.value === null) return undefined
  const { value } = one
  if (typeof value === 'string') return value
  if (value instanceof NumberText) return value.text
  if (typeof value === 'boolean') return String(value)
  throw pathFault(`a string is expected where there is a ${one.type || 'complex value'}`)
}

/** Returns the text of the only number; undefined for none. */
export function numberOf(values: Values): string | undefined {
  const one = single(values)
  if (one === undefined || one.value === null) return undefined
  if (one.value instanceof NumberText) return one.value.text
  throw pathFault(`a number is expected where there is a ${one.type || 'complex value'}`)
}

/** Returns the only integer; undefined for none, and for one of more than 32 bits. */
export function integerOf(values: Values): number | undefined {
  const number = numberOf(values)
  if (number === undefined) return undefined
  if (kindOf(values[0]!) !== 'Integer')
    throw pathFault(`an integer is expected where there is ${number.slice(0, 20)}`)
  const value = Number(number)
  return Math.abs(value) > 2_147_483_648 ? undefined : value
}

/** Runs something on each item, which is `$this` for it, with its place as `$index`. */
export function forEach(
  items: Values,
  env: Environment,
  run: (item: PathValue, index: number) => boolean | undefined,
): void {
  const outer = env.index
  spend(env, items.length)
  for (let i = 0; i < items.length; i++) {
    env.index = i
    if (run(items[i]!, i) === false) break
  }
  env.index = outer
}

/** Returns a function on a single text; its result is empty where the text is. */
export const onText = (
  least: number,
  most: number,
  result: (text: string, args: readonly Values[], env: Environment) => Values,
): PathFunction => ({
  args: [least, most],
  compile: (input, args, compiler) => {
    const compiled = args.map(arg => compiler.values(arg))
    return (self, env) => {
      const text = textOf(input(self, env))
      if (text === undefined) return EMPTY
      spend(env, 1 + (text.length >> 6))
      return result(
        text,
        compiled.map(arg => arg(self, env)),
        env,
      )
    }
  },
})

/** Returns a function on its whole input, with the values of its arguments. */
export const onAll = (
  least: number,
  most: number,
  result: (input: Values, args: readonly Values[], env: Environment) => Values,
): PathFunction => ({
  args: [least, most],
  compile: (input, args, compiler) => {
    const compiled = args.map(arg => compiler.values(arg))
    return (self, env) => {
      const values = input(self, env)
      spend(env, 1 + values.length)
      if (values.length === 1) spendOn(values[0]!, env)
      return result(
        values,
        compiled.map(arg => arg(self, env)),
        env,
      )
    }
  },
})

export type Functions = readonly (readonly [string, PathFunction])[]
