/** Measures one server: drives the load generator row by row and reads the server's CPU time and memory around each row. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InsertFloor } from './floor-insert.ts'
import type { LoadConfig, Order, Outcome } from './load.ts'
import { type Usage, usageOf } from './proc.ts'
import { type Profiler, profiler } from './profile.ts'
import type { RowName } from './rows.ts'
import type { RowResult } from './run-row.ts'
import type { Server } from './server.ts'

export interface MeasureOptions {
  rows: readonly RowName[]
  clients: number
  seconds: number
  requests: number
  warmup: number
  patients: number
  resources: number
  bundles: string
  seed: number
  profile?: string | undefined
}

/** A measured row, or why there is none. Latencies in ms, of requests; memory in MB of 10^6 bytes. */
export type RowReport =
  | ({ row: RowName; perSecond: number; perCpuSecond?: number } & RowResult & Partial<ServerUse>)
  | { row: RowName; failed: string }

interface ServerUse {
  cpuMs: number
  cpuMsPerOperation: number
  rssAnonMb: number
  rssAnonPeakMb: number
  processes: number
}

export interface ServerReport {
  server: string
  software: string
  baseUrl: string
  logLevel: string
  warmupSeconds: number
  seeded: { resources: number; seconds: number; perSecond: number }
  rows: RowReport[]
  /** What bare SQLite needs for the rows that this server stored; only for a SQLite file of ours. */
  insertFloor?: InsertFloor
}

/** What is done soon after the last answer belongs to the row too. */
const SETTLE_MS = 300

/** Throws when the server cannot be filled with the data set; a row that fails is reported and the others go on. */
export async function measure(
  server: Server,
  options: MeasureOptions,
  say: (line: string) => void,
): Promise<ServerReport> {
  const { clients, seconds, requests } = options
  const load = startLoad({
    baseUrl: server.baseUrl,
    seed: options.seed,
    patients: options.patients,
    bundles: options.bundles,
    bulkResources: options.resources,
  })
  let hot: Profiler | undefined
  try {
    const software = await softwareOf(server.baseUrl)
    say(`${server.name}: ${software} at ${server.baseUrl}`)
    const unbounded = { clients, seconds: Number.MAX_SAFE_INTEGER, requests: Number.MAX_SAFE_INTEGER }
    const seeded = await load.run({ row: 'seed', bounds: unbounded })
    say(`  data set: ${seeded.operations} resources in ${seeded.seconds.toFixed(1)} s`)
    await warmUp(load, options, say)
    if (options.profile && server.inspector) hot = await profiler(server.inspector, options.profile)
    const rows: RowReport[] = []
    for (const row of options.rows) {
      const bounds = row === 'bulk load' ? unbounded : { clients, seconds, requests }
      const report = await measureRow(server, load, { row, round: 1, bounds }, hot)
      rows.push(report)
      say(`  ${summary(report)}`)
    }
    return {
      server: server.name,
      software,
      baseUrl: server.baseUrl,
      logLevel: server.logLevel,
      warmupSeconds: options.warmup,
      seeded: {
        resources: seeded.operations,
        seconds: round(seeded.seconds, 1),
        perSecond: round(seeded.operations / seeded.seconds, 0),
      },
      rows,
      ...(server.file && options.rows.includes('bulk load')
        ? { insertFloor: insertFloorOf(server.file) }
        : {}),
    }
  } finally {
    hot?.close()
    load.end()
  }
}

function insertFloorOf(file: string): InsertFloor {
  const script = join(import.meta.dirname, 'floor-insert.ts')
  return JSON.parse(execFileSync(process.execPath, [script, file], { encoding: 'utf8' }))
}

/** Runs all rows but the bulk load, in turn, twice. */
async function warmUp(
  load: Load,
  { rows, clients, warmup, seconds }: MeasureOptions,
  say: (line: string) => void,
) {
  const turns = rows.filter(row => row !== 'bulk load')
  if (warmup === 0 || turns.length === 0) return
  const each = Math.min(seconds * 10, warmup / turns.length / 2)
  for (const round of [-2, -1])
    for (const row of turns) {
      const bounds = { clients, seconds: each, requests: Number.MAX_SAFE_INTEGER }
      try {
        await load.run({ row, round, bounds })
      } catch (error) {
        say(`  warm-up: ${(error as Error).message}`)
      }
    }
  say(`  warm-up: ${warmup} s`)
}

async function measureRow(
  server: Server,
  load: Load,
  order: Extract<Order, { round: number }>,
  hot: Profiler | undefined,
): Promise<RowReport> {
  const { row } = order
  const known = server.pids.length > 0
  let peak = 0
  const watch = setInterval(() => {
    if (known) peak = Math.max(peak, usageOf(server.pids).rssAnon)
  }, 500)
  try {
    await hot?.start()
    const before = known ? usageOf(server.pids) : undefined
    const result = await load.run(order)
    await sleep(SETTLE_MS)
    const after = known ? usageOf(server.pids) : undefined
    await hot?.stop(row)
    await load.run({ verify: true })
    const use: Partial<ServerUse> = before && after ? serverUse(before, after, result.operations, peak) : {}
    const perSecond = round(result.operations / result.seconds, 1)
    const perCpuSecond = use.cpuMs ? { perCpuSecond: round((result.operations * 1000) / use.cpuMs, 1) } : {}
    return { row, perSecond, ...perCpuSecond, ...rounded(result), ...use }
  } catch (error) {
    await hot?.stop(row)
    return { row, failed: (error as Error).message }
  } finally {
    clearInterval(watch)
  }
}

function serverUse(before: Usage, after: Usage, operations: number, peak: number): ServerUse {
  const cpuMs = after.cpuMs - before.cpuMs
  return {
    cpuMs: round(cpuMs, 0),
    cpuMsPerOperation: round(cpuMs / operations, 4),
    rssAnonMb: round(after.rssAnon / 1e6, 1),
    rssAnonPeakMb: round(Math.max(peak, after.rssAnon) / 1e6, 1),
    processes: after.processes,
  }
}

function rounded(result: RowResult): RowResult {
  const { requests, operations, seconds, p50, p95, p99, max } = result
  return {
    requests,
    operations,
    seconds: round(seconds, 3),
    p50: round(p50, 3),
    p95: round(p95, 3),
    p99: round(p99, 3),
    max: round(max, 3),
  }
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

function summary(report: RowReport): string {
  if ('failed' in report) return `${report.row}: FAILED: ${report.failed}`
  const { row, perSecond, p50, p99, cpuMsPerOperation: cpu } = report
  return `${row}: ${perSecond}/s, p50 ${p50} ms, p99 ${p99} ms${cpu === undefined ? '' : `, ${cpu} CPU-ms each`}`
}

interface Load {
  run(order: { verify: true }): Promise<undefined>
  run(order: Exclude<Order, { verify: true }>): Promise<RowResult>
  end(): void
}

function startLoad(config: LoadConfig): Load {
  const child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'), [JSON.stringify(config)], {
    // Bounds may be infinite, which JSON cannot say.
    serialization: 'advanced',
  })
  const run = (order: Order) =>
    new Promise<RowResult | undefined>((resolve, reject) => {
      const gone = () => reject(new Error('The load generator ended.'))
      child.once('exit', gone)
      child.once('message', (outcome: Outcome) => {
        child.off('exit', gone)
        if (outcome.ok) resolve('result' in outcome ? outcome.result : undefined)
        else reject(new Error(outcome.message))
      })
      child.send(order)
    })
  return { run: run as Load['run'], end: () => child.connected && child.disconnect() }
}

/** Returns name and version of the server from its CapabilityStatement, 'unknown' where it has none. */
async function softwareOf(baseUrl: string): Promise<string> {
  try {
    const answer = await fetch(`${baseUrl}/metadata`, { headers: { Accept: 'application/fhir+json' } })
    const { software } = (await answer.json()) as { software?: { name?: string; version?: string } }
    return [software?.name ?? 'unknown', software?.version].filter(Boolean).join(' ')
  } catch (error) {
    throw new Error(`${baseUrl} does not answer: ${(error as Error).message}`)
  }
}
