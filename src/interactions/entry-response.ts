/**
 * The entries of a batch-response or transaction-response.
 * https://hl7.org/fhir/R4/http.html#transaction-response
 */
import type { Context } from '../context.ts'
import type { BundleEntry } from '../fhir/bundle.ts'
import { outcomeText, statusOf } from '../fhir/outcome.ts'
import { type Live, type Stored, stampText } from '../storage/port.ts'
import { etag } from './preconditions.ts'
import type { Deleted, Written } from './written.ts'

/** Prefer: return, as the HTTP header has it. */
export type Return = 'minimal' | 'representation' | 'OperationOutcome'

const STATUS: Record<number, string> = {
  200: '200 OK',
  201: '201 Created',
  204: '204 No Content',
  304: '304 Not Modified',
  400: '400 Bad Request',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: '409 Conflict',
  410: '410 Gone',
  412: '412 Precondition Failed',
  413: '413 Content Too Large',
  422: '422 Unprocessable Content',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
}

const statusText = (status: number): string => STATUS[status] ?? String(status)

const versionOf = (row: Stored) => ({ etag: etag(row), lastModified: stampText(row.at) })

const said = (diagnostics: string): string =>
  outcomeText([{ severity: 'information', code: 'informational', diagnostics }])

/** Returns the entry for a create, update or patch; the resource comes with it where it is asked for. */
export function writtenEntry(ctx: Context, { stored, created }: Written, prefer: Return): BundleEntry {
  const url = `${ctx.settings.baseUrl}/${stored.key}`
  const response = {
    status: statusText(created ? 201 : 200),
    location: `${url}/_history/${stored.version}`,
    ...versionOf(stored),
  }
  if (prefer === 'representation') return { fullUrl: url, resource: stored.text, response }
  if (prefer === 'OperationOutcome')
    return {
      response: { ...response, outcome: said(`${stored.key} is stored as version ${stored.version}.`) },
    }
  return { response }
}

/** Returns the entry for a deletion. */
export function deletedEntry({ stored }: Deleted, prefer: Return): BundleEntry {
  const version = stored.length === 1 ? versionOf(stored[0]!) : {}
  const outcome = prefer === 'OperationOutcome' ? { outcome: said(`Deleted: ${stored.length}.`) } : {}
  return {
    response: { status: statusText(prefer === 'OperationOutcome' ? 200 : 204), ...version, ...outcome },
  }
}

/** Returns the entry for a read or vread; `withBody` is off for HEAD. */
export function readEntryOf(ctx: Context, row: Live, withBody: boolean): BundleEntry {
  const response = { status: statusText(200), ...versionOf(row) }
  return withBody
    ? { fullUrl: `${ctx.settings.baseUrl}/${row.key}`, resource: row.text, response }
    : { response }
}

export const notModifiedEntry = (row: Live): BundleEntry => ({
  response: { status: statusText(304), ...versionOf(row) },
})

/** Returns the entry for a search, a history or an operation, whose answer is a resource that is not stored. */
export const bundleEntryOf = (text: string, withBody: boolean, status = 200): BundleEntry => ({
  ...(withBody ? { resource: text } : {}),
  response: { status: statusText(status) },
})

/** Returns the entry for a request that failed. */
export const failedEntry = (error: unknown): BundleEntry => ({
  response: { status: statusText(statusOf(error)), outcome: outcomeText(error) },
})
