/**
 * The files of a FHIR package: a gzipped tar in the layout of npm.
 * https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
 */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'

/** Bounds against files that are small only while packed. */
const MOST_FILES = 200_000
const MOST_BYTES = 4 * 1024 * 1024 * 1024

export interface PackageFile {
  /** In the folder `package`: `StructureDefinition-x.json`, `example/Patient-1.json`. */
  name: string
  text: string
}

/** What `package/package.json` says. */
export interface Manifest {
  name: string
  version: string
  title?: string
  license?: string
  canonical?: string
  fhirVersions?: readonly string[]
  dependencies?: Readonly<Record<string, string>>
}

/**
 * Yields the JSON files of the package that are wanted, as they come; none is larger than `most` bytes, `onLarge` hears of those. `onBytes`
 * hears of bytes of the file.
 *
 * Throws an Error where the file is no gzipped tar, or unpacks to more than anybody publishes.
 */
export async function* filesOf(
  path: string,
  options: {
    most: number
    wanted: (name: string) => boolean
    onBytes?: (n: number) => void
    onLarge?: (name: string) => void
  },
): AsyncGenerator<PackageFile> {
  const { most, wanted, onBytes, onLarge } = options
  const source = createReadStream(path)
  source.on('data', chunk => onBytes?.(chunk.length))
  const unzipped = source.pipe(createGunzip())
  source.on('error', error => unzipped.destroy(error))
  const tar = unzipped.pipe(extract())
  unzipped.on('error', error => tar.destroy(error))
  let files = 0
  let bytes = 0
  try {
    for await (const entry of tar) {
      const { name, type, size = 0 } = entry.header
      const inside = name.replace(/^(?:\.\/)?package\//, '')
      bytes += size
      if (++files > MOST_FILES || bytes > MOST_BYTES)
        throw new Error('it unpacks to more than a package holds')
      const isWanted = type === 'file' && inside !== name && inside.endsWith('.json') && wanted(inside)
      if (!isWanted || size > most) {
        if (isWanted) onLarge?.(inside)
        entry.resume()
        continue
      }
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      const text = new TextDecoder('utf-8').decode(Buffer.concat(chunks))
      yield { name: inside, text }
    }
  } catch (error) {
    throw new Error(`${path} is no FHIR package: ${(error as Error).message}.`)
  } finally {
    source.destroy()
  }
}

/** Returns the manifest. Throws an Error where there is none. */
export async function manifestOf(path: string): Promise<Manifest> {
  for await (const { text } of filesOf(path, {
    most: 1024 * 1024,
    wanted: name => name === 'package.json',
  })) {
    const seen: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    const { name, version } = (seen ?? {}) as Record<string, unknown>
    if (typeof name === 'string' && typeof version === 'string') return seen as Manifest
  }
  throw new Error(`${path} is no FHIR package: it has no package/package.json with a name and a version.`)
}
