/** Backup while the server writes, and restore. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Key, type Storage, typeOf } from '../../src/storage/port.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { backupSqlite } from '../../src/storage/sqlite/node-backup.ts'
import { restoreSqlite } from '../../src/storage/sqlite/node-restore.ts'
import { changeOf, commitOf, planOf, token } from './rows.ts'
import { silent } from './silent-log.ts'

let folder: string
let path: string
let target: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-backup-'))
  path = join(folder, 'nadi.db')
  target = join(folder, 'copies', 'nadi.backup')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (at = path): Promise<Storage> =>
  openSqlite({ path: at, sync: 'normal', clock: Date.now, log: silent })

const pair = (n: number): [Key, Key] => [`Patient/${n}`, `Observation/${n}`]
const write = (storage: Storage, n: number) =>
  storage.commit(
    commitOf(
      pair(n).map(key =>
        changeOf(key, 1, [token(`${typeOf(key)}.identifier`, `id-${n}`)], `,"text":"${'x'.repeat(3000)}"`),
      ),
    ),
  )

async function numbers(storage: Storage): Promise<number[]> {
  const everything = { kind: 'and', nodes: [] } as const
  const found: number[] = []
  for (const type of ['Patient', 'Observation']) {
    const page = await storage.search(planOf([type], everything), { limit: 0, total: 'accurate' })
    found.push(page.total!)
  }
  return found
}

it('a backup taken while eight writers write is whole: every commit in it or out of it, all before it in it', async () => {
  const storage = await open()
  let next = 0
  for (; next < 400; next++) await write(storage, next)
  let writing = true
  const steps: [number, number][] = []
  const writers = Array.from({ length: 8 }, async () => {
    while (writing) expect((await write(storage, next++)).ok).toBe(true)
  })
  await backupSqlite(path, target, (done, of) => steps.push([done, of]))
  writing = false
  await Promise.all(writers)
  const total = next
  await storage.close()

  const copy = await open(target)
  const [patients, observations] = await numbers(copy)
  expect(patients).toBe(observations)
  expect(patients).toBeGreaterThanOrEqual(400)
  expect(patients).toBeLessThan(total)
  const last = await copy.search(
    planOf(['Patient'], { kind: 'token', param: 'Patient.identifier', code: 'id-399' }),
    { limit: 5, total: 'none' },
  )
  expect(last.rows.map(row => row.key)).toEqual(['Patient/399'])
  await copy.close()
  expect(new DatabaseSync(target).prepare('PRAGMA integrity_check').all()).toEqual([
    { integrity_check: 'ok' },
  ])
})

it('tells its progress', async () => {
  const storage = await open()
  for (let n = 0; n < 2000; n += 50)
    await storage.commit(
      commitOf(
        Array.from({ length: 50 }, (_, i) =>
          changeOf(`Patient/${n + i}`, 1, [], `,"text":"${'x'.repeat(8000)}"`),
        ),
      ),
    )
  const steps: [number, number][] = []
  await backupSqlite(path, target, (done, of) => steps.push([done, of]))
  await storage.close()
  expect(steps.length).toBeGreaterThan(1)
  for (const [done, of] of steps) expect(done).toBeLessThanOrEqual(of)
})

it('overwrites no file with a backup, and says when there is nothing to back up', async () => {
  await expect(backupSqlite(path, target)).rejects.toThrow('There is no database')
  await (await open()).close()
  writeFileSync(join(folder, 'taken'), 'mine')
  await expect(backupSqlite(path, join(folder, 'taken'))).rejects.toThrow('exists already')
  expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('mine')
})

it('restores what was backed up, in place of what came later', async () => {
  let storage = await open()
  await write(storage, 1)
  await backupSqlite(path, target)
  await write(storage, 2)
  await storage.close()

  await expect(restoreSqlite(target, path)).rejects.toThrow('--force')
  await restoreSqlite(target, path, { force: true })
  storage = await open()
  expect(await storage.read('Patient/1')).toMatchObject({ version: 1 })
  expect(await storage.read('Patient/2')).toBeUndefined()
  expect((await write(storage, 2)).ok).toBe(true)
  await storage.close()

  const elsewhere = join(folder, 'new', 'nadi.db')
  await restoreSqlite(target, elsewhere)
  storage = await open(elsewhere)
  expect(await numbers(storage)).toEqual([1, 1])
  await storage.close()
})

it('refuses a backup that is damaged, of something else, or of a newer schema, and leaves the database as it is', async () => {
  const storage = await open()
  for (let n = 0; n < 50; n++) await write(storage, n)
  await backupSqlite(path, target)
  await storage.close()
  const before = readFileSync(path)

  const damaged = join(folder, 'damaged')
  const bytes = readFileSync(target)
  bytes.fill(0xff, 8192, 8192 + 40_000)
  writeFileSync(damaged, bytes)
  await expect(restoreSqlite(damaged, path, { force: true })).rejects.toThrow(
    /cannot be used: .*(damaged|malformed)/,
  )

  const short = join(folder, 'short')
  writeFileSync(short, readFileSync(target))
  truncateSync(short, 20_000)
  await expect(restoreSqlite(short, path, { force: true })).rejects.toThrow('cannot be used')

  const text = join(folder, 'text')
  writeFileSync(text, 'not a database, but long enough to look at. '.repeat(100))
  await expect(restoreSqlite(text, path, { force: true })).rejects.toThrow('cannot be used')

  const other = join(folder, 'other')
  new DatabaseSync(other).exec('CREATE TABLE t (x)')
  await expect(restoreSqlite(other, path, { force: true })).rejects.toThrow('not one of Nadi')

  const newer = join(folder, 'newer')
  writeFileSync(newer, readFileSync(target))
  new DatabaseSync(newer).exec(`UPDATE meta SET value = 99 WHERE name = 'schema'`)
  await expect(restoreSqlite(newer, path, { force: true })).rejects.toThrow('schema version 99')

  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(folder).filter(name => name.startsWith('nadi.db'))).toEqual(['nadi.db'])
})
