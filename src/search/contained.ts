/**
 * Contained resources, as chains see them: their rows stand among those of the resource that they are in, under the name of the reference
 * that leads to them (`MedicationRequest.medication#Medication.ingredient-code`).
 * https://hl7.org/fhir/R4/search.html#contained
 */
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import type { IndexRow } from './index-row.ts'
import type { Node, ParamName } from './plan-node.ts'
import type { SearchParam } from './registry.ts'
import { type Sink, sinkOf } from './sink.ts'
import { along, type Walk } from './walk.ts'

/** Beyond so many rows of contained resources no further one is found by them. */
const MAX_ROWS = 10_000

/** A custom parameter is indexed again when it changes, on its own types alone: those that contain them would be missed. */
const isCustom = (name: ParamName): boolean => name.includes('@')

/** The name of the row that says that the reference leads to contained resources of the type. */
const markName = (link: ParamName, type: string): ParamName => `${link}#${type}`

const nameIn = (link: ParamName, type: string, name: ParamName): ParamName =>
  `${link}#${name.includes('.') ? name : `${type}.${name}`}`

/** Whether the name is one of a row of contained resources. */
const isContained = (name: ParamName): boolean => name.includes('#')

/** Returns the walks that add the rows of what these parameters refer to within the resource; `ofType` are the walks of a type. */
export function containedWalk(
  params: readonly SearchParam[],
  ofType: (type: string) => readonly Walk[],
): Walk {
  let fragments = new Set<string>()
  const look: Walk = value => {
    const text = isObject(value) ? value.reference : value
    if (typeof text === 'string' && text.startsWith('#')) fragments.add(text)
  }
  const links = params.flatMap(({ type, name, rows, paths, targets }) => {
    if (type !== 'reference' || isCustom(name) || rows[0] !== name) return []
    const walks = paths.flatMap(path => (path.type === 'Resource' ? [] : along(path.steps, look)))
    return { name, targets, walks }
  })
  return (value, sink) => {
    const resources = byFragment((value as Resource).contained)
    if (resources.size === 0) return
    let room = MAX_ROWS
    const known = new Map<JsonObject, readonly IndexRow[]>()
    for (const { name, targets, walks } of links) {
      fragments = new Set()
      for (const walk of walks) walk(value, sink)
      const found = [...fragments].flatMap((text): JsonObject[] => {
        const one = resources.get(text)
        return one !== undefined && (targets.length === 0 || targets.includes(one.resourceType as string))
          ? [one]
          : []
      })
      const own = new Map<ParamName, Map<string, IndexRow>>()
      const counts = new Map<string, number>()
      for (const one of found) {
        const type = one.resourceType as string
        const rows = known.get(one) ?? rowsOf(one, sink, ofType(type))
        known.set(one, rows)
        room -= rows.length + 1
        if (room < 0) break
        counts.set(type, (counts.get(type) ?? 0) + 1)
        for (const row of rows) take({ ...row, param: nameIn(name, type, row.param) }, own)
      }
      for (const [type, count] of counts)
        take(
          { kind: 'token', param: markName(name, type), system: '', code: count === 1 ? ONE : SEVERAL },
          own,
        )
      for (const rows of own.values()) sink.rows.push(...rows.values())
    }
  }
}

function byFragment(contained: Json | undefined): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>()
  if (Array.isArray(contained))
    for (const one of contained)
      if (isObject(one) && typeof one.id === 'string' && typeof one.resourceType === 'string')
        if (!found.has(`#${one.id}`)) found.set(`#${one.id}`, one)
  return found
}

/** What the mark says of how many there are. */
const ONE = 'one'
const SEVERAL = 'several'

/** The rows of a contained resource as those of one on its own. */
function rowsOf(one: JsonObject, { zone, baseUrl }: Sink, walks: readonly Walk[]): IndexRow[] {
  const sink = sinkOf(one as Resource, zone, baseUrl)
  for (const walk of walks) walk(one, sink)
  return sink.rows.filter(row => row.kind !== 'sort' && !isCustom(row.param))
}

function take(row: IndexRow, rows: Map<ParamName, Map<string, IndexRow>>): void {
  const same = rows.get(row.param)
  if (same === undefined) rows.set(row.param, new Map([[JSON.stringify(row), row]]))
  else same.set(JSON.stringify(row), row)
}

/** References times types that are asked for: what may refer to anything is asked for contained resources where the type is named. */
const MANY_WAYS = 32

/**
 * Returns the node that holds for resources in which these references lead to a contained resource of these types for which `node` holds;
 * undefined where there can be none. Of several contained resources of a type behind one reference the rows do not say which has which value:
 * what must hold together finds none of them, `not` holds where it does for all of them. `marks` gets the texts of nodes made of marked ones.
 */
export function inContained(
  links: readonly ParamName[],
  types: readonly string[],
  node: Node,
  marks: Map<Node, string>,
): Node | undefined {
  const own = links.filter(link => !isCustom(link))
  if (own.length * types.length > MANY_WAYS) return undefined
  const ways: Node[] = []
  for (const link of own)
    for (const type of types) {
      const way = mapped(node, link, type, marks)
      if (way !== NEVER) ways.push(way)
    }
  return ways.length === 0 ? undefined : any(ways)
}

const NEVER: Node = { kind: 'or', nodes: [] }

const any = (nodes: readonly Node[]): Node => (nodes.length === 1 ? nodes[0]! : { kind: 'or', nodes })

function mapped(node: Node, link: ParamName, type: string, marks: Map<Node, string>): Node {
  const one = mapping(node, link, type, marks)
  const mark = marks.get(node)
  if (one !== NEVER && mark !== undefined) marks.set(one, `${markName(link, type)} ${mark}`)
  return one
}

function mapping(node: Node, link: ParamName, type: string, marks: Map<Node, string>): Node {
  const there: Node = { kind: 'token', param: markName(link, type), system: '' }
  const isOwn = (name: ParamName): boolean =>
    !isContained(name) && !isCustom(name) && (!name.includes('.') || name.startsWith(`${type}.`))
  switch (node.kind) {
    case 'or': {
      const ways = node.nodes.map(inner => mapped(inner, link, type, marks)).filter(one => one !== NEVER)
      return ways.length === 0 ? NEVER : any(ways)
    }
    case 'and': {
      const nodes = node.nodes.map(inner => mapped(inner, link, type, marks))
      // Of several contained resources the rows do not tell which has which value.
      const alone: Node = { kind: 'token', param: markName(link, type), system: '', code: ONE }
      return nodes.includes(NEVER) ? NEVER : { kind: 'and', nodes: [alone, ...nodes] }
    }
    case 'not': {
      const inner = mapped(node.node, link, type, marks)
      return inner === NEVER ? there : { kind: 'and', nodes: [there, { kind: 'not', node: inner }] }
    }
    case 'type':
      return node.types.includes(type) ? there : NEVER
    // A contained resource has no address and no history, and nothing outside refers to it.
    case 'id':
    case 'updated':
    case 'has':
      return NEVER
    case 'chain': {
      const params = node.params.filter(isOwn).map(name => nameIn(link, type, name))
      return params.length === 0 || hasLinks(node.node) ? NEVER : { ...node, params }
    }
    case 'differs':
      if (!isOwn(node.param)) return NEVER
      return {
        ...node,
        param: nameIn(link, type, node.param),
        from: node.from.map(one => ({ ...one, param: nameIn(link, type, one.param) })),
      }
    default:
      return isOwn(node.param) ? { ...node, param: nameIn(link, type, node.param) } : NEVER
  }
}

/** Each further link would double what is asked. */
function hasLinks(node: Node): boolean {
  if (node.kind === 'chain' || node.kind === 'has') return true
  if (node.kind === 'not') return hasLinks(node.node)
  return (node.kind === 'and' || node.kind === 'or') && node.nodes.some(hasLinks)
}
