/**
 * Which parts of an expression depend on nothing but the resource: they are worked out once for all invariants of it.
 * https://hl7.org/fhir/R4/fhirpath.html#variables
 */
import { writeJson } from '../json.ts'
import { FUNCTIONS } from './functions.ts'
import type { Ast } from './parse.ts'

/** Functions whose result is another at each call, or that do more than give one. */
const UNKEPT: ReadonlySet<string> = new Set(['trace', 'resolve', 'memberOf', 'conformsTo'])

/** Returns whether the value depends on `$this`, `$index`, `$total`, `%context` or a variable that is no part of the resource. */
function depends(ast: Ast): boolean {
  switch (ast.op) {
    case 'literal':
    case 'empty':
      return false
    case 'special':
      return true
    case 'variable':
      return ast.name !== 'resource' && ast.name !== 'rootResource'
    case 'member':
      return ast.input === undefined || depends(ast.input)
    case 'call': {
      if (ast.input === undefined || depends(ast.input)) return true
      if (ast.name === 'is' || ast.name === 'as' || ast.name === 'ofType') return false
      if (FUNCTIONS.get(ast.name)?.iterates) return ast.args.some(outside)
      return UNKEPT.has(ast.name) ? ast.name !== 'trace' : ast.args.some(depends)
    }
    case 'item':
      return depends(ast.input) || depends(ast.index)
    case 'sign':
    case 'type':
      return depends(ast.of)
    case 'binary':
      return depends(ast.left) || depends(ast.right)
  }
}

/** Of an argument that is evaluated on items: whether it reads what is neither of the item nor of the resource. */
function outside(ast: Ast): boolean {
  switch (ast.op) {
    case 'variable':
      return depends(ast)
    case 'member':
      return ast.input !== undefined && outside(ast.input)
    case 'call':
      return (
        (UNKEPT.has(ast.name) && ast.name !== 'trace') ||
        (ast.input !== undefined && outside(ast.input)) ||
        ast.args.some(outside)
      )
    case 'item':
      return outside(ast.input) || outside(ast.index)
    case 'sign':
    case 'type':
      return outside(ast.of)
    case 'binary':
      return outside(ast.left) || outside(ast.right)
    default:
      return false
  }
}

/** Returns the text under which the value is kept; undefined for what is not, or is as cheap to work out as to find. */
export function keptText(ast: Ast): string | undefined {
  if (!isCostly(ast) || depends(ast)) return undefined
  return written(ast)
}

function isCostly(ast: Ast): boolean {
  if (ast.op === 'member') return ast.input?.op === 'member' || ast.input?.op === 'call'
  return ast.op === 'call' || (ast.op === 'binary' && ast.operator === '|')
}

function written(ast: Ast): string {
  switch (ast.op) {
    case 'literal':
      return `${ast.value.type}:${writeJson(ast.value.value)}`
    case 'empty':
      return '{}'
    case 'special':
      return ast.name
    case 'variable':
      return `%${JSON.stringify(ast.name)}`
    case 'member':
      return `${ast.input === undefined ? '' : `${written(ast.input)}.`}${JSON.stringify(ast.name)}`
    case 'call':
      return `${ast.input === undefined ? '' : `${written(ast.input)}.`}${ast.name}(${ast.args.map(written).join()})`
    case 'item':
      return `${written(ast.input)}[${written(ast.index)}]`
    case 'sign':
      return `(${ast.minus ? '-' : '+'}${written(ast.of)})`
    case 'type':
      return `(${written(ast.of)} ${ast.test} ${JSON.stringify(ast.type)})`
    case 'binary':
      return `(${written(ast.left)} ${ast.operator} ${written(ast.right)})`
  }
}
