/**
 * npm run bench: starts Nadi and the load generator as separate processes, runs every row, and prints the table.
 *
 *   npm run bench                                             Nadi on SQLite, and the floor beside it
 *   npm run bench -- --rows read,token --seconds 5            some rows
 *   npm run bench -- --base-url http://127.0.0.1:8090/fhir --pid 123,456      any FHIR server, with the processes to account for
 *   npm run bench -- --profile /tmp/profiles --rows read      with a CPU profile of each row
 *   npm run bench -- --scale 1000000                          the search families at a scale: bench/scale/run.ts
 *   node bench/peers.ts                                       Nadi, HAPI FHIR and Helios HFS one after another, with the bars
 *
 * Exit code 1 when an answer was wrong. docs/benchmarks.md explains the figures.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { load, machine, machineLine } from './machine.ts'
import { measure, type ServerReport } from './measure.ts'
import { type Options, readOptions, settings, usage } from './options.ts'
import { processesLike } from './proc.ts'
import { attached, type Server, startFloor, startNadi } from './server.ts'
import { failures, serverTable } from './table.ts'

const say = (line: string) => console.error(line)

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    console.log(usage('npm run bench --'))
    return 0
  }
  const loadBefore = load()
  const reports: ServerReport[] = []
  if (options.baseUrl) reports.push(await measure(await runningServer(options), options, say))
  else {
    reports.push(
      await withServer(await startNadi({ ...options, inspect: options.profile !== undefined }), options),
    )
    if (options.rows.includes('read'))
      reports.push(await withServer(await startFloor(), { ...options, rows: ['read'], profile: undefined }))
  }
  const record = {
    at: new Date().toISOString(),
    machine: machine(loadBefore),
    options: settings(options),
    reports,
  }
  for (const report of reports)
    console.log(
      `\n${report.server} (${report.software}), log level ${report.logLevel}\n\n${serverTable(report)}`,
    )
  console.log(`\n${machineLine(record.machine)}`)
  if (options.out) {
    mkdirSync(dirname(options.out), { recursive: true })
    writeFileSync(options.out, `${JSON.stringify(record, null, 2)}\n`)
  }
  const failed = reports.flatMap(failures)
  for (const line of failed) console.log(`FAILED ${line}`)
  return failed.length === 0 ? 0 : 1
}

async function withServer(server: Server, options: Options): Promise<ServerReport> {
  try {
    return await measure(server, options, say)
  } finally {
    await server.stop()
  }
}

function runningServer({ baseUrl, pids, pidOf }: Options): Server {
  const found = pidOf ? processesLike(pidOf) : []
  if (pidOf && found.length === 0) throw new Error(`No process matches ${pidOf}.`)
  return attached(baseUrl!, [...pids, ...found])
}

try {
  const args = process.argv.slice(2)
  const scaled = args.some(arg => arg === '--scale' || arg.startsWith('--scale='))
  process.exitCode = scaled ? await (await import('./scale/run.ts')).main(args) : await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
