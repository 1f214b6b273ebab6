/**
 * The capabilities interaction: a CapabilityStatement built from what the code registers and the backend can do.
 * https://hl7.org/fhir/R4/http.html#capabilities, https://hl7.org/fhir/R4/capabilitystatement.html
 */
import type { Context } from '../context.ts'
import { builtInProfilesOf } from '../fhir/definitions/structures.ts'
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { PREFIXES } from '../search/ask.ts'
import { COMPARTMENTS } from '../search/compartment.ts'
import { isColumn, isSearched, paramModifiers } from '../search/modifiers.ts'
import { NEAR } from '../search/params/near.ts'
import { isText } from '../search/params/text.ts'
import type { Node } from '../search/plan-node.ts'
import type { ParamType, SearchParam } from '../search/registry.ts'
import { isSortable } from '../search/result-params.ts'
import { stampText } from '../storage/port.ts'
import { batch } from './batch.ts'
import { create } from './create.ts'
import { remove } from './delete.ts'
import { history } from './history.ts'
import { patch } from './patch.ts'
import { read } from './read.ts'
import { search } from './search.ts'
import { transaction } from './transaction.ts'
import { update } from './update.ts'
import { vread } from './vread.ts'

/** What the store holds that the statement speaks of. */
export interface Held {
  /** Canonicals of the packages that are installed. */
  guides: readonly string[]
  /** Canonicals of the profiles that every resource of a type must conform to, by type. */
  profiles: ReadonlyMap<string, readonly string[]>
}

const NOTHING: Held = { guides: [], profiles: new Map() }

/** What only the HTTP layer knows. */
export interface HttpFacts {
  /** MIME types, such as `application/fhir+json`. */
  formats: readonly string[]
  patchFormats: readonly string[]
  /** The operations, with the types that each is for (undefined: all, and the system) and the levels that it is called at. */
  operations: readonly {
    name: string
    definition: string
    types: readonly string[] | undefined
    levels: readonly string[]
  }[]
}

type Interactions = Readonly<Record<string, unknown>>

/** By the codes of https://hl7.org/fhir/R4/valueset-type-restful-interaction.html: what is not here is not listed. */
export const TYPE_INTERACTIONS: Interactions = {
  read,
  vread,
  update,
  patch,
  delete: remove,
  'history-instance': history,
  'history-type': history,
  create,
  'search-type': search,
}

export const SYSTEM_INTERACTIONS: Interactions = {
  transaction,
  batch,
  'search-system': search,
  'history-system': history,
}

/** The plan node that the values of a parameter type become; a backend without it cannot search by such parameters. */
const NODE: Partial<Record<ParamType, Node['kind']>> = {
  token: 'token',
  string: 'string',
  date: 'date',
  number: 'quantity',
  quantity: 'quantity',
  reference: 'reference',
  uri: 'uri',
}

const ORDERED: ReadonlySet<ParamType> = new Set<ParamType>(['date', 'number', 'quantity'])

/**
 * Returns the CapabilityStatement. Its date is the time of asking; all else stays the same while neither `held` nor the search parameters
 * change.
 */
export function capabilities(ctx: Context, facts: HttpFacts, held: Held = NOTHING): Resource {
  const { settings, version, storage } = ctx
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: stampText(ctx.clock()),
    kind: 'instance',
    software: { name: 'Nadi', version },
    implementation: { description: `Nadi on ${storage.caps.name}`, url: settings.baseUrl },
    fhirVersion: '4.0.1',
    format: [...facts.formats],
    patchFormat: [...facts.patchFormats],
    ...(held.guides.length > 0 && { implementationGuide: [...held.guides] }),
    rest: [
      {
        mode: 'server',
        documentation: DOCUMENTATION,
        security: { cors: false },
        resource: resources(ctx, facts, held),
        interaction: codes(SYSTEM_INTERACTIONS),
        searchParam: [...searchParams(ctx, 'Resource'), ...LINKED.map(one => ({ ...one }))],
        ...operations(facts, ({ levels }) => levels.includes('system')),
        compartment: COMPARTMENTS.map(compartmentUrl),
      },
    ],
  }
}

const DOCUMENTATION = [
  'Search: parameters that are unknown or have no meaning are refused with 400, or left out and named under Prefer: handling=lenient.',
  'Chained parameters and _has go over several links; _include and _revinclude take :iterate.',
  'Results: _count, _sort, _total, _summary, _elements, _include, _revinclude.',
  '_contained and _containedType are not supported: contained resources are never matches of their own. _query is not supported: there are no named queries.',
  'Beyond R4: _explain=true adds an OperationOutcome that says how the search was done; _cursor and _stored stand in the links of pages.',
].join(' ')

/** Parameters of every type that are no elements of its own, and so have no definition that the registry could hold. */
const LINKED: readonly JsonObject[] = [
  { name: '_has', type: 'special', documentation: 'Reverse chaining: _has:Observation:patient:code. Nests.' },
  { name: '_list', type: 'special', documentation: 'The id of a List, whose items are found.' },
  {
    name: '_filter',
    definition: 'http://hl7.org/fhir/SearchParameter/filter',
    type: 'special',
    documentation: 'Not within a chain.',
  },
]

/** The ids of CompartmentDefinitions are the types, their first letter small. */
const compartmentUrl = (type: string): string =>
  `http://hl7.org/fhir/CompartmentDefinition/${type[0]!.toLowerCase()}${type.slice(1)}`

/** Returns the operations that are served at a place; without any the member is absent. */
function operations(
  { operations: all }: HttpFacts,
  here: (one: HttpFacts['operations'][number]) => boolean,
): JsonObject {
  const listed = all.filter(here).map(({ name, definition }) => ({ name, definition }))
  return listed.length === 0 ? {} : { operation: listed }
}

const codes = (interactions: Interactions): Json[] => Object.keys(interactions).map(code => ({ code }))

const searchParams = (ctx: Context, type: string): Json[] =>
  ctx.registry
    .params(type)
    .filter(param => canSearch(ctx, param))
    .map(param => searchParam(ctx, param))

/** Returns what there is of every type. */
function resources(ctx: Context, facts: HttpFacts, held: Held): JsonObject[] {
  const { types, params } = ctx.registry
  const links = types.flatMap(type =>
    params(type).flatMap(param =>
      param.type === 'reference' && canSearch(ctx, param)
        ? [{ name: `${type}:${param.code}`, type, targets: new Set(param.targets) }]
        : [],
    ),
  )
  return types.map(type => {
    const include = links.filter(link => link.type === type).map(({ name }) => name)
    const revinclude = links
      .filter(({ targets }) => targets.size === 0 || targets.has(type))
      .map(({ name }) => name)
    return {
      ...resourceOf(ctx, type, held),
      ...(include.length === 0 ? {} : { searchInclude: ['*', `${type}:*`, ...include] }),
      ...(revinclude.length === 0 ? {} : { searchRevInclude: ['*', ...revinclude] }),
      searchParam: searchParams(ctx, type),
      ...operations(
        facts,
        one =>
          (one.types === undefined || one.types.includes(type)) &&
          one.levels.some(level => level !== 'system'),
      ),
    }
  })
}

function resourceOf(ctx: Context, type: string, held: Held): JsonObject {
  // There is room for one profile that everything conforms to; where there are several, the others stand with those that may be claimed.
  const [profile = `http://hl7.org/fhir/StructureDefinition/${type}`, ...others] =
    held.profiles.get(type) ?? []
  const supported = [...new Set([...others, ...builtInProfilesOf(type)])].filter(one => one !== profile)
  return {
    type,
    profile,
    ...(supported.length > 0 && { supportedProfile: supported }),
    interaction: codes(TYPE_INTERACTIONS),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: ctx.settings.conditionalDelete,
    referencePolicy: [
      'literal',
      'logical',
      'local',
      ...(ctx.settings.references === 'enforce' ? ['enforced'] : []),
    ],
  }
}

/** Whether the backend can do what the values of the parameter mean. */
function canSearch(ctx: Context, param: SearchParam): boolean {
  // Until its index is complete it answers nothing.
  if (param.building) return false
  if (isColumn(param)) return true
  const has = (node: Node['kind'] | undefined) => node !== undefined && ctx.storage.caps.nodes.has(node)
  if (!isSearched(param)) return false
  if (isText(param.code)) return ctx.settings.fullText === 'on' && has('word')
  if (param.name === NEAR) return has('near')
  if (param.composite !== undefined) return has('token')
  return has(NODE[param.type])
}

function searchParam(ctx: Context, param: SearchParam): JsonObject {
  const { code, type, url } = param
  const modifiers = paramModifiers(param)
  const said = [`Modifiers: ${modifiers.map(name => `:${name}`).join(', ')}.`]
  const hierarchies = (param.hierarchies ?? []).map(one => one.type)
  if (hierarchies.length > 0) said.push(`Hierarchies: ${hierarchies.join(', ')}.`)
  if (ORDERED.has(type)) said.push(`Prefixes: ${PREFIXES.join(', ')}.`)
  if (param.composite !== undefined) said.push(`Value: ${param.composite.codes.join('$')}.`)
  if (type === 'reference' && ctx.storage.caps.nodes.has('chain')) said.push('Chains.')
  if (isColumn(param) || isSortable(param)) said.push('Sorts.')
  return { name: code, definition: url, type, documentation: said.join(' ') }
}
