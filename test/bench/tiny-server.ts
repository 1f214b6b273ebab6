/** A FHIR server of a hundred lines for the tests of the load: right by default, and wrong in the way that a test asks for. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Faults {
  /** Search parameters that are ignored in silence. */
  ignores?: string[]
  /** The system of a token is ignored. */
  ignoresSystem?: boolean
  /** A write is acknowledged and not stored. */
  forgets?: 'create' | 'update' | 'transaction'
  /** A read answers with the resource that was stored last. */
  confuses?: boolean
  /** References within a transaction are left as they were sent. */
  keepsUrns?: boolean
  /** The same version is named for every update. */
  keepsVersion?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: resources of the test, read property by property
type Any = any

export interface TinyServer {
  baseUrl: string
  close(): Promise<void>
}

export async function tinyServer(faults: Faults = {}): Promise<TinyServer> {
  const store = new Map<string, Any>()
  let last = 0
  const put = (resource: Any, id: string, version: number): Any => {
    const stored = { ...resource, id, meta: { versionId: String(version) } }
    store.set(`${resource.resourceType}/${id}`, stored)
    return stored
  }

  const matches = (resource: Any, name: string, value: string): boolean => {
    if (faults.ignores?.includes(name)) return true
    const [system, code] = value.split('|')
    if (name === 'identifier')
      return resource.identifier?.some(
        (own: Any) => own.value === code && (faults.ignoresSystem || own.system === system),
      )
    if (name === 'code')
      return resource.code.coding.some((own: Any) => own.code === code && own.system === system)
    if (name === 'subject') return resource.subject?.reference === value
    if (name === 'family') return resource.name[0].family.toLowerCase().startsWith(value.toLowerCase())
    if (name === 'birthdate') return resource.birthDate >= value.slice(2)
    return true
  }

  const search = (type: string, query: URLSearchParams) => {
    const found = [...store.values()].filter(
      resource =>
        resource.resourceType === type && [...query].every(([name, value]) => matches(resource, name, value)),
    )
    return {
      resourceType: 'Bundle',
      type: 'searchset',
      total: found.length,
      entry: found.slice(0, 20).map(resource => ({ resource, search: { mode: 'match' } })),
    }
  }

  const transaction = (bundle: Any) => {
    const ids = new Map<string, string>()
    for (const { fullUrl, resource } of bundle.entry) ids.set(fullUrl, `${resource.resourceType}/t${++last}`)
    let text = JSON.stringify(bundle)
    if (!faults.keepsUrns)
      for (const [urn, key] of ids) text = text.replaceAll(`"reference":"${urn}"`, `"reference":"${key}"`)
    const entry = JSON.parse(text).entry.map(({ fullUrl, resource }: Any) => {
      const key = ids.get(fullUrl)!
      if (faults.forgets !== 'transaction') put(resource, key.split('/')[1]!, 1)
      return { response: { status: '201 Created', location: `${key}/_history/1` } }
    })
    return { resourceType: 'Bundle', type: 'transaction-response', entry }
  }

  const answer = (
    method: string,
    url: URL,
    body: Any,
  ): { status: number; head?: Record<string, string>; body: Any } => {
    const [type, id] = url.pathname.split('/').slice(2)
    if (method === 'POST' && type === undefined) return { status: 200, body: transaction(body) }
    if (method === 'POST') {
      const made = put(body, `c${++last}`, 1)
      if (faults.forgets === 'create') store.delete(`${type}/${made.id}`)
      return {
        status: 201,
        head: { Location: `${url.origin}/fhir/${type}/${made.id}/_history/1` },
        body: made,
      }
    }
    if (method === 'PUT') {
      const before = store.get(`${type}/${id}`)
      const version = faults.keepsVersion ? 2 : Number(before.meta.versionId) + 1
      const made = put(body, id!, version)
      if (faults.forgets === 'update') store.set(`${type}/${id}`, { ...before, meta: made.meta })
      return { status: 200, head: { ETag: `W/"${version}"` }, body: made }
    }
    if (id === undefined) return { status: 200, body: search(type!, url.searchParams) }
    const found = faults.confuses ? [...store.values()].at(-1) : store.get(`${type}/${id}`)
    return found ? { status: 200, body: found } : { status: 404, body: {} }
  }

  const server = createServer(async (request, response) => {
    const text = await textOf(request)
    const url = new URL(request.url!, 'http://127.0.0.1')
    const { status, head, body } = answer(request.method!, url, text === '' ? undefined : JSON.parse(text))
    response.writeHead(status, { 'Content-Type': 'application/fhir+json', ...head }).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}
