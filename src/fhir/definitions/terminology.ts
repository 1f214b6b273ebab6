/**
 * The code systems, value sets and concept maps that are there at start: R4's own, and those of the profiles in this repository.
 * https://hl7.org/fhir/R4/terminologies-systems.html
 */
import { fromBase64 } from '../../lib/base64.ts'
import { parseJson, type Resource } from '../json.ts'
import content from './generated/terminology.json' with { type: 'json' }

export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap'

interface Place {
  pack: number
  line: number
  version: string
}

const packs = content as { names: string[]; packed: string }[]

/** Places by `Type|url`; made when the first is asked for. */
let places: Map<string, Place[]> | undefined

function placesOf(type: TerminologyType, url: string): readonly Place[] {
  if (places === undefined) {
    places = new Map()
    for (const [pack, { names }] of packs.entries())
      for (const [line, name] of names.entries()) {
        const bar = name.lastIndexOf('|')
        const key = name.slice(0, bar)
        const place = { pack, line, version: name.slice(bar + 1) }
        const known = places.get(key)
        if (known === undefined) places.set(key, [place])
        else known.push(place)
      }
  }
  return places.get(`${type}|${url}`) ?? []
}

/** Characters of the definitions that are kept open, and packs. */
const MOST_KEPT = 4_000_000
const MOST_PACKS = 4

const trees = new Map<string, { tree: Promise<Resource>; length: number }>()
const opened = new Map<number, Promise<string[]>>()
let keptLength = 0

/** Returns the definition of `url`, or `url|version`; undefined where there is none. Nobody may write into it. */
export async function builtInDefinition(
  type: TerminologyType,
  canonical: string,
): Promise<Resource | undefined> {
  const bar = canonical.lastIndexOf('|')
  const [url, version] = bar < 0 ? [canonical] : [canonical.slice(0, bar), canonical.slice(bar + 1)]
  // Some tables of HL7 v2 have a bar in their url: `http://terminology.hl7.org/CodeSystem/v2-0006|2.1`.
  const place =
    placesOf(type, canonical)[0] ??
    placesOf(type, url).find(one => version === undefined || one.version === version)
  if (place === undefined) return undefined
  const name = `${place.pack} ${place.line}`
  const known = trees.get(name)
  if (known !== undefined) {
    // What was asked for last stands last, and what stands first goes first.
    trees.delete(name)
    trees.set(name, known)
    return known.tree
  }
  const text = (await linesOf(place.pack))[place.line]!
  const tree = Promise.resolve().then(() => ({
    resourceType: type,
    ...(parseJson(text, Number.POSITIVE_INFINITY) as object),
  }))
  if (!trees.has(name)) keptLength += text.length
  trees.set(name, { tree, length: text.length })
  for (const [oldest, { length }] of trees) {
    if (keptLength <= MOST_KEPT) break
    trees.delete(oldest)
    keptLength -= length
  }
  return tree
}

/** Returns the names of all that are there, `Type|url|version`. */
export const builtInNames = (): string[] => packs.flatMap(({ names }) => names)

function linesOf(pack: number): Promise<string[]> {
  const lines = opened.get(pack) ?? open(packs[pack]!.packed)
  opened.delete(pack)
  opened.set(pack, lines)
  for (const oldest of opened.keys()) {
    if (opened.size <= MOST_PACKS) break
    opened.delete(oldest)
  }
  return lines
}

async function open(packed: string): Promise<string[]> {
  const stream = new Blob([fromBase64(packed)!]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return (await new Response(stream).text()).split('\n')
}
