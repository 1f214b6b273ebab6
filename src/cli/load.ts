/** `nadi load`: Bundles and NDJSON into any FHIR server through its REST interface. */
import { resolve } from 'node:path'
import { type InputFile, inputFiles } from './load/files.ts'
import { type Parcel, parcelsOf } from './load/parcels.ts'
import { count, createProgress, rate } from './load/progress.ts'
import { checkServer, type Failure, NoServer, send } from './load/send.ts'

/** Failures that are printed; the rest are counted. */
const SHOWN = 50

const HELP = `Usage: npm run load -- FILE|DIR... [--base-url URL] [--parallel N]

Loads Bundles (transaction, batch, collection) and NDJSON, plain or .gz, through the REST interface of a FHIR server.
Transactions and batches are sent as they are; single resources are put under their own ids.
Files whose names begin with a number are loaded one after another, in that order; the others side by side.

  --base-url URL   The server. Default: NADI_BASE_URL, or http://127.0.0.1:NADI_PORT/fhir with 8080 for the port.
  --parallel N     Requests at a time, 1 to 32. Default: 4.`

interface Options {
  base: string
  parallel: number
  paths: string[]
}

/** Runs the command and returns the exit code: 0 where everything is stored. */
export async function load(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  let options: Options
  let files: InputFile[]
  try {
    if (args.includes('--help')) {
      console.log(HELP)
      return 0
    }
    options = optionsOf(args, env)
    // npm runs scripts in the package's folder and keeps in INIT_CWD where the person stands.
    files = inputFiles(options.paths.map(path => resolve(env.INIT_CWD ?? '.', path)))
    if (files.length === 0) throw new Error('There is nothing to load: no .json, .ndjson or .gz of them.')
    await checkServer(options.base)
  } catch (error) {
    console.error((error as Error).message)
    return 1
  }
  return run(options, files)
}

function optionsOf(args: readonly string[], env: Record<string, string | undefined>): Options {
  let base = env.NADI_BASE_URL || `http://127.0.0.1:${env.NADI_PORT || '8080'}/fhir`
  let parallel = 4
  const paths: string[] = []
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i]!.split(/=(.*)/s)
    if (name === '--base-url' || name === '--parallel') {
      const value = inline ?? args[++i]
      if (value === undefined) throw new Error(`${name} needs a value.\n\n${HELP}`)
      if (name === '--base-url') base = value
      else parallel = Number(value)
    } else if (name!.startsWith('-')) throw new Error(`${name} is not an option of load.\n\n${HELP}`)
    else paths.push(args[i]!)
  }
  if (paths.length === 0) throw new Error(HELP)
  if (!/^https?:/.test(base) || !URL.canParse(base))
    throw new Error(`--base-url must be an http(s) URL, not "${base}".`)
  if (!(Number.isInteger(parallel) && parallel >= 1 && parallel <= 32))
    throw new Error('--parallel is a number from 1 to 32.')
  return { base: base.replace(/\/+$/, ''), parallel, paths }
}

async function run({ base, parallel }: Options, files: readonly InputFile[]): Promise<number> {
  const start = performance.now()
  const total = files.reduce((sum, file) => sum + file.size, 0)
  const progress = createProgress(process.stderr, total, () => performance.now())
  const failures: Failure[] = []
  const underWay = new Set<Promise<void>>()
  let bytes = 0
  let stored = 0
  let lost: NoServer | undefined

  const dispatch = async (parcel: Parcel) => {
    try {
      const sent = await send(base, parcel)
      stored += sent.stored
      failures.push(...sent.failures)
    } catch (error) {
      if (!(error instanceof NoServer)) throw error
      lost = error
    }
    progress.update(bytes, stored)
  }
  for (const file of files) {
    if (file.alone) await Promise.all(underWay)
    for await (const parcel of parcelsOf(file, n => {
      bytes += n
    })) {
      while (underWay.size >= parallel) await Promise.race(underWay)
      if (lost !== undefined) break
      const work: Promise<void> = dispatch(parcel).finally(() => underWay.delete(work))
      underWay.add(work)
    }
    if (file.alone) await Promise.all(underWay)
    if (lost !== undefined) break
  }
  await Promise.all(underWay)
  progress.end()

  const ms = performance.now() - start
  const seconds = (ms / 1000).toFixed(1)
  console.log(
    `Loaded ${count(stored)} ${stored === 1 ? 'resource' : 'resources'} from ${count(files.length)} ${files.length === 1 ? 'file' : 'files'} in ${seconds} s (${rate(stored, ms)}).`,
  )
  for (const failure of failures.slice(0, SHOWN)) {
    const where = failure.place === '' ? failure.file : `${failure.file}, ${failure.place}`
    console.log(`  failed: ${where}: ${failure.status ?? 'not sent'}: ${failure.diagnostics}`)
  }
  if (failures.length > SHOWN) console.log(`  and ${count(failures.length - SHOWN)} more.`)
  if (failures.length > 0) console.log(`${count(failures.length)} failed.`)
  if (lost !== undefined) console.error(lost.message)
  return failures.length > 0 || lost !== undefined ? 1 : 0
}
