/** The simulator of UHI in a process of its own, and what a test tells it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Tree } from './peers.ts'

const ROOT = new URL('../..', import.meta.url).pathname

export interface RunningSimulator {
  /** Where gateway and registry are, for NADI_UHI_GATEWAY_URL. */
  origin: string
  process: ChildProcess
  /** All that it printed. */
  out: string[]
  /** POST send: one request of the app, and what came back at once. */
  send(command: Tree): Promise<Tree>
  /** Callbacks that fit, as soon as there are `count`; throws after ten seconds without. */
  callbacks(query: Record<string, string>, count?: number): Promise<Tree[]>
  audits(query: Record<string, string>, count?: number): Promise<Tree[]>
  /** What there is at once. */
  seen(query: Record<string, string>): Promise<Tree[]>
  get(path: string): Promise<Tree>
  post(path: string, body: Tree): Promise<Tree>
  stop(): Promise<void>
}

const PATIENCE_MS = 10_000

/** Starts the simulator and waits for its first line. */
export async function startSimulatorProcess(env: Record<string, string>): Promise<RunningSimulator> {
  const imports = ['--import', './src/require-node.mjs', '--import', './test/runtime/die-with-parent.mjs']
  const child = spawn(process.execPath, [...imports, 'simulators/uhi/main.ts'], {
    cwd: ROOT,
    env: { ...process.env, UHI_SIMULATOR_PORT: '0', ...env },
    stdio: 'pipe',
  })
  const out: string[] = []
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', line => out.push(line))
  createInterface({ input: child.stderr! }).on('line', line => out.push(line))
  await Promise.race([once(lines, 'line'), once(child, 'close')])
  if (!out[0]?.startsWith('{')) throw new Error(`The simulator did not start:\n${out.join('\n')}`)
  const control: string = JSON.parse(out[0]).control
  const ask = async (path: string, body?: Tree): Promise<Tree> => {
    const response = await fetch(`${control}/${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Tree
    if (response.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`)
    return answer
  }
  const listed = async (what: string, query: Record<string, string>, count: number): Promise<Tree[]> => {
    const wait = String(PATIENCE_MS)
    const found = await ask(`${what}?${new URLSearchParams({ ...query, count: String(count), wait })}`)
    if (found.length < count)
      throw new Error(`${found.length} of ${count} ${what} ${JSON.stringify(query)} came:\n${out.join('\n')}`)
    return found
  }
  return {
    origin: new URL(control).origin,
    process: child,
    out,
    send: command => ask('send', command),
    callbacks: (query, count = 1) => listed('callbacks', query, count),
    audits: (query, count = 1) => listed('audits', query, count),
    seen: query => ask(`callbacks?${new URLSearchParams({ ...query, wait: '0' })}`) as Promise<Tree[]>,
    get: path => ask(path),
    post: ask,
    async stop() {
      const gone = once(child, 'close')
      child.kill('SIGTERM')
      await gone
    },
  }
}
