/** Documents in the store: one Bundle for all versions of a document, a new version only where it says something new. */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { type JsonObject, parseJson, type Resource } from '../fhir/json.ts'
import { object } from '../fhir/tree.ts'
import { etag } from '../interactions/preconditions.ts'
import { transaction } from '../interactions/transaction.ts'
import { update } from '../interactions/update.ts'
import type { Written } from '../interactions/written.ts'
import { keyOf, type Live } from '../storage/port.ts'
import type { Built } from './assemble.ts'
import type { Source } from './source.ts'

/** Builders of one document at the same time that are waited for. */
const ATTEMPTS = 4

/**
 * Returns the stored Bundle: the version that is there where it is the same document, otherwise a new one, committed together with what was
 * made for it.
 *
 * Throws as `update` and `transaction` do; `conflict` where others store the document again and again meanwhile.
 */
export async function keepDocument(
  ctx: Context,
  built: Built,
  made: readonly Source[] = [],
): Promise<Written> {
  const { bundle, seriesId, identifier } = built
  for (let attempt = 1; ; attempt++) {
    const current = await ctx.storage.read(keyOf('Bundle', seriesId))
    if (current?.text !== undefined && identifierOf(current as Live) === identifier)
      return { stored: current as Live, created: false }
    // The document is stored only over the version that was looked at: two builders make one version.
    const condition = current?.text === undefined ? undefined : etag(current)
    try {
      if (made.length === 0)
        return await update(
          ctx,
          'Bundle',
          seriesId,
          bundle,
          condition === undefined ? { ifNoneMatch: '*' } : { ifMatch: condition },
        )
      await transaction(ctx, together(bundle, made, condition))
      const stored = await ctx.storage.read(keyOf('Bundle', seriesId))
      return { stored: stored as Live, created: condition === undefined }
    } catch (error) {
      const lost = error instanceof FhirError && (error.status === 412 || error.status === 409)
      if (!lost) throw error
      if (attempt === ATTEMPTS)
        throw fhirError('conflict', 'The document is being stored by others at the same time. Try again.', {
          cause: error,
        })
    }
  }
}

function identifierOf({ text }: Live): unknown {
  const bundle = parseJson(text, Number.POSITIVE_INFINITY) as Resource
  return object(bundle.identifier)?.value
}

function together(bundle: Resource, made: readonly Source[], ifMatch: string | undefined): Resource {
  const put = (resource: Resource, condition?: string): JsonObject => ({
    resource,
    request: {
      method: 'PUT',
      url: `${resource.resourceType}/${resource.id as string}`,
      ...(condition !== undefined && { ifMatch: condition }),
    },
  })
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [...made.map(({ tree }) => put(tree)), put(bundle, ifMatch)],
  }
}
