/**
 * The text of a Bundle, joined from the texts of the resources in it, which are never parsed.
 * https://hl7.org/fhir/R4/bundle.html
 */

export type BundleType = 'searchset' | 'history' | 'batch-response' | 'transaction-response'

export interface BundleLink {
  relation: string
  url: string
}

/** One entry; `resource` is the JSON text of a resource, all else is plain. */
export interface BundleEntry {
  fullUrl?: string
  resource?: string
  search?: { mode: 'match' | 'include' | 'outcome' }
  request?: { method: string; url: string }
  response?: {
    status: string
    location?: string
    etag?: string
    /** ISO 8601 instant. */
    lastModified?: string
    /** JSON text of an OperationOutcome. */
    outcome?: string
  }
}

export interface BundleParts {
  id?: string
  type: BundleType
  /** ISO 8601 instant for meta.lastUpdated. */
  lastUpdated?: string
  total?: number
  links?: readonly BundleLink[]
  entries: readonly BundleEntry[]
}

/** Returns the JSON text of the Bundle; `entry` and `link` are absent when empty, as FHIR allows no empty array. */
export function bundleText(parts: BundleParts): string {
  let text = '{"resourceType":"Bundle"'
  if (parts.id !== undefined) text += `,"id":${JSON.stringify(parts.id)}`
  if (parts.lastUpdated !== undefined) text += `,"meta":{"lastUpdated":"${parts.lastUpdated}"}`
  text += `,"type":"${parts.type}"`
  if (parts.total !== undefined) text += `,"total":${parts.total}`
  if (parts.links !== undefined && parts.links.length > 0) text += `,"link":${JSON.stringify(parts.links)}`
  if (parts.entries.length > 0) {
    text += ',"entry":['
    for (let i = 0; i < parts.entries.length; i++) text += (i === 0 ? '' : ',') + entryText(parts.entries[i]!)
    text += ']'
  }
  return `${text}}`
}

function entryText(entry: BundleEntry): string {
  const members: string[] = []
  if (entry.fullUrl !== undefined) members.push(`"fullUrl":${JSON.stringify(entry.fullUrl)}`)
  if (entry.resource !== undefined) members.push(`"resource":${entry.resource}`)
  if (entry.search !== undefined) members.push(`"search":{"mode":"${entry.search.mode}"}`)
  if (entry.request !== undefined) members.push(`"request":${JSON.stringify(entry.request)}`)
  if (entry.response !== undefined) {
    const { outcome, ...plain } = entry.response
    const response = JSON.stringify(plain)
    members.push(
      `"response":${outcome === undefined ? response : `${response.slice(0, -1)},"outcome":${outcome}}`}`,
    )
  }
  return `{${members.join(',')}}`
}
