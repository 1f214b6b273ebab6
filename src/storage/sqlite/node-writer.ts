/** The thread that owns the write connection of a database file. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { forgetStatement, trigramStatements, wordStatements } from './chores.ts'
import { connect } from './node-connection.ts'
import { runGroup } from './node-group.ts'
import { type Packed, packOutcomes, reader } from './node-wire.ts'
import type { Sql } from './sql.ts'

export interface WriterData {
  path: string
  sync: 'full' | 'normal'
  /** Pages of the log after which it is copied into the database. */
  checkpointPages: number
  mapped: boolean
}

/** From the writer: what became of the batches of that many messages, or that it has closed. */
export type WriterReply = { messages: number; packed: Packed } | 'closed'

/** To the writer: batches as `node-wire.ts` packs them, or the end. */
export type WriterMessage = { ids: number[]; packed: Packed } | 'close'

const port = parentPort!
const { path, sync, checkpointPages, mapped } = workerData as WriterData
const connection = connect(path, { sync, mapped })
connection.db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = 67108864`)
const unpack = reader()

/** Bounds how long the first of a group waits for the last. */
const MOST_IN_GROUP = 64

/** Groups between looks at the trigram index. */
const TEND_EVERY = 64
let sinceTended = 0
let tending: ReturnType<typeof setTimeout> | undefined

function tend(): void {
  sinceTended = 0
  clearTimeout(tending)
  tending = undefined
  // What fails is done the next time: until then searches by parts of texts read a little more, and old ids are kept a little longer.
  const [trigrams, words] = runGroup(connection, [trigramStatements, wordStatements, [forgetStatement]])
  // A bulk load leaves more than one piece.
  if ([trigrams, words].some(one => one && 'rows' in one && one.rows.length > 0))
    tending = setTimeout(tend, 50)
}

port.on('message', (first: WriterMessage) => {
  const batches: Sql[][] = []
  const ids: number[] = []
  let messages = 0
  let closing = false
  for (let message: WriterMessage | undefined = first; message !== undefined; ) {
    if (message === 'close') {
      closing = true
      break
    }
    messages++
    for (const id of message.ids) ids.push(id)
    for (const batch of unpack(message.packed)) batches.push(batch)
    if (batches.length >= MOST_IN_GROUP) break
    message = receiveMessageOnPort(port)?.message as WriterMessage | undefined
  }
  if (messages > 0) {
    const outcomes = runGroup(connection, batches)
    port.postMessage({ messages, packed: packOutcomes(ids, outcomes) } satisfies WriterReply)
    if (++sinceTended >= TEND_EVERY) tend()
    else tending ??= setTimeout(tend, 1000)
  }
  if (closing) {
    clearTimeout(tending)
    connection.close()
    port.postMessage('closed' satisfies WriterReply)
    port.close()
  }
})
