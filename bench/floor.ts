/**
 * The floor: a bare Hono route with a prepared SELECT that answers reads with the headers that Nadi answers with. It does nothing else:
 * no access, no negotiation, no log, no index; its transaction only fills it, for the load to read.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'

const db = new DatabaseSync(process.env.FLOOR_FILE ?? ':memory:')
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536')
db.exec(
  'CREATE TABLE res (type TEXT, id TEXT, ver INTEGER, lu INTEGER, body TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID',
)
const select = db.prepare('SELECT ver, lu, body FROM res WHERE type = ? AND id = ?')
select.setReturnArrays(true)
const insert = db.prepare('INSERT INTO res VALUES (?, ?, 1, ?, ?)')

const app = new Hono()

app.get('/fhir/:type/:id', c => {
  const row = select.get(c.req.param('type'), c.req.param('id')) as unknown as
    | [number, number, string]
    | undefined
  if (!row) return c.json({ resourceType: 'OperationOutcome' }, 404)
  const headers = {
    'X-Request-Id': crypto.randomUUID(),
    ETag: `W/"${row[0]}"`,
    'Last-Modified': new Date(row[1]).toUTCString(),
    'Cache-Control': 'private, no-cache',
    'Content-Type': 'application/fhir+json; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept, Accept-Encoding',
  }
  return new Response(row[2], { headers })
})

app.get('/fhir/metadata', c => c.json({ software: { name: 'floor', version: process.version } }))

interface Entry {
  fullUrl: string
  resource: { resourceType: string; subject?: { reference: string } }
}

app.post('/fhir', async c => {
  const { entry } = (await c.req.json()) as { entry: Entry[] }
  const at = Date.now()
  const ids = new Map(entry.map(({ fullUrl }) => [fullUrl, crypto.randomUUID()]))
  db.exec('BEGIN')
  const response = entry.map(({ fullUrl, resource: { resourceType, ...rest } }) => {
    const id = ids.get(fullUrl)!
    const target = rest.subject && ids.get(rest.subject.reference)
    if (target) rest.subject = { reference: `Patient/${target}` }
    const meta = { versionId: '1', lastUpdated: new Date(at).toISOString() }
    insert.run(resourceType, id, at, JSON.stringify({ resourceType, id, meta, ...rest }))
    return { response: { status: '201 Created', location: `${resourceType}/${id}/_history/1` } }
  })
  db.exec('COMMIT')
  return c.json({ resourceType: 'Bundle', type: 'transaction-response', entry: response })
})

const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server
server.listen(0, '127.0.0.1', () => {
  console.log(`Floor listens on http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`)
})
process.on('SIGTERM', () => {
  server.closeAllConnections()
  server.close(() => process.exit())
})
