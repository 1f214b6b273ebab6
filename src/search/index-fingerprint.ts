/** What the index rows were made under. Where the stored text is another one, the rows mean something else and are to be made anew. */
import { UCUM_VERSION } from '../fhir/ucum.ts'
import { FOLDING_VERSION } from './fold.ts'

/** Raised with every change in what rows are made of a resource, other than in folding and in the table of units. */
const INDEX_VERSION = 3

/** Returns the text that storage keeps beside the index. `zone`, `references` and `baseUrl` are the indexer's options. */
export const indexFingerprint = (options: {
  zone: string
  references: 'off' | 'enforce'
  baseUrl: string
}): string =>
  `index ${INDEX_VERSION}, folding ${FOLDING_VERSION}, ucum ${UCUM_VERSION}, zone ${options.zone}, references ${options.references}, base ${options.baseUrl}`

/** Returns the name that storage keeps the fingerprint of an index epoch under. */
export const fingerprintName = (epoch: number): string => `index fingerprint ${epoch}`

/** Returns the name of the counter that stands at 1 when the index of an epoch above 0 is whole. */
export const wholeName = (epoch: number): string => `index whole ${epoch}`
