/** The files to load, and in which order. */
import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

const LOADABLE = /\.(?:json|ndjson|jsonl)(?:\.gz)?$/i

/** Synthea's files of hospitals and practitioners, to which its patients' files refer. */
const REFERRED_TO = /^(?:hospital|practitioner)information/i
const NUMBERED = /^[0-9]+[-_. ]/

export interface InputFile {
  path: string
  /** Bytes on disk. */
  size: number
  /** Loaded alone, before the next begins: its author numbered it, or others refer to it. */
  alone: boolean
}

/**
 * Returns the files that the paths name, folders with all loadable files in them: numbered ones first in the order of their numbers,
 * then those that others refer to, then the rest by name.
 *
 * Throws the system's error for a path that does not exist.
 */
export function inputFiles(paths: readonly string[]): InputFile[] {
  return paths.flatMap(path => {
    if (!statSync(path).isDirectory()) return [toFile(path)]
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter(name => LOADABLE.test(name))
      .map(name => toFile(join(path, name)))
      .sort(inOrder)
  })
}

function toFile(path: string): InputFile {
  const name = basename(path)
  return { path, size: statSync(path).size, alone: NUMBERED.test(name) || REFERRED_TO.test(name) }
}

function inOrder(a: InputFile, b: InputFile): number {
  const rank = (file: InputFile) => (file.alone ? (NUMBERED.test(basename(file.path)) ? 0 : 1) : 2)
  const number = (file: InputFile) => (rank(file) === 0 ? Number.parseInt(basename(file.path), 10) : 0)
  return rank(a) - rank(b) || number(a) - number(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)
}

export const isNdjson = (path: string): boolean => /\.(?:ndjson|jsonl)(?:\.gz)?$/i.test(path)
