/** `prepare` makes the same tables every time, keeps them where their source is absent, and says so where it can do neither. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const DEFINITIONS = 'src/fhir/definitions'
let clone: string

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'nadi-prepare-'))
  cpSync(join(ROOT, 'package.json'), join(clone, 'package.json'))
  cpSync(join(ROOT, 'profiles'), join(clone, 'profiles'), { recursive: true })
  cpSync(join(ROOT, 'src/fhir'), join(clone, 'src/fhir'), {
    recursive: true,
    filter: source => !source.includes('generated'),
  })
})
afterEach(() => rmSync(clone, { recursive: true, force: true }))

const prepare = () =>
  spawnSync(process.execPath, [join(clone, DEFINITIONS, 'prepare.ts')], { cwd: clone, encoding: 'utf8' })

it('the tables are the same, byte for byte, as those of this tree', () => {
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  const run = prepare()
  expect([run.status, run.stderr]).toEqual([0, ''])
  const files = readdirSync(join(clone, DEFINITIONS, 'generated'))
  expect(files.filter(file => file.endsWith('.json'))).toEqual([
    'compartments.json',
    'search-parameters.json',
    'structures.json',
    'terminology.json',
    'types.json',
    'ucum.json',
    'value-sets.json',
  ])
  for (const file of files) {
    const made = readFileSync(join(clone, DEFINITIONS, 'generated', file), 'utf8')
    expect(made === readFileSync(join(ROOT, DEFINITIONS, 'generated', file), 'utf8')).toBe(true)
  }
})

it('tables that are there are kept where the source is not installed', () => {
  cpSync(join(ROOT, DEFINITIONS, 'generated'), join(clone, DEFINITIONS, 'generated'), { recursive: true })
  const table = join(clone, DEFINITIONS, 'generated/types.json')
  const before = statSync(table).mtimeMs
  const run = prepare()
  expect([run.status, run.stderr]).toEqual([0, ''])
  expect(statSync(table).mtimeMs).toBe(before)
})

it('without tables and source it fails and says what to do', () => {
  mkdirSync(join(clone, DEFINITIONS, 'generated'))
  const run = prepare()
  expect(run.status).toBe(1)
  expect(run.stderr).toContain('hl7.fhir.r4.examples is not installed')
  expect(run.stderr).toContain('npm ci')
})
