/**
 * The Bundle of a document: entries under addresses of their own, every reference resolved inside.
 * https://hl7.org/fhir/R4/documents.html#bundle, https://nrces.in/ndhm/fhir/r4/StructureDefinition-DocumentBundle.html
 */
import type { Context } from '../context.ts'
import { FhirError, type Issue } from '../fhir/error.ts'
import { type JsonObject, type Resource, writeJson } from '../fhir/json.ts'
import { object } from '../fhir/tree.ts'
import { derivedId } from '../lib/derived-id.ts'
import { type Key, stampText } from '../storage/port.ts'
import { validate } from '../validation/validate.ts'
import { type Member, outsideNames } from './closure.ts'
import { profileUrl } from './hi-types.ts'
import { resourceNarrative } from './narrative.ts'
import { rewrite } from './rewrite.ts'
import type { Library } from './source.ts'

export interface Built {
  bundle: Resource
  /** The id under which all versions of this document are stored. */
  seriesId: string
  /** The value of Bundle.identifier, which is made of everything that the document is made of. */
  identifier: string
}

/** Returns `Type/id/_history/version` of a member. */
export const versionOf = ({ source }: Member): string => `${source.key}/_history/${source.version}`

/** Returns when the newest of them was stored. */
export const newestOf = (members: readonly Member[]): string =>
  stampText(Math.max(...members.map(({ source }) => source.at)))

/** Returns the fullUrls of the members: made of the version, so that one version has one address in all documents. */
export async function addressesOf(ctx: Context, members: readonly Member[]): Promise<Map<Key, string>> {
  const urls = new Map<Key, string>()
  for (const member of members)
    urls.set(
      member.source.key,
      `urn:uuid:${await derivedId(ctx.settings.baseUrl, 'entry', versionOf(member))}`,
    )
  return urls
}

/** What a Bundle is made of. */
export interface Parts {
  seriesId: string
  stamp: string
  /** The document is one of NRCeS: profile and confidentiality are said. */
  nrces: boolean
  /** Without its id, which is made of everything in the document. Absent where the first of the members is the Composition. */
  composition?: Resource
  members: readonly Member[]
  urls: ReadonlyMap<Key, string>
}

/**
 * Returns the document.
 *
 * Throws `business-rule` (422) with what our own validator finds, each fault with the resource that it is of.
 */
export async function assemble(ctx: Context, library: Library, parts: Parts): Promise<Built> {
  const { seriesId, stamp, nrces, composition: bare, members, urls } = parts
  const names = await outsideNames(ctx, library, members)
  for (const { source } of members)
    rewrite(ctx, source.tree, { fullUrlOf: key => urls.get(key), nameOf: key => names.get(key) })
  const identity = await identityOf(ctx, parts)
  const composition = bare && withId(bare, await derivedId(identity, 'Composition'))
  const bundle: Resource = {
    resourceType: 'Bundle',
    id: seriesId,
    meta: {
      versionId: '1',
      lastUpdated: stamp,
      ...(nrces && {
        profile: [profileUrl('DocumentBundle')],
        security: [CONFIDENTIAL],
      }),
    },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${identity}` },
    type: 'document',
    timestamp: stamp,
    entry: [
      ...(composition
        ? [
            {
              fullUrl: `urn:uuid:${composition.id as string}`,
              resource: composition,
            },
          ]
        : []),
      ...members.map(member => {
        const fullUrl = urls.get(member.source.key)!
        return { fullUrl, resource: entryResource(member, fullUrl, nrces, ctx.settings.zone) }
      }),
    ],
  }
  await checkValid(ctx, bundle, [
    ...(composition ? ['The Composition'] : []),
    ...members.map(one => one.source.key),
  ])
  return { bundle, seriesId, identifier: `urn:uuid:${identity}` }
}

/** Returns an id of all that the document says; when it was stored is no part of that. */
function identityOf(ctx: Context, { seriesId, composition, members }: Parts): Promise<string> {
  const said = (resource: Resource): string => writeJson({ ...resource, meta: undefined })
  const texts = members.map(member => `${versionOf(member)} ${member.profile} ${said(member.source.tree)}`)
  return derivedId(
    ctx.settings.baseUrl,
    seriesId,
    composition === undefined ? '' : said(composition),
    ...texts,
  )
}

function withId({ resourceType, ...rest }: Resource, id: string): Resource {
  return { resourceType, id, ...rest }
}

const CONFIDENTIAL: JsonObject = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  code: 'V',
  display: 'very restricted',
}

/** Returns the resource of a member as the entry holds it. */
function entryResource({ source, profile }: Member, fullUrl: string, nrces: boolean, zone: string): Resource {
  const { resourceType, id: _id, meta, text: own, ...rest } = source.tree
  const { profile: stated, versionId: _version, lastUpdated: _at, ...labels } = object(meta) ?? {}
  const profiles = nrces ? profile && [profileUrl(profile)] : stated
  return {
    resourceType,
    id: fullUrl.slice('urn:uuid:'.length),
    meta: {
      versionId: String(source.version),
      lastUpdated: stampText(source.at),
      ...(profiles !== undefined && { profile: profiles }),
      ...labels,
    },
    ...(resourceType !== 'Binary' && {
      text: own ?? resourceNarrative(source.tree, zone),
    }),
    ...rest,
  }
}

async function checkValid(ctx: Context, bundle: Resource, names: readonly string[]): Promise<void> {
  const issues = await validate(ctx, bundle, { type: 'Bundle' })
  const faults = issues.filter(({ severity }) => severity === 'error' || severity === 'fatal')
  if (faults.length === 0) return
  const told = faults.map((issue): Issue => {
    const index = /^Bundle\.entry\[(\d+)\]/.exec(issue.expression ?? '')?.[1]
    const of = index === undefined ? undefined : names[Number(index)]
    return of === undefined ? issue : { ...issue, diagnostics: `${of}: ${issue.diagnostics}` }
  })
  throw new FhirError('business-rule', told, { status: 422 })
}
