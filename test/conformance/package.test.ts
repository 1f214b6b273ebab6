/** The packages that a server says it has. */
import { afterAll, expect, test } from 'vitest'
import { installedGuides, PACKAGE_RECORD } from '../../src/conformance/package.ts'
import { update } from '../../src/interactions/update.ts'
import { resource, testContext } from '../interactions/context.ts'

const ctx = await testContext()
afterAll(() => ctx.storage.close())

const record = (id: string, status: string) =>
  update(
    ctx,
    'ImplementationGuide',
    id,
    resource(
      `{"resourceType":"ImplementationGuide","id":"${id}","meta":{"tag":[{"system":"${PACKAGE_RECORD}","code":"${id}#1"}]},` +
        `"url":"http://example.org/${id}","version":"1","name":"X","status":"${status}","packageId":"${id}","fhirVersion":["4.0.1"]}`,
    ),
  )

test('are those that are wholly there, sorted, and a thousand at most: anybody who may write can write a record', async () => {
  await record('b', 'active')
  await record('half', 'draft')
  await record('a', 'active')
  expect(await installedGuides(ctx)).toEqual(['http://example.org/a|1', 'http://example.org/b|1'])
  for (let i = 0; i < 1000; i++) await record(`g${i}`, 'active')
  expect(await installedGuides(ctx)).toHaveLength(1000)
}, 30_000)
