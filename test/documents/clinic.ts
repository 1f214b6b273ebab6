/** The clinic of bundles/ in a store in memory, its clock standing still. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../src/context.ts'
import { buildDocument } from '../../src/documents/build.ts'
import type { DocumentRequest } from '../../src/documents/request.ts'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import type { Key } from '../../src/storage/port.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { tree } from '../operations/context.ts'
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

/** Returns the text of the document that is built. */
export const documentText = async (ctx: Context, request: DocumentRequest): Promise<string> =>
  writeJson((await buildDocument(ctx, request)).bundle)

/** Stores a resource of the clinic as `by` has changed it. */
// biome-ignore lint/suspicious/noExplicitAny: resources are changed field by field
export async function changeStored(ctx: Context, key: Key, by: (resource: any) => void): Promise<void> {
  const resource = JSON.parse((await ctx.storage.read(key))!.text!)
  by(resource)
  await update(ctx, resource.resourceType, resource.id, tree(resource))
}
