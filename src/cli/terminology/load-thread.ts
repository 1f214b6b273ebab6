/** The thread that stores a release: its heap is bounded, and so is that of the reader which it starts. It tells what `load-release.ts` shows. */
import { parentPort, workerData } from 'node:worker_threads'
import { readConfig } from '../../config.ts'
import { jsonLog } from '../../lib/json-log.ts'
import type { Release } from '../../storage/concepts.ts'
import { openStorage } from '../open-storage.ts'
import { explain } from '../words.ts'
import type { ReadData } from './read-release.ts'
import { readInThread, type ThreadReader } from './reader-thread.ts'
import { bytesOf } from './sources.ts'
import { storeRelease } from './store-release.ts'

export interface LoadData extends ReadData {
  keep: boolean
  /** Settings of the server, as `--name=value`, and the environment that they come from too. */
  settings: readonly string[]
  env: Record<string, string | undefined>
}

export type LoadTold =
  /** How far the reading is, 0 to 1, and the concepts stored. */
  | { is: 'progress'; part: number; stored: number }
  /** Another load has the store, or had it when it was ended. */
  | { is: 'waiting' }
  | { is: 'done'; release: Release }
  /** In words for people. */
  | { is: 'fault'; message: string }

const port = parentPort!
const tell = (told: LoadTold): void => port.postMessage(told)
const data = workerData as LoadData

async function run(): Promise<void> {
  let part = 0
  let stored = 0
  const progress = (): void => tell({ is: 'progress', part, stored })
  let reader: ThreadReader | undefined
  try {
    reader = await readInThread({
      ...data,
      bytes: bytesOf(data.paths),
      onProgress(now) {
        part = now
        progress()
      },
    })
    const config = readConfig(data.env, data.settings)
    const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
    const storage = await openStorage(config, log, { mapped: false }).catch(error => {
      throw new Error(explain(error, config))
    })
    try {
      const release = await storeRelease(storage, reader, {
        keep: data.keep,
        onStored(now) {
          stored = now
          progress()
        },
        onWaiting: () => tell({ is: 'waiting' }),
      })
      tell({ is: 'done', release })
    } finally {
      await storage.close()
    }
  } finally {
    await reader?.close()
  }
}

run().catch(error => tell({ is: 'fault', message: (error as Error).message }))
