/** A context on a real store in memory, with a clock and ids that the test holds. */
import type { Context } from '../../src/context.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { type SomeSettings, testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'

export const START = Date.UTC(2026, 10, 21, 5, 11, 0)

export interface TestContext extends Context {
  /** Moves the clock on, ms. */
  pass(ms: number): void
}

const registry = createRegistry()

export async function testContext(settings: SomeSettings = {}): Promise<TestContext> {
  let now = START
  let ids = 0
  const clock = () => now
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock, log: silent })
  return {
    storage,
    settings: testSettings({ ...settings, limits: { body: 1e7, searchMs: 5000, ...settings.limits } }),
    registry,
    principal: { id: 'system' },
    clock,
    tick: clock,
    newId: () => `id-${++ids}`,
    log: silent,
    version: '0.0.0-test',
    pass: ms => {
      now += ms
    },
  }
}

/** A resource of its JSON text. */
export const resource = (text: string): Resource => parseJson(text) as Resource

export const patient = (members = ''): Resource =>
  resource(`{"resourceType":"Patient"${members && `,${members}`}}`)

/** Returns the FhirError that a promise ends with; fails where there is none. */
export async function refusal(promise: Promise<unknown>): Promise<FhirError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof FhirError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Status, code and places of an error, to compare with one look. */
export const shape = (error: FhirError) => [
  error.status,
  error.code,
  error.issues.map(issue => issue.expression),
]
