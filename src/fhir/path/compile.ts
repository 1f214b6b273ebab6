/**
 * The tree of an expression as closures.
 * http://hl7.org/fhirpath/N1/#expressions
 */
import { type Compiler, type Evaluate, integerOf, single, type Test, textOf, truth } from './compiled.ts'
import { spend } from './environment.ts'
import { equivalentCollections, keyOf } from './equality.ts'
import { PathSyntax, pathFault } from './fault.ts'
import { FUNCTIONS } from './functions.ts'
import { keptText } from './kept.ts'
import { isLogic, logicOf } from './logic.ts'
import { stepTo } from './navigate.ts'
import { arithmetic, isIn, joined, negated, union } from './operators.ts'
import type { Ast } from './parse.ts'
import { isKeptAs, isOfType, isTypeName, readTypeName, type TypeName } from './types.ts'
import { EMPTY, integer, logical, NOTHING, type PathValue, text, type Values } from './value.ts'

const compiler: Compiler = { values: ast => compileValues(ast), test: ast => compileTest(ast) }

/** Returns the closure that gives an expression's collection. Throws PathSyntax for what does not exist. */
export function compileValues(ast: Ast): Evaluate {
  const evaluate = valuesOf(ast)
  const key = keptText(ast)
  if (key === undefined) return evaluate
  return (self, env) => {
    let values = env.kept.get(key)
    if (values === undefined) {
      values = evaluate(self, env)
      env.kept.set(key, values)
    }
    return values
  }
}

/** Returns the closure that gives an expression's truth. Throws PathSyntax. */
export function compileTest(ast: Ast): Test {
  const test = logicOf(ast, compiler)
  if (test !== undefined) return test
  const values = compileValues(ast)
  return (self, env) => truth(values(self, env))
}

function valuesOf(ast: Ast): Evaluate {
  if (isLogic(ast)) {
    const test = compileTest(ast)
    return (self, env) => logical(test(self, env))
  }
  switch (ast.op) {
    case 'literal': {
      const values = [ast.value]
      return () => values
    }
    case 'empty':
      return () => EMPTY
    case 'special':
      return special(ast.name)
    case 'variable':
      return variable(ast.name)
    case 'member':
      return member(ast)
    case 'call':
      return call(ast)
    case 'item':
      return item(ast)
    case 'sign':
      return sign(ast)
    case 'type':
      return typeTest(compileValues(ast.of), ast.test, typeNamed(ast.type, ast.at))
    case 'binary':
      return binary(ast)
  }
}

function special(name: string): Evaluate {
  if (name === '$index') return (_, env) => integer(env.index)
  if (name === '$total') return (_, env) => env.total
  return self => (self === NOTHING ? EMPTY : [self])
}

const CONSTANTS = new Map([
  ['sct', 'http://snomed.info/sct'],
  ['loinc', 'http://loinc.org'],
  ['ucum', 'http://unitsofmeasure.org'],
])

function variable(name: string): Evaluate {
  let constant = CONSTANTS.get(name)
  if (name.startsWith('vs-')) constant = `http://hl7.org/fhir/ValueSet/${name.slice(3)}`
  if (name.startsWith('ext-')) constant = `http://hl7.org/fhir/StructureDefinition/${name.slice(4)}`
  if (constant !== undefined) {
    const values = text(constant)
    return () => values
  }
  const one = (value: PathValue | undefined): Values =>
    value === undefined || value === NOTHING ? EMPTY : [value]
  if (name === 'resource') return (_, env) => one(env.resource)
  if (name === 'rootResource') return (_, env) => one(env.rootResource ?? env.resource)
  if (name === 'context') return (_, env) => one(env.context)
  return (_, env) => {
    const { variables } = env
    if (variables === undefined || !Object.hasOwn(variables, name))
      throw pathFault(`there is no variable %${name.slice(0, 64)}`)
    return variables[name]!
  }
}

function member({ input, name }: Ast & { op: 'member' }): Evaluate {
  const step = stepTo(name)
  if (input === undefined) {
    const type = isTypeName(name) ? readTypeName(name) : undefined
    return (self, env) => {
      if (type !== undefined && isOfType(self.type, type)) return [self]
      const out: PathValue[] = []
      step(self, out, env)
      spend(env, 1 + out.length)
      return out.length === 0 ? EMPTY : out
    }
  }
  const from = compileValues(input)
  return (self, env) => {
    const values = from(self, env)
    if (values.length === 0) return EMPTY
    const out: PathValue[] = []
    for (const value of values) step(value, out, env)
    spend(env, values.length + out.length)
    return out
  }
}

function call({ input, name, args, at }: Ast & { op: 'call' }): Evaluate {
  const from: Evaluate = input === undefined ? special('$this') : compileValues(input)
  if (name === 'is' || name === 'as' || name === 'ofType') {
    if (args.length !== 1) throw new PathSyntax(`${name}() takes the name of a type`, at)
    return typeTest(from, name, typeNamed(typeArgument(args[0]!, at), at))
  }
  const found = FUNCTIONS.get(name)
  if (found === undefined) throw new PathSyntax(`there is no function ${name.slice(0, 64)}()`, at)
  const [least, most] = found.args
  if (args.length < least || args.length > most) {
    const number = least === most ? String(least) : `${least} to ${most}`
    throw new PathSyntax(`${name}() takes ${number} arguments and not ${args.length}`, at)
  }
  return found.compile(from, args, compiler)
}

function typeArgument(ast: Ast, at: number): string {
  if (ast.op !== 'member') throw new PathSyntax('the name of a type is expected', at)
  return ast.input === undefined ? ast.name : `${typeArgument(ast.input, at)}.${ast.name}`
}

function typeNamed(name: string, at: number): TypeName {
  const type = readTypeName(name)
  if (type === undefined) throw new PathSyntax(`there is no type ${name.slice(0, 64)}`, at)
  return type
}

function typeTest(from: Evaluate, test: 'is' | 'as' | 'ofType', type: TypeName): Evaluate {
  if (test === 'is')
    return (self, env) => {
      const value = single(from(self, env))
      return value === undefined ? EMPTY : logical(isOfType(value.type, type))
    }
  // R4's own dom-3 calls as() on many values, so that it filters as ofType() does.
  return (self, env) => {
    const values = from(self, env)
    spend(env, values.length)
    return values.length === 0 ? EMPTY : values.filter(value => isKeptAs(value.type, type))
  }
}

function item({ input, index }: Ast & { op: 'item' }): Evaluate {
  const [from, at] = [compileValues(input), compileValues(index)]
  return (self, env) => {
    const values = from(self, env)
    const place = integerOf(at(self, env))
    const value = place === undefined ? undefined : values[place]
    return value === undefined ? EMPTY : [value]
  }
}

function sign({ minus, of }: Ast & { op: 'sign' }): Evaluate {
  const from = compileValues(of)
  return minus ? (self, env) => negated(from(self, env)) : (self, env) => negated(negated(from(self, env)))
}

function binary({ operator, left, right }: Ast & { op: 'binary' }): Evaluate {
  const [a, b] = [compileValues(left), compileValues(right)]
  switch (operator) {
    case '|':
      return (self, env) => union(a(self, env), b(self, env), env)
    case '~':
      return (self, env) => logical(equivalentCollections(a(self, env), b(self, env), env))
    case '!~':
      return (self, env) => logical(!equivalentCollections(a(self, env), b(self, env), env))
    case 'in':
      return membership(a, b, right)
    case 'contains':
      return membership(b, a, left)
    case '&':
      return (self, env) => joined(textOf(a(self, env)) ?? '', textOf(b(self, env)) ?? '', env)
    default:
      return (self, env) => arithmetic(operator as '+', a(self, env), b(self, env), env)
  }
}

/** Where the collection is worked out once, so are the keys of its values: asking it of every item stays linear. */
function membership(value: Evaluate, collection: Evaluate, ast: Ast): Evaluate {
  const key = keptText(ast)
  if (key === undefined) return (self, env) => logical(isIn(value(self, env), collection(self, env), env))
  return (self, env) => {
    const one = single(value(self, env))
    if (one === undefined) return EMPTY
    let keys = env.keptKeys.get(key)
    if (keys === undefined) {
      keys = new Set(collection(self, env).map(other => keyOf(other, env)))
      env.keptKeys.set(key, keys)
    }
    return logical(keys.has(keyOf(one, env)))
  }
}
