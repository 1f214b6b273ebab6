/** `nadi ids` on a database file: what it prints, and what it gives to resources that have no integer id. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemContext } from '../../src/context.ts'
import { update } from '../../src/interactions/update.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { patient } from '../interactions/context.ts'
import { testSettings } from '../settings.ts'
import { silent } from '../storage/silent-log.ts'
import { runCli } from './run-cli.ts'

let folder: string
let storage: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-ids-test-'))
  storage = `sqlite:${join(folder, 'nadi.db')}`
  const store = await openSqlite({
    path: join(folder, 'nadi.db'),
    sync: 'normal',
    clock: Date.now,
    log: silent,
  })
  const ctx = systemContext({ storage: store, settings: testSettings(), log: silent, version: '' })
  const seven = '"identifier":[{"system":"urn:nadi:opencare:patient","value":"7"}]'
  for (const id of ['a', 'b', 'c'])
    await update(ctx, 'Patient', id, patient(`"id":"${id}"${id === 'b' ? `,${seven}` : ''}`))
  await store.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

it('prints id, system and reference, and gives ids on request, none twice', { timeout: 60_000 }, async () => {
  const system = 'urn:nadi:opencare:patient'
  const before = await runCli(['ids', 'patient', '--storage', storage])
  expect([before.code, before.out]).toEqual([0, `7\t${system}\tPatient/b\n`])
  const assigned = await runCli(['ids', '--assign', '--storage', storage])
  expect([assigned.code, assigned.out, assigned.err]).toEqual([
    0,
    `1\t${system}\tPatient/a\n2\t${system}\tPatient/c\n7\t${system}\tPatient/b\n`,
    `2 got an id of ${system}.\n`,
  ])
  const wrong = await runCli(['ids', 'nurse', '--storage', storage])
  expect([wrong.code, wrong.err.split('\n')[0]]).toEqual([
    1,
    'nurse is none of appointment, patient, provider, facility.',
  ])
})
