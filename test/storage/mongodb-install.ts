/**
 * Installs the MongoDB-protocol server that tests run on where there is no mongod: `npm run mongodb:install`.
 * A build of about four minutes, once per machine: it is kept outside the clone. See docs/storage.md for what it cannot do.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Pinned: a beta that changes often. Raise it only together with a run of the whole suite. */
export const SUBSTITUTE_VERSION = '0.5.3-beta.196'

const cache = join(
  process.env.NADI_TEST_CACHE ?? join(homedir(), '.cache'),
  'secantusd-rs',
  SUBSTITUTE_VERSION,
)

/** Where the server is, or would be after an installation. */
export const SUBSTITUTE_BINARY = join(cache, 'bin', 'secantusd-rs')

export const REMEDY = 'npm run mongodb:install'

/** Returns true when the file can be run. */
export function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function install(): void {
  if (canRun(SUBSTITUTE_BINARY)) {
    console.log(`MongoDB substitute ${SUBSTITUTE_VERSION} is installed: ${SUBSTITUTE_BINARY}`)
    return
  }
  const build = join(cache, 'build')
  const args = [
    'install',
    'secantus-mdb',
    '--version',
    SUBSTITUTE_VERSION,
    '--locked',
    '--ignore-rust-version',
  ]
  console.log(
    `Building the MongoDB substitute ${SUBSTITUTE_VERSION} into ${cache}: about four minutes, once per machine.`,
  )
  const done = spawnSync('cargo', [...args, '--root', cache], {
    stdio: 'inherit',
    env: {
      ...process.env,
      CARGO_TARGET_DIR: build,
      // The release profile's link-time optimisation takes four times as long to build and is not needed for tests.
      CARGO_PROFILE_RELEASE_LTO: 'off',
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
      CARGO_PROFILE_RELEASE_OPT_LEVEL: '2',
    },
  })
  rmSync(build, { recursive: true, force: true })
  if (done.error !== undefined) {
    console.error(
      `cargo cannot be run (${done.error.message}). Install Rust with cargo, a C++ compiler and cmake, and try again.`,
    )
    process.exit(1)
  }
  if (done.status !== 0) process.exit(done.status ?? 1)
}

if (import.meta.main) install()
