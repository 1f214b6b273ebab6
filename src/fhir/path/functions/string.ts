/**
 * Functions on strings. Positions count UTF-16 units, as strings of FHIR systems do.
 * http://hl7.org/fhirpath/N1/#string-manipulation
 */
import { type Functions, integerOf, onAll, onText, type PathFunction, textOf } from '../compiled.ts'
import { type Environment, spend } from '../environment.ts'
import { PathSyntax, pathFault } from '../fault.ts'
import { compilePattern, type Pattern } from '../pattern.ts'
import { EMPTY, integer, logical, text, type Values } from '../value.ts'
import { decode, encode, escaped, unescaped } from './encoding.ts'

/** Results are not longer than the longest string of FHIR. */
const LONGEST = 1_048_576

function bounded(result: string): Values {
  if (result.length > LONGEST) throw pathFault('a string grows over a megabyte')
  return text(result)
}

/** A test against a text that is given; empty where either is. */
const against = (test: (value: string, other: string) => Values): PathFunction =>
  onText(1, 1, (value, [argument]) => {
    const other = textOf(argument!)
    return other === undefined ? EMPTY : test(value, other)
  })

function substring(value: string, [from, length]: readonly Values[]): Values {
  const start = integerOf(from!)
  if (start === undefined || start < 0 || start >= value.length) return EMPTY
  if (length === undefined || length.length === 0) return text(value.slice(start))
  const count = integerOf(length)
  return text(count === undefined || count <= 0 ? '' : value.slice(start, start + count))
}

function replace(value: string, [pattern, substitution]: readonly Values[], env: Environment): Values {
  const [from, to] = [textOf(pattern!), textOf(substitution!)]
  if (from === undefined || to === undefined) return EMPTY
  const parts = from === '' ? ['', ...value, ''] : value.split(from)
  const length = value.length + parts.length * to.length
  spend(env, parts.length)
  if (length > LONGEST + value.length) throw pathFault('a string grows over a megabyte')
  return bounded(parts.join(to))
}

/** A pattern in the expression itself is read once, when it is compiled. */
function withPattern(
  least: number,
  result: (value: string, pattern: Pattern, args: readonly Values[], env: Environment) => Values,
): PathFunction {
  return {
    args: [least, 2],
    compile: (input, args, compiler) => {
      const [first] = args
      const literal = first?.op === 'literal' ? first.value.value : undefined
      let fixed: Pattern | undefined
      if (typeof literal === 'string') {
        const compiled = compilePattern(literal)
        if (typeof compiled === 'string') throw new PathSyntax(compiled, 0)
        fixed = compiled
      }
      const compiled = args.map(arg => compiler.values(arg))
      return (self, env) => {
        const value = textOf(input(self, env))
        const values = compiled.map(arg => arg(self, env))
        const pattern = fixed ?? patternOf(values[0]!, env)
        if (value === undefined || pattern === undefined) return EMPTY
        return result(value, pattern, values.slice(1), env)
      }
    },
  }
}

function patternOf(values: Values, env: Environment): Pattern | undefined {
  const source = textOf(values)
  if (source === undefined) return undefined
  spend(env, 64 + source.length)
  const pattern = compilePattern(source)
  if (typeof pattern === 'string') throw pathFault(pattern)
  spend(env, pattern.size)
  return pattern
}

function replaceMatches(
  value: string,
  pattern: Pattern,
  [substitution]: readonly Values[],
  env: Environment,
): Values {
  const to = textOf(substitution!)
  if (to === undefined) return EMPTY
  if (pattern.source === '') return text(value)
  const spending = (steps: number): void => spend(env, steps)
  let result = ''
  let last = 0
  for (let at = 0; at <= value.length; ) {
    const match = pattern.find(value, at, spending)
    if (match === undefined) break
    const [start, end] = [match[0]!, match[1]!]
    result += value.slice(last, start) + filled(to, value, match, pattern)
    if (result.length > LONGEST) throw pathFault('a string grows over a megabyte')
    last = end
    at = end > start ? end : end + 1
    if (end === start && start < value.length) {
      result += value[start]!
      last = end + 1
    }
  }
  return bounded(result + value.slice(last))
}

/** `$1` and `${name}` stand for groups, `\$` and `$$` for a dollar. */
function filled(to: string, value: string, match: readonly (number | undefined)[], pattern: Pattern): string {
  if (!to.includes('$') && !to.includes('\\')) return to
  return to.replace(/\\(.)|\$\$|\$([0-9]{1,2})|\$\{([A-Za-z0-9_]+)\}/g, (whole, sign, number, name) => {
    if (sign !== undefined) return sign as string
    if (whole === '$$') return '$'
    const group = number === undefined ? (pattern.groups.get(name as string) ?? Number(name)) : Number(number)
    const [start, end] = [match[group * 2], match[group * 2 + 1]]
    return start === undefined || end === undefined ? '' : value.slice(start, end)
  })
}

const matches = (whole: boolean): PathFunction =>
  withPattern(1, (value, pattern, [flags], env) => {
    const insensitive = flags !== undefined && (textOf(flags) ?? '').includes('i')
    if (insensitive) throw pathFault('flags of matches() are not supported')
    return logical(pattern.test(value, whole, steps => spend(env, steps)))
  })

const coded = (result: (value: string, format: string) => string | undefined): PathFunction =>
  against((value, format) => {
    const made = result(value, format)
    return made === undefined ? EMPTY : bounded(made)
  })

function join(input: Values, separator: string): Values {
  const parts = input.map(value => textOf([value]) ?? '')
  let length = 0
  for (const part of parts) length += part.length + separator.length
  if (length > LONGEST + separator.length) throw pathFault('a string grows over a megabyte')
  return input.length === 0 ? EMPTY : bounded(parts.join(separator))
}

const list = (parts: readonly string[], env: Environment): Values => {
  spend(env, parts.length)
  return parts.flatMap(text)
}

export const STRING_FUNCTIONS: Functions = [
  ['indexOf', against((value, other) => integer(value.indexOf(other)))],
  ['lastIndexOf', against((value, other) => integer(value.lastIndexOf(other)))],
  ['substring', onText(1, 2, substring)],
  ['startsWith', against((value, other) => logical(value.startsWith(other)))],
  ['endsWith', against((value, other) => logical(value.endsWith(other)))],
  ['contains', against((value, other) => logical(value.includes(other)))],
  ['upper', onText(0, 0, value => text(value.toUpperCase()))],
  ['lower', onText(0, 0, value => text(value.toLowerCase()))],
  ['trim', onText(0, 0, value => text(value.trim()))],
  ['length', onText(0, 0, value => integer(value.length))],
  ['toChars', onText(0, 0, (value, _, env) => list([...value], env))],
  ['replace', onText(2, 2, replace)],
  ['matches', matches(false)],
  ['matchesFull', matches(true)],
  ['replaceMatches', withPattern(2, replaceMatches)],
  [
    'split',
    onText(1, 1, (value, [separator], env) => {
      const by = textOf(separator!)
      return by === undefined ? EMPTY : list(value.split(by), env)
    }),
  ],
  [
    'join',
    onAll(0, 1, (input, [separator]) =>
      join(input, separator === undefined ? '' : (textOf(separator) ?? '')),
    ),
  ],
  ['encode', coded(encode)],
  ['decode', coded(decode)],
  ['escape', coded(escaped)],
  ['unescape', coded(unescaped)],
]
