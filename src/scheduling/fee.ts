/** What a visit in a Schedule costs, by the ChargeItemDefinition that the Schedule, the role or the service names. */
import type { Context } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { keysOf } from '../search/busy.ts'
import type { Key } from '../storage/port.ts'
import { EXTENSION } from './codes.ts'
import { extensionOf } from './hold.ts'
import { liveResources } from './live-resources.ts'
import { componentsOf, type Quote, quoteOf } from './price.ts'

/**
 * Returns the price of each list of resources by its index: that of the first one in the list that names a ChargeItemDefinition which is
 * there, is not retired and has a base price.
 */
export async function feesOf(
  ctx: Context,
  lists: readonly (readonly Resource[])[],
): Promise<(Quote | undefined)[]> {
  const named = lists.map(list => list.flatMap(one => definitionOf(ctx, one)))
  const definitions = await liveResources(ctx, [...new Set(named.flat())])
  return named.map(keys => {
    for (const key of keys) {
      const definition = definitions.get(key)
      if (definition === undefined || definition.status === 'retired') continue
      const components = componentsOf(definition)
      if (components.some(one => one.type === 'base')) return quoteOf(components)
    }
    return undefined
  })
}

const definitionOf = (ctx: Context, resource: Resource): Key[] =>
  (keysOf(extensionOf(resource, EXTENSION.price)?.valueReference, ctx.settings.baseUrl) as Key[]).filter(
    key => key.startsWith('ChargeItemDefinition/'),
  )
