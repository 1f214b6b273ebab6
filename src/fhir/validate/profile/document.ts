/**
 * The rules of documents, and of references between the entries of a Bundle: what the Composition names is there, and what is there can be
 * reached from it.
 * https://hl7.org/fhir/R4/documents.html#content, https://hl7.org/fhir/R4/bundle.html#references
 */
import { isObject, type Json, type JsonObject } from '../../json.ts'
import { quoted } from '../issues.ts'
import { propertiesOf } from './properties.ts'
import { bundleOf, fullUrlOf, meantBy, resolve } from './resolve.ts'
import { childrenOf, type Spot, spotsOf } from './spot.ts'
import { report, spend, type Walk } from './walk.ts'

interface Link {
  from: Spot
  /** The entry's resource that it leads to. */
  to: Spot | undefined
}

/** Checks the references of all entries of a Bundle, and in a document that all entries hang together. */
export function checkLinks(bundle: Spot, walk: Walk): void {
  const { type } = bundle.value as JsonObject
  const entries = childrenOf(bundle, 'entry').flatMap(entry => childrenOf(entry, 'resource')[0] ?? [])
  const linked = type === 'document' || type === 'message' || type === 'collection' || type === 'transaction'
  if (!linked) return
  const isDocument = type === 'document'
  const links = new Map<Json, Link[]>()
  for (const entry of entries) {
    const found: Link[] = []
    collect(entry, found, walk)
    links.set(entry.value, found)
    for (const link of found)
      if (link.to === undefined) unresolved(link.from, entry, isDocument && entry === entries[0], type, walk)
  }
  if (isDocument && entries[0]?.type === 'Composition') checkReach(entries, links, walk)
}

/** Gathers the references in a resource and in what it contains. */
function collect(spot: Spot, into: Link[], walk: Walk): void {
  const object = spot.value
  if (!isObject(object)) return
  spend(walk)
  if (spot.type === 'Reference' && typeof object.reference === 'string') {
    if (object.reference.charCodeAt(0) !== 35) {
      const found = resolve(spot, walk)
      into.push({ from: spot, to: found.how === 'bundled' ? found.spot : undefined })
    }
    return
  }
  const properties = propertiesOf(spot.type)
  if (properties === undefined) return
  for (const name in object) {
    const property = properties.get(name)
    if (property === undefined || property.primitive) continue
    // The resources of a Bundle within this one refer to each other.
    if (property.type === 'Resource' && property.element !== 'contained') continue
    for (const one of spotsOf(spot, property, object[name], undefined)) collect(one, into, walk)
  }
}

/** Elements of a Composition whose targets have to be in the document. */
const MUST =
  /^Composition\.(?:subject|encounter|author|custodian|attester\.party|event\.detail|section(?:\.section)*\.(?:author|focus|entry))$/

function unresolved(
  from: Spot,
  entry: Spot,
  isComposition: boolean,
  type: Json | undefined,
  walk: Walk,
): void {
  const reference = (from.value as JsonObject).reference as string
  const isUrn = /^urn:(?:uuid|oid):/.test(reference)
  const must = isComposition && MUST.test(wayOf(from, entry))
  if (!must && !isUrn && /^[a-z][a-z0-9+.-]*:/i.test(reference)) return
  // A transaction may refer to what the server holds; a document should hold what it refers to.
  if (!must && !isUrn && type !== 'document' && type !== 'message') return
  if (isUrn && type === 'transaction') return
  report(
    walk,
    must || (isUrn && type !== 'collection') ? 'error' : 'warning',
    'not-found',
    must ? 'document-reference' : 'bundle-reference',
    from,
    () => {
      const bundle = bundleOf(entry.scope)
      const near = bundle && meantBy(reference, bundle, walk)
      const meant = near && fullUrlOf(near.scope)
      const advice =
        meant === undefined
          ? `Add an entry with this ${isUrn ? 'fullUrl' : 'resource'}, or correct the reference.`
          : `Write ${quoted(meant)}, which is the fullUrl of that resource here.`
      return `${quoted(reference)} is not in this Bundle. ${advice}`
    },
    '.reference',
  )
}

function wayOf(spot: Spot, root: Spot): string {
  let way = ''
  for (let at: Spot | undefined = spot; at !== undefined && at !== root; at = at.up)
    way = `.${at.element}${way}`
  return root.type + way
}

/**
 * Every entry of a document is reached from the Composition by references in either direction; what is only reached backward is a
 * Provenance, and of others R4 says nothing but that they ought to be looked at.
 */
function checkReach(entries: readonly Spot[], links: ReadonlyMap<Json, readonly Link[]>, walk: Walk): void {
  const into = new Map<Json, Json[]>()
  for (const [from, list] of links)
    for (const { to } of list) {
      if (to === undefined) continue
      const known = into.get(to.value)
      if (known === undefined) into.set(to.value, [from])
      else known.push(from)
    }
  const start = entries[0]!.value
  const forward = reach([start], value =>
    (links.get(value) ?? []).flatMap(({ to }) => (to === undefined ? [] : [to.value])),
  )
  const either = reach([...forward], value => [
    ...(into.get(value) ?? []),
    ...(links.get(value) ?? []).flatMap(({ to }) => (to === undefined ? [] : [to.value])),
  ])
  for (const entry of entries) {
    if (forward.has(entry.value)) continue
    if (entry.type === 'Binary' && isStylesheet(entry)) continue
    if (!either.has(entry.value))
      report(
        walk,
        'error',
        'structure',
        'document-reachable',
        entry.up!,
        () =>
          `Nothing leads from the Composition to this ${entry.type}. Refer to it in a section or in a resource of the document, or remove it.`,
      )
    else if (entry.type !== 'Provenance')
      report(
        walk,
        'warning',
        'structure',
        'document-reachable',
        entry.up!,
        () =>
          `No reference leads from the Composition to this ${entry.type}; it only refers to resources of the document. Refer to it in a section if it belongs to the document.`,
      )
  }
}

/** A stylesheet is a Binary that a link of the Bundle names. */
function isStylesheet(entry: Spot): boolean {
  const links = entry.up!.up!.value as JsonObject
  const url = fullUrlOf(entry.scope)
  return (
    Array.isArray(links.link) &&
    links.link.some(one => isObject(one) && one.relation === 'stylesheet' && one.url === url)
  )
}

function reach(from: readonly Json[], next: (value: Json) => readonly Json[]): Set<Json> {
  const reached = new Set(from)
  // What is added while the set is walked is walked as well.
  for (const value of reached) for (const one of next(value)) reached.add(one)
  return reached
}
