/** Servers under measurement: started for a run, found by their processes, ended by id. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server {
  name: string
  baseUrl: string
  /** Roots of its process trees; empty where they are not known. */
  pids: number[]
  logLevel: string
  /** Where its debugger listens, when it was started with one. */
  inspector?: string
  /** The SQLite file, where it is one of ours. */
  file?: string
  stop(): Promise<void>
}

export interface StartOptions {
  storage?: string | undefined
  logLevel: string
  inspect?: boolean
}

const START_MS = 60_000
const ROOT = resolve(import.meta.dirname, '..')

/** Starts Nadi on a free port with a store of its own. Throws when it does not say within a minute that it listens. */
export async function startNadi({ storage, logLevel, inspect }: StartOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-bench-'))
  const file = storage === undefined ? join(folder, 'nadi.db') : undefined
  const server = await startNode('nadi', nadiCommand(), inspect ?? false, {
    NADI_PORT: '0',
    NADI_STORAGE: storage ?? `sqlite:${file}`,
    NADI_LOG: logLevel,
  })
  return { ...server, logLevel, ...(file ? { file } : {}), stop: () => endAndRemove(server, folder) }
}

/** Starts the floor: what no server of ours can go below. */
export async function startFloor(inspect = false): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-floor-'))
  const server = await startNode('floor', ['bench/floor.ts'], inspect, {
    FLOOR_FILE: join(folder, 'floor.db'),
  })
  return { ...server, logLevel: 'none', stop: () => endAndRemove(server, folder) }
}

/** Returns what `npm start` gives to node: flags and entry. */
function nadiCommand(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const [program, ...args] = String(scripts.start).split(' ')
  if (program !== 'node') throw new Error(`npm start does not start node but ${program}.`)
  return args
}

async function endAndRemove(server: Server, folder: string) {
  await server.stop()
  rmSync(folder, { recursive: true })
}

/** Starts a server of ours, which prints the address it listens on in a line of its output. */
async function startNode(
  name: string,
  command: readonly string[],
  inspect: boolean,
  env: Record<string, string>,
): Promise<Server> {
  const child = spawn(process.execPath, [...(inspect ? ['--inspect=127.0.0.1:0'] : []), ...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>(resolve => child.on('exit', () => resolve()))
  let errors = ''
  let inspector: string | undefined
  child.stderr.on('data', (bytes: Buffer) => {
    errors = (errors + bytes).slice(-4000)
    inspector ??= /ws:\/\/\S+/.exec(errors)?.[0]
  })
  let baseUrl: string | undefined
  createInterface(child.stdout).on('line', line => {
    baseUrl ??= / listens on (http:\/\/\S+)/.exec(line)?.[1]
  })
  for (const until = Date.now() + START_MS; baseUrl === undefined; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}: ${errors}`)
    if (Date.now() > until) {
      child.kill('SIGKILL')
      throw new Error(`${name} did not say within ${START_MS / 1000} s that it listens. ${errors}`)
    }
  }
  return {
    name,
    baseUrl,
    pids: [child.pid!],
    logLevel: '',
    ...(inspector ? { inspector } : {}),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/**
 * Starts HAPI FHIR on PostgreSQL with a fresh database and its search cache off. Needs to run as root: PostgreSQL's own programs want
 * the user postgres.
 */
export async function startHapi(folder: string, work = join(tmpdir(), 'hapi-bench')): Promise<Server> {
  const postgres = join(work, 'pg')
  stopPostgres(postgres)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true, mode: 0o755 })
  const env = { WORK: work, PORT: '8190', PGPORT: '55433', SEARCH_CACHE_MS: '0' }
  runScript(join(folder, 'start-hapi.sh'), ['pg'], env)
  const java = pidIn(join(work, 'hapi.pid'))
  return {
    name: 'hapi-pg',
    baseUrl: `http://127.0.0.1:${env.PORT}/fhir`,
    pids: [java, pidIn(join(postgres, 'postmaster.pid'))],
    logLevel: 'warn',
    async stop() {
      await end(java)
      stopPostgres(postgres)
      rmSync(work, { recursive: true, force: true })
    },
  }
}

function stopPostgres(data: string) {
  if (existsSync(join(data, 'postmaster.pid')))
    spawnSync('su', ['postgres', '-c', `/usr/lib/postgresql/15/bin/pg_ctl -D '${data}' stop -m fast -w`])
}

/** Starts Helios HFS on SQLite with a fresh database and the R4 search parameters. */
export async function startHelios(folder: string, work = join(tmpdir(), 'helios-bench')): Promise<Server> {
  rmSync(work, { recursive: true, force: true })
  const parameters = join(ROOT, 'node_modules/hl7.fhir.r4.examples/Bundle-searchParams.json')
  const env = { WORK: work, PORT: '8195' }
  runScript(join(folder, 'start-helios.sh'), [parameters], env)
  const pid = pidIn(join(work, 'helios.pid'))
  return {
    name: 'helios',
    baseUrl: `http://127.0.0.1:${env.PORT}`,
    pids: [pid],
    logLevel: 'error',
    async stop() {
      await end(pid)
      rmSync(work, { recursive: true, force: true })
    },
  }
}

function runScript(script: string, args: string[], env: Record<string, string>) {
  // The server that the script leaves behind holds its output open, so nothing may wait for the end of a pipe.
  const { status } = spawnSync('bash', [script, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error(`${script} ended with code ${status}.`)
}

const pidIn = (file: string): number => Number(readFileSync(file, 'utf8').split('\n')[0])

async function end(pid: number) {
  try {
    process.kill(pid, 'SIGTERM')
    for (let i = 0; i < 100; i++) {
      await sleep(200)
      process.kill(pid, 0)
    }
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** A server that was running before. */
export function attached(baseUrl: string, pids: number[]): Server {
  return { name: new URL(baseUrl).host, baseUrl, pids, logLevel: 'unknown', stop: async () => {} }
}
