/** The REST suite on Node with SQLite in a file; then two servers on that one file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { integritySuite } from './integrity.suite.ts'
import { PROFILE_SETTINGS, profileSuite } from './profile.suite.ts'
import { sharedStoreSuite } from './shared-store.suite.ts'
import { restSuite } from './suite.ts'

const BODY_LIMIT = 4_000_000
const ENTRY_LIMIT = 60

/** Starts as many servers as asked for on one new file. */
async function start(count: number, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-rest-'))
  const options = { env: { NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}`, NADI_SYNC: 'normal', ...env } }
  const servers: RunningServer[] = []
  for (let n = 0; n < count; n++) servers.push(await startServer(options))
  return {
    bases: servers.map(server => server.base),
    async stop() {
      await Promise.all(servers.map(server => server.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
const one = async (env: Record<string, string>) => {
  const { bases, stop } = await start(1, env)
  return { base: bases[0] as string, stop }
}

describe('REST on Node with SQLite', () => {
  restSuite(() => one({ NADI_BODY_LIMIT: String(BODY_LIMIT), NADI_ENTRY_LIMIT: String(ENTRY_LIMIT) }), {
    bodyLimit: BODY_LIMIT,
    entryLimit: ENTRY_LIMIT,
    node: true,
  })
})
describe('references enforced on Node with SQLite', () => {
  integritySuite(() => one({ NADI_REFERENCES: 'enforce' }))
})
describe('profiles on write on Node with SQLite', () => {
  profileSuite(() => one(PROFILE_SETTINGS))
})
describe('two servers on one SQLite file', () => {
  sharedStoreSuite(() => start(2))
})
