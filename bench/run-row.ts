/** Drives a row: so many clients, each sending its next request when it has judged the answer to the last one. */
import { WrongAnswer } from './check.ts'
import { type Answer, type Connection, connection } from './http-connection.ts'
import type { Row, Send, Task } from './rows.ts'
import { type Latency, latencyOf } from './stats.ts'

export interface Bounds {
  clients: number
  /** The row ends after this time, */
  seconds: number
  /** or after so many requests. */
  requests: number
}

export interface RowResult extends Latency {
  requests: number
  operations: number
  seconds: number
}

const READ = 'Accept: application/fhir+json\r\n'
const WRITE = `${READ}Content-Type: application/fhir+json\r\nPrefer: return=representation\r\n`

/**
 * Returns what the row took.
 *
 * Throws WrongAnswer, naming the request, for the first answer that is not right; the other clients end with their current request.
 */
export async function runRow(row: Row, baseUrl: string, bounds: Bounds): Promise<RowResult> {
  const latencies: number[] = []
  let operations = 0
  let left = Math.min(bounds.requests, row.most)
  let fault: unknown
  const start = performance.now()
  const end = start + bounds.seconds * 1000

  const runClient = async (number: number) => {
    const next = row.client(number, bounds.clients)
    const open = openTo(baseUrl)
    try {
      while (left > 0 && fault === undefined && performance.now() < end) {
        const task = next()
        if (!task) break
        left--
        const sent = performance.now()
        const answer = await request(open, task.method, task.path, task.body)
        latencies.push(performance.now() - sent)
        judge(row, task, answer)
        operations += task.operations
      }
    } catch (error) {
      fault ??= error
    } finally {
      open.connection.close()
    }
  }
  await Promise.all(Array.from({ length: bounds.clients }, (_, number) => runClient(number)))
  const seconds = (performance.now() - start) / 1000
  if (fault !== undefined) throw fault
  if (latencies.length === 0) throw new WrongAnswer(`${row.name}: nothing was sent`)
  return { requests: latencies.length, operations, seconds, ...latencyOf(latencies) }
}

/** Reads back what the row's writes acknowledged. Throws WrongAnswer. */
export async function verifyRow(row: Row, baseUrl: string): Promise<void> {
  if (!row.verify) return
  const open = openTo(baseUrl)
  const send: Send = (method, path, body) => request(open, method, path, body)
  try {
    await row.verify(send)
  } catch (error) {
    throw error instanceof WrongAnswer ? new WrongAnswer(`${row.name}, read back: ${error.message}`) : error
  } finally {
    open.connection.close()
  }
}

interface Open {
  connection: Connection
  prefix: string
}

function openTo(baseUrl: string): Open {
  const url = new URL(baseUrl)
  if (url.protocol !== 'http:') throw new Error(`The load speaks http only, not ${url.protocol}//`)
  return {
    connection: connection(url.hostname, Number(url.port || 80)),
    prefix: url.pathname.replace(/\/$/, ''),
  }
}

function request({ connection, prefix }: Open, method: string, path: string, body?: string): Promise<Answer> {
  return connection.request(method, prefix + path || '/', body === undefined ? READ : WRITE, body)
}

function judge(row: Row, task: Task, answer: Answer): void {
  try {
    task.check(answer)
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    throw new WrongAnswer(`${row.name}: ${task.method} ${task.path || '/'}: ${error.message}`)
  }
}
