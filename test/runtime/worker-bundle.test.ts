import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
/** Compressed size that Cloudflare takes on its smallest plan, bytes. https://developers.cloudflare.com/workers/platform/limits/ */
const MOST = 3 * 1024 * 1024

const dir = mkdtempSync(join(tmpdir(), 'nadi-bundle-'))
afterAll(() => rmSync(dir, { recursive: true }))

describe('the Worker bundle', () => {
  let code = ''
  let sources: string[] = []
  beforeAll(async () => {
    const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
    await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', dir], {
      cwd: ROOT,
      env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false' },
    })
    code = readFileSync(join(dir, 'worker.js'), 'utf8')
    const map = readdirSync(dir).find(name => name.endsWith('.map'))
    sources = (JSON.parse(readFileSync(join(dir, map!), 'utf8')) as { sources: string[] }).sources
  }, 60_000)

  it('holds the application', () => {
    expect(sources.some(path => path.endsWith('src/app.ts'))).toBe(true)
    expect(sources.some(path => path.endsWith('src/storage/sqlite/d1.ts'))).toBe(true)
  })

  it('holds neither the mongodb driver nor anything of Node', () => {
    const foreign =
      /node_modules\/(mongodb|bson|@hono\/node-server)\/|src\/storage\/mongodb\/|src\/storage\/sqlite\/node|src\/node\.ts/
    expect(sources.filter(path => foreign.test(path))).toEqual([])
    expect(code).not.toMatch(/MongoClient|from ?["']node:|require\(["']node:/)
  })

  it('is small enough for the smallest plan, with its WebAssembly', () => {
    const modules = readdirSync(dir).filter(name => name.endsWith('.wasm'))
    expect(modules).toHaveLength(1)
    const sizes = [code, ...modules.map(name => readFileSync(join(dir, name)))].map(
      one => gzipSync(one).length,
    )
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST)
  })
})
