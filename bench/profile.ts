/**
 * CPU profiles of a running Node server and its worker threads, row by row, over the inspector protocol.
 * https://chromedevtools.github.io/devtools-protocol/v8/Profiler/
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Profiler {
  start(): Promise<void>
  /** Writes `<row>.<thread>.cpuprofile` and prints where the time went. */
  stop(row: string): Promise<void>
  close(): void
}

interface CallFrame {
  functionName: string
  url: string
  lineNumber: number
}

export interface Profile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
}

type Call = (method: string, params?: object) => Promise<unknown>

/** Returns the profiler of the process whose debugger listens at `url`. */
export async function profiler(url: string, folder: string): Promise<Profiler> {
  mkdirSync(folder, { recursive: true })
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error(`The debugger at ${url} does not answer.`))
  })
  const waiting = new Map<string, (result: unknown) => void>()
  const threads = new Map<string, Call>()
  let last = 0
  const callMain: Call = (method, params = {}) =>
    new Promise(resolve => {
      const id = ++last
      waiting.set(`main ${id}`, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  const callWorker =
    (sessionId: string): Call =>
    (method, params = {}) =>
      new Promise(resolve => {
        const id = ++last
        waiting.set(`${sessionId} ${id}`, resolve)
        callMain('NodeWorker.sendMessageToWorker', {
          sessionId,
          message: JSON.stringify({ id, method, params }),
        })
      })
  const settle = (thread: string, message: { id?: number; result?: unknown }) => {
    const key = `${thread} ${message.id}`
    waiting.get(key)?.(message.result)
    waiting.delete(key)
  }
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data))
    if (message.method === 'NodeWorker.attachedToWorker')
      threads.set(`worker-${message.params.sessionId}`, callWorker(message.params.sessionId))
    else if (message.method === 'NodeWorker.receivedMessageFromWorker')
      settle(message.params.sessionId, JSON.parse(message.params.message))
    else settle('main', message)
  }
  threads.set('main', callMain)
  await callMain('NodeWorker.enable', { waitForDebuggerOnStart: false })
  const all = (method: string, params?: object) =>
    Promise.all([...threads.values()].map(call => call(method, params)))
  await all('Profiler.enable')
  await all('Profiler.setSamplingInterval', { interval: 200 })
  return {
    async start() {
      await all('Profiler.start')
    },
    async stop(row) {
      for (const [thread, call] of threads) {
        const { profile } = (await call('Profiler.stop')) as { profile: Profile }
        writeFileSync(
          join(folder, `${row.replaceAll(/\W+/g, '-')}.${thread}.cpuprofile`),
          JSON.stringify(profile),
        )
        console.error(`  ${row}, ${thread}:\n${hotSpots(profile)}`)
      }
    },
    close: () => socket.close(),
  }
}

/** Returns the functions in which most of the busy time was spent, with their share of it; idle time is left out. */
export function hotSpots(profile: Profile, most = 30): string {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const spent = new Map<string, number>()
  let busy = 0
  profile.samples.forEach((id, i) => {
    const { functionName, url, lineNumber } = frames.get(id)!
    if (functionName === '(idle)') return
    const time = profile.timeDeltas[i]!
    busy += time
    const place =
      url === '' ? '' : ` ${url.replace(/^.*\/(?=(?:node_modules|src|bench)\/)/, '')}:${lineNumber + 1}`
    const name = `${functionName || '(anonymous)'}${place}`
    spent.set(name, (spent.get(name) ?? 0) + time)
  })
  const lines = [...spent].sort(([, a], [, b]) => b - a).slice(0, most)
  return [
    `    busy ${(busy / 1000).toFixed(0)} ms`,
    ...lines.map(([name, time]) => `    ${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}`),
  ].join('\n')
}
