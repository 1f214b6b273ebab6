/** A process that commits so many times, each time raising one counter and making one resource: `path name times`. */
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { changeOf, commitOf } from './rows.ts'
import { silent } from './silent-log.ts'

const [path, name, times] = process.argv.slice(2) as [string, string, string]
const storage = await openSqlite({ path, sync: 'normal', clock: Date.now, log: silent })

async function raise(i: number): Promise<void> {
  for (;;) {
    const seen = await storage.counter('shared')
    const result = await storage.commit(
      commitOf([changeOf(`Patient/${name}-${i}`, 1)], {
        require: [{ is: 'counter', name: 'shared', seen, next: seen + 1 }],
      }),
    )
    if (result.ok) return
    if (result.reason !== 'require') throw new Error(JSON.stringify(result))
  }
}

let next = 0
await Promise.all(
  Array.from({ length: 4 }, async () => {
    while (next < Number(times)) await raise(next++)
  }),
)
await storage.close()
