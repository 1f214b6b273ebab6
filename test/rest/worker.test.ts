/** The REST suite in workerd with D1. */
import { describe } from 'vitest'
import { startWorker } from '../runtime/worker.ts'
import { restSuite } from './suite.ts'

describe('REST in workerd with D1', () => {
  restSuite(startWorker, { bodyLimit: 32 * 1024 * 1024, node: false })
})
