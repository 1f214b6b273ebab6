/**
 * Records spread over files on the disk by their key, so that all that belongs to a key is in one file that fits into memory: a join of
 * files of any size. https://en.wikipedia.org/wiki/Hash_join#Grace_hash_join
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fnv1a } from '../../lib/fnv.ts'

/** Bytes of one file, about: as objects they are some ten times that. */
const FILE_BYTES = 1_500_000
const MOST_FILES = 512
/** UTF-16 units that wait before they are written, of all files. */
const WAITING = 2_500_000

export interface Partitions {
  /** Adds a record; it has no line end. */
  add(key: string, record: string): void
  /** Yields the records of one file after another; each file is removed then, and nothing can be added any more. */
  read(): Generator<string[]>
  readonly files: number
}

/** Returns empty partitions in a new folder, for about so many bytes of records. */
export function createPartitions(folder: string, name: string, bytes: number): Partitions {
  const count = Math.max(1, Math.min(MOST_FILES, Math.ceil(bytes / FILE_BYTES)))
  const place = join(folder, name)
  mkdirSync(place)
  const paths = Array.from({ length: count }, (_, i) => join(place, String(i)))
  const waiting: string[][] = paths.map(() => [])
  let length = 0
  const flush = (): void => {
    for (const [i, lines] of waiting.entries()) {
      if (lines.length === 0) continue
      appendFileSync(paths[i]!, `${lines.join('\n')}\n`)
      waiting[i] = []
    }
    length = 0
  }
  return {
    files: count,
    add(key, record) {
      waiting[(fnv1a(key) >>> 0) % count]!.push(record)
      length += record.length
      if (length > WAITING) flush()
    },
    *read() {
      flush()
      for (const path of paths) {
        if (!existsSync(path)) {
          yield []
          continue
        }
        const lines = readFileSync(path, 'utf8').split('\n')
        lines.pop()
        rmSync(path)
        yield lines
      }
    },
  }
}
