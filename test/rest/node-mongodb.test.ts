/** The REST suite on Node with MongoDB; then two servers on that one database. */
import { afterAll, describe, it } from 'vitest'
import { type RunningServer, startServer } from '../runtime/server.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import type { Server } from './client.ts'
import { integritySuite } from './integrity.suite.ts'
import { PROFILE_SETTINGS, profileSuite } from './profile.suite.ts'
import { sharedStoreSuite } from './shared-store.suite.ts'
import { restSuite } from './suite.ts'
import { uhiNetwork, uhiSuite } from './uhi.suite.ts'

const BODY_LIMIT = 4_000_000
const ENTRY_LIMIT = 60
const mongo = await startMongo()

if ('skip' in mongo) {
  it.skip(`REST on Node with MongoDB: ${mongo.skip}`, () => {})
} else {
  const network = await uhiNetwork()
  afterAll(() => network.peers.close())
  const start = async (count: number, env: Record<string, string> = {}) => {
    const servers: RunningServer[] = []
    for (let n = 0; n < count; n++)
      servers.push(await startServer({ env: { NADI_STORAGE: mongo.uri, ...env } }))
    return {
      bases: servers.map(server => server.base),
      stop: async () => {
        await Promise.all(servers.map(server => server.stop()))
      },
    }
  }
  const one = async (env: Record<string, string>) => {
    const { bases, stop } = await start(1, env)
    return { base: bases[0] as string, stop }
  }

  afterAll(() => mongo.stop())
  describe('REST on Node with MongoDB', () => {
    restSuite(() => one({ NADI_BODY_LIMIT: String(BODY_LIMIT), NADI_ENTRY_LIMIT: String(ENTRY_LIMIT) }), {
      bodyLimit: BODY_LIMIT,
      entryLimit: ENTRY_LIMIT,
      node: true,
    })
  })
  describe('two servers on one MongoDB database', () => {
    sharedStoreSuite(() => start(2))
  })
  describe('profiles on write on Node with MongoDB', () => {
    profileSuite(() => one(PROFILE_SETTINGS))
  })
  // Last, for the other setting makes the index anew.
  describe('references enforced on Node with MongoDB', () => {
    let server: Server
    integritySuite(async () => {
      server = await one({ NADI_REFERENCES: 'enforce', ...network.vars })
      return server
    })
    uhiSuite(() => server, network)
  })
}
