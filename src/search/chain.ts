/**
 * Chains, reverse chains and lists: criteria about the resources that one refers to, or that refer to it.
 * https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has, https://hl7.org/fhir/R4/search.html#list
 */
import { isId, parseReference } from '../fhir/reference.ts'
import { anyOf, type PlanContext, refusal, unsupported } from './ask.ts'
import { inContained } from './contained.ts'
import { isSearched } from './modifiers.ts'
import { type Criterion, parseName, shown, unescapeValue } from './parse.ts'
import type { Node } from './plan-node.ts'
import type { SearchParam, SearchRegistry } from './registry.ts'
import type { Planning } from './values.ts'

/** Plans what stands behind a link, on the types that it leads to. */
export type Behind = (criterion: Criterion, types: readonly string[]) => Node

/** Names that a message lists. */
const MOST_NAMED = 12

const listed = (names: readonly string[]): string =>
  names.length > MOST_NAMED
    ? `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`
    : names.join(', ')

/** Returns the types that a reference parameter may lead to, sorted. */
export const targetsOf = ({ targets }: SearchParam, { types }: SearchRegistry): readonly string[] =>
  targets.length === 0 ? types : types.filter(type => targets.includes(type))

const referenceCodes = (registry: SearchRegistry, type: string): string[] =>
  registry.params(type).flatMap(param => (param.type === 'reference' ? [param.code] : []))

/**
 * Returns the node of a chain, `subject:Patient.name`; `params` are its parameter on each type searched.
 *
 * Throws `not-supported` where the parameter is no reference, the modifier no type, or none of the types that it leads to has the parameter
 * behind the dot; `invalid` where the type is one that it never leads to.
 */
export function planChain(
  criterion: Criterion,
  params: readonly SearchParam[],
  { context: { registry }, marks }: Pick<Planning, 'context' | 'marks'>,
  behind: Behind,
): Node {
  const { code } = criterion
  const first = params[0]!
  if (first.type !== 'reference')
    throw unsupported(
      criterion,
      `"${code}" is a ${first.type} parameter, and only those of type reference can be chained: ${
        referenceCodes(registry, first.base).join(', ') || `${first.base} has none`
      }.`,
    )
  const inner: Criterion = { ...criterion, ...parseName(criterion.chain!) }
  const [links, targets] = restricted(criterion, params, registry)
  const types = typesWith(inner, targets, registry)
  if (types.length === 0) {
    // Of one type it can be said what it has instead.
    if (targets.length === 1) return behind(inner, targets)
    throw unsupported(
      criterion,
      `None of the types that "${code}" may refer to has a search parameter "${shown(inner.code)}": ${listed(targets)}.`,
    )
  }
  refuseAmbiguous(criterion, inner, types, registry)
  const canonical =
    links.some(param => param.paths.some(path => path.type === 'canonical' || path.type === 'uri')) &&
    types.some(type => registry.param(type, 'url') !== undefined)
  const rows = [...new Set(links.flatMap(param => param.rows))]
  const node = behind(inner, types)
  const stored: Node = { kind: 'chain', params: rows, types, canonical, node }
  const within = inContained(rows, types, node, marks)
  return within === undefined ? stored : anyOf([stored, within])
}

/** Returns the parameters that lead to the type named by the modifier, or all of them; and the types that they lead to. */
function restricted(
  criterion: Criterion,
  params: readonly SearchParam[],
  registry: SearchRegistry,
): [links: readonly SearchParam[], targets: readonly string[]] {
  const { code, modifier } = criterion
  const all = new Set(params.flatMap(param => targetsOf(param, registry)))
  const targets = registry.types.filter(type => all.has(type))
  if (modifier === undefined) return [params, targets]
  if (!registry.types.includes(modifier))
    throw unsupported(
      criterion,
      `The modifier of a chained parameter is the type that it leads to, and "${shown(modifier)}" is none; "${code}" may refer to ${listed(targets)}.`,
    )
  const links = params.filter(param => targetsOf(param, registry).includes(modifier))
  if (links.length === 0)
    throw refusal(criterion, `"${code}" cannot refer to ${modifier}; it may refer to ${listed(targets)}.`)
  return [links, [modifier]]
}

/** Parameters of a search that every type has and the registry does not know. */
const OF_ALL = new Set(['_has', '_list'])

function typesWith(
  inner: Criterion,
  targets: readonly string[],
  registry: SearchRegistry,
): readonly string[] {
  if (OF_ALL.has(inner.code)) return targets
  const having = targets.filter(type => registry.param(type, inner.code) !== undefined)
  const searched = having.filter(type => isSearched(registry.param(type, inner.code)!))
  const types = searched.length === 0 ? having : searched
  if (inner.chain === undefined) return types
  // A further link can only be one of those that refer to something.
  const links = types.filter(type => registry.param(type, inner.code)!.type === 'reference')
  return links.length === 0 ? types : links
}

function refuseAmbiguous(
  criterion: Criterion,
  inner: Criterion,
  types: readonly string[],
  registry: SearchRegistry,
): void {
  if (OF_ALL.has(inner.code)) return
  const kinds = new Map<string, string[]>()
  for (const type of types) {
    const kind = registry.param(type, inner.code)!.type
    kinds.set(kind, [...(kinds.get(kind) ?? []), type])
  }
  if (kinds.size < 2) return
  const which = [...kinds].map(([kind, of]) => `a ${kind} of ${listed(of)}`).join(', ')
  throw unsupported(
    criterion,
    `"${inner.code}" means different things on the types that "${criterion.code}" may refer to (${which}): name one of them, as in "${criterion.code}:${types[0]}.${shown(inner.code)}".`,
  )
}

const HAS = /^([A-Za-z]+):([A-Za-z_][A-Za-z0-9_-]*):(.+)$/s

/**
 * Returns the node of a reverse chain, `_has:Observation:patient:code`; `types` are those searched, none for all.
 *
 * Throws `invalid` for another form and where the parameter never refers to a type searched, `not-supported` for an unknown type or
 * parameter and one that is no reference.
 */
export function planHas(
  criterion: Criterion,
  types: readonly string[],
  { registry }: PlanContext,
  behind: Behind,
): Node {
  const match = HAS.exec(criterion.chain ?? '')
  if (match === null)
    throw refusal(
      criterion,
      'The form of a reverse chain is "_has:[type]:[reference parameter]:[parameter]", as in "_has:Observation:patient:code".',
    )
  const [, type, code, rest] = match as unknown as [string, string, string, string]
  if (!registry.types.includes(type))
    throw unsupported(criterion, `"${shown(type)}" in "_has" is not a resource type of R4.`)
  const param = registry.param(type, code)
  if (param?.type !== 'reference')
    throw unsupported(
      criterion,
      `${type} has no reference parameter "${shown(code)}"; it has ${referenceCodes(registry, type).join(', ') || 'none'}.`,
    )
  const targets = targetsOf(param, registry)
  if (types.length > 0 && !types.some(one => targets.includes(one)))
    throw refusal(
      criterion,
      `"${code}" of ${type} cannot refer to ${listed(types)}; it may refer to ${listed(targets)}.`,
    )
  return {
    kind: 'has',
    type,
    params: param.rows,
    node: behind({ ...criterion, ...parseName(rest) }, [type]),
  }
}

/**
 * Returns the node of `_list`: an item of one of these Lists.
 *
 * Throws `not-supported` for a functional list such as `$current-problems`, `invalid` for what is no id.
 */
export function planList(criterion: Criterion, { registry, baseUrl }: PlanContext): Node {
  if (criterion.modifier !== undefined || criterion.chain !== undefined)
    throw unsupported(criterion, '"_list" takes no modifier.')
  const ids = criterion.values.map(value => {
    const text = unescapeValue(value)
    if (text.startsWith('$'))
      throw unsupported(
        criterion,
        `Functional lists such as "${shown(text)}" are not supported: "_list" takes the id of a List.`,
      )
    if (isId(text)) return text
    const target = parseReference(text, baseUrl)
    if (target.kind !== 'local' || target.type !== 'List')
      throw refusal(criterion, '"_list" takes the id of a List on this server.')
    return target.id
  })
  const node: Node = { kind: 'id', ids: [...new Set(ids)] }
  return anyOf(
    [registry.param('List', 'item')].flatMap((item): Node[] =>
      item === undefined ? [] : [{ kind: 'has', type: 'List', params: item.rows, node }],
    ),
  )
}
