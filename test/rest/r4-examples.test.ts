/**
 * Every example that HL7 publishes for R4 is stored and comes back as it was, the text of its numbers included.
 * https://hl7.org/fhir/R4/downloads.html
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import refusedExamples from '../cases/r4-examples-refused.json' with { type: 'json' }
import { startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { type Api, api, places, type Tree } from './client.ts'
import { exampleFiles, exampleText, REFUSED } from './r4-material.ts'
import { differenceOf, readTokens, without } from './tokens.ts'

const AT_A_TIME = 6

function examplesSuite(start: () => Promise<{ base: string; stop(): Promise<unknown> }>): void {
  let server: Awaited<ReturnType<typeof start>>
  let client: Api
  beforeAll(async () => {
    server = await start()
    client = api(server.base)
  }, 60_000)
  afterAll(async () => {
    await server?.stop()
  })

  it('are stored and read again without a difference', { timeout: 300_000 }, async () => {
    const files = exampleFiles().filter(({ file }) => !REFUSED.has(file))
    expect(files.length).toBe(5306 - REFUSED.size)
    const faults: string[] = []
    let next = 0
    const work = async () => {
      for (let each = files[next++]; each !== undefined; each = files[next++]) {
        const fault = await roundTrip(client, exampleText(each.file))
        if (fault !== undefined) faults.push(`${each.file}: ${fault}`)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
    expect(faults.sort().join('\n')).toBe('')
  })

  it('that hold a fault of their own are refused with its place', { timeout: 60_000 }, async () => {
    for (const { file, faults } of refusedExamples) {
      const text = exampleText(file)
      const { resourceType } = JSON.parse(text) as Tree
      const answer = await client.post(resourceType, text)
      expect([400, 422], file).toContain(answer.status)
      for (const [, place] of faults) expect(places(answer.body), file).toContain(place)
    }
  })
}

/** Stores a resource under its own id where it is one, reads it, and says what is different. */
async function roundTrip(client: Api, text: string): Promise<string | undefined> {
  const { resourceType, id } = JSON.parse(text) as Tree
  const own = /^[A-Za-z0-9.-]{1,64}$/.test(id ?? '')
  const written = own
    ? await client.put(`${resourceType}/${id}`, text)
    : await client.post(resourceType, text)
  if (written.status !== 201 && written.status !== 200)
    return `${written.status} ${written.text.slice(0, 300)}`
  // Two files may hold one id: what this request stored is read by its version.
  const version = /^W\/"(.+)"$/.exec(written.headers.get('etag') ?? '')?.[1]
  const location = own ? `${resourceType}/${id}/_history/${version}` : (written.headers.get('location') ?? '')
  const read = await client.get(location)
  if (read.status !== 200) return `read ${read.status} ${read.text.slice(0, 300)}`
  // The version and time of storing are the server's own, and so is an id that the example does not have.
  const ours = ['meta.versionId', 'meta.lastUpdated', ...(own ? [] : ['id'])]
  return differenceOf(without(readTokens(text), ours), without(readTokens(read.text), ours))
}

describe('the examples of R4 on SQLite', () => {
  examplesSuite(() => startServer({ env: { NADI_BODY_LIMIT: '100000000', NADI_STORAGE: 'sqlite::memory:' } }))
})

const mongo = await startMongo()
if ('skip' in mongo) {
  it.skip(`the examples of R4 on MongoDB: ${mongo.skip}`, () => {})
} else {
  describe('the examples of R4 on MongoDB', () => {
    afterAll(() => mongo.stop())
    examplesSuite(() => startServer({ env: { NADI_BODY_LIMIT: '100000000', NADI_STORAGE: mongo.uri } }))
  })
}
