/**
 * The cells of the matrix of type, FHIR type of the value, modifier, prefix and form of the value, and which of them a case fills.
 * A case says nothing about its cells: they are read from its query and from the resources that it finds and leaves out.
 */
import type { SearchParam } from '../../src/search/registry.ts'
import { type CaseFile, type CaseResource, caseRegistry, type SearchCase } from './cases.ts'

type Tree = Record<string, unknown>

/** Prefixes of ordered values; 'none' stands for the value alone. https://hl7.org/fhir/R4/search.html#prefix */
export const ORDERED_PREFIXES = ['none', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']

/** What R4 says that a parameter takes beside :missing, by its type and by the FHIR types of its values. */
const CODED = ['text', 'in', 'not-in', 'above', 'below']
const TAKES: Record<string, Record<string, readonly string[]>> = {
  token: {
    Coding: ['not', ...CODED],
    CodeableConcept: ['not', ...CODED],
    Identifier: ['not', 'text', 'of-type'],
    code: ['not', 'in', 'not-in', 'above', 'below'],
    ContactPoint: ['not'],
    boolean: ['not'],
    id: ['not'],
    string: ['not'],
    uri: ['not'],
  },
  string: {
    string: ['exact', 'contains'],
    markdown: ['exact', 'contains'],
    HumanName: ['exact', 'contains'],
    Address: ['exact', 'contains'],
  },
  date: { date: [], dateTime: [], instant: [], Period: [], Timing: [] },
  number: { decimal: [], integer: [], Range: [] },
  quantity: { Quantity: [], Money: [], Age: [], Duration: [], Range: [] },
  reference: {
    Reference: ['identifier', '[type]', 'above', 'below'],
    canonical: ['below'],
    uri: [],
    Resource: [],
  },
  uri: { uri: ['above', 'below'], url: ['above', 'below'], canonical: ['above', 'below'] },
}

/** FHIR types that the expressions of R4's parameters lead to and that a search of their type has no meaning for. */
export const WITHOUT_MEANING = [
  'date Age',
  'date Range',
  'date string',
  'quantity SampledData',
  'reference Attachment',
]

/** All modifiers of R4 that are not a type; `Patient` stands for those. */
export const MODIFIERS = [
  'missing',
  'exact',
  'contains',
  'text',
  'not',
  'in',
  'not-in',
  'above',
  'below',
  'of-type',
  'identifier',
  'Patient',
]

const FOUR = ['code', 'system|code', '|code', 'system|']
const DATES = [
  'year',
  'month',
  'day',
  'minute',
  'minute zone',
  'second',
  'second zone',
  'fraction',
  'fraction zone',
]
const QUANTITIES = ['number', 'number|system|code', 'number||code']
const REFERENCES: Record<string, readonly string[]> = {
  Reference: ['id', 'Type/id', 'own URL', 'foreign URL', 'URN', 'version'],
  canonical: ['id', 'Type/id', 'own URL', 'foreign URL', 'URL|version'],
  uri: ['id', 'Type/id', 'foreign URL'],
  Resource: ['id', 'Type/id', 'own URL'],
}

/** Returns the forms of a value that a modifier ('' none) takes on a FHIR type. */
function formsOf(type: string, value: string, modifier: string): readonly string[] {
  if (modifier === 'missing') return ['true', 'false']
  switch (type) {
    case 'token':
      if (modifier === '' || modifier === 'not') return FOUR
      if (modifier === 'in' || modifier === 'not-in') return ['foreign URL', 'Type/id']
      if (modifier === 'of-type') return ['system|code|value']
      if (modifier === 'text') return ['text']
      return value === 'code' ? ['code', 'system|code'] : ['system|code']
    case 'string':
      return ['text']
    case 'date':
      return DATES
    case 'number':
      return ['integer', 'decimal', 'exponent']
    case 'quantity':
      return QUANTITIES
    case 'reference':
      if (modifier === 'identifier') return FOUR
      if (modifier === '') return REFERENCES[value]!
      if (value === 'canonical') return ['foreign URL', 'URL|version']
      return modifier === '[type]' ? ['id'] : ['id', 'Type/id', 'own URL']
    default:
      return value === 'canonical' && modifier === '' ? ['foreign URL', 'URL|version'] : ['foreign URL']
  }
}

const isOrdered = (type: string): boolean => type === 'date' || type === 'number' || type === 'quantity'

/** Returns a cell's name. */
const cell = (...parts: readonly string[]): string => parts.filter(part => part !== '').join(' ')

/** Returns the parameters of all types, each once. */
export function allParams(): SearchParam[] {
  const params = new Map<string, SearchParam>()
  for (const type of caseRegistry.types)
    for (const param of caseRegistry.params(type)) params.set(`${param.name} ${param.base}`, param)
  return [...params.values()]
}

/** Returns the types of the values of a parameter; a column of every resource counts as a type of its own. */
export const valueTypes = (param: SearchParam): string[] =>
  param.code === '_id' || param.code === '_lastUpdated'
    ? []
    : [...new Set(param.paths.map(path => path.type))]

/** Returns the pairs of parameter type and FHIR type that R4's parameters have: `token Coding`. */
export const kinds = (): string[] =>
  [...new Set(allParams().flatMap(one => valueTypes(one).map(type => `${one.type} ${type}`)))].sort()

/** Returns the modifiers, '' for none, that parameters of this kind take; undefined where R4 names no meaning for such values. */
export function modifiersOfKind(kind: string): string[] | undefined {
  const [type = '', value = ''] = kind.split(' ')
  const takes = TAKES[type]?.[value]
  return takes && ['', 'missing', ...takes]
}

/** Returns the cells of a kind under one modifier, '' none. */
export function cellsOfKind(kind: string, modifier: string): string[] {
  const [type = '', value = ''] = kind.split(' ')
  const forms = formsOf(type, value, modifier)
  const prefixes = isOrdered(type) && modifier === '' ? ORDERED_PREFIXES : ['']
  return prefixes.flatMap(prefix => forms.map(form => cell(kind, modifier && `:${modifier}`, prefix, form)))
}

/** A query of one parameter with one value. */
export interface Single {
  param: SearchParam
  modifier: string
  value: string
}

/** Returns what a case asks for; undefined for one that asks for more than one thing, or behind a chain. */
export function singleOf(one: SearchCase): Single | undefined {
  const pairs = [...new URLSearchParams(one.query)]
  const [[name = '', value = ''] = []] = pairs
  if (pairs.length !== 1 || one.type === '' || one.within !== undefined || name.includes('.'))
    return undefined
  const [code = '', modifier = '', ...more] = name.split(':')
  const param = caseRegistry.param(one.type, code)
  if (param === undefined || more.length > 0 || /(?<!\\),/.test(value)) return undefined
  return { param, modifier: /^[A-Z]/.test(modifier) ? '[type]' : modifier, value }
}

/** Returns the cells of this kind that a query stands in, whatever it finds: one, or none where the value has none of the forms. */
function cellOf({ param, modifier, value }: Single, kind: string): string {
  const ordered = isOrdered(param.type) && modifier === ''
  const [, prefix = 'none', rest = ''] = /^([a-z]{2}(?=[0-9-]))?(.*)$/s.exec(
    ordered ? value : `none${value}`,
  )!
  const form = formOf(param.type, modifier, ordered ? rest : value)
  return cell(kind, modifier && `:${modifier}`, ordered ? prefix : '', form)
}

function formOf(type: string, modifier: string, value: string): string {
  if (modifier === 'missing') return value
  if (type === 'string' || modifier === 'text') return 'text'
  if (modifier === 'of-type') return 'system|code|value'
  if (modifier === 'in' || modifier === 'not-in') return addressForm(value)
  if (type === 'token' || modifier === 'identifier') return tokenForm(value)
  if (type === 'date') return dateForm(value)
  if (type === 'number') return /e/i.test(value) ? 'exponent' : value.includes('.') ? 'decimal' : 'integer'
  if (type === 'quantity') return quantityForm(value)
  return addressForm(value)
}

function tokenForm(value: string): string {
  const [system, code] = value.split(/(?<!\\)\|/)
  if (code === undefined) return 'code'
  return system === '' ? '|code' : code === '' ? 'system|' : 'system|code'
}

function dateForm(value: string): string {
  const zone = /(Z|[+-]\d\d:\d\d)$/.test(value.slice(10)) ? ' zone' : ''
  if (value.includes('.')) return `fraction${zone}`
  if (value.length <= 10) return value.length === 4 ? 'year' : value.length === 7 ? 'month' : 'day'
  return `${/T\d\d:\d\d:\d\d/.test(value) ? 'second' : 'minute'}${zone}`
}

function quantityForm(value: string): string {
  const [, system, code] = value.split('|')
  if (code === undefined) return 'number'
  return system === '' ? 'number||code' : 'number|system|code'
}

const OWN = 'http://example.org/fhir/'

function addressForm(value: string): string {
  if (/^https?:/.test(value)) {
    if (value.includes('|')) return 'URL|version'
    return value.startsWith(OWN) ? 'own URL' : 'foreign URL'
  }
  if (value.startsWith('urn:')) return 'URN'
  if (value.includes('/_history/')) return 'version'
  return value.includes('/') ? 'Type/id' : 'id'
}

/** Returns the FHIR types of the values that a resource has of a parameter. */
export function heldTypes(param: SearchParam, resource: Tree): string[] {
  const held = param.paths.filter(
    path => path.truth === undefined && path.steps.reduce<unknown[]>(step, [resource]).length > 0,
  )
  return [...new Set(held.map(path => path.type))]
}

function step(values: unknown[], one: SearchParam['paths'][number]['steps'][number]): unknown[] {
  switch (one.is) {
    case 'get':
      return values.flatMap(value => (value as Tree)[one.key] ?? [])
    case 'at':
      return values.slice(one.index, one.index + 1)
    case 'equals':
      return values.filter(value => (value as Tree)[one.key] === one.value)
    default:
      return values
  }
}

export interface Filled {
  /** Cells with a case that finds such a value. */
  found: ReadonlySet<string>
  /** Cells with a case that leaves such a value out. */
  left: ReadonlySet<string>
  /** Cells with a case that is refused. */
  refused: ReadonlySet<string>
  /** Kinds of which a value was found to be missing. */
  missing: ReadonlySet<string>
}

/** Returns the cells that the cases of these files fill. A value counts only where the resource has none of another type beside it. */
export function filledBy(files: readonly CaseFile[]): Filled {
  const found = new Set<string>()
  const left = new Set<string>()
  const refused = new Set<string>()
  const missing = new Set<string>()
  for (const file of files) {
    const trees = new Map(file.resources.map(one => [one, JSON.parse(one.text) as Tree]))
    for (const one of file.cases) {
      const single = singleOf(one)
      if (single === undefined) continue
      const { param, modifier, value } = single
      if (one.error !== undefined) {
        for (const type of valueTypes(param)) {
          refused.add(cell(`${param.type} ${type}`, `:${namedModifier(one)}`))
          refused.add(cellOf(single, `${param.type} ${type}`))
        }
        continue
      }
      const seen = { some: new Set<string>(), none: false, out: new Set<string>(), outNone: false }
      for (const resource of ofType(file.resources, one.type)) {
        const types = heldTypes(param, trees.get(resource)!)
        const isFound = one.expect!.includes(resource.id)
        if (types.length === 0) seen[isFound ? 'none' : 'outNone'] = true
        else if (types.length === 1) seen[isFound ? 'some' : 'out'].add(types[0]!)
      }
      const isMissing = modifier === 'missing'
      for (const type of valueTypes(param)) {
        const name = cellOf(single, `${param.type} ${type}`)
        if (isMissing && value === 'true') {
          if (seen.none) found.add(name)
          if (seen.some.has(type)) missing.add(`${param.type} ${type}`)
        } else if (seen.some.has(type)) found.add(name)
        if (isMissing && value === 'false' ? seen.outNone : seen.out.has(type)) left.add(name)
      }
    }
  }
  return { found, left, refused, missing }
}

const namedModifier = (one: SearchCase): string => one.query.split('=')[0]!.split(':')[1] ?? ''

const ofType = (resources: readonly CaseResource[], type: string): CaseResource[] =>
  resources.filter(one => one.type === type)
