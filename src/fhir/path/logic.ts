/**
 * What is true, false or neither, worked out without collections where that can be told from the expression.
 * http://hl7.org/fhirpath/N1/#boolean-logic
 */

import { NumberText } from '../json.ts'
import type { Compiler, Evaluate, Test } from './compiled.ts'
import { spend } from './environment.ts'
import { equalCollections } from './equality.ts'
import { countChildren } from './navigate.ts'
import { compareCollections } from './operators.ts'
import type { Ast } from './parse.ts'
import { NOTHING, type PathValue } from './value.ts'

const OPERATORS: ReadonlySet<string> = new Set([
  'and',
  'or',
  'xor',
  'implies',
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
])
const CALLS: ReadonlySet<string> = new Set(['exists', 'empty', 'not', 'hasValue', 'all'])

/** Returns whether an expression is compiled here. */
export const isLogic = (ast: Ast): boolean =>
  ast.op === 'binary' ? OPERATORS.has(ast.operator) : ast.op === 'call' && CALLS.has(ast.name) && takes(ast)

const takes = ({ name, args }: Ast & { op: 'call' }): boolean =>
  name === 'all' ? args.length === 1 : args.length <= (name === 'exists' ? 1 : 0)

/** Returns the test that an expression is; undefined for other expressions. */
export function logicOf(ast: Ast, compiler: Compiler): Test | undefined {
  if (!isLogic(ast)) return undefined
  if (ast.op === 'binary') return operator(ast, compiler)
  return ast.op === 'call' ? callOf(ast, compiler) : undefined
}

function operator(ast: Ast & { op: 'binary' }, compiler: Compiler): Test {
  const { left, right } = ast
  switch (ast.operator) {
    case 'and':
      return and(compiler.test(left), compiler.test(right))
    case 'or':
      return or(compiler.test(left), compiler.test(right))
    case 'xor':
      return xor(compiler.test(left), compiler.test(right))
    case 'implies':
      return implies(compiler.test(left), compiler.test(right))
    case '=':
      return equals(left, right, compiler)
    case '!=': {
      const equal = equals(left, right, compiler)
      return (self, env) => negated(equal(self, env))
    }
    default:
      return compared(ast, compiler)
  }
}

const and =
  (a: Test, b: Test): Test =>
  (self, env) => {
    const left = a(self, env)
    if (left === false) return false
    const right = b(self, env)
    return right === false ? false : left === undefined ? undefined : right
  }

const or =
  (a: Test, b: Test): Test =>
  (self, env) => {
    const left = a(self, env)
    if (left === true) return true
    const right = b(self, env)
    return right === true ? true : left === undefined ? undefined : right
  }

const xor =
  (a: Test, b: Test): Test =>
  (self, env) => {
    const [left, right] = [a(self, env), b(self, env)]
    return left === undefined || right === undefined ? undefined : left !== right
  }

const implies =
  (a: Test, b: Test): Test =>
  (self, env) => {
    const left = a(self, env)
    if (left === false) return true
    const right = b(self, env)
    return right === true ? true : left === undefined ? undefined : right
  }

const negated = (value: boolean | undefined): boolean | undefined =>
  value === undefined ? undefined : !value

function equals(left: Ast, right: Ast, compiler: Compiler): Test {
  const [a, b] = [compiler.values(left), compiler.values(right)]
  const text = right.op === 'literal' && right.value.type === 'System.String' ? right.value.value : undefined
  if (text === undefined) return (self, env) => equalCollections(a(self, env), b(self, env), env)
  return (self, env) => {
    const values = a(self, env)
    if (values.length === 0) return undefined
    if (values.length > 1) return false
    const { value } = values[0]!
    return typeof value === 'string' ? value === text : equalCollections(values, b(self, env), env)
  }
}

function compared(ast: Ast & { op: 'binary' }, compiler: Compiler): Test {
  const { operator, left, right } = ast
  const [m, n] = [counted(left, compiler), counted(right, compiler)]
  if (m !== undefined && n !== undefined) {
    if (operator === '<') return (self, env) => m(self, env) < n(self, env)
    if (operator === '<=') return (self, env) => m(self, env) <= n(self, env)
    if (operator === '>') return (self, env) => m(self, env) > n(self, env)
    return (self, env) => m(self, env) >= n(self, env)
  }
  const [a, b] = [compiler.values(left), compiler.values(right)]
  return (self, env) => compareCollections(operator, a(self, env), b(self, env), env)
}

/** Children that are counted in one step. */
const MANY = 64

type Count = (...args: Parameters<Test>) => number

/** Returns how many values there are, for `count()` and for a whole number in the expression; undefined for other expressions. */
function counted(ast: Ast, compiler: Compiler): Count | undefined {
  if (ast.op === 'literal' && ast.value.type === 'System.Integer') {
    const number = Number((ast.value.value as NumberText).text)
    return () => number
  }
  if (ast.op !== 'call' || ast.name !== 'count' || ast.args.length > 0 || ast.input === undefined)
    return undefined
  const { input } = ast
  if (
    input.op === 'call' &&
    input.name === 'children' &&
    input.args.length === 0 &&
    input.input === undefined
  )
    return (self, env) => {
      const count = countChildren(self)
      if (count > MANY) spend(env, count)
      return count
    }
  const values = compiler.values(input)
  return (self, env) => values(self, env).length
}

const SELF: Evaluate = self => (self === NOTHING ? [] : [self])

function callOf({ input, name, args }: Ast & { op: 'call' }, compiler: Compiler): Test {
  const condition = args[0] === undefined ? undefined : compiler.test(args[0])
  if (name === 'hasValue' && input === undefined) return self => isPrimitiveValue(self)
  if (name === 'not' && input !== undefined) {
    const test = compiler.test(input)
    return (self, env) => negated(test(self, env))
  }
  const values = input === undefined ? SELF : compiler.values(input)
  switch (name) {
    case 'exists':
      if (condition !== undefined) return some(values, condition)
      return (self, env) => values(self, env).length > 0
    case 'empty':
      return (self, env) => values(self, env).length === 0
    case 'all':
      return every(values, condition!)
    case 'hasValue':
      return (self, env) => {
        const found = values(self, env)
        return found.length === 1 && isPrimitiveValue(found[0]!)
      }
    default: {
      const test = compiler.test({ op: 'special', name: '$this' })
      return (self, env) => negated(test(self, env))
    }
  }
}

const isPrimitiveValue = ({ value }: PathValue): boolean =>
  value !== null && (typeof value !== 'object' || value instanceof NumberText)

const some =
  (values: Evaluate, condition: Test): Test =>
  (self, env) => {
    const items = values(self, env)
    const outer = env.index
    let found = false
    for (let i = 0; i < items.length && !found; i++) {
      spend(env, 1)
      env.index = i
      found = condition(items[i]!, env) === true
    }
    env.index = outer
    return found
  }

const every =
  (values: Evaluate, condition: Test): Test =>
  (self, env) => {
    const items = values(self, env)
    const outer = env.index
    let all = true
    for (let i = 0; i < items.length && all; i++) {
      spend(env, 1)
      env.index = i
      all = condition(items[i]!, env) === true
    }
    env.index = outer
    return all
  }
