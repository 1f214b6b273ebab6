/**
 * `nadi package`: implementation guides into a running server, the list of them, and out again.
 * https://hl7.org/fhir/packages.html
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { count, createProgress } from './load/progress.ts'
import { checkServer } from './load/send.ts'
import { type Installation, install, type Refusal } from './package/install.ts'
import { type Installed, installed, remove } from './package/installed.ts'
import { download, type Wanted, wantedOf } from './package/registry.ts'
import { filesOf, type Manifest, manifestOf } from './package/tarball.ts'

const HELP = `Usage: npm run nadi -- package install FILE.tgz|NAME[@VERSION] [--with-dependencies] [--registry URL]
       npm run nadi -- package list
       npm run nadi -- package remove NAME[@VERSION]

Loads FHIR R4 implementation guides (npm packages) into a running server, where validation and terminology find them.

  --base-url URL        The server. Default: NADI_BASE_URL, or http://127.0.0.1:NADI_PORT/fhir with 8080 for the port.
  --registry URL        Where packages come from by name. Default: NADI_PACKAGE_REGISTRY, or https://packages.fhir.org.
  --with-dependencies   Install what the package depends on as well.`

interface Options {
  base: string
  registry: string
  dependencies: boolean
  words: string[]
}

/** Runs the command and returns the exit code: 0 where everything was done. */
export async function packages(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  try {
    const options = optionsOf(args, env)
    const [action, ...names] = options.words
    if (action === 'list' && names.length === 0) return await listAll(options)
    if (action === 'install' && names.length === 1) return await installOne(options, names[0]!, env)
    if (action === 'remove' && names.length === 1) return await removeOne(options, names[0]!)
    throw new Error(HELP)
  } catch (error) {
    console.error((error as Error).message)
    return 1
  }
}

function optionsOf(args: readonly string[], env: Record<string, string | undefined>): Options {
  let base = env.NADI_BASE_URL || `http://127.0.0.1:${env.NADI_PORT || '8080'}/fhir`
  let registry = env.NADI_PACKAGE_REGISTRY || readConfig({}).packageRegistry
  let dependencies = false
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i]!.split(/=(.*)/s)
    if (name === '--base-url' || name === '--registry') {
      const value = inline ?? args[++i]
      if (value === undefined || !/^https?:/.test(value) || !URL.canParse(value))
        throw new Error(`${name} must be an http(s) URL.`)
      if (name === '--base-url') base = value
      else registry = value
    } else if (name === '--with-dependencies') dependencies = true
    else if (name!.startsWith('-')) throw new Error(`${name} is not an option of package.\n\n${HELP}`)
    else words.push(args[i]!)
  }
  return { base: base.replace(/\/+$/, ''), registry: registry.replace(/\/+$/, ''), dependencies, words }
}

async function listAll({ base }: Options): Promise<number> {
  await checkServer(base)
  const all = await installed(base)
  if (all.length === 0) console.log('No package is installed.')
  for (const { name, version, complete, said } of all)
    console.log(
      shown(`${name}@${version}  ${complete ? said : 'not complete: install it again, or remove it'}`),
    )
  return 0
}

async function removeOne({ base }: Options, text: string): Promise<number> {
  await checkServer(base)
  const wanted = wantedOf(text)
  const found = (await installed(base)).filter(
    one => one.name === wanted?.name && (!/[@#]/.test(text.slice(1)) || one.version === wanted.version),
  )
  if (found.length === 0) throw new Error(`${text} is not installed; "nadi package list" shows what is.`)
  if (found.length > 1)
    throw new Error(
      `${wanted!.name} is installed in the versions ${found.map(({ version }) => version).join(', ')}: name one as ${wanted!.name}@VERSION.`,
    )
  const removed = await remove(base, found[0]!)
  console.log(`Removed ${found[0]!.name}@${found[0]!.version}: ${count(removed)} resources.`)
  return 0
}

async function installOne(
  options: Options,
  text: string,
  env: Record<string, string | undefined>,
): Promise<number> {
  await checkServer(options.base)
  const here = await installed(options.base)
  const path = resolve(env.INIT_CWD ?? '.', text)
  if (isFile(path)) return installFile(options, path, await manifestOf(path), here)
  const wanted = wantedOf(text)
  if (wanted === undefined || /\.t(?:ar\.)?gz$/i.test(text))
    throw new Error(
      `There is no file ${path}, and ${text} is no name of a package such as hl7.terminology.r4@7.0.1.`,
    )
  return installNamed(options, wanted, here)
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

async function installNamed(options: Options, wanted: Wanted, here: readonly Installed[]): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'nadi-package-'))
  try {
    const path = join(dir, 'package.tgz')
    const version = await download(options.registry, wanted, path, () => {})
    console.error(`Fetched ${wanted.name}@${version} from ${options.registry}.`)
    return await installFile(options, path, await manifestOf(path), here)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Definitions of R4 itself, which the server has. */
const BUILT_IN = new Set(['hl7.fhir.r4.core', 'hl7.fhir.core', 'hl7.fhir.r4.expansions'])

async function installFile(
  options: Options,
  path: string,
  manifest: Manifest,
  here: readonly Installed[],
): Promise<number> {
  const { name, version, fhirVersions, dependencies = {} } = manifest
  if (fhirVersions !== undefined && !fhirVersions.some(one => /^4\.0(\.|$)/.test(one)))
    throw new Error(
      `${name}@${version} is for FHIR ${fhirVersions.join(', ')}; this server is of FHIR R4 (4.0.1).`,
    )
  if (here.some(one => one.name === name && one.version === version && one.complete)) {
    console.log(`${name}@${version} is installed already.`)
    return 0
  }
  const { size } = statSync(path)
  const progress = createProgress(process.stderr, size, () => performance.now())
  let done: Installation
  try {
    done = await install(options.base, manifest, onBytes => sourceOf(path, onBytes), progress.update)
  } finally {
    progress.end()
  }
  tell(manifest, done)
  if (done.lost !== undefined) {
    console.error(done.lost)
    return 1
  }
  let code = done.failures.length > 0 ? 1 : 0
  for (const [needed, asked] of Object.entries(dependencies)) {
    const isHere = (one: Installed): boolean => one.name === needed && one.complete
    if (BUILT_IN.has(needed) || here.some(isHere)) continue
    const what = shown(`It builds on ${needed}@${asked}, which`)
    if (!options.dependencies) {
      console.log(`${what} is not installed (--with-dependencies installs it too).`)
      continue
    }
    const wanted = wantedOf(`${needed}@${asked}`)
    if (wanted === undefined) {
      console.log(`${what} names no version: install it by name, with a version that fits.`)
      code = 1
      continue
    }
    const also = await installed(options.base)
    if (!also.some(isHere)) code = Math.max(code, await installNamed(options, wanted, also))
  }
  return code
}

/** The largest resource of a package that is read, bytes. */
const MOST_RESOURCE = 64 * 1024 * 1024

const sourceOf = (path: string, hears: { onBytes: (n: number) => void; onLarge: (name: string) => void }) =>
  filesOf(path, { most: MOST_RESOURCE, wanted: name => name !== 'package.json', ...hears })

/** Failures that are printed; the rest are counted. */
const SHOWN = 50

function tell({ name, version }: Manifest, { stored, leftOut, failures, unusable, ms }: Installation): void {
  console.log(`Installed ${name}@${version}: ${count(stored)} resources in ${(ms / 1000).toFixed(1)} s.`)
  list('left out', leftOut)
  list('refused', failures)
  list('cannot be used', unusable)
}

function list(what: string, refusals: readonly Refusal[]): void {
  for (const { file, why } of refusals.slice(0, SHOWN)) console.log(shown(`  ${what}: ${file}: ${why}`))
  if (refusals.length > SHOWN) console.log(`  and ${count(refusals.length - SHOWN)} more.`)
}

/** What a stranger wrote must not steer the terminal. */
const shown = (text: string): string => text.replace(/\p{Cc}/gu, '?')
