/**
 * bundles/documents/ is what the builder makes of bundles/, byte by byte. NADI_TEST_WRITE_DOCUMENTS=1 writes them anew. Whether they are
 * valid, by our validator and HAPI's, is looked at in mutations.test.ts and mutations-hapi.test.ts.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildDocument } from '../../src/documents/build.ts'
import { HI_TYPES } from '../../src/documents/hi-types.ts'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { update } from '../../src/interactions/update.ts'
import type { TestContext } from '../interactions/context.ts'
import { BUNDLES, clinicContext } from './clinic.ts'
import { CLINIC, EXAMPLES } from './examples.ts'

const FOLDER = join(BUNDLES, 'documents')
const names = Object.keys(EXAMPLES)

describe('bundles/documents', () => {
  const built = new Map<string, string>()
  let ctx: TestContext
  beforeAll(async () => {
    ctx = await clinicContext({ baseUrl: CLINIC })
    for (const name of names) {
      const { bundle } = await buildDocument(ctx, EXAMPLES[name]!)
      built.set(name, `${writeJson(bundle, true)}\n`)
    }
    if (process.env.NADI_TEST_WRITE_DOCUMENTS !== '1') return
    mkdirSync(FOLDER, { recursive: true })
    for (const [name, text] of built) writeFileSync(join(FOLDER, `${name}.json`), text)
  })

  it('holds every one of the eight kinds, and nothing else', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(names.map(name => `${name}.json`).sort())
    expect(new Set(names.map(name => EXAMPLES[name]!.hiType))).toEqual(new Set(HI_TYPES))
  })

  it.each(names)('%s is what the builder makes', name => {
    expect(built.get(name)).toBe(readFileSync(join(FOLDER, `${name}.json`), 'utf8'))
  })

  it.each(names)('%s is the same, byte by byte, when it is built again an hour later', async name => {
    ctx.pass(3_600_000)
    const { bundle } = await buildDocument(ctx, EXAMPLES[name]!)
    expect(`${writeJson(bundle, true)}\n`).toBe(built.get(name))
  })

  it.each(names)(
    '%s: every reference is resolved inside, and every entry is reached from the Composition',
    name => {
      const { entry } = JSON.parse(built.get(name)!)
      const urls = new Map<string, unknown>(
        entry.map((one: { fullUrl: string; resource: unknown }) => [one.fullUrl, one.resource]),
      )
      expect(urls.size).toBe(entry.length)
      expect(entry[0].resource.resourceType).toBe('Composition')
      const reached = new Set<string>([entry[0].fullUrl])
      const walk = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return
        const { reference } = value as { reference?: unknown }
        if (typeof reference === 'string') {
          expect(urls.has(reference), reference).toBe(true)
          if (!reached.has(reference)) {
            reached.add(reference)
            walk(urls.get(reference))
          }
        }
        for (const member of Object.values(value)) walk(member)
      }
      walk(entry[0].resource)
      expect(reached.size).toBe(entry.length)
      for (const { fullUrl, resource } of entry) {
        expect(fullUrl).toMatch(
          /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        )
        expect(resource.id).toBe(fullUrl.slice(9))
        if (resource.resourceType !== 'Binary') expect(resource.text.div).toMatch(/^<div xmlns=/)
      }
    },
  )

  it.each(names)('%s is taken by a server that holds writes against profiles', async name => {
    const strict: TestContext = { ...ctx, settings: { ...ctx.settings, validate: 'profile' } }
    const bundle = parseJson(built.get(name)!) as Resource
    const { created } = await update(strict, 'Bundle', bundle.id as string, bundle)
    expect(created).toBe(true)
  })
})
