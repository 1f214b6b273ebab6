/** The resources that a document is made of: read from the store, or made just now and not stored yet. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { copyJson, parseJson, type Resource } from '../fhir/json.ts'
import { parseReference } from '../fhir/reference.ts'
import { isType } from '../interactions/identity.ts'
import { readEach } from '../interactions/read-each.ts'
import { idOf, type Key, keyOf, type Live, typeOf } from '../storage/port.ts'

/** One version of a resource. Its tree is the document's own to change. */
export interface Source {
  key: Key
  type: string
  id: string
  version: number
  /** lastUpdated, ms since 1970 UTC. */
  at: number
  tree: Resource
}

/** Returns the source of a stored version. */
export const sourceOf = ({ key, version, at, text }: Live): Source => ({
  key,
  type: typeOf(key),
  id: idOf(key),
  version,
  at,
  tree: parseJson(text, Number.POSITIVE_INFINITY) as Resource,
})

/** What a document may be made of, each resource in one version for the whole of a build. */
export interface Library {
  /** Returns those that exist and are live, in the order of the keys. */
  take(keys: readonly Key[]): Promise<Source[]>
  /** Keeps what has been read already. Returns the one known before, where there is one. */
  put(source: Source): Source
  /** Those that were made just now and are not stored. */
  made: readonly Source[]
}

/** Resources of one document, beyond which it is none that anybody reads. */
export const MOST_SOURCES = 2000

/**
 * Returns a library over the store, in which `made` stand before what is stored.
 *
 * `take` and `put` throw `too-costly` for more resources than a document holds.
 */
export function libraryOf(ctx: Context, making: readonly Source[] = []): Library {
  // A document changes its trees, and what is to be stored stays as it is.
  const made = making.map(one => ({ ...one, tree: copyJson(one.tree) as Resource }))
  const known = new Map<Key, Source | undefined>(made.map(one => [one.key, one]))
  const checkRoom = (): void => {
    if (known.size > MOST_SOURCES)
      throw fhirError(
        'too-costly',
        `The document would be made of more than ${MOST_SOURCES} resources: ask for a shorter period.`,
        { status: 422 },
      )
  }
  return {
    made,
    async take(keys) {
      const unread = [...new Set(keys)].filter(key => !known.has(key))
      for (const key of unread) known.set(key, undefined)
      checkRoom()
      for await (const row of readEach(ctx, unread)) known.set(row.key, sourceOf(row))
      return [...new Set(keys)].flatMap(key => known.get(key) ?? [])
    },
    put(source) {
      const before = known.get(source.key)
      if (before !== undefined) return before
      known.set(source.key, source)
      checkRoom()
      return source
    },
  }
}

/** Returns the key of the resource of this server that a reference names, without its version; undefined for all else. */
export function keyIn(ctx: Context, reference: unknown): Key | undefined {
  if (typeof reference !== 'string' || reference.length > 2048) return undefined
  const parsed = parseReference(reference, ctx.settings.baseUrl)
  return parsed.kind === 'local' && isType(ctx, parsed.type) ? keyOf(parsed.type, parsed.id) : undefined
}
