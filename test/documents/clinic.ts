/** The clinic of bundles/ in a store in memory, its clock standing still. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import type { SomeSettings } from '../settings.ts'

export const BUNDLES = join(import.meta.dirname, '../../bundles')

/** Returns a context whose store holds the clinic. The clock does not move between two loads, and neither do ids. */
export async function clinicContext(settings: SomeSettings = {}): Promise<TestContext> {
  const ctx = await testContext({ ...settings, limits: { entries: 1000, ...settings.limits } })
  for (const file of readdirSync(BUNDLES).sort()) {
    if (!file.endsWith('.json')) continue
    const bundle = parseJson(readFileSync(join(BUNDLES, file), 'utf8')) as Resource
    if (bundle.type === 'transaction') await transaction(ctx, bundle)
  }
  return ctx
}
