/** What the REST suites speak through: fetch on a real socket, answers with text and tree, and material of their own making. */
import { expect } from 'vitest'

// Answers are read field by field in assertions, so a tree without types says most with the least.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Tree = any

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The body as JSON; undefined when it is empty or is not JSON. */
  body: Tree
}

export interface Ask {
  body?: unknown
  headers?: Record<string, string>
}

export interface Server {
  /** The FHIR base, without a slash at the end. */
  base: string
  /** Does what is due now, where the server does not look by itself each second. */
  tick?(): Promise<void>
  stop(): Promise<void>
}

export interface Api {
  base: string
  /** The address without the path of the FHIR base. */
  root: string
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  delete(path: string, headers?: Record<string, string>): Promise<Answer>
  /** Creates a resource and returns it as the server stored it; fails the test when it was not created. */
  made(resource: Tree): Promise<Tree>
  /** Every id that a search finds, over all its pages, in order. */
  found(query: string): Promise<string[]>
}

export const FHIR = 'application/fhir+json'

/** Returns a client of the server at `base`; a path that begins with `http` is taken as it is, one with `//` is taken from the root. */
export function api(base: string): Api {
  const root = new URL(base).origin
  const ask = async (method: string, path: string, { body, headers = {} }: Ask = {}): Promise<Answer> => {
    const url = path.startsWith('http')
      ? path
      : path.startsWith('//')
        ? root + path.slice(1)
        : join(base, path)
    const sent: Record<string, string> = { ...headers }
    const has = (name: string) => Object.keys(sent).some(key => key.toLowerCase() === name)
    if (body !== undefined && !has('content-type')) sent['content-type'] = FHIR
    if (!has('accept')) sent.accept = FHIR
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(url, {
      method,
      headers: sent,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as string }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: treeOf(text) }
  }
  const client: Api = {
    base,
    root,
    ask,
    get: (path, headers) => ask('GET', path, { headers }),
    post: (path, body, headers) => ask('POST', path, { body, headers }),
    put: (path, body, headers) => ask('PUT', path, { body, headers }),
    patch: (path, body, headers) => ask('PATCH', path, { body, headers }),
    delete: (path, headers) => ask('DELETE', path, { headers }),
    async made(resource) {
      const answer = await ask('POST', resource.resourceType, {
        body: resource,
        headers: { prefer: 'return=representation' },
      })
      expect(answer.status, answer.text).toBe(201)
      return answer.body
    },
    async found(query) {
      const ids: string[] = []
      let next: string | undefined = query
      for (let page = 0; next !== undefined; page++) {
        expect(page, 'pages without end').toBeLessThan(200)
        const answer: Answer = await ask('GET', next)
        expect(answer.status, `${next}: ${answer.text}`).toBe(200)
        ids.push(...matches(answer.body).map((resource: Tree) => resource.id))
        next = link(answer.body, 'next')
      }
      return ids
    },
  }
  return client
}

/** The resources of a searchset whose search mode is match. */
export const matches = (bundle: Tree): Tree[] =>
  (bundle.entry ?? [])
    .filter((entry: Tree) => entry.search?.mode === 'match')
    .map((entry: Tree) => entry.resource)

/** The address that a Bundle gives under a link relation. */
export const link = (bundle: Tree, relation: string): string | undefined =>
  (bundle.link ?? []).find((each: Tree) => each.relation === relation)?.url

/** Asserts an OperationOutcome with an error and the status, one of several where the specification leaves a choice. */
export function refused(answer: Answer, ...statuses: number[]): Tree {
  expect(statuses, `${answer.status}: ${answer.text}`).toContain(answer.status)
  expect(answer.headers.get('content-type')).toMatch(/^application\/fhir\+json/)
  expect(answer.body?.resourceType, answer.text).toBe('OperationOutcome')
  expect(answer.body.issue.length).toBeGreaterThan(0)
  for (const issue of answer.body.issue) {
    expect(['fatal', 'error', 'warning', 'information']).toContain(issue.severity)
    expect(issue.code).toMatch(/^[a-z-]+$/)
  }
  expect(
    answer.body.issue.some((issue: Tree) => issue.severity === 'error' || issue.severity === 'fatal'),
  ).toBe(true)
  return answer.body
}

/** The places that an OperationOutcome names. */
export const places = (outcome: Tree): string[] =>
  outcome.issue.flatMap((issue: Tree) => issue.expression ?? [])

let made = 0
/** A word that no other test of any run on this store has used. */
export const word = (): string =>
  `w${Date.now().toString(36)}${(made++).toString(36)}${Math.random().toString(36).slice(2, 8)}`

/** The system of every identifier in these suites. */
export const SYSTEM = 'https://thanal.example.org/test'

/** A small Patient that can be found by its identifier. */
export const patient = (value: string, more: Tree = {}): Tree => ({
  resourceType: 'Patient',
  identifier: [{ system: SYSTEM, value }],
  name: [{ family: 'Nair', given: ['Meera'] }],
  ...more,
})

/** A small Observation; `value` is the text of its decimal. */
export const observation = (more: Tree = {}): Tree => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8310-5' }] },
  ...more,
})

/** The search that finds by identifier, to stand in a URL. */
export const byIdentifier = (value: string): string =>
  `identifier=${encodeURIComponent(`${SYSTEM}|${value}`)}`

/** The logical id and the version that Location names, or Content-Location where nothing was created. */
export function located(answer: Answer): { type: string; id: string; version: string } {
  const location = answer.headers.get('location') ?? answer.headers.get('content-location') ?? ''
  const [, type, id, version] =
    /\/([A-Z]\w+)\/([A-Za-z0-9.-]+)\/_history\/([A-Za-z0-9.-]+)$/.exec(location) ?? []
  expect(version, `Location: ${location}`).toBeDefined()
  return { type: type as string, id: id as string, version: version as string }
}

/** An entry of a transaction. */
export const entry = (method: string, url: string, more: Tree = {}, request: Tree = {}): Tree => ({
  ...more,
  request: { method, url, ...request },
})

/** A transaction or batch of entries. */
export const bundle = (type: 'transaction' | 'batch', ...entries: Tree[]): Tree => ({
  resourceType: 'Bundle',
  type,
  entry: entries,
})

/** A new urn:uuid. */
export const urn = (): string => `urn:uuid:${crypto.randomUUID()}`

function join(base: string, path: string): string {
  if (path === '' || path === '/') return base
  return path.startsWith('?') ? base + path : `${base}/${path.replace(/^\//, '')}`
}

function treeOf(text: string): Tree {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
