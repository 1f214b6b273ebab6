/** What the reader of a release format gives to the command: a release, and its rows one after another. */
import type { ConceptRow, NewRelease, PropertyType } from '../../storage/concepts.ts'
import type { Source } from './sources.ts'

export type SystemName = 'snomed' | 'loinc' | 'icd-10'

export interface ReadOptions {
  files: readonly Source[]
  /** Given by the person. */
  version: string | undefined
  /** BCP 47: the display is the preferred name in this language, where the release has several. */
  language: string
  /** A folder for files of the work, which the command removes. */
  scratch: string
  /** Hears how far the reading is, 0 to 1. */
  onProgress(part: number): void
}

export interface ReleaseReader {
  release: NewRelease
  /** Yields each concept once. Throws FileFault. */
  rows(): AsyncGenerator<ConceptRow>
  /** The properties that are no strings, known when all rows are read. */
  propertyTypes(): Record<string, PropertyType>
}

export interface Format {
  name: SystemName
  /** For people: what makes a release of this kind. */
  wanted: string
  /** Returns true where the files hold a release of this kind. */
  holds(files: readonly Source[]): Promise<boolean> | boolean
  /** Throws FileFault, or an Error in words for people. */
  read(options: ReadOptions): Promise<ReleaseReader>
}

/** Counts the bytes of several files and tells how far through them the reading is, as a part of `share`. */
export function reading(files: readonly Source[], share: number, onProgress: ReadOptions['onProgress']) {
  const total = files.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  return (bytes: number): void => {
    done += bytes
    onProgress((share * done) / Math.max(1, total))
  }
}
