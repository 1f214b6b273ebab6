/** What the index rows were made under. Where the stored text is another one, the rows mean something else and are to be made anew. */
import { UCUM_VERSION } from '../fhir/ucum.ts'
import { FOLDING_VERSION } from './fold.ts'

/** Raised with every change in what rows are made of a resource, other than in folding and in the table of units. */
const INDEX_VERSION = 8

/** Returns the text that storage keeps beside the index. `zone`, `references`, `baseUrl` and `fullText` are the indexer's options. */
export const indexFingerprint = (options: {
  zone: string
  references: 'off' | 'enforce'
  baseUrl: string
  fullText: 'on' | 'off'
}): string =>
  `index ${INDEX_VERSION}, folding ${FOLDING_VERSION}, ucum ${UCUM_VERSION}, zone ${options.zone}, references ${options.references}, words ${options.fullText}, base ${options.baseUrl}`

/** Returns the name that storage keeps the fingerprint of an index epoch under. */
export const fingerprintName = (epoch: number): string => `index fingerprint ${epoch}`

/** Returns the name of the counter that stands at 1 when what an epoch above 0 asked to be indexed is done. */
export const wholeName = (epoch: number): string => `index whole ${epoch}`

/** Returns the name that storage keeps under which custom parameters and rules an epoch stands (`interactions/index-record.ts`). */
export const recordName = (epoch: number): string => `index record ${epoch}`
