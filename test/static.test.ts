/** Format, lint and types of the whole tree. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

function complaints(script: string, args: string[]): string {
  const run = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return run.status === 0 ? '' : `${run.stdout}${run.stderr}`
}

it('the tree is formatted and has no lint', () => {
  expect(complaints('@biomejs/biome/bin/biome', ['ci', '--colors=off', '--error-on-warnings', '.'])).toBe('')
})

it('the types hold', { timeout: 120_000 }, () => {
  expect(complaints('typescript/bin/tsc', ['--noEmit', '--pretty', 'false'])).toBe('')
})
