/**
 * Search parameters that people define: what a SearchParameter resource asks the index to do, and why it cannot.
 * https://hl7.org/fhir/R4/searchparameter.html
 */
import { SEARCH_PARAMETERS } from '../fhir/definitions/search-parameters.ts'
import { isObject, type Json } from '../fhir/json.ts'
import { alternatives, typedPaths } from './expression.ts'
import { shown } from './parse.ts'
import {
  type ComponentDefinition,
  createRegistry,
  type ParamDefinition,
  type ParamType,
  problemWith,
  type SearchParam,
} from './registry.ts'
import { walkOf } from './walk.ts'

/** Why a SearchParameter cannot be indexed. */
export interface Refusal {
  /** A sentence. */
  why: string
  /** FHIRPath of the element at fault. */
  expression: string
}

export type Custom =
  /** It is to be indexed. `bases` without those on which R4 has the same parameter already. */
  | { definition: ParamDefinition }
  /** There is nothing to index: it is not active, or R4 has it already. */
  | { definition: undefined }
  | { refusals: readonly [Refusal, ...Refusal[]] }

const TYPES: ReadonlySet<string> = new Set<ParamType>([
  'token',
  'string',
  'date',
  'number',
  'quantity',
  'reference',
  'uri',
  'composite',
])
const COMMON: ReadonlySet<string> = new Set(['Resource', 'DomainResource'])

/** A code stands in URLs, between colons, dots and commas, and in names of the index. */
const CODE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const MOST_LETTERS = 8192
const MOST_ALTERNATIVES = 200

export const SUPPORTED =
  'Supported are paths, [n], first(), extension(url), where(element=value), where(resolve() is Type), as, ofType(Type), exists() and unions of them with |'

const r4 = createRegistry()
const r4Urls: ReadonlySet<string> = new Set(SEARCH_PARAMETERS.map(one => one.url))

/** Returns what a SearchParameter resource asks for. Any tree is taken, valid or not. */
export function readSearchParameter(resource: { readonly [name: string]: Json | undefined }): Custom {
  if (resource.status !== 'active') return { definition: undefined }
  const refusals: Refusal[] = []
  const refuse = (element: string, why: string): void => {
    refusals.push({ why, expression: `SearchParameter${element && `.${element}`}` })
  }
  const code = text(resource.code)
  const type = text(resource.type)
  const expression = text(resource.expression)
  const base = [...new Set(list(resource.base))]
  const target = list(resource.target)

  if (!CODE.test(code))
    refuse(
      'code',
      `The code "${shown(code)}" cannot stand in a URL as the name of a parameter: it is a letter and then letters, digits, - and _, 64 at most.`,
    )
  if (type === 'special') refuse('type', 'Custom parameters of type special are not supported.')
  else if (!TYPES.has(type)) refuse('type', `"${shown(type)}" is not a type of search parameters.`)
  if (base.length === 0) refuse('base', 'It names no resource type that it is for.')
  for (const one of base) if (!isBase(one)) refuse('base', `"${shown(one)}" is not a resource type of R4.`)
  for (const one of target)
    if (!r4.types.includes(one) && one !== 'Resource')
      refuse('target', `"${shown(one)}" is not a resource type of R4.`)
  if (expression === '') refuse('expression', 'Without an expression there is nothing to index.')
  if (expression.length > MOST_LETTERS)
    refuse('expression', `An expression has ${MOST_LETTERS} characters at most.`)
  if (refusals.length > 0) return { refusals: refusals as [Refusal] }

  const parts = alternatives(expression)
  if (parts.length > MOST_ALTERNATIVES)
    refuse('expression', `An expression has ${MOST_ALTERNATIVES} alternatives at most.`)
  else {
    const url = text(resource.url)
    const definition: ParamDefinition = { code, type, base, expression, target: targets(target), url }
    if (type === 'composite') definition.component = components(resource.component)
    const wanted = base.filter(one => !isKnown(definition, one, refuse))
    // What is made of other parameters finds them by their URL.
    if (wanted.length > 0 && r4Urls.has(url))
      refuse('url', `${shown(url)} is the URL of a search parameter of R4: choose another.`)
    if (type === 'composite') checkComposite(definition, wanted, refuse)
    else checkParts(parts, wanted, definition, refuse)
    if (refusals.length === 0)
      return { definition: wanted.length === 0 ? undefined : { ...definition, base: wanted } }
  }
  return { refusals: refusals as [Refusal] }
}

/** Returns the names that no two active SearchParameters may share: one for each resource type on which it has its code. */
export function claimsOf(definition: Pick<ParamDefinition, 'code' | 'base'>): string[] {
  const types = new Set(definition.base.flatMap(base => (COMMON.has(base) ? r4.types : [base])))
  return [...types].sort().map(type => `search parameter ${type}.${definition.code}`)
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
const list = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(text) : [])
const isBase = (name: string): boolean => COMMON.has(name) || r4.types.includes(name)

/** Any resource is what no target says, too. */
const targets = (target: readonly string[]): readonly string[] =>
  target.includes('Resource') ? r4.types : target

/** More are no one's search parameter. */
const MOST_COMPONENTS = 10

const components = (value: Json | undefined): ComponentDefinition[] =>
  (Array.isArray(value) ? value : []).slice(0, MOST_COMPONENTS + 1).map(one => ({
    definition: isObject(one) ? text(one.definition) : '',
    expression: isObject(one) ? text(one.expression) : '',
  }))

type Refuse = (element: string, why: string) => void

/** Returns whether R4 has this parameter on the type already. Refuses one that gives an R4 code another meaning. */
function isKnown(definition: ParamDefinition, base: string, refuse: Refuse): boolean {
  const { code } = definition
  const types = COMMON.has(base) ? [base, ...r4.types] : [base]
  const other = types.find(type => r4.param(type, code) !== undefined)
  if (other === undefined) return false
  const own = createRegistry([{ ...definition, version: '0' }]).param(base, code)
  const known = r4.param(other, code)!
  if (own !== undefined && other === base && meansTheSame(own, known)) return true
  refuse(
    'code',
    `${other} has a search parameter "${code}" in R4 (${known.url}), which means ${known.expression || 'something else'}: choose another code.`,
  )
  return false
}

const meansTheSame = (a: SearchParam, b: SearchParam): boolean =>
  a.type === b.type && spelled(a.expression) === spelled(b.expression)
const spelled = (expression: string): string =>
  alternatives(expression)
    .map(part => part.replace(/\s+/g, ' '))
    .sort()
    .join(' | ')

/** Refuses a composite that is not made of parameters of R4. */
function checkComposite(definition: ParamDefinition, bases: readonly string[], refuse: Refuse): void {
  if (definition.component!.length > MOST_COMPONENTS)
    refuse('component', `A composite has ${MOST_COMPONENTS} components at most.`)
  else
    for (const base of bases) {
      const problem = problemWith({ ...definition, version: '0' }, base)
      if (problem !== undefined)
        refuse(
          'component',
          `It cannot be searched by on ${base}: ${problem}. Its components are to be of R4.`,
        )
    }
}

/** Refuses alternatives that the index cannot follow, and types for which there is none. */
function checkParts(
  parts: readonly string[],
  bases: readonly string[],
  definition: ParamDefinition,
  refuse: Refuse,
): void {
  const type = definition.type as ParamType
  const param = { name: definition.code, type, targets: definition.target }
  const served = new Set<string>()
  for (const part of parts) {
    const root = /^[A-Z]\w*(?=[.[]|$)/.exec(part)?.[0]
    const own = bases.filter(base => root === undefined || root === base)
    if (own.length === 0 && root !== undefined && isBase(root)) continue
    const paths = own.map(base => typedPaths(part, base))
    const at = paths.indexOf(undefined)
    if (own.length === 0 || at >= 0)
      refuse(
        'expression',
        `"${shown(part)}" cannot be indexed${own[at] === undefined ? '' : ` on ${own[at]}`}: it names elements that are not there, or uses more of FHIRPath than this server does. ${SUPPORTED}.`,
      )
    else if (!paths.every(one => one!.some(path => walkOf(param, path) !== undefined)))
      refuse(
        'expression',
        `"${shown(part)}" leads to ${[...new Set(paths.flatMap(one => one!.map(path => path.type)))].slice(0, 8).join(', ')}, which a parameter of type ${type} does not index.`,
      )
    else for (const base of own) served.add(base)
  }
  for (const base of bases)
    if (!served.has(base)) refuse('expression', `No alternative of the expression is for ${base}.`)
}
