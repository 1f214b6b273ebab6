/**
 * What a composite parameter is made of: the element that its parts share, and where in it the values of each part stand.
 * https://hl7.org/fhir/R4/search.html#composite
 */
import { alternatives, type TypedPath, typedPaths } from './expression.ts'
import type { ParamName } from './plan-node.ts'
import type { ComponentDefinition, SearchParam } from './registry.ts'
import { writes } from './walk.ts'

export interface Part {
  /** The parameter that defines the part; its paths are relative to the element that the parts share, and it has no rows. */
  param: SearchParam
  /** The paths begin at the resource instead. */
  ofResource: boolean
}

export interface Composite {
  /** Codes of the parts in the order of their values. */
  codes: readonly string[]
  /** Where the resource itself is the shared element: for each part a parameter whose rows are its values. */
  whole?: readonly SearchParam[]
  /** Where it is an element within: the parts, and the name that their rows stand under. */
  within?: { name: ParamName; elements: readonly TypedPath[]; parts: readonly Part[] }
}

export type Within = NonNullable<Composite['within']>

/** Which parts say what is compared for equality, and which one has an order. */
export interface Layout {
  /** Positions of tokens, references and uris. */
  equal: readonly number[]
  /** Positions of the part with an order: none, one, or the lower and the upper end of a range. */
  ordered: readonly number[]
}

const EQUAL = new Set(['token', 'reference', 'uri'])
const ORDERED = new Set(['string', 'date', 'number', 'quantity'])

export function layoutOf(parts: readonly Pick<SearchParam, 'type'>[]): Layout {
  const positions = parts.map((_, i) => i)
  return {
    equal: positions.filter(i => EQUAL.has(parts[i]!.type)),
    ordered: positions.filter(i => ORDERED.has(parts[i]!.type)),
  }
}

/** Says in a sentence why a composite cannot be searched by. */
export interface Problem {
  problem: string
}

/**
 * Returns what a composite of a type is made of, or the sentence that says why it cannot be searched by. `params` are the parameters of the
 * type that it may be answered by.
 */
export function compositeOf(
  one: SearchParam,
  components: readonly ComponentDefinition[],
  params: readonly SearchParam[],
): Composite | Problem {
  if (components.length === 0) return { problem: 'it has no components' }
  const places: TypedPath[] = []
  for (const part of alternatives(one.expression)) {
    const found = typedPaths(part, one.base)
    if (found === undefined) return { problem: `its expression "${part}" is not understood on ${one.base}` }
    places.push(...found)
  }
  const defined = definitionsOf(components, params, one.base)
  if ('problem' in defined) return defined
  const composite: Composite = { codes: defined.map(param => param.code) }
  const elements = places.filter(place => place.steps.length > 0)
  if (places.length > elements.length) {
    const parts = partsOf(one.base, one.base, components, defined)
    if ('problem' in parts) return parts
    const whole = wholeOf(parts, elements, params)
    if ('problem' in whole) return whole
    composite.whole = whole
  }
  if (elements.length > 0) {
    const types = new Set(elements.map(place => place.type))
    if (types.size > 1)
      return { problem: `its expression leads to elements of several types: ${[...types].join(', ')}` }
    const parts = partsOf(elements[0]!.type, one.base, components, defined)
    if ('problem' in parts) return parts
    const { ordered } = layoutOf(defined)
    if (ordered.length > 2 || (ordered.length === 2 && ordered.some(i => defined[i]!.type !== 'number')))
      return {
        problem: 'of its components one at most may be a string, date, number or quantity, or two numbers',
      }
    composite.within = { name: one.name, elements, parts }
  }
  return composite
}

function definitionsOf(
  components: readonly ComponentDefinition[],
  params: readonly SearchParam[],
  base: string,
): SearchParam[] | Problem {
  const found: SearchParam[] = []
  for (const { definition } of components) {
    const url = definition.split('|')[0]
    const param = params.find(candidate => candidate.url === url)
    if (param === undefined) return { problem: `${base} has no search parameter ${definition}` }
    if (!EQUAL.has(param.type) && !ORDERED.has(param.type))
      return {
        problem: `its component "${param.code}" is a ${param.type} parameter, which cannot be part of another`,
      }
    found.push(param)
  }
  return found
}

function partsOf(
  type: string,
  base: string,
  components: readonly ComponentDefinition[],
  defined: readonly SearchParam[],
): Part[] | Problem {
  const parts = components.map(({ expression }, i) => partOf(expression, type, base, defined[i]!))
  const first = parts.find(part => 'problem' in part)
  if (first === undefined) return parts as Part[]
  // DocumentReference's relationship has the expressions of its two components exchanged; their types tell.
  if (components.length === 2) {
    const exchanged = components.map((_, i) => partOf(components[1 - i]!.expression, type, base, defined[i]!))
    if (exchanged.every(part => !('problem' in part))) return exchanged as Part[]
  }
  return first as Problem
}

const RESOURCE = /^%resource\./

function partOf(expression: string, type: string, base: string, defined: SearchParam): Part | Problem {
  const parts = alternatives(expression)
  const ofResource = parts.every(part => RESOURCE.test(part))
  const paths = parts.map(part =>
    ofResource ? typedPaths(part.replace(RESOURCE, ''), base) : typedPaths(part, type),
  )
  const problem = `the expression "${expression}" of its component "${defined.code}"`
  if (paths.length === 0 || paths.some(path => path === undefined))
    return { problem: `${problem} is not understood` }
  const written = paths.flatMap(path => path!.filter(one => writes(defined, one)))
  if (written.length === 0) return { problem: `${problem} leads to no values of a ${defined.type} parameter` }
  return { param: { ...defined, paths: written, rows: [''] }, ofResource }
}

const text = (path: TypedPath): string => JSON.stringify([path.steps, path.type])

/** Returns for each part the parameter of the type that has its values, and none from the elements that the composite asks about besides. */
function wholeOf(
  parts: readonly Part[],
  elements: readonly TypedPath[],
  params: readonly SearchParam[],
): SearchParam[] | Problem {
  const found: SearchParam[] = []
  for (const { param } of parts) {
    const wanted = param.paths.map(text)
    const owners = params.filter(candidate => {
      const own = candidate.paths.map(text)
      return (
        candidate.type === param.type &&
        candidate.rows.length === 1 &&
        wanted.every(one => own.includes(one)) &&
        !candidate.paths.some(path => elements.some(element => isUnder(path, element)))
      )
    })
    owners.sort((a, b) => a.paths.length - b.paths.length)
    const owner = owners[0]
    if (owner === undefined)
      return { problem: `no search parameter has the values of its component "${param.code}" and no others` }
    found.push({ ...owner, code: param.code })
  }
  return found
}

const isUnder = (path: TypedPath, element: TypedPath): boolean =>
  JSON.stringify(path.steps.slice(0, element.steps.length)) === JSON.stringify(element.steps)

/** Returns what is equal in composites that have the same rows. */
export const rowsKey = ({ elements, parts }: Within): string =>
  JSON.stringify([
    elements.map(text),
    parts.map(({ param, ofResource }) => [param.type, param.targets, param.paths.map(text), ofResource]),
  ])
