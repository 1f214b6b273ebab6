/** Operations called on a store in memory, as the HTTP layer calls them. */
import type { Context } from '../../src/context.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { bodyOf } from '../../src/interactions/body.ts'
import { indexRows } from '../../src/interactions/indexer.ts'
import type { Level } from '../../src/operations/operation.ts'
import { type Given, readParameters } from '../../src/operations/parameters.ts'
import { operationAt } from '../../src/operations/registry.ts'
import { keyOf } from '../../src/storage/port.ts'

export interface Place {
  type?: string
  id?: string
  lenient?: boolean
}

/** Returns the answer of an operation as a plain tree. */
export async function call(
  ctx: Context,
  name: string,
  { type = '', id = '', lenient = false }: Place,
  given: readonly Given[] = [],
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field in assertions
): Promise<any> {
  const level: Level = id !== '' ? 'instance' : type !== '' ? 'type' : 'system'
  const operation = operationAt(ctx, name, level, type)
  const parameters = readParameters(operation, given, lenient)
  const answer = await operation.run(ctx, {
    level,
    type,
    id,
    version: '',
    media: undefined,
    lenient,
    ...parameters,
  })
  return JSON.parse(answer.text as string)
}

/** The parameters of a link's query. */
export const givenOf = (url: string): Given[] =>
  [...new URL(url).searchParams].map(([name, value]) => ({ name, value }))

export const tree = (value: object): Resource => parseJson(JSON.stringify(value)) as Resource

/** Stores new resources in few commits. */
export async function storeAll(ctx: Context, resources: readonly object[]): Promise<void> {
  const AT_ONCE = 1000
  for (let at = 0; at < resources.length; at += AT_ONCE) {
    const changes = resources.slice(at, at + AT_ONCE).map(one => {
      const resource = tree(one)
      const id = resource.id as string
      return {
        key: keyOf(resource.resourceType, id),
        version: 1,
        method: 'PUT' as const,
        body: bodyOf(resource, id, 1, ctx.clock()),
        index: indexRows(ctx, resource),
        claims: [],
      }
    })
    const commit = {
      id: ctx.newId(),
      at: ctx.clock(),
      epoch: ctx.registry.epoch,
      changes,
      require: [],
      outbox: [],
    }
    const done = await ctx.storage.commit(commit)
    if (!done.ok) throw new Error(`not stored: ${done.reason}`)
  }
}
