/**
 * The thread that reads a release: what it needs is bounded by a heap of its own, and the next rows are read while others are stored.
 * It says what the release is, then gives a batch of rows for each message that asks for one.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { ConceptRow, NewRelease, PropertyType } from '../../storage/concepts.ts'
import type { SystemName } from './format.ts'
import { formatOf } from './formats.ts'
import { openSources } from './sources.ts'

export interface ReadData {
  paths: readonly string[]
  system: SystemName | undefined
  version: string | undefined
  language: string
  scratch: string
}

export type Told =
  | { is: 'release'; release: NewRelease }
  /** How far the reading is, 0 to 1. */
  | { is: 'progress'; part: number }
  | { is: 'rows'; rows: ConceptRow[]; part: number }
  | { is: 'end'; propertyTypes: Record<string, PropertyType> }
  /** In words for people; `bug` where it is none of theirs. */
  | { is: 'fault'; message: string; bug: boolean }

/** Rows of one batch, and UTF-16 units of their names. */
const BATCH_ROWS = 250
const BATCH_TEXT = 200_000

const port = parentPort!
const { paths, system, version, language, scratch } = workerData as ReadData
const tell = (told: Told): void => port.postMessage(told)

let part = 0
let wake = (): void => {}
/** Batches that are wanted; one is always on its way. */
let wanted = 2
port.on('message', () => {
  wanted++
  wake()
})

async function give(rows: ConceptRow[]): Promise<void> {
  while (wanted === 0)
    await new Promise<void>(resolve => {
      wake = resolve
    })
  wanted--
  tell({ is: 'rows', rows, part })
}

async function run(): Promise<void> {
  const sources = await openSources(paths)
  try {
    const format = await formatOf(sources.files, system)
    const reader = await format.read({
      files: sources.files,
      version,
      language,
      scratch,
      onProgress(now) {
        if (now - part > 0.005) tell({ is: 'progress', part: now })
        part = now
      },
    })
    tell({ is: 'release', release: reader.release })
    let rows: ConceptRow[] = []
    let length = 0
    for await (const row of reader.rows()) {
      rows.push(row)
      length += row.display.length
      for (const { value } of row.designations) length += value.length
      if (rows.length < BATCH_ROWS && length < BATCH_TEXT) continue
      await give(rows)
      rows = []
      length = 0
    }
    if (rows.length > 0) await give(rows)
    tell({ is: 'end', propertyTypes: reader.propertyTypes() })
  } finally {
    sources.close()
  }
}

run()
  .catch((error: Error & { code?: string }) => {
    const bug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
    tell({ is: 'fault', message: bug ? String(error.stack) : error.message, bug })
  })
  .finally(() => port.close())
