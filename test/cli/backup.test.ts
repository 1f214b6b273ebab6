import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { runCli } from './run-cli.ts'

const dir = mkdtempSync(join(tmpdir(), 'nadi-backup-'))
afterAll(() => rmSync(dir, { recursive: true }))
const env = { NADI_STORAGE: `sqlite:${dir}/nadi.db` }
const put = (base: string, id: string) =>
  fetch(`${base}/Patient/${id}`, {
    method: 'PUT',
    body: `{"resourceType":"Patient","id":"${id}"}`,
    headers: { 'content-type': 'application/fhir+json' },
  })
const status = async (base: string, id: string) => (await fetch(`${base}/Patient/${id}`)).status

describe('nadi backup and restore', () => {
  it('copy a database that is in use, and put it back whether it is in use or not', async () => {
    const server = await startServer({ env })
    await put(server.base, 'before')
    const copied = await runCli(['backup', `${dir}/copy.db`], env)
    expect(copied).toMatchObject({ code: 0, err: '' })
    expect(copied.out).toContain(`${dir}/copy.db`)
    await put(server.base, 'after')

    const guarded = await runCli(['restore', `${dir}/copy.db`], env)
    expect(guarded.code).toBe(1)
    expect(guarded.err).toContain('--force')
    expect(await status(server.base, 'after')).toBe(200)
    expect(await runCli(['restore', `${dir}/copy.db`, '--force'], env)).toMatchObject({ code: 0, err: '' })
    expect(await status(server.base, 'before')).toBe(200)
    expect(await status(server.base, 'after')).toBe(404)
    await put(server.base, 'after')
    await server.stop()

    expect((await runCli(['restore', `${dir}/copy.db`, '--force'], env)).code).toBe(0)
    const again = await startServer({ env })
    expect(await status(again.base, 'before')).toBe(200)
    expect(await status(again.base, 'after')).toBe(404)
    await again.stop()
  })

  it('say in a sentence what is wrong', async () => {
    writeFileSync(join(dir, 'garbage.db'), 'this is no database at all'.repeat(100))
    const cases: [string[], Record<string, string>, string][] = [
      [['backup'], env, 'Usage'],
      [['backup', 'x.db'], { NADI_STORAGE: 'mongodb://127.0.0.1/nadi' }, 'mongodump'],
      [['backup', `${dir}/x.db`], { NADI_STORAGE: `sqlite:${dir}/none.db` }, 'no database'],
      [['restore', `${dir}/garbage.db`], { NADI_STORAGE: `sqlite:${dir}/new.db` }, 'garbage.db'],
      [['restore', `${dir}/none.db`], env, 'no backup'],
      [['backup', 'x.db', '--strange'], env, '--strange'],
      [['reticulate'], {}, 'reticulate'],
    ]
    for (const [args, settings, words] of cases) {
      const ran = await runCli(args, settings)
      expect(ran.code).toBe(1)
      expect(ran.err).toContain(words)
      expect(ran.err).not.toContain('    at ')
    }
    expect(existsSync(join(dir, 'new.db'))).toBe(false)
  })

  it('migrate brings schema and index up to date, and says so', async () => {
    const ran = await runCli(['migrate', '--storage', `sqlite:${dir}/fresh.db`], { NADI_LOG: 'silent' })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('up to date')
    expect(existsSync(join(dir, 'fresh.db'))).toBe(true)
  })
})
