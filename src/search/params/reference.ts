/**
 * Reference parameters: references to resources here and elsewhere, canonical URLs, logical identifiers.
 * https://hl7.org/fhir/R4/search.html#reference
 */
import { isObject, type Json, type JsonObject, type Resource } from '../../fhir/json.ts'
import { isId, parseReference } from '../../fhir/reference.ts'
import { type Ask, anyOf, type Planner, refusal } from '../ask.ts'
import { ANY_REFERENCE } from '../index-row.ts'
import { knownIds } from '../need.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import type { SearchParam } from '../registry.ts'
import { addRow, type Names, type Sink, versionName } from '../sink.ts'
import { tokenText, type Writer, writeIdentifier } from './token.ts'

/** What a reference row says, and a search for it. `type` is '' for what is not on this server. */
export interface Target {
  type: string
  id: string
  version: string
}

/** Returns what the text of a Reference points to; undefined for a contained resource. */
export function referenceTarget(text: string, baseUrl: string): Target | undefined {
  const parsed = parseReference(tokenText(text), baseUrl)
  switch (parsed.kind) {
    case 'local':
      return { type: parsed.type, id: parsed.id, version: parsed.version ?? '' }
    case 'foreign':
      return { type: '', id: parsed.url, version: parsed.version ?? '' }
    case 'uri':
      return parsed.uri === '' ? undefined : { type: '', id: parsed.uri, version: '' }
    case 'fragment':
      return undefined
  }
}

/** Returns what a canonical points to: a local resource where it is one's address, else its URL; each with the business version. */
export function canonicalTarget(text: string, baseUrl: string): Target | undefined {
  const at = text.lastIndexOf('|')
  if (at < 0) return referenceTarget(text, baseUrl)
  const target = referenceTarget(text.slice(0, at), baseUrl)
  return target && { ...target, version: tokenText(text.slice(at + 1)) }
}

function add(target: Target | undefined, names: Names, sink: Sink): void {
  // Without a literal target there is a value all the same: `:missing` must see it.
  const { type, id, version } = target ?? { type: '', id: '', version: '' }
  addRow(sink, { kind: 'reference', param: names.name, type, id, version })
}

const reference: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const { reference: text, identifier } = value
  const literal = typeof text === 'string'
  if (literal) add(referenceTarget(text, sink.baseUrl), names, sink)
  else if (identifier !== undefined || value.display !== undefined) add(undefined, names, sink)
  if (identifier !== undefined) writeIdentifier(identifier, names, sink)
  else if (literal && text.startsWith('#')) {
    const identifiers = contained(text, sink.resource)?.identifier
    if (Array.isArray(identifiers)) for (const one of identifiers) writeIdentifier(one, names, sink)
    else if (identifiers !== undefined) writeIdentifier(identifiers, names, sink)
  }
}

function contained(text: string, resource: Resource): JsonObject | undefined {
  if (!Array.isArray(resource.contained)) return undefined
  const id = text.slice(1)
  for (const one of resource.contained) if (isObject(one) && one.id === id) return one
  return undefined
}

/** Beginnings of one version; what is longer than they are is found by the whole. */
const MAX_BEGINNINGS = 8

/** Returns a version and what it begins with, up to each dot, hyphen or plus: `1`, `1.0` and `1.0.2` of `1.0.2`. */
function versionBeginnings(version: string): string[] {
  const found: string[] = []
  for (const { index } of version.matchAll(/[.+-]/g)) {
    if (found.length === MAX_BEGINNINGS) break
    if (index > 0) found.push(version.slice(0, index))
  }
  return [...found, version]
}

const canonical: Writer = (value, names, sink) => {
  if (typeof value !== 'string' || value === '') return
  const target = canonicalTarget(value, sink.baseUrl)
  add(target, names, sink)
  if (target === undefined || target.version === '') return
  for (const version of versionBeginnings(target.version))
    addRow(sink, { kind: 'reference', param: versionName(names.name), ...target, version })
}

/** What writes reference rows for values of a FHIR type. */
export const REFERENCE_WRITERS: Readonly<Record<string, Writer>> = {
  Reference: reference,
  canonical,
  uri: (value, names, sink) => {
    if (typeof value === 'string' && value !== '') add(referenceTarget(value, sink.baseUrl), names, sink)
  },
}

/** Returns a writer for a resource nested in another, as in Bundle.entry: its own address, when it is of one of these types. */
export const nestedWriter =
  (targets: readonly string[]): Writer =>
  (value, names, sink) => {
    if (!isObject(value) || typeof value.resourceType !== 'string' || !targets.includes(value.resourceType))
      return
    add(
      typeof value.id === 'string' ? { type: value.resourceType, id: value.id, version: '' } : undefined,
      names,
      sink,
    )
  }

/** Returns whether `where(resolve() is type)` holds for a Reference, as far as the reference itself can tell. */
export function resolvesTo(value: Json, type: string, sink: Sink): boolean {
  if (!isObject(value)) return false
  const text = value.reference
  if (typeof text !== 'string') return value.type === type
  const parsed = parseReference(text, sink.baseUrl)
  if (parsed.kind === 'local' || parsed.kind === 'foreign') return parsed.type === type
  if (parsed.kind === 'fragment') return contained(text, sink.resource)?.resourceType === type
  return value.type === type
}

const ANY: Names = { name: ANY_REFERENCE, text: '', ofType: '', identifier: '' }

/** Adds a row for each literal reference to a resource of this server, in contained resources and extensions too. */
export function writeAllReferences(value: Json, sink: Sink): void {
  if (Array.isArray(value)) for (const one of value) writeAllReferences(one, sink)
  else if (isObject(value)) {
    // A resource in a Bundle or in Parameters is no part of this server's record.
    if (
      typeof value.resourceType === 'string' &&
      value !== sink.resource &&
      !isContained(value, sink.resource)
    )
      return
    const text = value.reference
    if (typeof text === 'string') {
      const target = referenceTarget(text, sink.baseUrl)
      if (target !== undefined && target.type !== '') add({ ...target, version: '' }, ANY, sink)
    }
    for (const name in value) {
      const member = value[name]
      if (typeof member === 'object' && member !== null) writeAllReferences(member, sink)
    }
  }
}

const isContained = (value: JsonObject, resource: Resource): boolean =>
  Array.isArray(resource.contained) && resource.contained.includes(value)

/** Up to so many types a bare id is asked for by type, which an index answers at once. */
const FEW_TARGETS = 8

const leaves = (
  { param: { rows } }: { param: Pick<SearchParam, 'rows'> },
  id: string,
  type?: string,
  version?: string,
): Node =>
  anyOf(
    rows.map(name => ({
      kind: 'reference',
      param: name,
      ...(type === undefined ? {} : { type }),
      id,
      ...(version === undefined || version === '' ? {} : { version }),
    })),
  )

const SCHEME = /^[a-z][a-z0-9+.-]*:/i

/** Returns what a value other than an id points to. Throws `invalid` for what is no address of a resource. */
function addressed({ criterion, value, context }: Ask): Target {
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
  const target =
    parts.length === 1
      ? referenceTarget(parts[0]!, context.baseUrl)
      : canonicalTarget(parts.join('|'), context.baseUrl)
  if (
    target !== undefined &&
    (target.type === '' ? SCHEME.test(target.id) : context.registry.types.includes(target.type))
  )
    return target
  throw refusal(
    criterion,
    `A value of "${criterion.code}" is an id, Type/id or a URL; contained resources have no address.`,
  )
}

/** Id, `Type/id`, or a URL, which may be a canonical with its version. */
export const planReference: Planner = ask => {
  const text = unescapeValue(ask.value)
  if (isId(text)) {
    const { targets } = ask.param
    if (targets.length === 0 || targets.length > FEW_TARGETS) return leaves(ask, text)
    return anyOf(targets.map(type => leaves(ask, text, type)))
  }
  const target = addressed(ask)
  return leaves(ask, target.id, target.type, target.version)
}

/** `:below` of a canonical: `url|1` is found in `url|1` and `url|1.0`, not in `url|10`; a URL alone whatever its version. */
const planVersions: Planner = ask => {
  if (isId(unescapeValue(ask.value))) return planReference(ask)
  const { id, type, version } = addressed(ask)
  if (version === '') return leaves(ask, id, type)
  return leaves({ param: { rows: ask.param.rows.map(versionName) } }, id, type, version)
}

/** `:[type]`: an id, of a resource of that type on this server: of a resource elsewhere the server does not know the type. */
export const planTypedReference: Planner = ask => {
  const { param, criterion, value, context } = ask
  const type = criterion.modifier!
  if (param.targets.length > 0 && !param.targets.includes(type))
    throw refusal(
      criterion,
      `"${criterion.code}" cannot refer to ${type}; it takes ${param.targets.join(', ')}.`,
    )
  const text = unescapeValue(value)
  if (isId(text)) return leaves(ask, text, type)
  const target = referenceTarget(text, context.baseUrl)
  if (target?.type !== type)
    throw refusal(
      criterion,
      `A value of "${criterion.name}" is the id of a ${type} on this server; ask for a reference to another server without ":${type}".`,
    )
  return leaves(ask, target.id, type, target.version)
}

/**
 * `:above` and `:below`: a resource and all that are above or below it in the hierarchy of its type, by id, `Type/id` or our own URL.
 * Of an id the type may be any that the parameter refers to; those that have no hierarchy are found as they are.
 */
const planAround =
  (way: 'above' | 'below'): Planner =>
  ask => {
    const { criterion, value, context } = ask
    const hierarchies = ask.param.hierarchies ?? []
    const text = unescapeValue(value)
    const target = isId(text) ? { type: undefined, id: text } : referenceTarget(text, context.baseUrl)
    const found = hierarchies.filter(one => target?.type === undefined || one.type === target.type)
    if (target === undefined || found.length === 0)
      throw refusal(
        criterion,
        `A value of "${criterion.name}" is an id or Type/id of this server, of a type that has a hierarchy: ${hierarchies.map(one => one.type).join(', ')}.`,
      )
    const { id } = target
    const around = found.flatMap(({ type, param }) =>
      knownIds(ask, { is: 'resources', type, id, param, way }).map(one => leaves(ask, one, type)),
    )
    return anyOf(target.type === undefined ? [planReference(ask), ...around] : around)
  }

export const planReferenceAbove = planAround('above')

const planBelowInHierarchy = planAround('below')

/** `:below`: of canonicals by version, of other references by hierarchy. */
export const planReferenceBelow: Planner = ask =>
  (ask.param.hierarchies ?? []).length === 0 ? planVersions(ask) : planBelowInHierarchy(ask)
