/** `nadi terminology`: SNOMED CT, LOINC and ICD-10 from their releases into the store, while the server runs or not. */
import { resolve } from 'node:path'
import { type Config, readConfig, SettingsError } from '../config.ts'
import { jsonLog } from '../lib/json-log.ts'
import type { Release } from '../storage/concepts.ts'
import type { Storage } from '../storage/port.ts'
import { count, createProgress } from './load/progress.ts'
import { openStorage } from './open-storage.ts'
import type { SystemName } from './terminology/format.ts'
import { FORMATS } from './terminology/formats.ts'
import { loadRelease } from './terminology/load-release.ts'
import { scratchFolder } from './terminology/scratch.ts'
import { underLease } from './terminology/store-release.ts'
import { explain } from './words.ts'

const HELP = `Usage: npm run nadi -- terminology load FILE|DIR... [--system snomed|loinc|icd-10] [--version V] [--language en-US] [--keep]
       npm run nadi -- terminology list
       npm run nadi -- terminology remove SYSTEM[|VERSION]

load    Loads one release of a code system, from its folder, its files or the zip file that it came in: ${FORMATS.map(one => one.wanted).join('; ')}.
        Several paths are one release: SNOMED CT's International Edition and a national extension, for example.
        The release takes the place of the one before in one step, when it is whole; the server may run meanwhile.
list    Lists the releases in the store.
remove  Removes the releases of a system (its URL, or snomed, loinc, icd-10), or of one version only.

  --system S     What to load, where the files are of several systems.
  --version V    The version, where the files do not tell it, or another name for it.
  --language L   The language of the names that are shown, where a release has several: en-GB, ml. Default: en-US.
  --keep         The release before stays, for who asks for its version.
  --scratch DIR  A folder for files of the work, about as large as the release unpacked. Default: the system's.

The store is that of NADI_STORAGE; --storage and the other settings of the server are taken too. The licences of the systems are yours.`

const SYSTEMS: Record<SystemName, string> = {
  snomed: 'http://snomed.info/sct',
  loinc: 'http://loinc.org',
  'icd-10': 'http://hl7.org/fhir/sid/icd-10',
}

interface Asked {
  system?: SystemName
  version?: string
  language: string
  keep: boolean
  scratch?: string
  /** What is no option of ours, and no setting. */
  words: string[]
  settings: string[]
}

type Environment = Record<string, string | undefined>

/** Runs the command and returns the exit code. */
export async function terminology(args: readonly string[], env: Environment): Promise<number> {
  const [command, ...rest] = args
  if (command === '--help' || rest.includes('--help')) {
    console.log(HELP)
    return 0
  }
  try {
    const asked = askedOf(rest)
    if (command === 'load') await load(asked, env)
    else if (command === 'list') await list(asked, env)
    else if (command === 'remove') await remove(asked, env)
    else throw new Error(HELP)
    return 0
  } catch (error) {
    console.error(error instanceof SettingsError ? error.problems.join('\n') : (error as Error).message)
    return 1
  }
}

function askedOf(args: readonly string[]): Asked {
  const asked: Asked = { language: 'en-US', keep: false, words: [], settings: [] }
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i]!.split(/=(.*)/s) as [string, string | undefined]
    if (!name.startsWith('-')) {
      asked.words.push(args[i]!)
      continue
    }
    if (name === '--keep') {
      asked.keep = true
      continue
    }
    const value = inline ?? args[++i]
    if (value === undefined || value === '') throw new Error(`${name} needs a value.\n\n${HELP}`)
    if (name === '--version') asked.version = value
    else if (name === '--scratch') asked.scratch = value
    else if (name === '--language') {
      if (!/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(value))
        throw new Error(`--language is a language tag such as en-GB, not "${value}".`)
      asked.language = value
    } else if (name === '--system') {
      if (!Object.hasOwn(SYSTEMS, value))
        throw new Error(`--system is snomed, loinc or icd-10, not "${value}".`)
      asked.system = value as SystemName
    } else asked.settings.push(`${name}=${value}`)
  }
  return asked
}

function checkStore(asked: Asked, env: Environment): Config {
  const config = readConfig(env, asked.settings)
  if (config.storage.kind === 'sqlite' && config.storage.path === ':memory:')
    throw new Error('A database in memory ends with this command: name a file with --storage sqlite:FILE.')
  return config
}

async function withStorage<T>(
  asked: Asked,
  env: Environment,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const config = checkStore(asked, env)
  const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
  const storage = await openStorage(config, log, { mapped: false }).catch(error => {
    throw new Error(explain(error, config))
  })
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

async function load(asked: Asked, env: Environment): Promise<void> {
  if (asked.words.length === 0) throw new Error(HELP)
  // npm runs scripts in the package's folder and keeps in INIT_CWD where the person stands.
  const place = (path: string) => resolve(env.INIT_CWD ?? '.', path)
  checkStore(asked, env)
  const scratch = scratchFolder(asked.scratch === undefined ? undefined : place(asked.scratch))
  const start = performance.now()
  const progress = createProgress(process.stderr, 1, () => performance.now(), 'concepts')
  const { system, version, language, keep, settings } = asked
  try {
    const paths = asked.words.map(place)
    const data = { paths, system, version, language, keep, settings, env, scratch: scratch.path }
    const release = await loadRelease(data, {
      onProgress: progress.update,
      onWaiting: () => console.error(WAITING),
    }).finally(progress.end)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    console.log(`Loaded ${release.title}: ${sizeOf(release)} in ${seconds} s. ${nameOf(release)}`)
  } finally {
    scratch.remove()
  }
}

const WAITING = 'Another load goes on in this store, or was ended a moment ago: waiting for some seconds.'

const sizeOf = ({ concepts, designations }: Release): string =>
  `${count(concepts)} concepts, ${count(designations)} names`

const nameOf = ({ system, version }: Release): string => `${system}|${version}`

async function list(asked: Asked, env: Environment): Promise<void> {
  const releases = await withStorage(asked, env, storage => storage.concepts.releases())
  if (releases.length === 0) console.log('No release of a code system is loaded.')
  for (const release of releases)
    console.log(`${release.state.padEnd(8)} ${nameOf(release)}  ${release.title}, ${sizeOf(release)}`)
}

async function remove(asked: Asked, env: Environment): Promise<void> {
  const [text, ...more] = asked.words
  if (text === undefined || more.length > 0) throw new Error(HELP)
  const [name] = text.split('|') as [string]
  const system = Object.hasOwn(SYSTEMS, name) ? SYSTEMS[name as SystemName] + text.slice(name.length) : text
  const gone = await withStorage(asked, env, storage =>
    underLease(
      storage,
      () => console.error(WAITING),
      () => storage.concepts.remove(system),
    ),
  )
  if (gone.length === 0) throw new Error(`There is no release of ${system} in the store.`)
  for (const release of gone) console.log(`Removed ${release.title}: ${sizeOf(release)}.`)
}
