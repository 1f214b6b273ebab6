/** The files of a release, in folders and in zip files alike. https://pkwareweb.blob.core.windows.net/webdocs/casestudies/APPNOTE.TXT */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { type Entry, type Options, open, type ZipFile } from 'yauzl'

export interface Source {
  /** For people: `release.zip: Snapshot/Terminology/x.txt`. */
  path: string
  /** The last part of the path. */
  name: string
  /** Bytes as they are read, unpacked. */
  size: number
  open(): Promise<Readable>
}

export interface Sources {
  files: Source[]
  close(): void
}

/** Returns the files that the paths name: of folders and zip files all that are in them, by path. Throws the system's error. */
export async function openSources(paths: readonly string[]): Promise<Sources> {
  const files: Source[] = []
  const zips: ZipFile[] = []
  for (const path of paths.flatMap(filesIn))
    if (/\.zip$/i.test(path)) {
      const zip = await opened(path)
      zips.push(zip)
      files.push(...(await entriesOf(zip, path)))
    } else
      files.push({
        path,
        name: basename(path),
        size: statSync(path).size,
        open: async () => createReadStream(path),
      })
  return {
    files,
    close: () => {
      for (const zip of zips) zip.close()
    },
  }
}

/** Text packs to about so much less. */
const PACKED = 6

/** Returns how many bytes the files that the paths name have unpacked, about. */
export const bytesOf = (paths: readonly string[]): number =>
  paths
    .flatMap(filesIn)
    .reduce((sum, path) => sum + statSync(path).size * (/\.zip$/i.test(path) ? PACKED : 1), 0)

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map(name => join(path, name))
    .filter(file => statSync(file).isFile())
    .sort()
}

const openZip = promisify<string, Options, ZipFile>(open)

async function opened(path: string): Promise<ZipFile> {
  try {
    return await openZip(path, { lazyEntries: true, autoClose: false })
  } catch (error) {
    throw new Error(`${path} cannot be read as a zip file: ${(error as Error).message}`)
  }
}

function entriesOf(zip: ZipFile, path: string): Promise<Source[]> {
  return new Promise((resolve, reject) => {
    const found: Source[] = []
    zip.on('entry', (entry: Entry) => {
      if (!entry.fileName.endsWith('/'))
        found.push({
          path: `${path}: ${entry.fileName}`,
          name: basename(entry.fileName),
          size: entry.uncompressedSize,
          open: () =>
            new Promise((resolve, reject) =>
              zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream))),
            ),
        })
      zip.readEntry()
    })
    zip.on('end', () => resolve(found))
    zip.on('error', error => reject(new Error(`${path} is a damaged zip file: ${String(error.message)}`)))
    zip.readEntry()
  })
}
