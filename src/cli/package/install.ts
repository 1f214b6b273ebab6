/** A package into the server: read as a stream, checked, sent in groups. */
import { type JsonObject, type Resource, writeJson } from '../../fhir/json.ts'
import type { Piece } from '../load/parcels.ts'
import { type Failure, NoServer, send } from '../load/send.ts'
import { isWanted, recordOf, take } from './resources.ts'
import type { Manifest, PackageFile } from './tarball.ts'
import { type Profile, profileOf, unusable } from './usable.ts'

export interface Installation {
  /** Resources stored. */
  stored: number
  /** Files of the package that are at fault themselves, and why: they are left out. */
  leftOut: Refusal[]
  /** What the server refused, and why. */
  failures: Refusal[]
  /** Profiles that are stored, but cannot be used, and why. */
  unusable: Refusal[]
  ms: number
  /** Why it ended before its end; what is there already is completed by installing again. */
  lost?: string
}

export interface Refusal {
  file: string
  why: string
}

/** Resources and characters sent at once, and groups under way. */
const GROUP = 100
const GROUP_CHARS = 4_000_000
const PARALLEL = 3

/** What hears of the reading of the package. */
export interface Hears {
  onBytes: (n: number) => void
  onLarge: (name: string) => void
}

/**
 * Returns what became of the resources. The record of the package goes first, as a draft, and is made active when all is there: a package
 * whose loading was broken off is seen to be one.
 *
 * Throws an Error where the server refuses the record.
 */
export async function install(
  base: string,
  manifest: Manifest,
  open: (hears: Hears) => AsyncIterable<PackageFile>,
  onProgress: (bytes: number, stored: number) => void,
): Promise<Installation> {
  const start = performance.now()
  const done: Installation = { stored: 0, leftOut: [], failures: [], unusable: [], ms: 0 }
  const underWay = new Set<Promise<void>>()
  const profiles: Profile[] = []
  let guide: JsonObject | undefined
  let bytes = 0
  let lost: NoServer | undefined

  const sendGroup = (pieces: Piece[]): void => {
    const work: Promise<void> = send(base, { kind: 'group', file: manifest.name, pieces })
      .then(({ stored, failures }) => {
        done.stored += stored
        for (const { place, diagnostics } of failures) done.failures.push({ file: place, why: diagnostics })
      })
      .catch(error => {
        if (!(error instanceof NoServer)) throw error
        lost = error
      })
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }
  const record = async (status: 'draft' | 'active', said: string): Promise<readonly Failure[]> => {
    const resource = recordOf(manifest, guide, status, said)
    const sent = await send(base, {
      kind: 'group',
      file: manifest.name,
      pieces: [pieceOf('the record', resource)],
    })
    return sent.failures
  }

  try {
    const [refused] = await record('draft', 'Being loaded.')
    if (refused !== undefined)
      throw new Error(
        `The server refused the record of the package, so nothing was loaded: ${refused.diagnostics}`,
      )
    let pieces: Piece[] = []
    let chars = 0
    const hears: Hears = {
      onBytes: n => {
        bytes += n
      },
      onLarge: file => done.leftOut.push({ file, why: 'it is larger than a resource may be' }),
    }
    for await (const { name, text } of open(hears)) {
      if (!isWanted(name)) continue
      const taken = take(manifest, text)
      if (taken.is === 'guide') guide = taken.guide
      if (taken.is === 'refused') done.leftOut.push({ file: name, why: taken.why })
      if (taken.is !== 'resource') continue
      const { resource } = taken
      if (resource.resourceType === 'StructureDefinition') profiles.push(profileOf(name, resource))
      const piece = pieceOf(name, resource)
      pieces.push(piece)
      chars += piece.text.length
      if (pieces.length < GROUP && chars < GROUP_CHARS) continue
      sendGroup(pieces)
      pieces = []
      chars = 0
      while (underWay.size >= PARALLEL) await Promise.race(underWay)
      onProgress(bytes, done.stored)
      if (lost !== undefined) break
    }
    if (pieces.length > 0 && lost === undefined) sendGroup(pieces)
    await Promise.all(underWay)
    if (lost !== undefined) throw lost
    done.unusable = await unusable(base, profiles)
    const without = done.failures.length > 0 ? ` The server refused ${done.failures.length} others.` : ''
    const said = `${done.stored} resources of the package ${manifest.name}@${manifest.version}.${without}`
    for (const { diagnostics } of await record('active', said))
      done.failures.push({ file: 'the record', why: diagnostics })
  } catch (error) {
    if (!(error instanceof NoServer)) throw error
    done.lost = `${error.message} Install the package again: what is there already stays.`
  }
  done.ms = performance.now() - start
  return done
}

const pieceOf = (place: string, resource: Resource): Piece => ({
  place,
  text: writeJson(resource),
  type: resource.resourceType,
  id: String(resource.id),
})
