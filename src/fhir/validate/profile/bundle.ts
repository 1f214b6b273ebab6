/**
 * The rules of Bundles: the invariants of R4 written out, fullUrls, and references between entries.
 * https://hl7.org/fhir/R4/bundle.html
 */
import { isObject, type JsonObject } from '../../json.ts'
import { quoted } from '../issues.ts'
import { childrenOf, type Spot } from './spot.ts'
import { report, type Walk } from './walk.ts'

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\S+$/i
const UUID = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/
const RESTFUL = /^https?:\/\/\S+\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/

/** Checks what holds of a Bundle of each type. */
export function checkBundle(spot: Spot, walk: Walk): void {
  const bundle = spot.value as JsonObject
  const type = typeof bundle.type === 'string' ? bundle.type : ''
  const entries = childrenOf(spot, 'entry')
  const says = (rule: string, sentence: string, below = '', at = spot) =>
    report(walk, 'error', 'invariant', rule, at, () => `${sentence} (${rule})`, below)

  if (bundle.total !== undefined && type !== 'searchset' && type !== 'history')
    says('bdl-1', `A total is only of a searchset or a history. Remove it from this ${type}.`, '.total')
  if (type === 'document') {
    const identifier = isObject(bundle.identifier) ? bundle.identifier : {}
    if (identifier.system === undefined || identifier.value === undefined)
      says(
        'bdl-9',
        'A document has an identifier with system and value, which no other document has. Add them, such as system "urn:ietf:rfc:3986" and a urn:uuid: for the value.',
        '.identifier',
      )
    if (bundle.timestamp === undefined)
      says(
        'bdl-10',
        'A document has a timestamp: the instant at which it was put together, with a zone. Add it.',
        '.timestamp',
      )
    first('Composition', 'bdl-11', 'document')
  }
  if (type === 'message') first('MessageHeader', 'bdl-12', 'message')

  const seen = new Map<string, Spot>()
  for (const entry of entries) {
    const { fullUrl, resource, search, request, response } = entry.value as JsonObject
    if (search !== undefined && type !== 'searchset')
      says(
        'bdl-2',
        `Only the entries of a searchset have search. Remove it from this ${type}.`,
        '.search',
        entry,
      )
    const asked = type === 'batch' || type === 'transaction' || type === 'history'
    if (asked !== (request !== undefined))
      says(
        'bdl-3',
        asked
          ? `Each entry of a ${type} has a request. Add it.`
          : `No entry of a ${type} has a request. Remove it.`,
        '.request',
        entry,
      )
    const answered = type === 'batch-response' || type === 'transaction-response' || type === 'history'
    if (answered !== (response !== undefined))
      says(
        'bdl-4',
        answered
          ? `Each entry of a ${type} has a response. Add it.`
          : `No entry of a ${type} has a response. Remove it.`,
        '.response',
        entry,
      )
    if (resource === undefined && request === undefined && response === undefined)
      says(
        'bdl-5',
        'An entry has a resource, a request or a response. Add one or remove the entry.',
        '',
        entry,
      )
    if (typeof fullUrl === 'string') checkFullUrl(entry, fullUrl, type, seen, walk)
    else if (resource !== undefined && NEEDS_FULL_URL.has(type))
      report(
        walk,
        'error',
        'required',
        'bundle-fullurl',
        entry,
        () => `Each entry of a ${type} has a fullUrl. Add ${fullUrlFor(resource)}.`,
        '.fullUrl',
      )
  }

  function first(wanted: string, rule: string, name: string): void {
    const found = entries[0] === undefined ? undefined : childrenOf(entries[0], 'resource')[0]
    if (found?.type === wanted) return
    const at = entries.findIndex(entry => childrenOf(entry, 'resource')[0]?.type === wanted)
    const where = at < 0 ? `Add one as entry[0].` : `Move it there from entry[${at}].`
    says(
      rule,
      `The first entry of a ${name} is the ${wanted}. ${where}`,
      entries.length === 0 ? '.entry' : '.entry[0]',
    )
  }
}

/** "fullUrl may only be omitted in batches, transactions and their answers." */
const NEEDS_FULL_URL: ReadonlySet<string> = new Set([
  'document',
  'message',
  'collection',
  'searchset',
  'history',
])

function checkFullUrl(entry: Spot, fullUrl: string, type: string, seen: Map<string, Spot>, walk: Walk): void {
  const resource = childrenOf(entry, 'resource')[0]
  const value = isObject(resource?.value) ? resource.value : undefined
  if (fullUrl.includes('/_history/'))
    report(
      walk,
      'error',
      'invariant',
      'bdl-8',
      entry,
      () => 'A fullUrl names no version. Remove /_history/ and what follows it. (bdl-8)',
      '.fullUrl',
    )
  if (
    !ABSOLUTE.test(fullUrl) ||
    (fullUrl.startsWith('urn:uuid:') && !UUID.test(fullUrl)) ||
    (fullUrl.startsWith('urn:oid:') && !OID.test(fullUrl))
  )
    report(
      walk,
      'error',
      'value',
      'bundle-fullurl-absolute',
      entry,
      () => `The fullUrl ${quoted(fullUrl)} is not absolute. Write ${fullUrlFor(value)}.`,
      '.fullUrl',
    )
  else if (value !== undefined) checkId(entry, fullUrl, value, type, walk)
  if (type === 'history') return
  const meta = isObject(value?.meta) ? value.meta.versionId : undefined
  const key = `${fullUrl} ${typeof meta === 'string' ? meta : ''}`
  const before = seen.get(key)
  if (before === undefined) seen.set(key, entry)
  else
    report(
      walk,
      'error',
      'invariant',
      'bdl-7',
      entry,
      () =>
        `entry[${before.index}] has the same fullUrl and version. Give each resource of the Bundle a fullUrl of its own. (bdl-7)`,
      '.fullUrl',
    )
}

/** "fullUrl SHALL be consistent with the resource.id if it is a RESTful address." */
function checkId(
  entry: Spot,
  fullUrl: string,
  { id, resourceType }: JsonObject,
  type: string,
  walk: Walk,
): void {
  // What is to be created has no id yet.
  if (type === 'batch' || type === 'transaction') return
  const address = RESTFUL.exec(fullUrl)
  if (address === null || typeof id !== 'string' || address[1] !== resourceType || address[2] === id) return
  report(
    walk,
    'error',
    'value',
    'bundle-fullurl-id',
    entry,
    () =>
      `The fullUrl ends in ${quoted(address[2]!)}, yet the id of the resource is ${quoted(id)}. Let it end in /${resourceType}/${id}, or correct the id.`,
    '.fullUrl',
  )
}

function fullUrlFor(resource: unknown): string {
  const { resourceType, id } = isObject(resource as JsonObject) ? (resource as JsonObject) : {}
  const address =
    typeof resourceType === 'string' && typeof id === 'string'
      ? `, or the address of the resource that ends in /${resourceType}/${id}`
      : ''
  return `urn:uuid: and a UUID in small letters${address}`
}
