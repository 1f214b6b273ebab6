/**
 * `npm test`: runs everything and ends in `N passed, N failed`, counted from vitest's own JSON report.
 * Skips are listed before it with their reasons; in CI (CI=true) a skip is a failure, since a skipped backend looks green and is not.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[]
  }[]
}

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'nadi-test-'))
const reportFile = join(folder, 'report.json')
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const run = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // More than a hundred servers and commands are started, each of which would compile the same sources anew.
    env: { NODE_COMPILE_CACHE: join(folder, 'compiled'), ...process.env, NODE_ENV: 'test' },
  },
)

let report: Report
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
} catch (error) {
  console.log(`vitest left no report: ${(error as Error).message}`)
  console.log('0 passed, 1 failed')
  process.exit(1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

let passed = 0
let failed = 0
const skipped: string[] = []
const failures: string[] = []
for (const file of report.testResults) {
  for (const test of file.assertionResults) {
    if (test.status === 'passed') passed++
    else if (test.status === 'failed') {
      failed++
      failures.push(test.fullName)
    } else skipped.push(test.fullName)
  }
  // A file that could not be loaded, or whose setup failed, has no failed test of its own to count.
  if (file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed')) {
    failed++
    failures.push(`${file.name}: ${file.message.split('\n')[0]}`)
  }
}
// An error outside any test, or a crashed worker, shows in the exit code only.
if (failed === 0 && run.status !== 0) {
  failed++
  failures.push(`vitest ended with ${run.status ?? run.signal}`)
}

for (const name of new Set(skipped)) console.log(`skipped: ${name}`)
if (process.env.CI === 'true' && skipped.length > 0) {
  failed += skipped.length
  console.log(`In CI nothing may be skipped: ${skipped.length} skips count as failures.`)
}
for (const name of failures) console.log(`failed: ${name}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
