/** The dispatcher's own sense of time: what is put off is looked for when it is due, not at the next look round. */
import { expect, it } from 'vitest'
import { systemContext } from '../../src/context.ts'
import { dispatchOptions, type Outcome, startDispatch } from '../../src/notifications/dispatch.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'

it('of several jobs that are put off each is taken when it is due', async () => {
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock: Date.now, log: silent })
  const ctx = systemContext({ storage, settings: testSettings(), log: silent, version: '0' })
  const outbox = ['100', '400', '700'].map(id => ({ id, kind: 'wait', due: Date.now(), body: 'first' }))
  const commit = { id: 'c', at: Date.now(), epoch: 0, changes: [], require: [], outbox }
  expect(await storage.commit(commit)).toMatchObject({ ok: true })
  const done: string[] = []
  const wait = async (_: unknown, { id, body }: { id: string; body: string }): Promise<Outcome> => {
    if (body === 'first') return { is: 'later', due: Date.now() + Number(id), body: 'second' }
    done.push(id)
    return { is: 'done' }
  }
  const dispatcher = startDispatch(ctx, { wait }, dispatchOptions(ctx))
  await expect.poll(() => done.length, { timeout: 2500 }).toBe(3)
  expect(done).toEqual(['100', '400', '700'])
  await dispatcher.stop()
  await storage.close()
})
