/** A release read by a thread of its own, `read-release.ts`. */
import { Worker } from 'node:worker_threads'
import type { ConceptRow } from '../../storage/concepts.ts'
import type { ReleaseReader } from './format.ts'
import type { ReadData, Told } from './read-release.ts'

/** MB of the thread's heap: for what is worked on at a time, and for the hierarchy, which grows with the release. */
const heapMb = (bytes: number): number => Math.round(64 + bytes / 16_000_000)

export interface ThreadOptions extends ReadData {
  /** Bytes of the release unpacked, about. */
  bytes: number
  /** Hears how far the reading is, 0 to 1. */
  onProgress(part: number): void
}

export interface ThreadReader extends Omit<ReleaseReader, 'rows'> {
  /** Yields the rows in batches. */
  batches(): AsyncGenerator<ConceptRow[]>
  close(): Promise<void>
}

/** Returns the release once the thread knows what it is. Throws what is wrong with it, in words for people. */
export async function readInThread({ bytes, onProgress, ...data }: ThreadOptions): Promise<ThreadReader> {
  const worker = new Worker(new URL('./read-release.ts', import.meta.url), {
    workerData: data satisfies ReadData,
    resourceLimits: { maxOldGenerationSizeMb: heapMb(bytes), maxYoungGenerationSizeMb: 8 },
  })
  const told: Told[] = []
  let wake = (): void => {}
  const hear = (one: Told): void => {
    told.push(one)
    wake()
  }
  worker.on('message', (one: Told) => {
    if (one.is === 'progress') onProgress(one.part)
    else hear(one)
  })
  worker.on('error', (error: Error & { code?: string }) =>
    hear(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? { is: 'fault', message: `The release needs more than ${heapMb(bytes)} MB to be read.`, bug: false }
        : { is: 'fault', message: String(error.stack), bug: true },
    ),
  )
  const next = async (): Promise<Told> => {
    while (told.length === 0)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    const one = told.shift()!
    if (one.is === 'fault') {
      await worker.terminate()
      throw new Error(one.message)
    }
    return one
  }
  const first = await next()
  if (first.is !== 'release') throw new Error(`the reader began with ${first.is}`)
  let types: ReturnType<ReleaseReader['propertyTypes']> = {}
  return {
    release: first.release,
    async *batches() {
      for (;;) {
        const one = await next()
        if (one.is === 'end') {
          types = one.propertyTypes
          return
        }
        if (one.is !== 'rows') continue
        worker.postMessage('more')
        onProgress(one.part)
        yield one.rows
      }
    },
    propertyTypes: () => types,
    async close() {
      await worker.terminate()
    },
  }
}
