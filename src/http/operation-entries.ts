/**
 * Operations as entries of a batch: those that change nothing, by GET with parameters in the URL, or by POST with a Parameters resource.
 * https://hl7.org/fhir/R4/terminology-service.html#batch
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { isObject, type Json } from '../fhir/json.ts'
import { accept } from '../interactions/accept.ts'
import type { AskedOperation } from '../interactions/batch.ts'
import { underCurrent } from '../interactions/current.ts'
import type { Operation } from '../operations/operation.ts'
import { type Given, givenByPairs, givenByResource, readParameters } from '../operations/parameters.ts'
import { operationAt } from '../operations/registry.ts'
import { placeOf } from './operation-routes.ts'

/**
 * Returns the answer of an operation, the text of a resource.
 *
 * Throws `not-supported` for one that changes something, and for an answer that is no JSON; as the operation does.
 */
export async function operate(
  ctx: Context,
  { method, path, pairs, resource }: AskedOperation,
): Promise<{ text: string; status: number }> {
  const place = placeOf(`/${path.replace(/^\/+/, '')}`, '')
  const operation = operationAt(ctx, place.name, place.level, place.type)
  if (operation.affectsState)
    throw fhirError(
      'not-supported',
      `$${place.name} changes something: it is called by itself, and not in a Bundle.`,
      {
        expression: 'http.url',
      },
    )
  const sent = method === 'POST' && resource !== undefined ? await givenBy(ctx, operation, resource) : []
  const given = [...givenByPairs(pairs), ...sent]
  const read = readParameters(operation, given, false)
  const call = { ...place, ...read, media: undefined, lenient: false, mayStore: false }
  const { text, status = 200 } = await underCurrent(ctx, under => operation.run(under, call))
  if (typeof text !== 'string')
    throw fhirError('not-supported', `$${place.name} does not answer with a resource here.`, {
      expression: 'http.url',
    })
  return { text, status }
}

async function givenBy(ctx: Context, operation: Operation, resource: Json): Promise<Given[]> {
  if (!isObject(resource))
    throw fhirError('invalid', 'The resource of the entry is a Parameters resource.', {
      expression: 'Parameters',
    })
  const { resourceType } = resource
  if (resourceType !== 'Parameters' && operation.body !== undefined) {
    const one = operation.unchecked ? resource : await accept(ctx, resource, String(resourceType))
    return [{ name: operation.body, value: { resource: one } }]
  }
  return givenByResource(operation.unchecked ? resource : await accept(ctx, resource, 'Parameters'))
}
