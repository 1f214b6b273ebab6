/** The main thread's side of the writer: batches go out in messages, answers come back when they are durable. */
import { Worker } from 'node:worker_threads'
import { fhirError } from '../../fhir/error.ts'
import type { Log } from '../../lib/log.ts'
import { Refused, type Row } from './driver.ts'
import type { Outcome } from './node-group.ts'
import { packer, unpackOutcomes } from './node-wire.ts'
import type { WriterData, WriterMessage, WriterReply } from './node-writer.ts'
import type { Sql } from './sql.ts'

export interface Writer {
  batch(statements: readonly Sql[]): Promise<Row[][]>
  gauges(): Record<string, number>
  /** Returns when all that was given is durable and the connection closed. */
  close(): Promise<void>
}

interface Waiting {
  id: number
  statements: readonly Sql[]
  resolve(rows: Row[][]): void
  reject(error: unknown): void
}

/** Two messages keep the writer busy; the rest waits here and goes as one. */
const MOST_MESSAGES = 2
const MOST_IN_MESSAGE = 64

/** UTF-16 units of text in one message, so that large transactions do not keep small writes waiting for seconds. */
const MOST_TEXT = 2_000_000

/** Returns how many of the waiting go together: one at least. */
function groupLength(queue: readonly Waiting[]): number {
  let text = 0
  for (let i = 0; i < queue.length && i < MOST_IN_MESSAGE; i++) {
    if (i > 0 && text > MOST_TEXT) return i
    for (const { params } of queue[i]!.statements)
      for (const param of params) if (typeof param === 'string') text += param.length
  }
  return Math.min(queue.length, MOST_IN_MESSAGE)
}

const NO_ROWS: Row[] = []

/** Settles a batch by its outcome. */
export function settle(
  { statements, resolve, reject }: Pick<Waiting, 'statements' | 'resolve' | 'reject'>,
  outcome: Outcome,
): void {
  if ('refused' in outcome) reject(new Refused(outcome.refused))
  else if ('failed' in outcome) {
    const cause = new Error(outcome.failed)
    const sentence = 'The database did not take the write; try again.'
    reject(outcome.transient ? fhirError('transient', sentence, { cause }) : cause)
  } else {
    const rows: Row[][] = statements.map(() => NO_ROWS)
    for (const [place, found] of outcome.rows) rows[place] = found
    resolve(rows)
  }
}

/** Starts the thread; it opens the database at once, which exists and has its tables. */
export function startWriter(data: WriterData, log: Log): Writer {
  let thread: Worker | undefined
  let pack = packer()
  let messages = 0
  let lastId = 0
  let closing: (() => void) | undefined
  const queue: Waiting[] = []
  const sent = new Map<number, Waiting>()
  const figures = { commits: 0, refused: 0, groups: 0 }
  let scheduled = false

  function start(): Worker {
    const worker = new Worker(new URL('./node-writer.ts', import.meta.url), { workerData: data })
    worker.on('message', received)
    worker.on('error', error => lost(worker, error))
    worker.on('exit', code => lost(worker, new Error(`the writer thread ended with code ${code}`)))
    worker.unref()
    return worker
  }

  function received(reply: WriterReply): void {
    if (reply === 'closed') {
      closing?.()
      return
    }
    messages -= reply.messages
    figures.groups++
    for (const [id, outcome] of unpackOutcomes(reply.packed)) {
      const waiting = sent.get(id)!
      sent.delete(id)
      if ('rows' in outcome) figures.commits++
      else figures.refused++
      settle(waiting, outcome)
    }
    if (sent.size === 0) thread?.unref()
    flush()
  }

  /** Nobody knows whether what was sent is stored: the commit ids make it safe to ask again. */
  function lost(worker: Worker, error: unknown): void {
    if (thread !== worker) return
    thread = undefined
    messages = 0
    pack = packer()
    if (closing) {
      closing()
      return
    }
    log.error('the writer thread ended', { error: String(error) })
    for (const waiting of sent.values())
      waiting.reject(fhirError('transient', 'The writer stopped; try again.', { cause: error }))
    sent.clear()
    flush()
  }

  function flush(): void {
    scheduled = false
    while (queue.length > 0 && messages < MOST_MESSAGES) {
      thread ??= start()
      thread.ref()
      const group = queue.splice(0, groupLength(queue))
      for (const waiting of group) sent.set(waiting.id, waiting)
      messages++
      thread.postMessage({
        ids: group.map(waiting => waiting.id),
        packed: pack(group.map(waiting => waiting.statements)),
      } satisfies WriterMessage)
    }
    if (closing && queue.length === 0 && sent.size === 0) {
      if (thread === undefined) closing()
      else {
        thread.ref()
        thread.postMessage('close' satisfies WriterMessage)
      }
    }
  }

  return {
    batch: statements =>
      new Promise((resolve, reject) => {
        if (closing) return reject(fhirError('transient', 'The database is being closed.'))
        queue.push({ id: ++lastId, statements, resolve, reject })
        if (scheduled) return
        scheduled = true
        // What the same tick brings goes in the same message.
        queueMicrotask(flush)
      }),
    gauges: () => ({
      nadi_storage_write_queue: queue.length + sent.size,
      nadi_storage_commits: figures.commits,
      nadi_storage_commits_refused: figures.refused,
      nadi_storage_commit_groups: figures.groups,
    }),
    close: () =>
      new Promise(resolve => {
        if (closing) return resolve()
        closing = () => resolve()
        flush()
      }),
  }
}
