/** The REST suite in workerd with D1. */
import { describe } from 'vitest'
import { startWorker } from '../runtime/worker.ts'
import { integritySuite } from './integrity.suite.ts'
import { PROFILE_SETTINGS, profileSuite } from './profile.suite.ts'
import { restSuite } from './suite.ts'

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
  integritySuite(() => startWorker({ vars: { NADI_REFERENCES: 'enforce' } }))
})
describe('profiles on write in workerd with D1', () => {
  profileSuite(() => startWorker({ vars: PROFILE_SETTINGS }))
})
