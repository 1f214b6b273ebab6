/**
 * node bench/peers.ts: the same load in one run on the floor, Nadi, HAPI FHIR on PostgreSQL and Helios HFS on SQLite, one after another,
 * with the ratios and the bars.
 *
 *   node bench/peers.ts --hapi DIR --helios DIR               DIR: the folders of start-hapi.sh and start-helios.sh
 *   node bench/peers.ts --servers floor,nadi,helios           some of them
 *   node bench/peers.ts --rows read,create --seconds 5        every option of npm run bench holds here too
 *
 * HAPI needs Java 17, Debian's postgresql-15 and root (PostgreSQL's programs want the user postgres). Exit code 1 when a bar of Nadi is
 * missed or one of its answers was wrong; a peer's wrong answer is reported and has no figure.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Bar, bars } from './bars.ts'
import { load, machine, machineLine } from './machine.ts'
import { measure, type ServerReport } from './measure.ts'
import { type Options, readOptions, settings, usage } from './options.ts'
import { type Server, startFloor, startHapi, startHelios, startNadi } from './server.ts'
import { comparison, failures, serverTable, table } from './table.ts'

const say = (line: string) => console.error(line)

const START: Record<string, (options: Options) => Promise<Server>> = {
  floor: () => startFloor(),
  nadi: options => startNadi(options),
  hapi: ({ hapi }) => startHapi(hapi),
  helios: ({ helios }) => startHelios(helios),
}

async function measureOne(name: string, options: Options): Promise<ServerReport> {
  const start = START[name]
  if (!start)
    throw new Error(`There is no server ${name}. The servers are: ${Object.keys(START).join(', ')}.`)
  const server = await start(options)
  try {
    const warmup = name === 'hapi' ? options.hapiWarmup : options.warmup
    const rows = name === 'floor' ? (['read'] as const) : options.rows
    return await measure(server, { ...options, warmup, rows, profile: undefined }, say)
  } finally {
    await server.stop()
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    console.log(usage('node bench/peers.ts'))
    return 0
  }
  const loadBefore = load()
  const reports: ServerReport[] = []
  const notMeasured: string[] = []
  for (const name of options.servers)
    try {
      reports.push(await measureOne(name, options))
    } catch (error) {
      notMeasured.push(`${name}: ${(error as Error).message}`)
      say(notMeasured.at(-1)!)
    }
  const judged = bars(reports)
  const record = {
    at: new Date().toISOString(),
    machine: machine(loadBefore),
    options: { ...settings(options), hapiWarmup: options.hapiWarmup },
    reports,
    bars: judged,
    notMeasured,
  }
  for (const report of reports)
    console.log(`\n${report.server}: ${report.software}\n\n${serverTable(report)}`)
  console.log(
    `\nCPU-ms per operation\n\n${comparison(reports)}\n\n${barTable(judged)}\n\n${machineLine(record.machine)}`,
  )
  if (options.out) {
    mkdirSync(dirname(options.out), { recursive: true })
    writeFileSync(options.out, `${JSON.stringify(record, null, 2)}\n`)
  }
  for (const line of [...reports.flatMap(failures), ...notMeasured]) console.log(`FAILED ${line}`)
  const missed = judged.some(({ holds }) => holds === false)
  const own = reports.find(({ server }) => server === 'nadi')
  return missed || !own || failures(own).length > 0 ? 1 : 0
}

const barTable = (judged: readonly Bar[]) =>
  table(
    ['row', 'bar', 'measured', 'holds'],
    judged.map(({ row, bar, measured, holds }) => [
      row,
      bar,
      measured === undefined ? '' : measured.toPrecision(3),
      holds === undefined ? 'not measured' : holds ? 'yes' : 'NO',
    ]),
  )

try {
  process.exitCode = await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
