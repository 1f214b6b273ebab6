/** Writes of this door: one transaction each, and another look where somebody was faster. */
import type { Context } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { object, text } from '../../fhir/tree.ts'
import { LOST, untilSettled } from '../../interactions/race.ts'
import { transaction } from '../../interactions/transaction.ts'
import { refusalOf } from './refusal.ts'
import { idOf } from './translate.ts'

/** Returns an entry that stores a resource under its id; one that was read only over the version that was read. */
export const putOf = (resource: Resource): JsonObject => {
  const version = text(object(resource.meta)?.versionId)
  return {
    resource,
    request: {
      method: 'PUT',
      url: `${resource.resourceType}/${idOf(resource)}`,
      ...(version !== undefined && { ifMatch: `W/"${version}"` }),
    },
  }
}

/**
 * Stores what `prepare` returns in one commit, and returns what it says is the outcome; prepares anew where a resource that it has read was
 * changed meanwhile.
 *
 * Throws Refusals of what the rules refuse.
 */
export async function stored<T>(
  ctx: Context,
  prepare: () => Promise<{ entries: JsonObject[]; outcome: T }>,
): Promise<T> {
  try {
    return await untilSettled(async () => {
      const { entries, outcome } = await prepare()
      if (entries.length === 0) return outcome
      try {
        await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry: entries })
      } catch (error) {
        if (error instanceof FhirError && error.status === 412) return LOST
        throw error
      }
      return outcome
    })
  } catch (error) {
    throw refusalOf(error)
  }
}
