/** The load of a release as the command sees it: threads with bounded heaps do the work, this one shows it. */
import { Worker } from 'node:worker_threads'
import type { Release } from '../../storage/concepts.ts'
import type { LoadData, LoadTold } from './load-thread.ts'

/** MB of the heap of the thread that stores: for some batches of rows, whatever the release. */
const HEAP = { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 6 }

export interface LoadHearer {
  onProgress(part: number, stored: number): void
  onWaiting(): void
}

/** Returns the release when it is current. Throws in words for people. */
export async function loadRelease(data: LoadData, { onProgress, onWaiting }: LoadHearer): Promise<Release> {
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: HEAP,
  })
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (told: LoadTold) => {
        if (told.is === 'progress') onProgress(told.part, told.stored)
        else if (told.is === 'waiting') onWaiting()
        else if (told.is === 'done') resolve(told.release)
        else reject(new Error(told.message))
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('The load ended before its time.')))
    })
  } finally {
    // What it has open is closed by then, or is to be left as it is.
    await worker.terminate()
  }
}
