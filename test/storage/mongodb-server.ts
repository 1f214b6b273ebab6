/**
 * Finds a MongoDB server for tests, or starts one: NADI_TEST_MONGODB_URI, else a `mongod` on the PATH as a replica set of one, else the
 * substitute that `npm run mongodb:install` built. A server that was started is ended by its process id, even when the runner dies.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { MongoClient } from 'mongodb'
import { canRun, REMEDY, SUBSTITUTE_BINARY } from './mongodb-install.ts'

export interface MongoServer {
  /** With a database name of its own in the path. */
  uri: string
  /** Which of the three it is. */
  kind: 'given' | 'mongod' | 'substitute'
  /** Where its files are, when it is ours. */
  folder?: string
  /** Ends the server and removes its files; where the server was given, drops the database. */
  stop(): Promise<void>
  /** Kills the server as kill -9 does; its files stay. Throws where the server was given. */
  kill9(): Promise<void>
  /** Starts the server again on the same files and port; resolves when it answers. */
  restart(): Promise<void>
}

export interface StartOptions {
  /** A server that may be killed: one of our own, never the given one. */
  own?: boolean
  /** More arguments of the server. */
  args?: readonly string[]
}

/** Returns a server, or why there is none and what to do. Throws instead where CI is set: there a backend must not be skipped. */
export async function startMongo(options: StartOptions = {}): Promise<MongoServer | { skip: string }> {
  const given = process.env.NADI_TEST_MONGODB_URI
  if (given !== undefined && given !== '' && options.own !== true) return useGiven(given)
  const mongod = onPath('mongod')
  const binary = mongod ?? (canRun(SUBSTITUTE_BINARY) ? SUBSTITUTE_BINARY : undefined)
  if (binary === undefined) {
    const skip = `no MongoDB server: NADI_TEST_MONGODB_URI is not set and there is no mongod on the PATH; remedy: ${REMEDY}`
    if (process.env.CI) throw new Error(skip)
    return { skip }
  }
  return startOwn(mongod === undefined ? 'substitute' : 'mongod', binary, options.args ?? [])
}

const databaseName = (): string => `nadi_test_${process.pid}_${randomBytes(4).toString('hex')}`

function useGiven(given: string): MongoServer {
  const url = new URL(given)
  url.pathname = `/${databaseName()}`
  if (url.username !== '' && !url.searchParams.has('authSource')) url.searchParams.set('authSource', 'admin')
  const refuse = async () => {
    throw new Error('the server of NADI_TEST_MONGODB_URI is not ours to kill')
  }
  const stop = async () => {
    const client = new MongoClient(url.href)
    await client.db().dropDatabase()
    await client.close()
  }
  return { uri: url.href, kind: 'given', stop, kill9: refuse, restart: refuse }
}

function onPath(name: string): string | undefined {
  const files = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name))
  return files.find(canRun)
}

/**
 * Runs the server beneath a shell that waits for the end of its standard input: the pipe closes when the runner ends, however it ends,
 * and the shell then ends the server and removes its files. A line on the pipe ends it too; the files then stay when it says `keep`.
 */
const KEEPER = `
dir=$1; shift
"$@" >"$dir/server.log" 2>&1 </dev/null &
pid=$!
echo "$pid"
read -r word
kill -9 "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
if [ "$word" != keep ]; then rm -rf "$dir"; fi
`

async function startOwn(
  kind: 'mongod' | 'substitute',
  binary: string,
  args: readonly string[],
): Promise<MongoServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-mongodb-'))
  const port = await freePort()
  const database = databaseName()
  const set = kind === 'mongod' ? 'nadi' : 'secantus'
  const command =
    kind === 'mongod'
      ? ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', set]
      : ['--storage-path', folder, '--host', '127.0.0.1', '--port', String(port), '--cache-size', '512M']
  if (kind === 'substitute') command.push('--log-file-max', '64MB', '--sync-on-commit')

  const start = async (): Promise<ChildProcess> => {
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', folder, binary, ...command, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // A group of its own: an interrupt typed at the runner must not end the keeper before the server.
      detached: true,
    })
    keeper.stdin!.on('error', () => {})
    keeper.unref()
    await answers(port, kind === 'mongod' ? set : undefined)
    return keeper
  }
  const end = (keeper: ChildProcess, word: string): Promise<void> =>
    new Promise(resolve => {
      if (keeper.exitCode !== null || keeper.signalCode !== null) return resolve()
      keeper.ref()
      keeper.once('exit', () => resolve())
      keeper.stdin!.end(`${word}\n`)
    })

  let keeper = await start()
  return {
    uri: `mongodb://127.0.0.1:${port}/${database}?directConnection=true`,
    kind,
    folder,
    stop: async () => {
      await end(keeper, 'remove')
      rmSync(folder, { recursive: true, force: true })
    },
    kill9: () => end(keeper, 'keep'),
    restart: async () => {
      keeper = await start()
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

/** Resolves when the server answers as a primary; starts the replica set where one is named. Throws after 30 s. */
async function answers(port: number, set: string | undefined): Promise<void> {
  const until = performance.now() + 30_000
  let last: unknown
  while (performance.now() < until) {
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 500,
    })
    try {
      const hello = await client.db('admin').command({ hello: 1 })
      if (hello.isWritablePrimary === true) return
      if (set !== undefined && hello.setName === undefined) {
        const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
        await client.db('admin').command({ replSetInitiate: { _id: set, members } })
      }
    } catch (error) {
      last = error
    } finally {
      await client.close()
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`the MongoDB server on port ${port} does not answer`, { cause: last })
}
