/** The server's side of the reader processes: started when first needed, killed at a deadline and when long idle. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { fhirError } from '../../fhir/error.ts'
import type { Row } from './driver.ts'
import type { ReaderAnswer, ReaderQuestion } from './node-reader.ts'
import type { Sql } from './sql.ts'

export interface Readers {
  /**
   * Returns the rows of each statement.
   *
   * Throws FhirError `too-costly` with status 503 at the deadline (ms since 1970), waiting for a free process included.
   */
  run(statements: readonly Sql[], deadline: number | undefined): Promise<Row[][]>
  gauges(): Record<string, number>
  close(): void
}

export interface ReadersOptions {
  path: string
  /** ms since 1970. */
  clock(): number
  /** Processes at most. */
  most?: number
}

const MOST = 2
/** A process holds some 50 MB; it goes when nobody has needed it for this long. */
const IDLE_MS = 60_000

interface Asking {
  statements: readonly Sql[]
  resolve(rows: Row[][]): void
  reject(error: unknown): void
  timer: ReturnType<typeof setTimeout> | undefined
  reader: Reader | undefined
}

interface Reader {
  child: ChildProcess
  asking: Asking | undefined
  idle: ReturnType<typeof setTimeout> | undefined
}

export function createReaders({ path, clock, most = MOST }: ReadersOptions): Readers {
  const readers = new Set<Reader>()
  const queue: Asking[] = []
  let killed = 0
  let closed = false

  function start(): Reader {
    const child = fork(fileURLToPath(new URL('./node-reader.ts', import.meta.url)), [path], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const reader: Reader = { child, asking: undefined, idle: undefined }
    child.on('message', (answer: ReaderAnswer) => answered(reader, answer))
    child.on('error', () => gone(reader))
    child.on('exit', () => gone(reader))
    readers.add(reader)
    return reader
  }

  function answered(reader: Reader, answer: ReaderAnswer): void {
    const { asking } = reader
    reader.asking = undefined
    // Waits no more, and keeps nothing else waiting.
    rest(reader)
    if (asking === undefined) return
    clearTimeout(asking.timer)
    if ('error' in answer) asking.reject(new Error(answer.error))
    else asking.resolve(answer.rows)
    next()
  }

  function rest(reader: Reader): void {
    reader.child.unref()
    reader.child.channel?.unref()
    reader.idle = setTimeout(() => end(reader), IDLE_MS)
    reader.idle.unref()
  }

  /** A process that ended by itself: its search may be tried again. */
  function gone(reader: Reader): void {
    if (!readers.delete(reader)) return
    clearTimeout(reader.idle)
    const { asking } = reader
    if (asking !== undefined) {
      clearTimeout(asking.timer)
      asking.reject(fhirError('transient', 'The process that ran the search ended; try again.'))
    }
    next()
  }

  function end(reader: Reader): void {
    readers.delete(reader)
    clearTimeout(reader.idle)
    reader.child.kill('SIGKILL')
  }

  function next(): void {
    while (queue.length > 0 && !closed) {
      let free = [...readers].find(reader => reader.asking === undefined)
      if (free === undefined && readers.size < most) free = start()
      if (free === undefined) return
      clearTimeout(free.idle)
      const asking = queue.shift()!
      free.asking = asking
      asking.reader = free
      free.child.ref()
      free.child.channel?.ref()
      free.child.send({ statements: asking.statements } satisfies ReaderQuestion)
    }
  }

  /** The deadline has come: whoever runs the search is killed, for it would go on. */
  function late(asking: Asking): void {
    const waiting = queue.indexOf(asking)
    if (waiting >= 0) queue.splice(waiting, 1)
    if (asking.reader !== undefined) {
      asking.reader.asking = undefined
      end(asking.reader)
      killed++
    }
    asking.reject(
      fhirError('too-costly', 'The search took too long and was ended: narrow it, or ask for no total.', {
        status: 503,
      }),
    )
    next()
  }

  return {
    run: (statements, deadline) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(fhirError('transient', 'The database is being closed.'))
        const asking: Asking = { statements, resolve, reject, timer: undefined, reader: undefined }
        if (deadline !== undefined)
          asking.timer = setTimeout(() => late(asking), Math.min(0x7fffffff, Math.max(0, deadline - clock())))
        queue.push(asking)
        next()
      }),
    gauges: () => ({
      nadi_storage_readers: readers.size,
      nadi_storage_reader_queue: queue.length,
      nadi_storage_searches_ended: killed,
    }),
    close() {
      closed = true
      for (const asking of [...queue, ...[...readers].flatMap(reader => reader.asking ?? [])]) {
        clearTimeout(asking.timer)
        asking.reject(fhirError('transient', 'The database is being closed.'))
      }
      queue.length = 0
      for (const reader of [...readers]) end(reader)
    },
  }
}
