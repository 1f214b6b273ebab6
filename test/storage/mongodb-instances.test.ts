/** Several server processes on one MongoDB: what a history may show, what a lost acknowledgement leaves, who is taken for dead. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Timing } from '../../src/storage/mongodb/instances.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import type { Committed, Cursor, Key, Storage } from '../../src/storage/port.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf } from './rows.ts'
import { silent } from './silent-log.ts'
import { startProxy, type TcpProxy } from './tcp-proxy.ts'

const server = await startMongo()

/** Everything ten times as fast as usual. */
const QUICK: Timing = { fast: 20, slow: 100, busy: 200, renew: 300, dead: 1000, patience: 400 }
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

if ('skip' in server) describe.skip(`mongodb instances: ${server.skip}`, () => it('the instances', () => {}))
else
  describe('mongodb instances', () => {
    const opened: (Storage | TcpProxy)[] = []
    const open = async (uri = server.uri, timing = QUICK): Promise<Storage> => {
      const storage = await openMongo(uri, { clock: Date.now, log: silent, timing })
      opened.push(storage)
      return storage
    }
    const proxied = async (): Promise<{ storage: Storage; proxy: TcpProxy }> => {
      const url = new URL(server.uri)
      const proxy = await startProxy(Number(url.port))
      url.port = String(proxy.port)
      const storage = await open(url.href)
      opened.push(proxy)
      return { storage, proxy }
    }
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close()
    })
    afterAll(() => server.stop())

    let type = 'A'
    let run = 0
    const next = (): void => {
      type = `Kind${++run}`
    }
    const key = (id: string): Key => `${type}/${id}`
    const put = (on: Storage, id: string, at = Date.now()): Promise<Committed> =>
      on.commit(commitOf([changeOf(key(id), 1)], { at }))
    const shown = async (on: Storage, since?: number): Promise<string[]> => {
      const seen: string[] = []
      let after: Cursor | undefined
      for (;;) {
        const page = await on.history(
          { type },
          {
            limit: 100,
            total: 'none',
            ...(since === undefined ? {} : { since }),
            ...(after ? { after } : {}),
          },
        )
        seen.push(...page.rows.map(row => row.key))
        if (!page.more) return seen
        after = page.last
      }
    }

    it('a history shows no version while another instance may still make an older one visible', async () => {
      next()
      const { storage: slow, proxy } = await proxied()
      const quick = await open()
      // By the next beat they know of each other.
      await sleep(QUICK.slow * 2)
      const first = ((await put(quick, 'first')) as { at: number }).at + 1000
      expect(await shown(slow)).toEqual([key('first')])
      const arrived = proxy.hold(key('slow'))
      const pending = put(slow, 'slow', first)
      await arrived
      expect(await put(quick, 'quick', first + 50)).toMatchObject({ ok: true })
      // Stored and readable, but not yet for who walks by time.
      expect(await quick.read(key('quick'))).toBeDefined()
      expect(await shown(quick)).toEqual([key('first')])
      expect(await shown(slow)).toEqual([key('first')])
      proxy.release()
      expect(await pending).toEqual({ ok: true, at: first })
      expect(await shown(quick)).toEqual([key('quick'), key('slow'), key('first')])
      expect(await shown(slow)).toEqual([key('quick'), key('slow'), key('first')])
    })

    it('who joins later stamps after what was shown, however slow its clock', async () => {
      next()
      const one = await open()
      const first = (await put(one, 'first')) as { at: number }
      const ahead = first.at + 60_000
      expect(await put(one, 'ahead', ahead)).toEqual({ ok: true, at: ahead })
      expect(await shown(one)).toEqual([key('ahead'), key('first')])
      const two = await open()
      const late = await put(two, 'late')
      expect(late).toMatchObject({ ok: true })
      expect((late as { at: number }).at).toBeGreaterThanOrEqual(ahead)
      expect(await shown(one, ahead)).toContain(key('late'))
    })

    it('who starts after all others have stopped stamps after what they have shown', async () => {
      next()
      const one = await open()
      const first = (await put(one, 'first')) as { at: number }
      const ahead = first.at + 60_000
      await put(one, 'ahead', ahead)
      expect(await shown(one)).toEqual([key('ahead'), key('first')])
      for (const closing of opened.splice(0)) await closing.close()
      const two = await open()
      expect(((await put(two, 'late')) as { at: number }).at).toBeGreaterThanOrEqual(ahead)
    })

    it('a single instance sees its own writes at once', async () => {
      next()
      const alone = await open(server.uri.replace(/\/nadi_test_[^?]*/, '$&_alone'), {
        ...QUICK,
        fast: 5000,
        slow: 5000,
      })
      for (let i = 0; i < 5; i++) {
        await put(alone, `w${i}`)
        const began = performance.now()
        expect(await shown(alone)).toHaveLength(i + 1)
        expect(performance.now() - began).toBeLessThan(1000)
      }
    })

    it('an instance that is cut off is dropped after its time, and joins again behind what was shown', async () => {
      next()
      const { storage: cut, proxy } = await proxied()
      const other = await open()
      const before = (await put(cut, 'before')) as { at: number }
      proxy.freeze()
      const ahead = before.at + 30_000
      await put(other, 'after', ahead)
      expect(await shown(other)).not.toContain(key('after'))
      await sleep(QUICK.dead + 300)
      expect(await shown(other)).toEqual([key('after'), key('before')])
      proxy.thaw()
      const back = await put(cut, 'back')
      expect((back as { at: number }).at).toBeGreaterThanOrEqual(ahead)
      expect(await shown(other, ahead)).toContain(key('back'))
    })

    it('a raised epoch waits for commits of the one before and refuses later ones, on every instance', async () => {
      next()
      const { storage: slow, proxy } = await proxied()
      const other = await open()
      const before = await other.epoch()
      const arrived = proxy.hold(key('old'))
      const pending = slow.commit(commitOf([changeOf(key('old'), 1)], { epoch: before }))
      await arrived
      let raised = false
      const raising = other.raiseEpoch(before + 1).then(done => {
        raised = done
      })
      await sleep(QUICK.slow * 4)
      expect(raised).toBe(false)
      proxy.release()
      expect(await pending).toMatchObject({ ok: true })
      await raising
      expect(raised).toBe(true)
      for (const on of [slow, other]) {
        const old = commitOf([changeOf(key(`late-${on === slow}`), 1)], { epoch: before })
        expect(await on.commit(old)).toEqual({ ok: false, reason: 'epoch' })
        expect(await on.commit({ ...old, epoch: before + 1 })).toMatchObject({ ok: true })
      }
    })

    it('a raised epoch waits for index rows of the one before, also when it is another that finds it raised', async () => {
      next()
      const { storage: slow, proxy } = await proxied()
      const other = await open()
      const before = await other.epoch()
      await other.commit(commitOf([changeOf(key('row'), 1)], { epoch: before }))
      const arrived = proxy.hold(key('row'))
      const rows = [{ key: key('row'), version: 1, index: [] }]
      const pending = slow.reindex(rows, before)
      await arrived
      const settled: boolean[] = []
      const raising = [1, 2].map(async () => {
        settled.push(await other.raiseEpoch(before + 1))
      })
      await sleep(QUICK.slow * 4)
      expect(settled).toEqual([])
      proxy.release()
      expect(await pending).toEqual([])
      await Promise.all(raising)
      expect(settled.sort()).toEqual([false, true])
      expect(await slow.reindex(rows, before)).toEqual([key('row')])
    })

    it('who polls with since loses nothing while two instances write and commits are held up', async () => {
      next()
      const { storage: one, proxy } = await proxied()
      const two = await open()
      const epoch = await two.epoch()
      const seen = new Set<string>()
      let since = 0
      const poll = async (): Promise<void> => {
        let newest = since
        let after: Cursor | undefined
        for (;;) {
          const page = await two.history(
            { type },
            { limit: 50, since, total: 'none', ...(after ? { after } : {}) },
          )
          for (const row of page.rows) {
            seen.add(row.key)
            newest = Math.max(newest, row.at)
          }
          if (!page.more) break
          after = page.last
        }
        since = newest
      }
      const written: string[] = []
      let writing = true
      const writer = async (on: Storage, name: string): Promise<void> => {
        for (let i = 0; i < 60; i++) {
          const id = `${name}-${i}`
          const update = i % 3 === 2
          const changes = update
            ? [changeOf(key(`${name}-${i - 1}`), 2), changeOf(key(id), 1)]
            : [changeOf(key(id), 1)]
          expect(await on.commit(commitOf(changes, { epoch }))).toMatchObject({ ok: true })
          written.push(key(id))
          await sleep(i % 4)
        }
      }
      const holder = (async () => {
        while (writing) {
          void proxy.hold(`${type}/`)
          await sleep(30)
          proxy.release()
          await sleep(20)
        }
      })()
      const poller = (async () => {
        while (writing) await poll()
      })()
      await Promise.all([writer(one, 'a'), writer(one, 'b'), writer(two, 'c')])
      writing = false
      await Promise.all([holder, poller])
      await poll()
      expect(written.filter(name => !seen.has(name))).toEqual([])
      expect(seen.size).toBe(180)
    })

    describe('a lost acknowledgement', () => {
      // Once: the driver repeats by itself. Four times: the adapter settles it by the commit's id.
      for (const times of [1, 4]) {
        it(`of an insert is settled and nothing is done twice: lost ${times} times`, async () => {
          next()
          const { storage, proxy } = await proxied()
          const epoch = await storage.epoch()
          proxy.dropReplyTo(key('a'), times)
          const create = commitOf([changeOf(key('a'), 1)], { epoch })
          const done = await storage.commit(create)
          expect(proxy.dropped()).toBe(times)
          expect(done).toMatchObject({ ok: true })
          expect(await storage.commit(create)).toEqual(done)
          // Another intent on the same id is refused and not taken for the same.
          const other = commitOf([changeOf(key('a'), 1)], { epoch })
          expect(await storage.commit(other)).toEqual({ ok: false, reason: 'version', key: key('a') })
        })

        it(`of a transaction is settled and nothing is done twice: lost ${times} times`, async () => {
          next()
          const { storage, proxy } = await proxied()
          const epoch = await storage.epoch()
          await storage.commit(commitOf([changeOf(key('a'), 1)], { epoch }))
          proxy.dropReplyTo('commitTransaction', times)
          const counter = { is: 'counter', name: `lost-${type}`, seen: 0, next: 1 } as const
          const update = commitOf([changeOf(key('a'), 2), changeOf(key('b'), 1)], {
            epoch,
            require: [counter],
          })
          const done = await storage.commit(update)
          expect(proxy.dropped()).toBe(times)
          expect(done).toMatchObject({ ok: true })
          expect(await storage.read(key('a'))).toMatchObject({ version: 2, at: (done as { at: number }).at })
          expect(await storage.read(key('b'))).toMatchObject({ version: 1 })
          expect(await storage.counter(counter.name)).toBe(1)
          const page = await storage.history({ key: key('a') }, { limit: 10, total: 'none' })
          expect(page.rows.map(row => row.version)).toEqual([2, 1])
          expect(await storage.commit(update)).toEqual(done)
        })
      }

      it('of the write inside a transaction leaves nothing of the first attempt', async () => {
        next()
        const { storage, proxy } = await proxied()
        const epoch = await storage.epoch()
        proxy.dropReplyTo(key('a'), 2)
        const create = commitOf([changeOf(key('a'), 1), changeOf(key('b'), 1)], { epoch })
        expect(await storage.commit(create)).toMatchObject({ ok: true })
        expect(proxy.dropped()).toBe(2)
        const found = await storage.readMany([key('a'), key('b')])
        expect([...found.values()].map(row => row.version)).toEqual([1, 1])
      })
    })
  })
