/** A backup put in the place of a database that several instances have open and use. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fingerprintName } from '../../src/search/index-fingerprint.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import type { Node } from '../../src/search/plan-node.ts'
import type { Key, Storage } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { backupSqlite } from '../../src/storage/sqlite/node-backup.ts'
import { restoreSqlite } from '../../src/storage/sqlite/node-restore.ts'
import { changeOf, commitOf, planOf, token } from './rows.ts'
import { silent } from './silent-log.ts'

let folder: string
let path: string
let copy: string
const opened: Storage[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-restore-'))
  path = join(folder, 'nadi.db')
  copy = join(folder, 'copy')
})
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close()
  rmSync(folder, { recursive: true })
})

async function close(storage: Storage): Promise<void> {
  opened.splice(opened.indexOf(storage), 1)
  await storage.close()
}

async function open(at = path): Promise<Storage> {
  const storage = await openSqlite({ path: at, sync: 'normal', clock: Date.now, log: silent })
  opened.push(storage)
  return storage
}

const restore = (options = {}) => restoreSqlite(copy, path, { force: true, ...options })

const ID = 'Patient.identifier'
const NAME = 'Patient.name'
const named = (text: string): IndexRow => ({ kind: 'string', param: NAME, folded: text, exact: text })
const isNamed = (value: string): Node => ({ kind: 'string', param: NAME, match: 'equals', value })
const has = (system: string): Node => ({ kind: 'token', param: ID, system, code: '1' })

/** A patient with an identifier of the system and the system's name as its own. */
async function put(storage: Storage, id: string, system: string, version = 1): Promise<void> {
  const index = [token(ID, '1', system), named(system)]
  const done = await storage.commit(commitOf([changeOf(`Patient/${id}`, version, index)]))
  expect(done).toMatchObject({ ok: true })
}

async function found(storage: Storage, where: Node): Promise<Key[]> {
  const page = await storage.search(planOf(['Patient'], where), { limit: 100, total: 'none' })
  return page.rows.map(row => row.key).sort()
}

/** What the rows themselves say, without any memory of ours. */
function systemsIn(file: string): Record<string, string[]> {
  const db = new DatabaseSync(file)
  const rows = db
    .prepare(
      `SELECT r.key AS key, t.text AS system, s.exact AS name FROM res r CROSS JOIN tok ON tok.rid = r.rid CROSS JOIN term t ON t.id = tok.sys
       CROSS JOIN str ON str.rid = r.rid CROSS JOIN sv s ON s.sid = str.sid ORDER BY r.key`,
    )
    .all() as { key: string; system: string; name: string }[]
  db.close()
  return Object.fromEntries(rows.map(({ key, system, name }) => [key, [system, name]]))
}

it('a search after it goes by the ids of the backup, in every instance that remembers others', async () => {
  const other = await open(join(folder, 'other'))
  await put(other, 'x-of-copy', 'urn:x')
  await put(other, 'y-of-copy', 'urn:y')
  await backupSqlite(join(folder, 'other'), copy)
  const instances = [await open(), await open()]
  for (const [i, storage] of instances.entries()) {
    // Here the first id is that of y, so that with it a search for y would find x of the copy.
    await put(storage, `y${i}`, 'urn:y')
    await put(storage, `x${i}`, 'urn:x')
    expect(await found(storage, has('urn:y'))).toContain(`Patient/y${i}`)
  }

  await restore()
  for (const storage of instances) {
    expect(await found(storage, has('urn:x'))).toEqual(['Patient/x-of-copy'])
    expect(await found(storage, has('urn:y'))).toEqual(['Patient/y-of-copy'])
    expect(await found(storage, isNamed('urn:x'))).toEqual(['Patient/x-of-copy'])
  }
})

it('a filter on a read and a conditional create go by the ids of the backup', async () => {
  const other = await open(join(folder, 'other'))
  await put(other, 'p', 'urn:x')
  await put(other, 'q', 'urn:y')
  await backupSqlite(join(folder, 'other'), copy)
  const [reader, writer] = [await open(), await open()]
  for (const storage of [reader, writer]) {
    await put(storage, `y-${opened.indexOf(storage)}`, 'urn:y')
    await put(storage, `x-${opened.indexOf(storage)}`, 'urn:x')
  }
  await restore()
  expect(await reader.read('Patient/p', { filter: has('urn:y') })).toBeUndefined()
  expect(await reader.read('Patient/p', { filter: has('urn:x') })).toMatchObject({ version: 1 })
  const none = {
    is: 'matches',
    plan: planOf(['Patient'], { kind: 'and', nodes: [has('urn:x'), isNamed('urn:x')] }),
    keys: [],
    guard: 'x',
  } as const
  const refused = await writer.commit(commitOf([changeOf('Patient/new', 1)], { require: [none] }))
  expect(refused).toEqual({ ok: false, reason: 'require', index: 0 })
})

it('a write after it is indexed under the ids of the backup, in every instance that remembers others', async () => {
  const first = await open()
  await put(first, 'old', 'urn:old')
  await backupSqlite(path, copy)
  const second = await open()
  // Both know the ids of these two, which the backup lacks: their numbers are given again after it.
  for (const storage of [first, second]) {
    await put(storage, `a-${opened.indexOf(storage)}`, 'urn:a')
    await put(storage, `b-${opened.indexOf(storage)}`, 'urn:b')
  }
  await restore()
  await put(first, 'b', 'urn:b')
  // This one has looked before it writes, the other finds out in writing.
  expect(await found(second, has('urn:old'))).toEqual(['Patient/old'])
  await put(second, 'a', 'urn:a')
  await put(first, 'a2', 'urn:a')
  await put(second, 'b2', 'urn:b')
  expect(systemsIn(path)).toEqual({
    'Patient/a': ['urn:a', 'urn:a'],
    'Patient/a2': ['urn:a', 'urn:a'],
    'Patient/b': ['urn:b', 'urn:b'],
    'Patient/b2': ['urn:b', 'urn:b'],
    'Patient/old': ['urn:old', 'urn:old'],
  })
  for (const storage of [first, second])
    expect(await found(storage, has('urn:a'))).toEqual(['Patient/a', 'Patient/a2'])
})

it('an update of a version read before it is told to read again, though the backup has that version', async () => {
  const first = await open()
  await put(first, 'p', 'urn:of-copy')
  await backupSqlite(path, copy)
  await first.commit(commitOf([changeOf('Patient/p', 2, [])]))
  await restore()
  await first.commit(commitOf([changeOf('Patient/q', 1)]))
  await put(first, 'p', 'urn:of-copy', 2)
  await backupSqlite(path, join(folder, 'later'))
  const second = await open()
  const read = await second.read('Patient/p')
  expect(read).toMatchObject({ version: 2 })
  await second.commit(commitOf([changeOf('Patient/r', 1)]))
  await restoreSqlite(join(folder, 'later'), path, { force: true })
  const update = () => second.commit(commitOf([changeOf('Patient/p', 3)]))
  expect(await update()).toEqual({ ok: false, reason: 'version', key: 'Patient/p' })
  expect(await update()).toMatchObject({ ok: true })
})

it('a page link from before it is refused, and one from after it is good in every instance', async () => {
  const [first, second] = [await open(), await open()]
  for (const id of ['a', 'b', 'c']) await put(first, id, 'urn:x')
  await backupSqlite(path, copy)
  const plan = planOf(['Patient'], has('urn:x'))
  const page = (storage: Storage, after?: readonly (string | number | null)[]) =>
    storage.search(plan, { limit: 1, total: 'none', ...(after && { after }) })
  const before = await page(first)
  const history = await first.history({ type: 'Patient' }, { limit: 1, total: 'none' })
  expect((await page(second, before.last)).rows[0]!.key).toBe('Patient/b')
  await restore()
  for (const storage of [first, second])
    await expect(page(storage, before.last)).rejects.toMatchObject({ code: 'invalid', status: 400 })
  await expect(
    first.history({ type: 'Patient' }, { limit: 1, total: 'none', after: history.last! }),
  ).rejects.toMatchObject({ code: 'invalid' })
  const fresh = await page(await open())
  expect((await page(first, fresh.last)).rows[0]!.key).toBe('Patient/b')
  await restore()
  const again = await page(first)
  // The second has not looked since.
  expect((await page(second, again.last)).rows[0]!.key).toBe('Patient/b')
})

it('what is acknowledged before it is gone, what is acknowledged after it stays, and nothing between is torn', async () => {
  const instances = [await open(), await open()]
  for (let n = 0; n < 100; n++) await put(instances[0]!, `kept-${n}`, 'urn:kept')
  await backupSqlite(path, copy)
  for (let n = 0; n < 50; n++) await put(instances[1]!, `lost-${n}`, 'urn:lost')
  let working = true
  const acknowledged: string[][] = []
  const writers = [0, 1, 2, 3, 4, 5].map(async w => {
    const mine: string[] = []
    acknowledged.push(mine)
    for (let n = 0; working; n++) {
      const keys = [`Patient/w${w}-${n}`, `Patient/v${w}-${n}`] as Key[]
      const index = [token(ID, '1', `urn:${n % 7}`), named(`urn:${n % 7}`)]
      const done = await instances[w % 2]!.commit(commitOf(keys.map(key => changeOf(key, 1, index))))
      expect(done).toMatchObject({ ok: true })
      mine.push(`${w}-${n}`)
    }
  })
  const everybody = planOf(['Patient'], { kind: 'and', nodes: [] })
  const totals: number[] = []
  const searcher = (async () => {
    while (working) {
      totals.push((await instances[0]!.search(everybody, { limit: 0, total: 'accurate' })).total!)
      expect(await found(instances[1]!, has('urn:kept'))).toHaveLength(100)
    }
  })()
  await new Promise(resolve => setTimeout(resolve, 200))
  const before = acknowledged.map(mine => mine.length)
  await restore()
  const after = acknowledged.map(mine => mine.length)
  await new Promise(resolve => setTimeout(resolve, 200))
  working = false
  await Promise.all([...writers, searcher])

  const fresh = await open()
  const stored = await fresh.search(everybody, { limit: 100_000, total: 'none' })
  const keys = new Set<string>(stored.rows.map(row => row.key))
  expect([...keys].filter(key => key.startsWith('Patient/kept'))).toHaveLength(100)
  expect([...keys].filter(key => key.startsWith('Patient/lost'))).toEqual([])
  for (const [w, mine] of acknowledged.entries()) {
    const there = mine.map(name => keys.has(`Patient/w${name}`))
    expect(mine.map(name => keys.has(`Patient/v${name}`))).toEqual(there)
    expect(there.slice(0, before[w])).not.toContain(true)
    // One is under way while the command returns.
    expect(there.slice(after[w]! + 1)).not.toContain(false)
    expect(mine.length).toBeGreaterThan(after[w]! + 1)
    // The restore has one place among the commits of a writer.
    expect(there.lastIndexOf(false)).toBeLessThan(there.indexOf(true))
  }
  expect(totals.filter((total, i) => i > 0 && total < totals[i - 1]!)).toHaveLength(1)
  expect(totals.every(total => total % 2 === 0)).toBe(true)
  const systems = systemsIn(path)
  for (const mine of acknowledged)
    for (const name of mine) {
      const system = `urn:${Number(name.split('-')[1]) % 7}`
      if (keys.has(`Patient/w${name}`)) expect(systems[`Patient/w${name}`]).toEqual([system, system])
    }
  const db = new DatabaseSync(path)
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  db.close()
}, 30_000)

it('a kill in the middle of it leaves the database as it was, and the next one succeeds', async () => {
  const instances = [await open(), await open()]
  const large = `,"text":"${'x'.repeat(200_000)}"`
  for (let n = 0; n < 200; n++)
    await instances[0]!.commit(commitOf([changeOf(`Patient/${n}`, 1, [token(ID, '1', 'urn:kept')], large)]))
  await backupSqlite(path, copy)
  await put(instances[1]!, 'later', 'urn:later')
  const child = fork(fileURLToPath(new URL('./sqlite-restore-child.ts', import.meta.url)), [copy, path], {
    execArgv: [],
  })
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
  const parts = () => readdirSync(folder).filter(name => name.includes('restoring'))
  expect(parts()).not.toEqual([])

  for (const [i, storage] of instances.entries()) {
    expect(await storage.read('Patient/later')).toMatchObject({ version: 1 })
    expect(await found(storage, has('urn:later'))).toContain('Patient/later')
    await put(storage, `after-${i}`, 'urn:later')
  }
  const db = new DatabaseSync(path)
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  db.close()
  await restore()
  expect(parts()).toEqual([])
  for (const storage of instances) {
    expect(await found(storage, has('urn:later'))).toEqual([])
    expect(await found(storage, has('urn:kept'))).toHaveLength(100)
  }
}, 30_000)

it('servers go on with their index epoch, kept values and leases', async () => {
  const storage = await open()
  await put(storage, 'p', 'urn:x')
  await storage.keep(fingerprintName(0), 'rules')
  await storage.keep('cursor-key', 'of the backup')
  await backupSqlite(path, copy)
  await close(storage)
  rmSync(path)

  const live = await open()
  await live.keep(fingerprintName(0), 'others')
  await live.raiseEpoch(1)
  await live.keep(fingerprintName(1), 'rules')
  await live.keep('cursor-key', 'ours')
  const fence = await live.lease('job', 'me', 60_000)
  const others = await live.lease('job', 'me', 60_000)
  await restore()
  expect(await live.epoch()).toBe(1)
  expect(await live.keep(fingerprintName(1), 'asked')).toBe('rules')
  expect(await live.counter('index whole 1')).toBe(1)
  expect(await live.keep('cursor-key', 'asked')).toBe('ours')
  expect(await live.lease('job', 'you', 60_000)).toBeGreaterThan(Math.max(fence!, others!))
  const stale = { is: 'lease', name: 'job', fence: others! } as const
  expect(await live.commit(commitOf([], { epoch: 1, require: [stale] }))).toMatchObject({ reason: 'require' })
  expect(await live.commit(commitOf([changeOf('Patient/q', 1)], { epoch: 0 }))).toMatchObject({
    reason: 'epoch',
  })
  expect(await live.commit(commitOf([changeOf('Patient/q', 1)], { epoch: 1 }))).toMatchObject({ ok: true })
})

it('where servers follow the index epochs a new one begins, with nothing of the records of the backup', async () => {
  const other = await open(join(folder, 'other'))
  await other.raiseEpoch(9)
  for (const epoch of [3, 9, 10]) {
    await other.keep(fingerprintName(epoch), 'rules')
    await other.keep(`index record ${epoch}`, '{"rebuilt":9}')
  }
  await other.remember('index round', 'of the backup', Number.MAX_SAFE_INTEGER)
  const done = { is: 'counter', name: 'index whole 9', seen: 0, next: 1 } as const
  await other.commit(commitOf([], { epoch: 9, require: [done] }))
  await backupSqlite(join(folder, 'other'), copy)
  const live = await open()
  await live.raiseEpoch(2)
  await live.keep(fingerprintName(2), 'rules')
  await live.keep('index record 2', '{"rebuilt":0}')
  await live.keep('index record 3', 'about to begin')
  await restore()
  expect(await live.epoch()).toBe(3)
  expect(await live.keep(fingerprintName(3), 'asked')).toBe('rules')
  expect(await live.counter('index whole 3')).toBe(1)
  for (const epoch of [3, 9, 10]) expect(await live.keep(`index record ${epoch}`, 'asked')).toBe('asked')
  expect(await live.counter('index whole 9')).toBe(0)
  expect(await live.recall('index round')).toBeUndefined()
  expect(await live.commit(commitOf([], { epoch: 2 }))).toEqual({ ok: false, reason: 'epoch' })
})

it('an index of other rules is made anew before, or the restore waits for the servers to stop', async () => {
  const other = await open(join(folder, 'other'))
  await put(other, 'p', 'urn:x')
  await other.keep(fingerprintName(0), 'old rules')
  await backupSqlite(join(folder, 'other'), copy)
  const live = await open()
  await live.keep(fingerprintName(0), 'rules')
  await put(live, 'q', 'urn:y')
  await expect(restore()).rejects.toThrow(/in use.*"rules".*"old rules".*Stop the server/)
  await expect(restore({ reindex: { fingerprint: 'third', run: expect.unreachable } })).rejects.toThrow(
    'in use',
  )
  expect(await found(live, has('urn:y'))).toEqual(['Patient/q'])

  let runs = 0
  const run = async (file: string) => {
    const storage = await open(file)
    await storage.raiseEpoch(1)
    await storage.keep(fingerprintName(1), 'rules')
    await storage.commit(
      commitOf([], { epoch: 1, require: [{ is: 'counter', name: 'index whole 1', seen: 0, next: 1 }] }),
    )
    await close(storage)
    // Meanwhile servers with other rules come: what was made for those before is of no use.
    if (++runs === 1) {
      await live.raiseEpoch(5)
      await live.keep(fingerprintName(5), 'new rules')
    }
  }
  await expect(restore({ reindex: { fingerprint: 'rules', run } })).rejects.toThrow(/in use.*"new rules"/)
  expect(await found(live, has('urn:y'))).toEqual(['Patient/q'])
  await live.raiseEpoch(6)
  await live.keep(fingerprintName(6), 'rules')
  await restore({ reindex: { fingerprint: 'rules', run } })
  expect(await live.epoch()).toBe(6)
  expect(await found(live, has('urn:x'))).toEqual(['Patient/p'])
  await close(live)
  // With nobody there any backup can take its place.
  rmSync(copy)
  await backupSqlite(join(folder, 'other'), copy)
  await restore()
  expect(await found(await open(), has('urn:x'))).toEqual(['Patient/p'])
})

it('is refused under servers of another schema, and done when they are gone', async () => {
  await put(await open(), 'p', 'urn:x')
  await backupSqlite(path, copy)
  const live = opened[0]!
  const db = new DatabaseSync(path)
  db.exec("UPDATE meta SET value = 0 WHERE name = 'schema'")
  db.close()
  await expect(restore()).rejects.toThrow(/in use.*schema version 0.*Stop the server/)
  await close(live)
  await restore()
  expect(await found(await open(), has('urn:x'))).toEqual(['Patient/p'])
})

it('replaces a database that is damaged and that nobody has open', async () => {
  await put(await open(), 'p', 'urn:x')
  await backupSqlite(path, copy)
  await close(opened[0]!)
  copyFileSync(fileURLToPath(import.meta.url), path)
  await restore()
  expect(await found(await open(), has('urn:x'))).toEqual(['Patient/p'])
  expect(existsSync(`${path}.restoring-${process.pid}`)).toBe(false)
})
