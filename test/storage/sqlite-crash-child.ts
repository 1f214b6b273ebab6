/** A process that writes until it is killed, and says on its output what was acknowledged: `pair version writer`, a line each. */
import { writeSync } from 'node:fs'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from './silent-log.ts'
import { counterOf, PAIRS, pairOf, WRITERS, writeOf } from './sqlite-crash-rows.ts'

const storage = await openSqlite({ path: process.argv[2]!, sync: 'full', clock: Date.now, log: silent })

async function write(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const pair = n % PAIRS
    const version = ((await storage.read(pairOf(writer, pair)[0]))?.version ?? 0) + 1
    const count = await storage.counter(counterOf(writer))
    const result = await storage.commit(writeOf(writer, pair, version, count))
    if (!result.ok) throw new Error(JSON.stringify(result))
    writeSync(1, `${pair} ${version} ${writer}\n`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
