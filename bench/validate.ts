/**
 * What it costs to hold a document Bundle of 100 entries against the NRCeS profiles: CPU ms of the first validation and of the following.
 *
 * node --max-semi-space-size=6 --heap-growing-percent=100 bench/validate.ts [entries] [rounds], the flags being those of `npm start`
 */
import { readConfig, settingsOf } from '../src/config.ts'
import { systemContext } from '../src/context.ts'
import { parseJson, type Resource } from '../src/fhir/json.ts'
import { openSqlite } from '../src/storage/sqlite/node.ts'
import { validate } from '../src/validation/validate.ts'
import { opConsult } from './op-consult.ts'

const [entries = 100, rounds = 200] = process.argv.slice(2).map(Number)
const silent = { level: 'silent', debug() {}, info() {}, warn() {}, error() {} } as never
const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock: Date.now, log: silent })
const settings = { ...settingsOf(readConfig({}), 8080), validate: 'profile' as const }
const ctx = systemContext({ storage, settings, log: silent, version: 'bench' })
const text = JSON.stringify(opConsult(entries))
const resource = parseJson(text) as Resource

const cpu = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
async function measured(): Promise<number> {
  const before = cpu()
  await validate(ctx, resource, { type: 'Bundle' })
  return cpu() - before
}

const issues = await validate(ctx, parseJson(JSON.stringify(opConsult(8))) as Resource, { type: 'Bundle' })
const first = await measured()
const times: number[] = []
for (let i = 0; i < rounds; i++) times.push(await measured())
const mean = times.reduce((sum, one) => sum + one, 0) / times.length
const last = times.slice(-Math.ceil(rounds / 2)).sort((a, b) => a - b)
const errors = issues.filter(({ severity }) => severity === 'error').length
console.log(
  `| validate, ${entries} entries, ${Math.round(text.length / 1024)} KB | second ${times[0]!.toFixed(1)} ms | mean of all after the first ${mean.toFixed(2)} ms | median of the later half ${last[last.length >> 1]!.toFixed(2)} ms | p95 ${last[Math.floor(last.length * 0.95)]!.toFixed(2)} ms | first ${first.toFixed(0)} ms | errors ${errors} |`,
)
await storage.close()
