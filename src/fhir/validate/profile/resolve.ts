/**
 * What a reference points to among the resources that were sent together: contained ones, and the entries of a Bundle.
 * https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/references.html#contained
 */
import { isResourceType } from '../../definitions/resource-types.ts'
import { isObject, type JsonObject } from '../../json.ts'
import { childrenOf, type Scope, type Spot } from './spot.ts'
import type { ResourceIndex, Walk } from './walk.ts'

export type Resolved =
  | { how: 'contained' | 'bundled'; spot: Spot }
  /** Elsewhere, or nowhere; `type` as the reference says. `isSure`: what it names cannot be of another type. */
  | { how: 'not here'; type: string | undefined; isSure?: boolean }

const RESTFUL =
  /^(https?:\/\/[^\s?#]+\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/
const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/
/** In a transaction. */
const SEARCH = /^([A-Z][A-Za-z]+)\?/

/** Returns what a Reference (or a uri or canonical) at a place points to. */
export function resolve(spot: Spot, walk: Walk): Resolved {
  const reference = isObject(spot.value) ? spot.value.reference : spot.value
  if (typeof reference !== 'string') return { how: 'not here', type: statedType(spot), isSure: true }
  if (reference.charCodeAt(0) === 35) return inContainer(reference.slice(1), spot.scope, walk)
  const bundle = bundleOf(spot.scope)
  if (bundle !== undefined) {
    const found = inBundle(reference, spot, bundle, walk)
    if (found !== undefined) return { how: 'bundled', spot: found }
  }
  const named = typeIn(reference)
  return { how: 'not here', type: named ?? statedType(spot), isSure: !reference.includes(':') }
}

function inContainer(id: string, scope: Scope, walk: Walk): Resolved {
  const container = scope.container ?? scope
  if (id === '') return { how: 'contained', spot: container.at }
  const spot = indexOf(container, walk).contained.get(id)
  return spot === undefined ? { how: 'not here', type: undefined } : { how: 'contained', spot }
}

/** Returns the Bundle that a resource stands in. */
export function bundleOf(scope: Scope): Scope | undefined {
  let at = scope.within
  while (at !== undefined && at.resource.resourceType !== 'Bundle') at = at.within
  return at
}

/** Returns the entry's fullUrl in which a resource stands, the outermost of the resources between it and the Bundle. */
export function fullUrlOf(scope: Scope): string | undefined {
  let at = scope.container ?? scope
  while (at.entry < 0 && at.within !== undefined) at = at.within
  const entry = at.at.up?.value
  return isObject(entry) && typeof entry.fullUrl === 'string' ? entry.fullUrl : undefined
}

function inBundle(reference: string, spot: Spot, bundle: Scope, walk: Walk): Spot | undefined {
  const index = indexOf(bundle, walk)
  const exact = index.fullUrls.get(reference)
  if (exact !== undefined) return exact
  const relative = RELATIVE.exec(reference)
  if (relative !== null) {
    const root = RESTFUL.exec(fullUrlOf(spot.scope) ?? '')?.[1]
    if (root !== undefined) return versioned(index, `${root}${relative[1]}/${relative[2]}`, relative[3])
    // Where no fullUrl gives the root, as in a Bundle that has none, type and id have to do.
    return index.bare.get(`${relative[1]}/${relative[2]}`)
  }
  const absolute = RESTFUL.exec(reference)
  if (absolute?.[4] === undefined) return undefined
  return versioned(index, `${absolute[1]}${absolute[2]}/${absolute[3]}`, absolute[4])
}

const versioned = (index: ResourceIndex, url: string, version: string | undefined): Spot | undefined =>
  version === undefined ? index.fullUrls.get(url) : index.versions.get(`${url}/_history/${version}`)

/** Returns the first entry that a relative reference may mean by type and id, though it does not resolve to it. */
export function meantBy(reference: string, bundle: Scope, walk: Walk): Spot | undefined {
  const relative = RELATIVE.exec(reference)
  return relative === null ? undefined : indexOf(bundle, walk).locals.get(`${relative[1]}/${relative[2]}`)
}

/** Returns what can be reached in a resource; made once. */
export function indexOf(scope: Scope, walk: Walk): ResourceIndex {
  const known = walk.indexes.get(scope.resource)
  if (known !== undefined) return known
  const contained = new Map<string, Spot>()
  for (const one of childrenOf(scope.at, 'contained')) {
    const id = idOf(one)
    if (id !== undefined && !contained.has(id)) contained.set(id, one)
  }
  const fullUrls = new Map<string, Spot>()
  const versions = new Map<string, Spot>()
  const locals = new Map<string, Spot>()
  const bare = new Map<string, Spot>()
  if (scope.resource.resourceType === 'Bundle')
    for (const entry of childrenOf(scope.at, 'entry')) {
      const resource = childrenOf(entry, 'resource')[0]
      if (resource === undefined) continue
      const { fullUrl } = entry.value as JsonObject
      const { meta } = resource.value as JsonObject
      if (typeof fullUrl === 'string') {
        add(fullUrls, fullUrl, resource)
        if (isObject(meta) && typeof meta.versionId === 'string')
          add(versions, `${fullUrl}/_history/${meta.versionId}`, resource)
      }
      const id = idOf(resource)
      if (id === undefined) continue
      add(locals, `${resource.type}/${id}`, resource)
      if (typeof fullUrl !== 'string') add(bare, `${resource.type}/${id}`, resource)
    }
  const index = { contained, fullUrls, versions, locals, bare }
  walk.indexes.set(scope.resource, index)
  return index
}

function add(map: Map<string, Spot>, key: string, spot: Spot): void {
  if (!map.has(key)) map.set(key, spot)
}

function idOf(spot: Spot): string | undefined {
  const id = isObject(spot.value) ? spot.value.id : undefined
  return typeof id === 'string' ? id : undefined
}

function typeIn(reference: string): string | undefined {
  const type = RELATIVE.exec(reference)?.[1] ?? RESTFUL.exec(reference)?.[2] ?? SEARCH.exec(reference)?.[1]
  return type !== undefined && isResourceType(type) ? type : undefined
}

function statedType(spot: Spot): string | undefined {
  const type = isObject(spot.value) ? spot.value.type : undefined
  return typeof type === 'string' && isResourceType(type) ? type : undefined
}
