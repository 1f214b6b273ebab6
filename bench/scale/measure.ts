/** Measures the search families on one server: CPU, closed loops, and an open loop alone and beside a writer. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageOf } from '../proc.ts'
import type { Server } from '../server.ts'
import { FAMILIES, WALKS } from './families.ts'
import type { LoadConfig, Order, Outcome, Result } from './load.ts'

export interface ScaleOptions {
  resources: number
  seed: number
  /** Seconds of each closed loop and of each open loop. */
  seconds: number
  warmup: number
  clients: readonly number[]
  families: RegExp | undefined
  /** Leaves out the open loops: for peers, of which only CPU is compared. */
  closedOnly: boolean
}

/** Latencies in ms. */
export interface FamilyReport {
  family: string
  planted: boolean
  large: boolean
  failed?: string
  cpuMs?: number
  closed: { clients: number; perSecond: number; p50: number; p99: number }[]
  /** At half the saturated rate: alone, and beside a writer at full speed. */
  open?: { perSecond: number; p50: number; p99: number; max: number }
  beside?: { p50: number; p99: number; max: number; writesPerSecond: number }
}

export interface ScaleReport {
  server: string
  resources: number
  filled?: { seconds: number; perSecond: number; perCpuSecond?: number }
  fileMb?: number
  rssAnonMb?: number
  /** Reads while large counts run without a pause. */
  readBesideCounts?: { perSecond: number; p50: number; p99: number }
  families: FamilyReport[]
}

export interface Load {
  run(order: Order): Promise<Result>
  end(): void
}

export function startLoad(config: LoadConfig, say: (line: string) => void): Load {
  const child = fork(join(import.meta.dirname, 'load.ts'), [JSON.stringify(config)], {
    serialization: 'advanced',
  })
  const run = (order: Order) =>
    new Promise<Result>((resolve, reject) => {
      const gone = () => reject(new Error('The load generator ended.'))
      const heard = (message: Outcome | { progress: number; seconds: number }) => {
        if ('progress' in message)
          return say(
            `  ${message.progress} resources, ${(message.progress / message.seconds).toFixed(0)} per second`,
          )
        child.off('exit', gone)
        child.off('message', heard)
        if (message.ok) resolve(message.result)
        else reject(new Error(message.message))
      }
      child.once('exit', gone)
      child.on('message', heard)
      child.send(order)
    })
  return { run, end: () => child.connected && child.disconnect() }
}

const digits = (value: number, n: number): number => Number(value.toFixed(n))

export async function measureFamilies(
  server: Server,
  load: Load,
  writer: Load | undefined,
  options: ScaleOptions,
  say: (line: string) => void,
): Promise<FamilyReport[]> {
  const { seconds, warmup } = options
  const asked = [
    ...FAMILIES.map(({ name, planted, large }) => ({ name, planted, large: large === true })),
    ...WALKS.map(({ name }) => ({ name, planted: false, large: false })),
  ].filter(({ name }) => options.families?.test(name) ?? true)
  const failed = new Map<string, string>()
  for (const { name } of asked.filter(one => WALKS.some(walk => walk.name === one.name)))
    try {
      await load.run({ do: 'walk', what: name, pages: 50 })
    } catch (error) {
      failed.set(name, (error as Error).message)
    }
  const each = warmup / asked.length
  for (const { name } of asked)
    if (each > 0 && !failed.has(name))
      await load.run({ do: 'closed', what: name, clients: 8, seconds: each, round: -1 }).catch(error => {
        failed.set(name, error.message)
      })
  const reports: FamilyReport[] = []
  for (const { name, planted, large } of asked) {
    const report: FamilyReport = { family: name, planted, large, closed: [] }
    reports.push(report)
    try {
      if (failed.has(name)) throw new Error(failed.get(name)!)
      for (const [round, clients] of options.clients.entries()) {
        const before = usageOf(server.pids)
        const result = await load.run({ do: 'closed', what: name, clients, seconds, round })
        await sleep(300)
        const { cpuMs } = usageOf(server.pids)
        if (round === 0) report.cpuMs = digits((cpuMs - before.cpuMs) / result.operations, 4)
        report.closed.push({
          clients,
          perSecond: digits(result.operations / result.seconds, 0),
          p50: digits(result.p50, 2),
          p99: digits(result.p99, 2),
        })
      }
      if (!options.closedOnly) await openLoops(report, load, writer, seconds)
    } catch (error) {
      report.failed = (error as Error).message
    }
    say(`  ${summary(report)}`)
  }
  return reports
}

async function openLoops(
  report: FamilyReport,
  load: Load,
  writer: Load | undefined,
  seconds: number,
): Promise<void> {
  const what = report.family
  const perSecond = Math.max(...report.closed.map(one => one.perSecond)) / 2
  const alone = await load.run({ do: 'open', what, perSecond, seconds, round: 10 })
  report.open = {
    perSecond: digits(alone.operations / alone.seconds, 0),
    p50: digits(alone.p50, 2),
    p99: digits(alone.p99, 2),
    max: digits(alone.max, 1),
  }
  if (!writer) return
  await writer.run({ do: 'write', clients: 1 })
  try {
    const both = await load.run({ do: 'open', what, perSecond, seconds, round: 11 })
    report.beside = {
      p50: digits(both.p50, 2),
      p99: digits(both.p99, 2),
      max: digits(both.max, 1),
      writesPerSecond: 0,
    }
  } finally {
    const written = await writer.run({ do: 'rest' })
    if (report.beside) report.beside.writesPerSecond = digits(written.operations / written.seconds, 0)
  }
}

/** Reads at a modest open rate while one client asks for large counts without a pause. */
export async function readBesideCounts(
  load: Load,
  counter: Load,
  seconds: number,
): Promise<NonNullable<ScaleReport['readBesideCounts']>> {
  const counting = counter.run({
    do: 'closed',
    what: 'count of half',
    clients: 2,
    seconds: seconds + 1,
    round: 20,
  })
  await sleep(500)
  const read = await load.run({ do: 'open', what: 'read', perSecond: 500, seconds, round: 21 })
  await counting
  return {
    perSecond: digits(read.operations / read.seconds, 0),
    p50: digits(read.p50, 2),
    p99: digits(read.p99, 2),
  }
}

export function summary({ family, failed, cpuMs, closed, open, beside }: FamilyReport): string {
  if (failed) return `${family}: FAILED: ${failed.slice(0, 500)}`
  const rates = closed.map(one => `${one.clients} clients ${one.perSecond}/s p99 ${one.p99}`).join(', ')
  return `${family}: ${cpuMs} CPU-ms, ${rates}${open ? `, open p99 ${open.p99}` : ''}${beside ? `, beside a writer p99 ${beside.p99}` : ''}`
}
