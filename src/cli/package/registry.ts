/**
 * Packages from a registry: npm's protocol, which the FHIR registries speak with a shorter document.
 * https://hl7.org/fhir/packages.html
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { compareVersions } from '../../conformance/canonical.ts'
import { isName, isVersion } from './tarball.ts'

/** The largest package that is fetched, bytes; those of HL7 have up to 100 MB. */
const MOST = 512 * 1024 * 1024
const ANSWER_MS = 60_000
const DOWNLOAD_MS = 1_800_000

export interface Wanted {
  name: string
  /** `latest` where none was named; `1.1.x` is the highest of 1.1 that is no draft. */
  version: string
}

/** Returns what `name`, `name@version` or `name#version` asks for; undefined for what is no name of a package. */
export function wantedOf(text: string): Wanted | undefined {
  const [, name = '', version = 'latest'] = /^(@?[^@#]+)(?:[@#](.+))?$/.exec(text) ?? []
  return isName(name) && isVersion(version) ? { name, version } : undefined
}

interface Dist {
  tarball?: unknown
  shasum?: unknown
  integrity?: unknown
}

interface Document {
  'dist-tags'?: Record<string, unknown>
  versions?: Record<string, { dist?: Dist } | null>
}

/**
 * Fetches a package into the file `path` and returns its version. `onBytes` hears of bytes as they come.
 *
 * Throws an Error, whose message says what to do, where the registry has no such package, does not answer, or sends another file than it says.
 */
export async function download(
  registry: string,
  { name, version }: Wanted,
  path: string,
  onBytes: (n: number) => void,
): Promise<string> {
  const document = await about(registry, name)
  const versions = document.versions ?? {}
  const exact = exactOf(version, document, Object.keys(versions))
  const found = Object.hasOwn(versions, exact) ? versions[exact] : undefined
  if (found === undefined || found === null)
    throw new Error(
      `The registry ${registry} has no version ${exact} of ${name}; it has ${Object.keys(versions).slice(-10).join(', ') || 'none'}.`,
    )
  const dist = found.dist ?? {}
  const url = typeof dist.tarball === 'string' ? dist.tarball : `${registry}/${name}/${exact}`
  if (!/^https?:/.test(url))
    throw new Error(`The registry names ${url} as the file of ${name}, which is no http(s) address.`)
  const answer = await get(url, DOWNLOAD_MS)
  if (!answer.ok || answer.body === null)
    throw new Error(`${url} gave status ${answer.status}; try again, or download the file and install that.`)
  const [sha1, sha512] = [createHash('sha1'), createHash('sha512')]
  let bytes = 0
  await pipeline(
    Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        if (bytes > MOST) throw new Error(`${name} is larger than ${MOST / 1024 / 1024} MB.`)
        sha1.update(chunk)
        sha512.update(chunk)
        onBytes(chunk.length)
        yield chunk
      }
    },
    createWriteStream(path),
  )
  const [hex, base64] = [sha1.digest('hex'), `sha512-${sha512.digest('base64')}`]
  if (
    (typeof dist.integrity === 'string' &&
      dist.integrity.startsWith('sha512-') &&
      dist.integrity !== base64) ||
    (typeof dist.shasum === 'string' && dist.shasum !== '' && dist.shasum.toLowerCase() !== hex)
  )
    throw new Error(
      `The file of ${name} is not the one that the registry describes: its checksum is another. Try again.`,
    )
  return exact
}

async function about(registry: string, name: string): Promise<Document> {
  const answer = await get(`${registry}/${name.replace('/', '%2f')}`, ANSWER_MS)
  if (answer.status === 404)
    throw new Error(
      `The registry ${registry} has no package ${name}. Another one is named by --registry or NADI_PACKAGE_REGISTRY.`,
    )
  const document = answer.ok ? await answer.json().catch(() => undefined) : undefined
  if (document === undefined || document === null || typeof document !== 'object')
    throw new Error(`What answers at ${registry} is no package registry (status ${answer.status}).`)
  return document as Document
}

async function get(url: string, ms: number): Promise<Response> {
  try {
    return await fetch(url, { headers: { Accept: 'application/json, */*' }, signal: AbortSignal.timeout(ms) })
  } catch (error) {
    const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string }
    throw new Error(`${url} does not answer (${cause?.code ?? cause?.message ?? message}).`)
  }
}

function exactOf(version: string, document: Document, versions: readonly string[]): string {
  const tagged = document['dist-tags']?.[version]
  if (typeof tagged === 'string') return tagged
  if (version === 'latest') return versions.at(-1) ?? version
  if (!version.endsWith('.x')) return version
  const fitting = versions.filter(one => one.startsWith(version.slice(0, -1)) && !one.includes('-'))
  return fitting.sort(compareVersions).at(-1) ?? version
}
