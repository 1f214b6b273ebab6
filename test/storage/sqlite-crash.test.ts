/** A process is killed (SIGKILL) in the middle of concurrent writes, again and again on one database file. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { idOf, type Key, type Storage, stampText, typeOf } from '../../src/storage/port.ts'
import { nameId } from '../../src/storage/sqlite/names.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from './silent-log.ts'
import { counterOf, isDeletion, PAIRS, pairOf, rowsOf, textOf, WRITERS } from './sqlite-crash-rows.ts'

const KILLS = 50
const CHILD = join(import.meta.dirname, 'sqlite-crash-child.ts')

let folder: string
let path: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-crash-'))
  path = join(folder, 'nadi.db')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Lets a process write for some time after its first acknowledged write, kills it, and returns the lines that it wrote. */
function killed(ms: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      timer ??= setTimeout(() => child.kill('SIGKILL'), ms)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve(output.split('\n').slice(0, -1))
      else reject(new Error(`the writing process ended by itself: ${errors}`))
    })
  })
}

/** What the index tables hold of a resource, a text for each row. */
function indexedOf(db: DatabaseSync, rid: number): string[] {
  const of = (query: string): string[] =>
    db
      .prepare(query)
      .all(rid)
      .map(row => Object.values(row).join('|'))
  return [
    ...of(`SELECT 'token', p, (SELECT text FROM term WHERE id = sys), code FROM tok WHERE rid = ?`),
    ...of(`SELECT 'string', str.p, folded, exact FROM str JOIN sv ON sv.sid = str.sid WHERE rid = ?`),
    ...of(`SELECT 'date', p, lo, hi FROM dat WHERE rid = ?`),
    ...of(`SELECT 'reference', p, type, id, version FROM ref WHERE rid = ?`),
    ...of(`SELECT 'uri', p, value FROM uri WHERE rid = ?`),
    ...of(`SELECT 'quantity', p, unit, lo, hi FROM qty WHERE rid = ?`),
    ...of(`SELECT 'sort', p, key, part FROM srt WHERE rid = ?`),
  ].sort()
}

function expectedOf(key: Key, version: number): string[] {
  const lines = rowsOf(key, version).flatMap((row): string[] => {
    const p = nameId(row.param)
    switch (row.kind) {
      case 'token':
        return [`token|${p}|${row.system}|${row.code}`]
      case 'string':
        return [`string|${p}|${row.folded}|${row.exact}`]
      case 'date':
        return [`date|${p}|${row.lo}|${row.hi}`]
      case 'reference':
        return [`reference|${p}|${nameId(row.type)}|${row.id}|${row.version}`]
      case 'uri':
        return [`uri|${p}|${row.value}`]
      case 'quantity':
        return [`quantity|${p}|0|${row.lo}|${row.hi}`]
      case 'sort':
        return [`sort|${p}|${row.min}|1`, `sort|${p}|${row.max}|2`]
      default:
        throw new Error(`no rows of ${row.kind} are written here`)
    }
  })
  return lines.sort()
}

async function judge(storage: Storage, db: DatabaseSync, acknowledged: Map<Key, number>): Promise<void> {
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  const jobs = new Set(
    db
      .prepare('SELECT id FROM outbox')
      .all()
      .map(row => row.id as string),
  )
  const current = new Map(
    db
      .prepare('SELECT key, rid, ver, vid, live FROM res')
      .all()
      .map(row => [row.key as Key, row]),
  )
  let stored = 0
  for (let writer = 0; writer < WRITERS; writer++) {
    let writes = 0
    for (let pair = 0; pair < PAIRS; pair++) {
      const [first, second] = pairOf(writer, pair)
      const version = (current.get(first)?.ver as number | undefined) ?? 0
      writes += version
      // Both resources of a commit or neither.
      expect((current.get(second)?.ver as number | undefined) ?? 0, second).toBe(version)
      for (const key of [first, second]) {
        expect(version, key).toBeGreaterThanOrEqual(acknowledged.get(key) ?? 0)
        if (version === 0) continue
        const res = current.get(key)!
        const versions = db
          .prepare('SELECT ver, vid, lu, method, body FROM ver WHERE rid = ? ORDER BY ver')
          .all(res.rid!)
        expect(
          versions.map(one => one.ver),
          key,
        ).toEqual(Array.from({ length: version }, (_, i) => i + 1))
        expect(res.vid).toBe(versions.at(-1)!.vid)
        for (const { ver, lu, method, body } of versions) {
          stored++
          const v = ver as number
          const stamp = stampText(lu as number)
          const head = `{"resourceType":"${typeOf(key)}","id":"${idOf(key)}","meta":{"versionId":"${v}","lastUpdated":"${stamp}"}`
          expect(body, `${key} ${v}`).toBe(isDeletion(v) ? null : `${head}${textOf(key, v)}}`)
          expect(method === 'DELETE', `${key} ${v}`).toBe(isDeletion(v))
          if (key === first) expect(jobs.has(`${first} ${v}`), `job of ${key} ${v}`).toBe(true)
        }
        expect(res.live, key).toBe(isDeletion(version) ? 0 : 1)
        expect(indexedOf(db, res.rid as number), key).toEqual(
          isDeletion(version) ? [] : expectedOf(key, version),
        )
      }
    }
    expect(await storage.counter(counterOf(writer))).toBe(writes)
  }
  expect(db.prepare('SELECT count(*) AS n FROM ver').get()!.n).toBe(stored)
  expect(jobs.size).toBe(stored / 2)
  expect(db.prepare('SELECT count(*) AS n FROM done').get()!.n).toBe(stored / 2)
}

it(`loses nothing acknowledged and leaves nothing half done in ${KILLS} kills`, {
  timeout: 180_000,
}, async () => {
  const acknowledged = new Map<Key, number>()
  let total = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await killed(5 + ((kill * 37) % 90))
    total += lines.length
    for (const line of lines) {
      const [pair, version, writer] = line.split(' ').map(Number) as [number, number, number]
      for (const key of pairOf(writer, pair))
        acknowledged.set(key, Math.max(version, acknowledged.get(key) ?? 0))
    }
    const storage = await openSqlite({ path, sync: 'full', clock: Date.now, log: silent })
    const db = new DatabaseSync(path)
    await judge(storage, db, acknowledged)
    db.close()
    await storage.close()
  }
  // Every kill came after writes, or the test would prove nothing.
  expect(total).toBeGreaterThan(KILLS * WRITERS)
})
