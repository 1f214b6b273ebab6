/** The REST suite: everything that a client may expect, whatever the home and the storage of the server. */
import { afterAll, beforeAll } from 'vitest'
import { bookingSuite } from './booking.suite.ts'
import { bundleSuite } from './bundle.suite.ts'
import { type CitizenOptions, citizenSuite } from './citizen.suite.ts'
import { type Api, api, type Server } from './client.ts'
import { compartmentSuite } from './compartment.suite.ts'
import { conditionalSuite } from './conditional.suite.ts'
import { documentsSuite } from './documents.suite.ts'
import { exactSuite } from './exact.suite.ts'
import { explainSuite } from './explain.suite.ts'
import { historySuite } from './history.suite.ts'
import { includeSuite } from './include.suite.ts'
import { instanceSuite } from './instance.suite.ts'
import { linkedSuite } from './linked.suite.ts'
import { messagesSuite } from './messages.suite.ts'
import { negotiateSuite } from './negotiate.suite.ts'
import { operationsSuite } from './operations.suite.ts'
import { pageSuite } from './page.suite.ts'
import { patchSuite } from './patch.suite.ts'
import { queueSuite } from './queue.suite.ts'
import { renderSuite } from './render.suite.ts'
import { searchSuite } from './search.suite.ts'
import { slotsSuite } from './slots.suite.ts'
import { terminologySuite } from './terminology.suite.ts'
import { validateSuite } from './validate.suite.ts'

/** Declares the whole suite against the server that `start` gives; one server serves all of it. */
export function restSuite(start: () => Promise<Server>, options: CitizenOptions): void {
  let server: Server
  let client: Api
  beforeAll(async () => {
    server = await start()
    client = api(server.base)
  }, 120_000)
  afterAll(async () => {
    await server?.stop()
  })
  const current = () => client

  instanceSuite(current)
  conditionalSuite(current)
  patchSuite(current)
  historySuite(current)
  bundleSuite(current)
  negotiateSuite(current)
  exactSuite(current)
  validateSuite(current)
  searchSuite(current)
  pageSuite(current)
  includeSuite(current)
  linkedSuite(current)
  compartmentSuite(current)
  explainSuite(current)
  operationsSuite(current)
  documentsSuite(current)
  renderSuite(current)
  terminologySuite(current)
  slotsSuite(() => [client])
  bookingSuite(() => [client])
  queueSuite(() => [client])
  messagesSuite(
    () => [client],
    () => server.tick?.() ?? Promise.resolve(),
  )
  citizenSuite(current, options)
}
