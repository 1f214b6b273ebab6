/**
 * The load generator: a process of its own, driven by messages from the one that measures. It knows no process ids; the other knows no
 * requests.
 */

import { bulkRow } from './bulk-row.ts'
import { type BundleSource, bundleSource } from './bundles.ts'
import { WrongAnswer } from './check.ts'
import { type DataSetSize, makeDataSet } from './dataset.ts'
import { nothingLoaded, type Row, type RowName, rowOf, seedRow } from './rows.ts'
import { type Bounds, type RowResult, runRow, verifyRow } from './run-row.ts'

export interface LoadConfig extends DataSetSize {
  baseUrl: string
  bundles: string
  bulkResources: number
}

export type Order =
  | { row: 'seed'; bounds: Bounds }
  | { row: RowName; round: number; bounds: Bounds }
  | { verify: true }

export type Outcome =
  | { ok: true; result: RowResult }
  | { ok: true; verified: true }
  /** `wrong`: the server's answer, not the tool, is at fault. */
  | { ok: false; wrong: boolean; message: string }

const config = JSON.parse(process.argv[2] ?? '') as LoadConfig
const loaded = nothingLoaded(makeDataSet(config))
let source: BundleSource | undefined
let last: Row | undefined

function make(order: Exclude<Order, { verify: true }>): Row {
  if (order.row === 'seed') return seedRow(loaded)
  if (order.row !== 'bulk load') return rowOf(order.row, loaded, order.round)
  source ??= bundleSource(config.bundles, config.seed)
  return bulkRow(source, config.bulkResources, config.seed)
}

async function obey(order: Order): Promise<Outcome> {
  try {
    if ('verify' in order) {
      if (last) await verifyRow(last, config.baseUrl)
      return { ok: true, verified: true }
    }
    last = make(order)
    return { ok: true, result: await runRow(last, config.baseUrl, order.bounds) }
  } catch (error) {
    const wrong = error instanceof WrongAnswer
    return { ok: false, wrong, message: wrong ? error.message : String((error as Error).stack ?? error) }
  }
}

process.on('message', async (order: Order) => process.send!(await obey(order)))
process.on('disconnect', () => process.exit())
