/**
 * What a GraphDefinition adds to a document: its links followed from the Composition.
 * https://hl7.org/fhir/R4/graphdefinition.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type JsonObject, parseJson, type Resource } from '../fhir/json.ts'
import { at, objects, text } from '../fhir/tree.ts'
import { search } from '../interactions/search.ts'
import { typeOf } from '../storage/port.ts'
import { keyIn, type Library, type Source } from './source.ts'

/** Links within links. */
const DEPTH = 8

/**
 * Returns the resources that the links of the graph lead to.
 *
 * Throws `not-found` where there is no such GraphDefinition, `not-supported` for one that begins elsewhere, or follows references backwards.
 */
export async function byGraph(
  ctx: Context,
  library: Library,
  canonical: string,
  composition: Source,
): Promise<Source[]> {
  const [url = '', version] = canonical.split('|')
  const { rows } = await search(ctx, 'GraphDefinition', [
    ['url', url.replace(/[\\,$|]/g, '\\$&')],
    ...(version === undefined ? [] : [['version', version] as const]),
    ['_count', '1'],
  ])
  if (rows[0] === undefined)
    throw fhirError('not-found', 'There is no GraphDefinition of this url here.', {
      expression: 'http.graph',
    })
  const graph = parseJson(rows[0].text, Number.POSITIVE_INFINITY) as Resource
  if (graph.start !== 'Composition')
    throw fhirError('not-supported', 'The graph of a document starts at a Composition.', {
      expression: 'GraphDefinition.start',
    })
  const found = new Map<string, Source>()
  await follow(ctx, library, objects(graph.link), [composition], found, DEPTH)
  return [...found.values()]
}

async function follow(
  ctx: Context,
  library: Library,
  links: readonly JsonObject[],
  from: readonly Source[],
  found: Map<string, Source>,
  depth: number,
): Promise<void> {
  if (depth === 0 || from.length === 0) return
  for (const link of links) {
    const path = text(link.path)
    if (path === undefined || !/^[A-Za-z.]+$/.test(path))
      throw fhirError(
        'not-supported',
        'A link of the graph names its references by a path such as section.entry.',
        {
          expression: 'GraphDefinition.link.path',
        },
      )
    const ways = from.flatMap(one => at(one.tree, path.replace(new RegExp(`^${one.type}\\.`), '')))
    const keys = ways.flatMap(objects).flatMap(({ reference }) => keyIn(ctx, reference) ?? [])
    for (const target of objects(link.target)) {
      const sources = await library.take(keys.filter(key => typeOf(key) === target.type))
      for (const source of sources) found.set(source.key, source)
      await follow(ctx, library, objects(target.link), sources, found, depth - 1)
    }
  }
}
