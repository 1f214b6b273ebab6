/** The real server in a process of its own, for tests of what only a process shows: start, stop, limits, crashes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const ROOT = new URL('../..', import.meta.url).pathname

export interface RunningServer {
  /** `http://127.0.0.1:PORT/fhir`. */
  base: string
  process: ChildProcess
  /** All lines of standard output so far, the banner first. */
  out: string[]
  /** All lines of standard error so far: the log. */
  err: string[]
  /** Asks the server to stop and returns its exit code; null where a signal ended it. */
  stop(): Promise<number | null>
  /** Ends it without any warning and waits until it is gone. */
  kill9(): Promise<void>
}

export interface ServerOptions {
  env?: Record<string, string>
  args?: readonly string[]
  /** Milliseconds to wait for the banner. */
  within?: number
}

/** Environment without the settings of whoever runs the tests. */
const cleanEnv = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => !name.startsWith('NADI_') && value !== undefined),
  ) as Record<string, string>

/** Starts a process of the server without waiting for anything; `sqlite::memory:`, a free port and a silent log unless `env` says otherwise. */
export function spawnServer(options: ServerOptions = {}): Omit<RunningServer, 'base'> {
  const env = {
    ...cleanEnv(),
    NADI_PORT: '0',
    NADI_STORAGE: 'sqlite::memory:',
    NADI_LOG: 'silent',
    // What is due is looked for each second, not each minute.
    NADI_TEST_TICK: '* * * * * *',
    ...options.env,
  }
  const imports = ['--import', './src/require-node.mjs', '--import', './test/runtime/die-with-parent.mjs']
  const args = [...imports, 'src/node.ts', ...(options.args ?? [])]
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'pipe' })
  const out: string[] = []
  const err: string[] = []
  createInterface({ input: child.stdout! }).on('line', line => out.push(line))
  createInterface({ input: child.stderr! }).on('line', line => err.push(line))
  const gone = once(child, 'close').then(([code]) => code as number | null)
  return {
    process: child,
    out,
    err,
    stop() {
      child.kill('SIGTERM')
      return gone
    },
    async kill9() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Starts the server and waits for its banner. Throws with its output where it ends or says nothing in time. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const server = spawnServer(options)
  const deadline = Date.now() + (options.within ?? 20_000)
  for (;;) {
    const base = /^Nadi \S+ listens on (\S+)$/.exec(server.out[0] ?? '')?.[1]
    if (base !== undefined) return { ...server, base }
    if (server.process.exitCode !== null || Date.now() > deadline) {
      await server.kill9()
      throw new Error(`The server did not start:\n${[...server.out, ...server.err].join('\n')}`)
    }
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
