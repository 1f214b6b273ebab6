/** The search plan in words: for the people who ask `_explain`, and without any value for the log. */
import { scaleKey } from '../lib/decimal.ts'
import { type Bound, DATE_MAX, DATE_MIN, type Node, type SearchPlan, type SortKey } from './plan-node.ts'

/** Of a longer list so many are shown; of a longer value so many characters. */
const MOST_SHOWN = 20
const MOST_VALUE = 100

/** Returns the plan as an indented text: what is searched, what must hold, and the order. */
export function planText(plan: SearchPlan): string {
  const types = plan.types.length === 0 ? 'all types' : listed(plan.types)
  const order = [...plan.sort.map(sortText), 'internal id'].join(', ')
  return [`search ${types}`, ...lines(plan.where, 1), `order by ${order}`].join('\n')
}

/** Returns the plan in one line without values: kinds of nodes and names of parameters. */
export function planShape(plan: SearchPlan): string {
  const types = plan.types.length === 0 ? '*' : plan.types.slice(0, MOST_SHOWN).join('+')
  const order = plan.sort.map(key => `${key.descending ? '-' : ''}${sortName(key)}`).join(',')
  return `${types}: ${shape(plan.where)}${order === '' ? '' : ` by ${order}`}`
}

const pad = (depth: number): string => '  '.repeat(depth)

function lines(node: Node, depth: number): string[] {
  const under = (title: string, nodes: readonly Node[]): string[] => [
    pad(depth) + title,
    ...nodes.slice(0, MOST_SHOWN).flatMap(one => lines(one, depth + 1)),
    ...(nodes.length > MOST_SHOWN ? [`${pad(depth + 1)}and ${nodes.length - MOST_SHOWN} more`] : []),
  ]
  switch (node.kind) {
    case 'and':
      return node.nodes.length === 0 ? [`${pad(depth)}everything`] : under('all of', node.nodes)
    case 'or':
      return node.nodes.length === 0 ? [`${pad(depth)}nothing`] : under('any of', node.nodes)
    case 'not':
      return under('not', [node.node])
    case 'chain': {
      const canonical = node.canonical ? ', by url too' : ''
      return under(`${listed(node.params)} leads to ${listed(node.types)}${canonical}, for which`, [
        node.node,
      ])
    }
    case 'differs':
      return under(`${node.param} has a value that differs from`, node.from)
    case 'has':
      return under(`a ${node.type} refers to it by ${listed(node.params)}, for which`, [node.node])
    default:
      return [pad(depth) + leafText(node)]
  }
}

type Leaf = Exclude<Node, { kind: 'and' | 'or' | 'not' | 'chain' | 'has' | 'differs' }>

const STRING_MATCH: Partial<Record<string, string>> = {
  starts: 'begins with',
  contains: 'contains',
  ends: 'ends with',
  equals: 'is',
  exact: 'is exactly',
}
const URI_MATCH = {
  equals: 'is',
  below: 'is or is below',
  above: 'is or is above',
  versions: 'is, whatever its version,',
}

function leafText(node: Leaf): string {
  switch (node.kind) {
    case 'type':
      return `type is ${listed(node.types)}`
    case 'id':
      return `id is ${listed(node.ids)}`
    case 'updated':
      return `last updated ${bounds(node.bounds, dateText, false)}`
    case 'present':
      return `${node.param} is present`
    case 'token':
      return `token ${node.param} is ${tokenText(node)}`
    case 'string':
      return `string ${node.param} ${STRING_MATCH[node.match] ?? node.match} ${quoted(node.value)}`
    case 'uri':
      return `uri ${node.param} ${URI_MATCH[node.match]} ${quoted(node.value)}`
    case 'date':
      return `date ${node.param} ${bounds(node.bounds, dateText, true)}`
    case 'quantity': {
      const unit = node.unit === '' ? '' : ` in ${quoted(node.unit)}`
      return `number ${node.param}${unit} ${bounds(node.bounds, numberText, true)}`
    }
    case 'reference': {
      const version = node.version === undefined ? '' : ` version ${quoted(node.version)}`
      return `reference ${node.param} is ${quoted(node.type ? `${node.type}/${node.id}` : node.id)}${version}`
    }
    case 'word':
      return `${node.param} has a word that ${node.prefix ? 'begins with' : 'is'} ${quoted(node.word)}`
    case 'near':
      return `${node.param} is within ${Math.round(node.metres)} m of ${node.latitude}, ${node.longitude}`
  }
}

function tokenText({ system, code }: Extract<Leaf, { kind: 'token' }>): string {
  const of = system === undefined ? '' : system === '' ? ' without a system' : ` of ${quoted(system)}`
  return `${code === undefined ? 'any code' : quoted(code)}${of}`
}

const bounds = <V>(of: readonly Bound<V>[], text: (value: V) => string, ends: boolean): string =>
  of
    .map(({ end, op, value }) => `${ends ? (end === 'lo' ? 'starts ' : 'ends ') : ''}${op} ${text(value)}`)
    .join(' and ')

const dateText = (ms: number): string =>
  ms <= DATE_MIN ? 'the beginning of time' : ms >= DATE_MAX ? 'the end of time' : new Date(ms).toISOString()

const PLAIN_KEY = /^(?:1|2[0-9]{5,}|0[0-9]{5,}~)$/

function numberText(key: string): string {
  if (!PLAIN_KEY.test(key)) return `key ${quoted(key)}`
  const { coefficient, exponent } = scaleKey(key)
  if (exponent === 0 || exponent > 20 || exponent < -20)
    return exponent === 0 ? String(coefficient) : `${coefficient}e${exponent}`
  if (exponent > 0) return `${coefficient}${'0'.repeat(exponent)}`
  const sign = coefficient < 0n ? '-' : ''
  const digits = String(coefficient)
    .replace('-', '')
    .padStart(1 - exponent, '0')
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE)}...` : text)

const listed = (names: readonly string[]): string =>
  names.length > MOST_SHOWN
    ? `${names.slice(0, MOST_SHOWN).join(', ')} and ${names.length - MOST_SHOWN} more`
    : names.join(', ')

const sortName = (key: SortKey): string =>
  key.by === 'param'
    ? key.params.slice(0, MOST_SHOWN).join('+')
    : key.by === 'distance'
      ? `distance ${key.param}`
      : key.by

const sortText = (key: SortKey): string => `${sortName(key)}${key.descending ? ' descending' : ''}`

function shape(node: Node): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `${node.kind}(${counted(node.nodes.map(shape))})`
    case 'not':
      return `not(${shape(node.node)})`
    case 'chain':
      return `chain ${listed(node.params)} > ${listed(node.types)}(${shape(node.node)})`
    case 'has':
      return `has ${node.type} by ${listed(node.params)}(${shape(node.node)})`
    case 'type':
    case 'id':
    case 'updated':
      return node.kind
    default:
      return `${node.kind} ${node.param}`
  }
}

/** `token a, token a, token b` is `2 token a, token b`. */
function counted(parts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const part of parts) counts.set(part, (counts.get(part) ?? 0) + 1)
  return listed([...counts].map(([part, count]) => (count === 1 ? part : `${count} ${part}`)))
}
