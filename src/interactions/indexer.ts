/** Index rows of a resource under the settings and search parameters of a context. */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import type { IndexRow } from '../search/index-row.ts'
import { createIndexer } from '../search/index-values.ts'
import type { SearchRegistry } from '../search/registry.ts'

type Indexer = (resource: Resource) => IndexRow[]

/** An indexer compiles a type when it first meets it, so it is kept as long as its registry; one per base URL, of which there are few. */
const made = new WeakMap<SearchRegistry, Map<string, Indexer>>()
const MOST_BASES = 16

/**
 * Returns the index rows of a resource.
 *
 * Throws `structure` where validation is off and the resource is so misshapen that it cannot be indexed.
 */
export function indexRows(ctx: Context, resource: Resource): IndexRow[] {
  const index = indexerOf(ctx)
  if (ctx.settings.validate !== 'off') return index(resource)
  try {
    return index(resource)
  } catch (error) {
    if (error instanceof FhirError) throw error
    throw fhirError(
      'structure',
      'The resource cannot be indexed: an element is not of the shape that its type has.',
      {
        cause: error,
      },
    )
  }
}

/** Returns the index rows of a stored text, none for a deletion. */
export const indexRowsOfText = (ctx: Context, text: string | undefined): IndexRow[] =>
  text === undefined ? [] : indexRows(ctx, parseJson(text, Number.POSITIVE_INFINITY) as Resource)

function indexerOf(ctx: Context): Indexer {
  const { zone, references, baseUrl, fullText } = ctx.settings
  let ofRegistry = made.get(ctx.registry)
  if (ofRegistry === undefined) {
    ofRegistry = new Map()
    made.set(ctx.registry, ofRegistry)
  }
  const name = `${zone} ${references} ${fullText} ${baseUrl}`
  let indexer = ofRegistry.get(name)
  if (indexer === undefined) {
    if (ofRegistry.size >= MOST_BASES) ofRegistry.clear()
    indexer = createIndexer(ctx.registry, { zone, references, baseUrl, fullText })
    ofRegistry.set(name, indexer)
  }
  return indexer
}
