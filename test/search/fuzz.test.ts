/**
 * Hostile searches against the whole application: each is answered by a Bundle or an OperationOutcome, never by a 500, and in time.
 * `NADI_FUZZ_SECONDS` says for how long altogether (60), `NADI_FUZZ_SEED` with which seed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import { keyOf, type Storage } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { silent } from '../storage/silent-log.ts'
import { appOn, type SearchApp } from './app-on.ts'
import { CASE_BASE, CASES_END, stored } from './cases.ts'
import { type Hostile, hostile } from './hostile.ts'
import { generator } from './random.ts'

const SECONDS = Number(process.env.NADI_FUZZ_SECONDS ?? 60)
const SEED = Number(process.env.NADI_FUZZ_SEED ?? Date.now() % 2 ** 31)
/** A search of the application may take so long, ms; and any answer, on a machine that has other things to do. */
const SEARCH_MS = 5_000
const ANSWER_MS = 10_000
const RESOURCES = 300

const registry = createRegistry()

const material = (): Resource[] =>
  Array.from({ length: RESOURCES }, (_, i) => [
    {
      resourceType: 'Patient',
      id: `fuzz-${i}`,
      gender: ['male', 'female'][i % 2],
      birthDate: `19${50 + (i % 50)}-05-05`,
      name: [{ family: ['Nair', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', 'Menon'][i % 3], given: [`G${i}`] }],
      managingOrganization: { reference: `Organization/fuzz-${i % 7}` },
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">bone of a liver</div>' },
    },
    {
      resourceType: 'Observation',
      id: `fuzz-${i}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: `c${i % 5}` }] },
      subject: { reference: `Patient/fuzz-${i}` },
      hasMember: [{ reference: `Observation/fuzz-${(i * 7) % RESOURCES}` }],
      effectiveDateTime: '2024-01-01',
      valueQuantity: { value: i, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
    },
    {
      resourceType: 'Organization',
      id: `fuzz-${i}`,
      name: `Org ${i}`,
      partOf: { reference: `Organization/fuzz-${i >> 1}` },
    },
    {
      resourceType: 'Location',
      id: `fuzz-${i}`,
      name: `L ${i}`,
      position: { latitude: (i % 180) - 90, longitude: i },
    },
  ])
    .flat()
    .map(one => parseJson(JSON.stringify(one)) as Resource)

async function fill(storage: Storage): Promise<void> {
  const all = stored(material(), CASES_END)
  for (let i = 0; i < all.length; i += 100) {
    const changes = all.slice(i, i + 100).map(one => ({
      key: keyOf(one.type, one.id),
      version: 1,
      method: 'PUT' as const,
      body: { text: one.text, stampAt: one.stampAt },
      index: one.rows,
      claims: [],
    }))
    const done = await storage.commit({
      id: `fuzz-${i}`,
      at: all[i]!.at,
      epoch: 0,
      changes,
      require: [],
      outbox: [],
    })
    expect(done.ok).toBe(true)
  }
}

const TYPES = ['Bundle', 'OperationOutcome']
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** Returns what is wrong with the answer to a search, and whether it was answered by a Bundle. */
async function judged(
  app: SearchApp,
  { method, path, form, lenient }: Hostile,
): Promise<{ wrong?: string; found: boolean }> {
  const begun = performance.now()
  const headers = {
    accept: 'application/fhir+json',
    ...(lenient ? { prefer: 'handling=lenient' } : {}),
    ...(form === undefined ? {} : FORM),
  }
  const { status, body, text } = await app.ask(method, path, form, headers)
  const ms = Math.round(performance.now() - begun)
  const found = status === 200 && body?.resourceType === 'Bundle'
  const said = (why: string) => ({ wrong: `${why}: ${status} ${text.slice(0, 500)}`, found })
  // A search that cannot be done in time is ended with 503.
  if (status >= 500 && !(status === 503 && body?.issue?.[0]?.code === 'too-costly'))
    return said('an error of the server')
  // `..` leads out of the FHIR base, to a page that is none of it.
  if (!new URL(`${CASE_BASE}/${path}`).pathname.startsWith(new URL(CASE_BASE).pathname)) return { found }
  if (!TYPES.includes(body?.resourceType)) return said('neither a Bundle nor an OperationOutcome')
  if (status >= 400 && body.resourceType !== 'OperationOutcome')
    return said('refused without an OperationOutcome')
  if (ms > ANSWER_MS) return said(`${ms} ms`)
  return { found }
}

function fuzz(
  name: string,
  seconds: number,
  offset: number,
  open: () => Promise<{ storage: Storage; close(): Promise<void> }>,
): void {
  describe(`${name}: hostile searches for ${seconds} s, seed ${SEED}`, () => {
    let close: () => Promise<void>
    let app: SearchApp
    beforeAll(async () => {
      const opened = await open()
      close = opened.close
      await fill(opened.storage)
      app = appOn(opened.storage, Date.now, SEARCH_MS)
    }, 120_000)
    afterAll(() => close?.())

    test('are refused or answered, and do no harm', { timeout: seconds * 1000 + 60_000 }, async () => {
      console.log(`${name}: fuzz seed ${SEED}, repeat with NADI_FUZZ_SEED=${SEED}`)
      const random = generator(SEED + offset)
      const until = performance.now() + seconds * 1000
      let asked = 0
      let answered = 0
      const wrong: string[] = []
      while (performance.now() < until && wrong.length < 5) {
        const search = hostile(random, registry)
        app.lines.length = 0
        const one = await judged(app, search)
        const problem = one.wrong ?? app.lines.find(line => line.includes('"level":"error"'))
        if (problem !== undefined)
          wrong.push(`search ${asked}: ${JSON.stringify(search).slice(0, 3000)}\n${problem}`)
        asked++
        if (one.found) answered++
      }
      console.log(`${name}: ${asked} searches, of which ${answered} were answered by a Bundle`)
      expect(wrong.join('\n\n')).toBe('')
      // What is refused at once does not reach the backend.
      expect(answered / asked).toBeGreaterThan(0.05)
      const { body } = await app.ask('GET', 'Patient?_summary=count')
      expect(body.total).toBe(RESOURCES)
    })
  })
}

fuzz('sqlite', SECONDS / 2, 0, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-fuzz-'))
  const storage = await openSqlite({
    path: join(folder, 'nadi.db'),
    sync: 'normal',
    clock: Date.now,
    log: silent,
  })
  return {
    storage,
    close: async () => {
      await storage.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})

const server = await startMongo()
if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => test('hostile searches', () => {}))
else
  fuzz('mongodb', SECONDS / 2, 1, async () => {
    const storage = await openMongo(server.uri, { clock: Date.now, log: silent })
    return {
      storage,
      close: async () => {
        await storage.close()
        await server.stop()
      },
    }
  })
