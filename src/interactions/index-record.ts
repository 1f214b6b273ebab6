/**
 * What the index of an epoch was made under, kept in the store under the number of the epoch before it begins: every instance that comes
 * to an epoch reads the same. An epoch begins whenever the rules or the set of custom search parameters change.
 */
import { fingerprintName, recordName } from '../search/index-fingerprint.ts'
import type { ParamDefinition } from '../search/registry.ts'
import type { Key, Storage } from '../storage/port.ts'

/** A custom search parameter in force. */
export interface CustomParam extends ParamDefinition {
  /** The SearchParameter that defines it. */
  key: Key
  /** Begins with the epoch since which its rows are made. */
  version: string
}

export interface IndexRecord {
  /** Tells apart two that are proposed for one epoch. */
  id: string
  /** The rules (`search/index-fingerprint.ts`). */
  fingerprint: string
  /** The epoch with which the whole index was begun anew last. */
  rebuilt: number
  params: readonly CustomParam[]
  /** Epochs whose job was not done when this one began, its own among them where it has one. */
  pending: readonly number[]
  /** What is to be indexed anew with this epoch; `types` empty for all, `at` in ms since 1970. */
  job?: { what: string; types: readonly string[]; at: number }
}

/** Returns the record of an epoch. `fingerprint` is taken for that of a store that no server has used yet. */
export async function readRecord(storage: Storage, epoch: number, fingerprint: string): Promise<IndexRecord> {
  // Epochs of earlier versions, and those begun by a restored backup, have their fingerprint only.
  const had = await storage.keep(fingerprintName(epoch), fingerprint)
  const bare: IndexRecord = { id: '', fingerprint: had, rebuilt: epoch, params: [], pending: [] }
  return JSON.parse(await storage.keep(recordName(epoch), JSON.stringify(bare))) as IndexRecord
}

/** Returns the epoch since which rows of a parameter are made. */
export const sinceVersion = ({ version }: Pick<CustomParam, 'version'>): number =>
  Number.parseInt(version, 10)

/** Returns whether two definitions make the same rows and take the same questions. */
export const sameDefinition = (a: ParamDefinition, b: ParamDefinition): boolean => rulesOf(a) === rulesOf(b)

const rulesOf = ({ code, type, base, expression, target, url, component }: ParamDefinition): string =>
  JSON.stringify([code, type, [...base].sort(), expression, [...target].sort(), url, component])
