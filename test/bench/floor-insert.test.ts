import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { insertFloor } from '../../bench/floor-insert.ts'
import { create } from '../../src/interactions/create.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { patient, testContext } from '../interactions/context.ts'
import { silent } from '../storage/silent-log.ts'

it('the floor of writes inserts the rows of a database as the server makes it now', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-floor-test-'))
  const path = join(folder, 'nadi.db')
  const storage = await openSqlite({ path, sync: 'normal', clock: Date.now, log: silent })
  const ctx = { ...(await testContext()), storage }
  for (let n = 0; n < 3; n++) await create(ctx, 'Patient', patient(`"name":[{"family":"Nair${n}"}]`))
  await storage.close()
  const { create: created, bulk } = insertFloor(path)
  expect([created.resources, bulk.resources]).toEqual([3, 3])
  rmSync(folder, { recursive: true })
})
