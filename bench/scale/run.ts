/**
 * npm run bench -- --scale N: makes N resources from a seed, loads them, and measures reads and the search families.
 *
 *   npm run bench -- --scale 1000000                          Nadi on a fresh SQLite file
 *   npm run bench -- --scale 100000,1000000                   two scales, and how the planted questions grow
 *   npm run bench -- --scale 1000000 --file /tmp/million.db   fills the file where it is not there yet, and keeps it
 *   npm run bench -- --scale 100000 --hapi DIR                HAPI FHIR on PostgreSQL beside it (CPU only)
 *   npm run bench -- --scale 200000 --families 'chain|_has'   some of them
 *
 * Exit code 1 when an answer was wrong. docs/benchmarks.md explains the figures.
 */
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { load as loadAverage, machine, machineLine } from '../machine.ts'
import { usageOf } from '../proc.ts'
import { attached, type Server, startHapi, startNadi } from '../server.ts'
import { makeData } from './data.ts'
import {
  type Load,
  measureFamilies,
  readBesideCounts,
  type ScaleOptions,
  type ScaleReport,
  startLoad,
} from './measure.ts'
import { barsOf, growthTable, scaleTable, shareTable } from './table.ts'

const say = (line: string) => console.error(line)

const OPTIONS = {
  scale: 'N,...        resources',
  seed: 'N            of data and questions [1]',
  seconds: 'N         of each loop [4]',
  warmup: 'SECONDS    of all families together [20]',
  clients: 'N,...     closed loops [8,32]',
  families: 'PATTERN  which, by a regular expression on their names',
  file: 'FILE         the SQLite file, kept; with one scale only',
  'base-url': 'URL    another FHIR server that runs already',
  pid: 'PID,...       its processes',
  hapi: 'DIR          measures HAPI too, started by DIR/start-hapi.sh, at the smallest scale',
  'hapi-warmup': 'SECONDS [120]',
  'closed-only': '    no open loops',
  out: 'FILE          figures as JSON [bench/results/scale-last.json]',
} as const

async function measureOne(
  server: Server,
  name: string,
  options: ScaleOptions,
  filled: boolean,
): Promise<ScaleReport> {
  const config = { baseUrl: server.baseUrl, seed: options.seed, resources: options.resources }
  const load = startLoad(config, say)
  const second = startLoad(config, say)
  try {
    const report: ScaleReport = { server: name, resources: options.resources, families: [] }
    say(`${name}, ${options.resources} resources`)
    if (!filled) report.filled = await fill(server, load, options)
    report.families = await measureFamilies(server, load, second, options, say)
    if (!options.closedOnly && !options.families)
      report.readBesideCounts = await readBesideCounts(load, second, options.seconds)
    if (server.pids.length > 0) report.rssAnonMb = Math.round(usageOf(server.pids).rssAnon / 1e6)
    if (server.file) report.fileMb = Math.round(statSync(server.file).size / 1e6)
    return report
  } finally {
    load.end()
    second.end()
  }
}

async function fill(
  server: Server,
  load: Load,
  { seed, resources }: ScaleOptions,
): Promise<NonNullable<ScaleReport['filled']>> {
  const before = usageOf(server.pids)
  const { units } = makeData(seed, resources)
  const result = await load.run({ do: 'fill', clients: 4, batch: 20, from: 0, to: units })
  const cpu = usageOf(server.pids).cpuMs - before.cpuMs
  return {
    seconds: Math.round(result.seconds),
    perSecond: Math.round(result.operations / result.seconds),
    ...(cpu > 0 ? { perCpuSecond: Math.round((result.operations * 1000) / cpu) } : {}),
  }
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean' },
      ...(Object.fromEntries(
        Object.keys(OPTIONS).map(name => [name, { type: name === 'closed-only' ? 'boolean' : 'string' }]),
      ) as Record<Exclude<keyof typeof OPTIONS, 'closed-only'>, { type: 'string' }> & {
        'closed-only': { type: 'boolean' }
      }),
    },
  })
  if (values.help) {
    for (const [name, meaning] of Object.entries(OPTIONS)) console.log(`  --${name} ${meaning}`)
    return 0
  }
  const number = (text: string | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text)
    if (!(value >= 0)) throw new Error(`"${text}" is no number.`)
    return value
  }
  const scales = (values.scale ?? '').split(',').map(text => number(text, 0))
  const options: Omit<ScaleOptions, 'resources'> = {
    seed: number(values.seed, 1),
    seconds: number(values.seconds, 4),
    warmup: number(values.warmup, 20),
    clients: (values.clients ?? '8,32').split(',').map(text => number(text, 8)),
    families: values.families === undefined ? undefined : new RegExp(values.families),
    closedOnly: values['closed-only'] === true,
  }
  const before = loadAverage()
  const reports: ScaleReport[] = []
  for (const resources of scales) {
    const { file } = values
    const filled = file !== undefined && existsSync(file)
    const server = values['base-url']
      ? attached(values['base-url'], (values.pid ?? '').split(',').filter(Boolean).map(Number))
      : await startNadi({ storage: file === undefined ? undefined : `sqlite:${file}`, logLevel: 'warn' })
    try {
      const known = file === undefined ? server : { ...server, file }
      reports.push(await measureOne(known, 'nadi', { ...options, resources }, filled))
    } finally {
      await server.stop()
    }
  }
  if (values.hapi) {
    const resources = Math.min(...scales)
    const server = await startHapi(values.hapi)
    const warmup = number(values['hapi-warmup'], 120)
    try {
      reports.push(
        await measureOne(
          server,
          'hapi-pg',
          { ...options, resources, warmup, clients: [8], closedOnly: true },
          false,
        ),
      )
    } finally {
      await server.stop()
    }
  }
  for (const report of reports) console.log(`\n${scaleTable(report)}`)
  const growth = growthTable(reports)
  if (growth) console.log(`\n${growth}`)
  const share = shareTable(reports)
  if (share) console.log(`\n${share}`)
  const missed = barsOf(reports)
  console.log(
    missed.length === 0 ? '\nEvery bar that was measured holds.' : `\nMissed:\n${missed.join('\n')}`,
  )
  const here = machine(before)
  console.log(`\n${machineLine(here)}`)
  const out = values.out ?? 'bench/results/scale-last.json'
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(
    out,
    `${JSON.stringify({ at: new Date().toISOString(), machine: here, options, reports }, null, 2)}\n`,
  )
  const failed = reports.flatMap(({ server, families }) =>
    families.flatMap(({ family, failed }) => (failed ? [`${server}: ${family}: ${failed}`] : [])),
  )
  for (const line of failed) console.log(`FAILED ${line}`)
  return failed.some(line => line.startsWith('nadi')) ? 1 : 0
}
