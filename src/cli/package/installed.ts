/** The packages in a server, as their records say, and their removal. */
import { PACKAGE, PACKAGE_RECORD } from '../../conformance/package.ts'
import { NoServer } from '../load/send.ts'

export interface Installed {
  name: string
  version: string
  /** Everything of it is there. */
  complete: boolean
  /** What the record says: how many resources. */
  said: string
  /** Id of the record. */
  id: string
}

const PAGE = 200
const REQUEST_MS = 120_000

interface Bundle {
  entry?: { resource?: Found; search?: { mode?: string } }[]
  link?: { relation?: string; url?: string }[]
}

export interface Found {
  resourceType: string
  id: string
  status?: string
  version?: string
  description?: string
  meta?: { tag?: { system?: string; code?: string }[] }
}

/** Returns the packages, sorted by name and version. Throws NoServer where the server does not answer as one. */
export async function installed(base: string): Promise<Installed[]> {
  const records: Found[] = []
  let next: string | undefined =
    `${base}/ImplementationGuide?_tag=${encodeURIComponent(`${PACKAGE_RECORD}|`)}&_count=${PAGE}`
  while (next !== undefined) {
    const bundle: Bundle = await ask(next, {})
    records.push(...matchesOf(bundle))
    next = bundle.link?.find(({ relation }) => relation === 'next')?.url
  }
  return records
    .flatMap(({ id, status, description = '', meta }) => {
      const tag = meta?.tag?.find(({ system }) => system === PACKAGE_RECORD)?.code ?? ''
      const at = tag.lastIndexOf('#')
      if (at < 1) return []
      return {
        name: tag.slice(0, at),
        version: tag.slice(at + 1),
        complete: status === 'active',
        said: description,
        id,
      }
    })
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1))
}

/**
 * Removes everything that came with a package, its record last. The record is a draft from the beginning: a removal which was broken off is
 * seen to be one, and can be repeated. Returns how many resources there were.
 *
 * Throws an Error where the server refuses, for example because something refers to one of them.
 */
export async function remove(base: string, { name, version, id }: Installed): Promise<number> {
  let removed = 0
  await ask(`${base}/ImplementationGuide/${id}`, {
    method: 'PATCH',
    body: JSON.stringify([{ op: 'replace', path: '/status', value: 'draft' }]),
    headers: { 'Content-Type': 'application/json-patch+json' },
  })
  const tag = encodeURIComponent(`${PACKAGE}|${plainly(`${name}#${version}`)}`)
  for (;;) {
    const rows = await found(base, `?_tag=${tag}&_elements=id&_count=${PAGE}`)
    if (rows.length === 0) break
    await deleteAll(
      base,
      rows.map(row => `${row.resourceType}/${row.id}`),
    )
    removed += rows.length
  }
  await deleteAll(base, [`ImplementationGuide/${id}`])
  return removed
}

async function deleteAll(base: string, urls: readonly string[]): Promise<void> {
  const entry = urls.map(url => ({ request: { method: 'DELETE', url } }))
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
  await ask(base, { method: 'POST', body })
}

/** Returns the value of a search parameter without any meaning of its commas, bars and the like. */
export const plainly = (value: string): string => value.replace(/[\\,$|]/g, '\\$&')

/** Returns the resources on the first page of a search. Throws as `installed` does. */
export async function found(base: string, query: string): Promise<Found[]> {
  return matchesOf(await ask(`${base}${query.startsWith('?') ? '' : '/'}${query}`, {}))
}

const matchesOf = ({ entry = [] }: Bundle): Found[] =>
  entry.flatMap(({ resource, search }) =>
    resource !== undefined && search?.mode !== 'outcome' ? [resource] : [],
  )

async function ask(url: string, init: RequestInit): Promise<Bundle> {
  let response: Response
  try {
    response = await fetch(url, {
      ...init,
      headers: {
        'Content-Type': 'application/fhir+json',
        Accept: 'application/fhir+json',
        ...(init.headers as Record<string, string> | undefined),
      },
      signal: AbortSignal.timeout(REQUEST_MS),
    })
  } catch (cause) {
    throw new NoServer(`The server at ${url.split('?')[0]} does not answer any more.`, { cause })
  }
  const body = (await response.json().catch(() => undefined)) as
    | (Bundle & { issue?: { diagnostics?: string }[] })
    | undefined
  if (!response.ok || body === undefined)
    throw new Error(
      `The server refused (status ${response.status}): ${body?.issue?.[0]?.diagnostics ?? 'no reason given'}`,
    )
  return body
}
