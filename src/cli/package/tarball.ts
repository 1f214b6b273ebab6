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

/** Whether a package can have this name: what it is called goes into tags, searches and URLs. */
export const isName = (text: string): boolean =>
  /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/i.test(text) && text.length <= 214

/** Whether a package can have this version, `4.0.1` or `1.0.0-ballot`. */
export const isVersion = (text: string): boolean => /^[A-Za-z0-9._+-]{1,100}$/.test(text)

/** Returns the manifest. Throws an Error where there is none, or one that cannot be. */
export async function manifestOf(path: string): Promise<Manifest> {
  for await (const { text } of filesOf(path, {
    most: 1024 * 1024,
    wanted: name => name === 'package.json',
  })) {
    let seen: unknown
    try {
      seen = JSON.parse(text.replace(/^\uFEFF/, ''))
    } catch (error) {
      throw new Error(`${path} is no FHIR package: package.json cannot be read: ${(error as Error).message}.`)
    }
    const { name, version } = (seen ?? {}) as Record<string, unknown>
    if (typeof name !== 'string' || typeof version !== 'string') continue
    const fault = faultOf(seen as Record<string, unknown>)
    if (fault !== undefined)
      throw new Error(`${path} is no FHIR package: ${fault} of its package.json cannot be such.`)
    return seen as Manifest
  }
  throw new Error(`${path} is no FHIR package: it has no package/package.json with a name and a version.`)
}

/** Returns the name of the first member that is not as Manifest says. */
function faultOf(manifest: Record<string, unknown>): string | undefined {
  const { name, version, title, canonical, fhirVersions = [], dependencies = {} } = manifest
  const isText = (value: unknown): boolean => typeof value === 'string'
  const known: [string, boolean][] = [
    ['name', isName(name as string)],
    ['version', isVersion(version as string)],
    ['title', title === undefined || isText(title)],
    ['canonical', canonical === undefined || (isText(canonical) && /^\S+$/.test(canonical as string))],
    ['fhirVersions', Array.isArray(fhirVersions) && fhirVersions.every(isText)],
    [
      'dependencies',
      typeof dependencies === 'object' && dependencies !== null && Object.values(dependencies).every(isText),
    ],
  ]
  return known.find(([, fits]) => !fits)?.[0]
}
