/**
 * Builds HAPI's validator, the second opinion of the tests, where `../shared` lies beside the clone: `npm run hapi:install`.
 * Once per machine, with Java 17 and Maven, into a cache outside the clone and outside `../shared`, which may be read-only.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const SOURCE = join(import.meta.dirname, '../../../shared/peer-hapi/validator')
/** What it is built of. */
const PARTS = ['pom.xml', 'validate.sh', 'src']

export const REMEDY = 'npm run hapi:install'

/** Returns the folder of the build, or undefined where there is nothing to build it of. */
function cacheOf(): string | undefined {
  if (!existsSync(join(SOURCE, 'validate.sh'))) return undefined
  const hash = createHash('sha256')
  for (const part of PARTS) for (const file of filesOf(join(SOURCE, part))) hash.update(readFileSync(file))
  const cache = process.env.NADI_TEST_CACHE ?? join(homedir(), '.cache')
  return join(cache, 'nadi-hapi-validator', hash.digest('hex').slice(0, 16))
}

const filesOf = (path: string): string[] =>
  path.endsWith('src')
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name))
        .sort()
    : [path]

const folder = cacheOf()

/** The command of the validator; undefined where it has not been built, here or in `../shared` itself. */
export const HAPI_COMMAND = [folder, SOURCE].flatMap(built =>
  built !== undefined && existsSync(join(built, 'target/fhir-validate.jar'))
    ? join(built, 'validate.sh')
    : [],
)[0]

/** Why the validator is not there, for the name of a test that is skipped. */
export const WHY_NOT = folder === undefined ? '../shared is not there' : REMEDY

function install(): void {
  if (folder === undefined || HAPI_COMMAND !== undefined) {
    console.log(
      `HAPI's validator ${folder === undefined ? 'is not built: there is no ../shared' : 'is built'}.`,
    )
    return
  }
  console.log(`Building HAPI's validator into ${folder}: about a minute, once per machine.`)
  const build = `${folder}.${process.pid}`
  mkdirSync(build, { recursive: true })
  for (const part of PARTS) cpSync(join(SOURCE, part), join(build, part), { recursive: true })
  const done = spawnSync('mvn', ['-B', '-q', 'package'], { cwd: build, stdio: 'inherit' })
  if (done.error !== undefined || done.status !== 0) {
    rmSync(build, { recursive: true, force: true })
    console.error(
      done.error === undefined
        ? 'Maven could not build it.'
        : `mvn cannot be run (${done.error.message}). Install Java 17 and Maven, and try again.`,
    )
    process.exit(1)
  }
  rmSync(folder, { recursive: true, force: true })
  renameSync(build, folder)
}

if (import.meta.main) install()
