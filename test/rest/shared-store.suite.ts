/** Two server processes on one store: conditional writes leave one resource, and a reader of history loses nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bookingSuite } from './booking.suite.ts'
import { type Api, api, byIdentifier, link, located, patient, type Tree, word } from './client.ts'
import { messagesSuite } from './messages.suite.ts'
import { queueSuite } from './queue.suite.ts'
import { slotsSuite } from './slots.suite.ts'

export interface Servers {
  bases: string[]
  stop(): Promise<void>
}

export function sharedStoreSuite(start: () => Promise<Servers>): void {
  let servers: Servers
  let clients: Api[]
  beforeAll(async () => {
    servers = await start()
    clients = servers.bases.map(api)
  }, 60_000)
  afterAll(async () => {
    await servers?.stop()
  })
  slotsSuite(() => clients)
  bookingSuite(() => clients)
  queueSuite(() => clients)
  messagesSuite(() => clients)

  const client = (n: number): Api => clients[n % clients.length] as Api
  const create = (n: number, value: string) =>
    client(n).post('Patient', patient(value), { 'if-none-exist': byIdentifier(value) })

  it('one sees at once what the other wrote', async () => {
    const stored = await client(0).made(patient(word()))
    expect((await client(1).get(`Patient/${stored.id}`)).body).toEqual(stored)
    await client(1).put(`Patient/${stored.id}`, { ...stored, active: true })
    expect((await client(0).get(`Patient/${stored.id}`)).body.active).toBe(true)
  })

  it('fifty concurrent conditional creates leave one resource, and again after delete and edit', {
    timeout: 60_000,
  }, async () => {
    const value = word()
    let previous = ''
    for (const change of ['none', 'delete', 'edit']) {
      if (change === 'delete') await client(0).delete(`Patient/${previous}`)
      if (change === 'edit')
        await client(1).put(`Patient/${previous}`, patient(`${value}-x`, { id: previous }))
      const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => create(n, value)))
      expect(
        answers.filter(answer => answer.status === 201),
        change,
      ).toHaveLength(1)
      expect(
        answers.filter(answer => answer.status === 200),
        change,
      ).toHaveLength(49)
      const ids = await client(0).found(`Patient?${byIdentifier(value)}`)
      expect(ids).toHaveLength(1)
      expect(ids[0]).not.toBe(previous)
      for (const answer of answers) expect(located(answer).id).toBe(ids[0])
      previous = ids[0] as string
    }
  })

  it('fifty concurrent conditional updates leave one resource', { timeout: 60_000 }, async () => {
    const value = word()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        client(n).put(`Patient?${byIdentifier(value)}`, patient(value, { multipleBirthInteger: n })),
      ),
    )
    for (const answer of answers) expect([200, 201, 409, 412], answer.text).toContain(answer.status)
    expect(answers.filter(answer => answer.status === 201)).toHaveLength(1)
    expect(await client(1).found(`Patient?${byIdentifier(value)}`)).toHaveLength(1)
  })

  it('writers of one resource lose nothing that was acknowledged', async () => {
    const stored = await client(0).made(patient(word()))
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        client(n).put(`Patient/${stored.id}`, { ...stored, multipleBirthInteger: n }),
      ),
    )
    for (const answer of answers) expect([200, 409]).toContain(answer.status)
    const kept = (await client(0).get(`Patient/${stored.id}/_history?_count=100`)).body.entry
    const values = new Set(kept.map((each: Tree) => each.resource.multipleBirthInteger))
    answers.forEach((answer, n) => {
      if (answer.status === 200) expect(values).toContain(n)
    })
    expect(kept).toHaveLength(1 + answers.filter(answer => answer.status === 200).length)
  })

  it('a poller with _since loses nothing while both write', async () => {
    const mark = await client(0).made(patient(word()))
    const written = new Set<string>()
    const seen = new Set<string>()
    let writing = 4
    const write = async (n: number) => {
      for (let k = 0; k < 25; k++) {
        const stored = await client(n).made(patient(word()))
        written.add(`${stored.id}/1`)
        if (k % 5 === 0) {
          const { status } = await client(n + 1).put(`Patient/${stored.id}`, { ...stored, active: true })
          expect(status).toBe(200)
          written.add(`${stored.id}/2`)
        }
      }
      writing--
    }
    const poll = async () => {
      let since: string = mark.meta.lastUpdated
      // As a client polls: what it has seen last is where it goes on; what comes twice is known by its version.
      for (let quiet = 0, n = 0; quiet < 5; n++) {
        let newest = since
        let fresh = 0
        let next: string | undefined = `_history?_since=${encodeURIComponent(since)}&_count=20`
        while (next !== undefined) {
          const { body, status, text } = await client(n).get(next)
          expect(status, text).toBe(200)
          for (const each of body.entry ?? []) {
            const { id, meta } = each.resource
            if (!seen.has(`${id}/${meta.versionId}`)) fresh++
            seen.add(`${id}/${meta.versionId}`)
            if (Date.parse(meta.lastUpdated) > Date.parse(newest)) newest = meta.lastUpdated
          }
          next = link(body, 'next')
        }
        since = newest
        quiet = writing === 0 && fresh === 0 ? quiet + 1 : 0
        if (quiet > 0) await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
    await Promise.all([poll(), write(0), write(1), write(2), write(3)])
    expect(written.size).toBe(4 * 30)
    expect([...written].filter(each => !seen.has(each))).toEqual([])
  }, 60_000)
}
