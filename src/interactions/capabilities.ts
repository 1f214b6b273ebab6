/**
 * The capabilities interaction: a CapabilityStatement built from what the code registers and the backend can do.
 * https://hl7.org/fhir/R4/http.html#capabilities, https://hl7.org/fhir/R4/capabilitystatement.html
 */
import type { Context } from '../context.ts'
import type { Json, JsonObject, Resource } from '../fhir/json.ts'
import { PREFIXES } from '../search/ask.ts'
import { modifiersOf, paramModifiers } from '../search/modifiers.ts'
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

/** What only the HTTP layer knows. */
export interface HttpFacts {
  /** MIME types, such as `application/fhir+json`. */
  formats: readonly string[]
  patchFormats: readonly string[]
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

/** Returns the CapabilityStatement. Its date is the time of asking; all else stays the same for the life of the process. */
export function capabilities(ctx: Context, facts: HttpFacts): Resource {
  const { settings, version, registry, storage } = ctx
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
    rest: [
      {
        mode: 'server',
        security: { cors: false },
        resource: registry.types.map(type => resourceOf(ctx, type)),
        interaction: codes(SYSTEM_INTERACTIONS),
        searchParam: searchParams(ctx, 'Resource'),
      },
    ],
  }
}

const codes = (interactions: Interactions): Json[] => Object.keys(interactions).map(code => ({ code }))

const searchParams = (ctx: Context, type: string): Json[] =>
  ctx.registry
    .params(type)
    .filter(param => canSearch(ctx, param))
    .map(searchParam)

function resourceOf(ctx: Context, type: string): JsonObject {
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
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
    searchParam: searchParams(ctx, type),
  }
}

/** `_id` and `_lastUpdated` are no index rows, and every backend has them. */
const isColumn = (param: SearchParam): boolean => param.code === '_id' || param.code === '_lastUpdated'

function canSearch(ctx: Context, param: SearchParam): boolean {
  if (isColumn(param)) return true
  const node = NODE[param.type]
  if (node === undefined || modifiersOf(param.type).length === 0 || param.paths.length === 0) return false
  return ctx.storage.caps.nodes.has(node)
}

function searchParam(param: SearchParam): JsonObject {
  const { code, type, url } = param
  const modifiers = paramModifiers(param)
  const said = [`Modifiers: ${modifiers.map(name => `:${name}`).join(', ')}.`]
  if (ORDERED.has(type)) said.push(`Prefixes: ${PREFIXES.join(', ')}.`)
  if (isColumn(param) || isSortable(param)) said.push('Sorts.')
  return { name: code, definition: url, type, documentation: said.join(' ') }
}
