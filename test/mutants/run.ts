/**
 * npm run mutants: plants the faults of `mutants.ts` one after the other into a copy of the source and runs the tests that have to notice.
 *
 *   npm run mutants                     all of them, about ten minutes
 *   npm run mutants -- sqlite           one group
 *   npm run mutants -- walk.ts          those of the files whose path holds the text
 *
 * Prints a table; exit code 1 where a fault was not noticed, or cannot be planted because the source has changed.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GROUPS, type Group, type Mutant } from './mutants.ts'

const root = join(import.meta.dirname, '..', '..')
/** The seed that the random tests are repeated with, so that a fault is noticed each time or never. */
const SEED = '20261121'
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'wrangler.toml']

interface Outcome {
  failed: number
  passed: number
  /** Why nothing ran. */
  problem?: string
}

function runTests(folder: string, files: readonly string[], bail: boolean): Outcome {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [
    vitest,
    'run',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...(bail ? ['--bail=1'] : []),
    ...files,
  ]
  const env = { ...process.env, NODE_ENV: 'test', NADI_TEST_SEED: SEED }
  const run = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8', timeout: 600_000 })
  try {
    const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, 'utf8'))
    // A file that cannot be loaded fails without a failed test, and notices nothing.
    if (numFailedTests + numPassedTests === 0) return { failed: 0, passed: 0, problem: 'no test ran' }
    return { failed: numFailedTests, passed: numPassedTests }
  } catch {
    return { failed: 0, passed: 0, problem: `vitest left no report: ${run.stderr.slice(-500)}` }
  }
}

/** Throws where tests fail without a fault: they would notice every one. */
const sound = new Set<string>()
function expectSound(folder: string, files: readonly string[]): void {
  const name = files.join(' ')
  if (sound.has(name)) return
  const { failed, passed, problem } = runTests(folder, files, false)
  if (problem !== undefined || failed > 0)
    throw new Error(`without a fault ${failed} fail in ${name} ${problem ?? ''}`)
  console.log(`without a fault ${passed} pass in ${name}`)
  sound.add(name)
}

/** Returns which tests noticed the fault; undefined where none did. */
function noticed(folder: string, { tests }: Group, mutant: Mutant): string | undefined {
  const path = join(folder, mutant.file)
  const source = readFileSync(path, 'utf8')
  const parts = source.split(mutant.from)
  if (parts.length !== 2) throw new Error(`stands ${parts.length - 1} times in the file`)
  try {
    for (const files of tests) {
      writeFileSync(path, source)
      expectSound(folder, files)
      writeFileSync(path, parts.join(mutant.to))
      const { failed, problem } = runTests(folder, files, true)
      if (problem !== undefined) throw new Error(problem)
      if (failed > 0) return files.join(' ')
    }
    return undefined
  } finally {
    writeFileSync(path, source)
  }
}

function main(): number {
  const only = process.argv[2] ?? ''
  const named = GROUPS.some(({ name }) => name === only)
  const folder = mkdtempSync(join(tmpdir(), 'nadi-mutants-'))
  let planted = 0
  let survived = 0
  try {
    for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const group of GROUPS) {
      for (const mutant of group.mutants) {
        if (group.name !== only && (named || !mutant.file.includes(only))) continue
        const begun = performance.now()
        let line: string
        planted++
        try {
          const by = noticed(folder, group, mutant)
          if (by === undefined) survived++
          line = by === undefined ? 'SURVIVED' : `caught    by ${by}`
        } catch (error) {
          survived++
          line = `NOT TRIED (${(error as Error).message})`
        }
        const seconds = Math.round((performance.now() - begun) / 1000)
        console.log(`${line}, ${seconds} s: ${mutant.file}: ${shown(mutant.from)} -> ${shown(mutant.to)}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(`${planted - survived} of ${planted} mutants caught`)
  return survived === 0 && planted > 0 ? 0 : 1
}

const shown = (text: string): string => (text === '' ? '(nothing)' : text.trim().replace(/\s+/g, ' '))

process.exit(main())
