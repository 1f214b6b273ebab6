/** What the SQLite adapter promises beyond the contract: files, schema versions, groups of commits, processes that share a file. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/search/registry.ts'
import type { Storage } from '../../src/storage/port.ts'
import { TRIGRAM_LAG } from '../../src/storage/sqlite/chores.ts'
import { fewParams } from '../../src/storage/sqlite/d1.ts'
import { nameId } from '../../src/storage/sqlite/names.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { connect } from '../../src/storage/sqlite/node-connection.ts'
import { runGroup } from '../../src/storage/sqlite/node-group.ts'
import { createReaders } from '../../src/storage/sqlite/node-readers.ts'
import { packer, reader } from '../../src/storage/sqlite/node-wire.ts'
import { MIGRATIONS, migrationFile, migrationText, SCHEMA_VERSION } from '../../src/storage/sqlite/schema.ts'
import { raw, sql } from '../../src/storage/sqlite/sql.ts'
import { changeOf, commitOf, planOf, token } from './rows.ts'
import { silent } from './silent-log.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-sqlite-'))
  path = join(folder, 'data', 'nadi.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (sync: 'full' | 'normal' = 'normal'): Promise<Storage> =>
  openSqlite({ path, sync, clock: Date.now, log: silent })

describe('files and schema', () => {
  it('makes the folder and the tables, and finds again what was stored', async () => {
    let storage = await open()
    expect((await storage.commit(commitOf([changeOf('Patient/1', 1)]))).ok).toBe(true)
    await storage.close()
    expect(readdirSync(join(folder, 'data'))).toEqual(['nadi.db'])
    storage = await open()
    expect(await storage.read('Patient/1')).toMatchObject({ version: 1 })
    await storage.close()
  })

  it('refuses a database of a newer schema with a sentence that says what to do', async () => {
    await (await open()).close()
    new DatabaseSync(path).exec(`UPDATE meta SET value = ${SCHEMA_VERSION + 1} WHERE name = 'schema'`)
    await expect(open()).rejects.toThrow(
      /schema version \d+, this Nadi knows versions up to \d+: start the newer Nadi/,
    )
  })

  it('refuses a file of something else and leaves it as it is', async () => {
    await (await open()).close()
    rmSync(path)
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE mine (x)')
    other.close()
    await expect(open()).rejects.toThrow('not one of Nadi')
    writeFileSync(path, 'some text that is no database, of some length '.repeat(50))
    await expect(open()).rejects.toThrow()
    expect(readFileSync(path, 'utf8')).toContain('no database')
  })

  it('has the same text for wrangler as for Node', () => {
    const directory = join(import.meta.dirname, '../../src/storage/sqlite/migrations')
    const files = readdirSync(directory).sort()
    expect(files).toEqual(MIGRATIONS.map(migrationFile))
    for (const [i, file] of files.entries())
      expect(readFileSync(join(directory, file), 'utf8')).toBe(migrationText(MIGRATIONS[i]!))
  })

  it('numbers migrations without gaps', () => {
    expect(MIGRATIONS.map(one => one.version)).toEqual(MIGRATIONS.map((_, i) => i + 1))
  })

  it('gives every type and search parameter of R4 a number of its own', () => {
    const registry = createRegistry()
    const names = new Set<string>(registry.types)
    for (const type of registry.types)
      for (const param of registry.params(type))
        for (const end of ['', ':text', ':identifier', ':of-type', ':mime', ':version'])
          names.add(param.name + end)
    // nameId itself throws where two names meet.
    expect(new Set([...names].map(nameId)).size).toBe(names.size)
    expect(names.size).toBeGreaterThan(4000)
  })
})

describe('groups of commits', () => {
  it('a refused commit undoes only itself, whatever stands beside it in the group', async () => {
    const storage = await open('full')
    await storage.commit(commitOf([{ ...changeOf('Patient/owner', 1), claims: ['taken'] }]))
    // A claim is judged last: all else of the commit is written by then and has to be undone.
    const commits = Array.from({ length: 40 }, (_, i) =>
      i % 4 === 3
        ? commitOf([{ ...changeOf(`Patient/${i}`, 1, [token('x', 'bad')]), claims: ['taken'] }])
        : commitOf([changeOf(`Patient/${i}`, 1, [token('x', 'good')])]),
    )
    for (let round = 0; round < 2; round++) {
      const results = await Promise.all(commits.map(storage.commit))
      for (const [i, result] of results.entries()) {
        if (i % 4 === 3) expect(result).toEqual({ ok: false, reason: 'claim', key: `Patient/${i}` })
        else expect(result.ok).toBe(true)
        expect((await storage.read(`Patient/${i}`)) !== undefined).toBe(i % 4 !== 3)
      }
    }
    const search = (code: string) =>
      storage.search(planOf(['Patient'], { kind: 'token', param: 'x', code }), {
        limit: 0,
        total: 'accurate',
      })
    expect((await search('good')).total).toBe(30)
    expect((await search('bad')).total).toBe(0)
    expect((await storage.history({}, { limit: 100, total: 'none' })).rows).toHaveLength(31)
    await storage.close()
  })

  it('serves many writers with one flush', async () => {
    const storage = await open('full')
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => storage.commit(commitOf([changeOf(`Patient/${i}`, 1)]))),
    )
    const { nadi_storage_commits, nadi_storage_commit_groups } = await storage.gauges()
    expect(nadi_storage_commits).toBe(200)
    expect(nadi_storage_commit_groups).toBeLessThan(50)
    await storage.close()
  })

  it('finishes what was given before it closes, and takes nothing after', async () => {
    const storage = await open('full')
    const given = Promise.all(
      Array.from({ length: 100 }, (_, i) => storage.commit(commitOf([changeOf(`Patient/${i}`, 1)]))),
    )
    const closing = storage.close()
    for (const result of await given) expect(result.ok).toBe(true)
    await closing
    await expect(storage.commit(commitOf([changeOf('Patient/late', 1)]))).rejects.toMatchObject({
      code: 'transient',
    })
    const again = await open()
    expect(await again.read('Patient/99')).toMatchObject({ version: 1 })
    await again.close()
  })

  it('says of a full disk what is stored and what is not', async () => {
    await (await open()).close()
    const connection = connect(path, { sync: 'full' })
    connection.db.exec('CREATE TABLE filling (x)')
    const { page_count } = connection.db.prepare('PRAGMA page_count').get() as { page_count: number }
    connection.db.exec(`PRAGMA max_page_count = ${page_count + 20}`)
    const row = (size: number) => [sql`INSERT INTO filling VALUES (${'x'.repeat(size)})`]
    const outcomes = runGroup(connection, [row(10), row(1_000_000), row(20)])
    expect(outcomes[1]).toMatchObject({ transient: true })
    const stored = connection.db
      .prepare('SELECT length(x) AS n FROM filling')
      .all()
      .map(one => one.n)
    expect(stored).toEqual([10, 1_000_000, 20].filter((_, i) => 'rows' in outcomes[i]!))
    connection.close()
  })

  it('raises the stamp of a slow clock, in the text too', async () => {
    const storage = await open()
    const at = Date.UTC(2026, 0, 1, 12, 0, 0, 7)
    await storage.commit(commitOf([changeOf('Patient/1', 1)], { at }))
    const result = await storage.commit(
      commitOf([changeOf('Patient/2', 1, [], ',"name":[{"family":"മേനോൻ"}]'), changeOf('Patient/3', 1)], {
        at: at - 5_000,
      }),
    )
    expect(result).toEqual({ ok: true, at })
    for (const [id, more] of [
      ['2', ',"name":[{"family":"മേനോൻ"}]'],
      ['3', ''],
    ])
      expect((await storage.read(`Patient/${id!}`))!.text).toBe(
        `{"resourceType":"Patient","id":"${id}","meta":{"versionId":"1","lastUpdated":"2026-01-01T12:00:00.007Z"}${more}}`,
      )
    await storage.close()
  })
})

describe('repeated commits', () => {
  it('are remembered for a day and forgotten after it', async () => {
    const storage = await open()
    const at = Date.UTC(2026, 0, 1)
    const old = commitOf([changeOf('Patient/1', 1)], { at })
    const young = commitOf([changeOf('Patient/2', 1)], { at: at + 2 * 3_600_000 })
    for (const one of [old, young, commitOf([changeOf('Patient/3', 1)], { at: at + 25 * 3_600_000 })])
      expect((await storage.commit(one)).ok).toBe(true)
    expect(await storage.commit(old)).toEqual({ ok: true, at })
    const db = new DatabaseSync(path)
    await expect.poll(() => db.prepare('SELECT count(*) AS n FROM done').get()!.n, { timeout: 5_000 }).toBe(2)
    expect(await storage.commit(young)).toEqual({ ok: true, at: at + 2 * 3_600_000 })
    db.close()
    await storage.close()
  })
})

describe('index rows', () => {
  it('an update writes only the rows that changed', async () => {
    const storage = await open()
    const many = Array.from({ length: 50 }, (_, i) => token('Patient.x', `code ${i}`, 'http://s'))
    await storage.commit(commitOf([changeOf('Patient/1', 1, many)]))
    const db = new DatabaseSync(path)
    db.exec(`CREATE TABLE seen (what TEXT);
      CREATE TRIGGER seen_in AFTER INSERT ON tok BEGIN INSERT INTO seen VALUES ('+' || NEW.code); END;
      CREATE TRIGGER seen_out AFTER DELETE ON tok BEGIN INSERT INTO seen VALUES ('-' || OLD.code); END`)
    await storage.commit(
      commitOf([changeOf('Patient/1', 2, [...many.slice(1), token('Patient.x', 'new', 'http://s')])]),
    )
    expect(
      db
        .prepare('SELECT what FROM seen ORDER BY what')
        .all()
        .map(row => row.what),
    ).toEqual(['+new', '-code 0'])
    db.close()
    await storage.close()
  })

  it('finds by :contains what the trigram index has not taken in yet, and what it has', async () => {
    const storage = await open()
    const name = (text: string) =>
      ({ kind: 'string', param: 'Patient.name', folded: text, exact: text }) as const
    const found = async (value: string): Promise<string[]> => {
      const where = { kind: 'string', param: 'Patient.name', match: 'contains', value } as const
      return (await storage.search(planOf(['Patient'], where), { limit: 10, total: 'none' })).rows.map(
        row => row.key,
      )
    }
    const write = (from: number, to: number) =>
      storage.commit(
        commitOf(
          Array.from({ length: to - from }, (_, i) =>
            changeOf(`Patient/${from + i}`, 1, [name(`num${from + i}ber "quoted" മേനോൻ`)]),
          ),
        ),
      )
    await write(0, 10)
    expect(await found('num7ber')).toEqual(['Patient/7'])
    // More than one piece: the rest follows without further writes.
    for (let from = 10; from < 10 + 6 * TRIGRAM_LAG; from += TRIGRAM_LAG)
      await write(from, from + TRIGRAM_LAG)
    const db = new DatabaseSync(path)
    const indexed = () => db.prepare(`SELECT value FROM meta WHERE name = 'trigram'`).get()!.value as number
    await expect.poll(indexed, { timeout: 5_000 }).toBeGreaterThan(5 * TRIGRAM_LAG)
    await write(9000, 9001)
    for (const n of [7, 500, 9000]) expect(await found(`um${n}be`)).toEqual([`Patient/${n}`])
    expect(await found('7ber "quo')).toHaveLength(10)
    expect(await found('മേനോ')).toHaveLength(10)
    expect(await found('"quoted" x')).toEqual([])
    for (const hostile of [
      'num\0ber',
      '\0\0\0',
      '" OR "a',
      'NOT abc',
      '*ber',
      'ber*',
      '^num',
      '(((',
      'a"b"c',
    ])
      expect(await found(hostile), JSON.stringify(hostile)).toEqual([])
    db.close()
    await storage.close()
  })
})

describe('two processes on one file', () => {
  it('lose no commit and keep stamps in the order of commits', { timeout: 60_000 }, async () => {
    await (await open()).close()
    const child = join(import.meta.dirname, 'sqlite-increments.ts')
    const run = promisify(execFile)
    await Promise.all(['one', 'two', 'three'].map(name => run(process.execPath, [child, path, name, '100'])))
    const storage = await open()
    expect(await storage.counter('shared')).toBe(300)
    await storage.close()
    const db = new DatabaseSync(path)
    const stamps = db
      .prepare('SELECT lu FROM ver ORDER BY vid')
      .all()
      .map(row => row.lu as number)
    expect(stamps).toHaveLength(300)
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b))
    expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    db.close()
  })

  it('start on one new file at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => open()))
    const results = await Promise.all(
      all.map((storage, i) => storage.commit(commitOf([changeOf(`Patient/${i}`, 1)]))),
    )
    expect(results.every(result => result.ok)).toBe(true)
    await Promise.all(all.map(storage => storage.close()))
  })
})

describe('long searches', () => {
  /** Counts to n in SQLite's own virtual machine. */
  const counting = (n: number) =>
    raw(
      `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${n}) SELECT count(*) FROM c`,
    )

  it('are ended at their deadline, and the next one is answered', { timeout: 30_000 }, async () => {
    await (await open()).close()
    const readers = createReaders({ path, clock: Date.now, most: 1 })
    expect(await readers.run([counting(10)], undefined)).toEqual([[[10]]])
    const start = Date.now()
    const endless = readers.run([counting(1e12)], start + 300)
    const waiting = readers.run([counting(20)], start + 20_000)
    await expect(endless).rejects.toMatchObject({ code: 'too-costly', status: 503 })
    expect(Date.now() - start).toBeLessThan(5_000)
    expect(await waiting).toEqual([[[20]]])
    expect(readers.gauges().nadi_storage_searches_ended).toBe(1)
    readers.close()
  })

  it('that wait for a free process are ended at their deadline too', { timeout: 30_000 }, async () => {
    await (await open()).close()
    const readers = createReaders({ path, clock: Date.now, most: 1 })
    const start = Date.now()
    const endless = readers.run([counting(1e12)], start + 1500)
    const waiting = readers.run([counting(20)], start + 200)
    await expect(waiting).rejects.toMatchObject({ code: 'too-costly' })
    await expect(endless).rejects.toMatchObject({ code: 'too-costly' })
    readers.close()
  })

  it('are refused when the database closes, and leave no process behind', async () => {
    await (await open()).close()
    const readers = createReaders({ path, clock: Date.now })
    const endless = readers.run([counting(1e12)], undefined)
    readers.close()
    await expect(endless).rejects.toMatchObject({ code: 'transient' })
    await expect(readers.run([counting(1)], undefined)).rejects.toMatchObject({ code: 'transient' })
    expect(readers.gauges().nadi_storage_readers).toBe(0)
  })

  it('answer like short ones', { timeout: 30_000 }, async () => {
    const storage = await open()
    const many = Array.from({ length: 20_000 }, (_, i) =>
      changeOf(`Patient/${i}`, 1, [token('Patient.x', i % 2 ? 'odd' : 'even')]),
    )
    for (let at = 0; at < many.length; at += 2000) await storage.commit(commitOf(many.slice(at, at + 2000)))
    const where = { kind: 'not', node: { kind: 'token', param: 'Patient.x', code: 'odd' } } as const
    const page = await storage.search(planOf(['Patient'], where), {
      limit: 3,
      total: 'accurate',
      deadline: Date.now() + 20_000,
    })
    expect(page.rows.map(row => row.key)).toEqual(['Patient/0', 'Patient/2', 'Patient/4'])
    expect(page.total).toBe(10_000)
    expect((await storage.gauges()).nadi_storage_readers).toBe(1)
    await storage.close()
  })
})

describe('on the way to the engine', () => {
  it('batches come out of the wire as they went in, texts known and unknown', () => {
    const pack = packer()
    const unpack = reader()
    for (let round = 0; round < 3; round++) {
      const batches = Array.from({ length: 300 }, (_, i) => [
        { text: `statement ${i * (round + 1)}`, params: ['a', i, null, 'മ'] },
        { text: 'SELECT 1', params: [] },
      ])
      expect(unpack(structuredClone(pack(batches)))).toEqual(batches)
    }
  })

  it('D1 gets one parameter where there would be more than a hundred', () => {
    const many = {
      text: `SELECT ${Array.from({ length: 120 }, () => '?').join(' + ')}`,
      params: Array.from({ length: 120 }, (_, i) => i),
    }
    const few = fewParams(many)
    expect(few.params).toHaveLength(1)
    const db = new DatabaseSync(':memory:')
    const [row] = db.prepare(few.text.replace('SELECT', 'SELECT 0 +')).all(...few.params) as [
      Record<string, number>,
    ]
    expect(Object.values(row)[0]).toBe(7140)
    expect(fewParams({ text: 'SELECT ?', params: [1] })).toEqual({ text: 'SELECT ?', params: [1] })
  })

  it('leaves no file beside the database when it is closed', async () => {
    const storage = await open()
    await storage.commit(commitOf([changeOf('Patient/1', 1)]))
    expect(existsSync(`${path}-wal`)).toBe(true)
    await storage.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
  })
})
