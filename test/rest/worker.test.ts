/** The REST suite in workerd with D1. */
import { afterAll, describe } from 'vitest'
import { startWorker } from '../runtime/worker.ts'
import type { Server } from './client.ts'
import { integritySuite } from './integrity.suite.ts'
import { PROFILE_SETTINGS, profileSuite } from './profile.suite.ts'
import { reminderSuite, textPeer } from './reminder.suite.ts'
import { restSuite } from './suite.ts'
import { uhiNetwork, uhiSuite } from './uhi.suite.ts'

const network = await uhiNetwork()
const texts = await textPeer()
afterAll(async () => {
  await network.peers.close()
  await texts.peer.close()
})

const BODY_LIMIT = 4_000_000
const ENTRY_LIMIT = 60

describe('REST in workerd with D1', () => {
  restSuite(
    () =>
      startWorker({ vars: { NADI_BODY_LIMIT: String(BODY_LIMIT), NADI_ENTRY_LIMIT: String(ENTRY_LIMIT) } }),
    { bodyLimit: BODY_LIMIT, entryLimit: ENTRY_LIMIT, node: false },
  )
})
describe('references enforced in workerd with D1', () => {
  let server: Server
  integritySuite(async () => {
    server = await startWorker({ vars: { NADI_REFERENCES: 'enforce', ...network.vars, ...texts.vars } })
    return server
  })
  uhiSuite(() => server, network)
  reminderSuite(() => server, texts)
})
describe('profiles on write in workerd with D1', () => {
  profileSuite(() => startWorker({ vars: PROFILE_SETTINGS }))
})
