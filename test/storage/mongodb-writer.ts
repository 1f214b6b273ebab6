/**
 * A process that writes until it is killed: 8 writers, whose every acknowledged commit is told on standard output as one line
 * `<writer> <round>` before the next begins. Arguments: URI, a name for this process, the type to write under.
 */
import { openMongo } from '../../src/storage/mongodb/store.ts'
import type { Key } from '../../src/storage/port.ts'
import { changeOf, commitOf } from './rows.ts'
import { silent } from './silent-log.ts'

const [uri, name, type] = process.argv.slice(2) as [string, string, string]
const storage = await openMongo(uri, { clock: Date.now, log: silent })
process.stdout.write('ready\n')

/**
 * Round `r` of a writer is one transaction: version `r` of its head, a new leaf with a job, the counter from r - 1 to r; then one plain
 * create. So what belongs together is known from outside.
 */
async function write(writer: string): Promise<void> {
  const head: Key = `${type}/${writer}-head`
  for (let round = 1; ; round++) {
    const leaf: Key = `${type}/${writer}-leaf-${round}`
    const whole = commitOf([changeOf(head, round), changeOf(leaf, 1)], {
      id: `${writer}-${round}`,
      require: [{ is: 'counter', name: writer, seen: round - 1, next: round }],
      outbox: [{ id: `${writer}-job-${round}`, kind: type, due: 0, body: '{}' }],
    })
    const done = await storage.commit(whole)
    if (!done.ok) throw new Error(`the commit ${whole.id} was refused: ${done.reason}`)
    process.stdout.write(`${writer} ${round}\n`)
    const single = commitOf([changeOf(`${type}/${writer}-single-${round}`, 1)], {
      id: `${writer}-single-${round}`,
    })
    const created = await storage.commit(single)
    if (!created.ok) throw new Error(`the commit ${single.id} was refused: ${created.reason}`)
    process.stdout.write(`${writer}-single ${round}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, i) => write(`${name}-${i}`)))
