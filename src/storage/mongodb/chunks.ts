/** Large texts: gzipped, in documents of their own, since a document has 16 MB for the text, its native form and the index. */
import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import type { Binary, Collection } from 'mongodb'

export interface ChunkDoc {
  /** 'Patient/1/2/0' */
  _id: string
  /** A piece of the gzipped UTF-8. */
  data: Buffer | Binary
}

/** Texts of more UTF-8 bytes than this stand in chunks, without their native form. */
export const INLINE_BYTES = 2 * 1024 * 1024
const CHUNK_BYTES = 4 * 1024 * 1024

const pack = promisify(gzip)
const unpack = promisify(gunzip)

/** Returns the pieces of the text of one version; `version` is its id, 'Patient/1/2'. */
export async function toChunks(version: string, text: string): Promise<ChunkDoc[]> {
  const packed = await pack(text, { level: constants.Z_BEST_SPEED })
  return chunkIds(version, Math.ceil(packed.length / CHUNK_BYTES)).map((_id, i) => ({
    _id,
    data: packed.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  }))
}

/**
 * Returns the texts of versions by their ids, with one query; `counts` says how many pieces each has.
 *
 * Throws where a chunk is missing, which no commit leaves.
 */
export async function readChunks(
  counts: ReadonlyMap<string, number>,
  chunks: Collection<ChunkDoc>,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  if (counts.size === 0) return texts
  const ids = [...counts].flatMap(([version, count]) => chunkIds(version, count))
  const pieces = new Map<string, Uint8Array>()
  const found = chunks.find({ _id: { $in: ids } }, { promoteBuffers: true })
  for await (const { _id, data } of found) pieces.set(_id, data as Buffer)
  for (const [version, count] of counts) {
    const parts = chunkIds(version, count).map(id => {
      const piece = pieces.get(id)
      if (piece === undefined) throw new Error(`The chunk ${id} is missing.`)
      return piece
    })
    texts.set(version, (await unpack(Buffer.concat(parts))).toString())
  }
  return texts
}

const chunkIds = (version: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${version}/${i}`)
