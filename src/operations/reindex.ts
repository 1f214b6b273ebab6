/**
 * `$reindex` and `$reindex-status`, operations of this server: index rows made anew while it runs, and how far that has come. Custom search
 * parameters are indexed by themselves; this is for who wants to be sure.
 */
import type { Context, IndexJob, LiveIndex } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type JsonObject, NumberText, writeJson } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { keyOf, stampText } from '../storage/port.ts'
import type { Operation } from './operation.ts'

const definition = (name: string): string => `urn:nadi:operation:${name}`

/** Starts a job for everything, for a type, or for the types of one SearchParameter; while such a job is under way, returns that. */
export const reindex: Operation = {
  name: 'reindex',
  definition: definition('reindex'),
  types: undefined,
  levels: ['system', 'type', 'instance'],
  affectsState: true,
  parameters: [],
  async run(ctx, { level, type, id }) {
    const live = liveOf(ctx)
    if (level === 'system') return answer([await live.reindex('all', [])])
    if (level === 'type') return answer([await live.reindex(type, [type])])
    if (type !== 'SearchParameter')
      throw fhirError(
        'not-supported',
        'One resource cannot be indexed anew: an update does it. $reindex is for all, a type, or a SearchParameter.',
        { status: 400 },
      )
    await read(ctx, type, id)
    const key = keyOf(type, id)
    await live.refresh()
    const types = live.typesOf(key)
    if (types === undefined)
      throw fhirError(
        'business-rule',
        `${key} is not in force: it is not active, or R4 has the same parameter, or the server log says why it cannot be indexed.`,
      )
    return answer([await live.reindex(key, types)])
  },
}

/** Returns the jobs that are not done, and the last that are, newest first. */
export const reindexStatus: Operation = {
  name: 'reindex-status',
  definition: definition('reindex-status'),
  types: undefined,
  levels: ['system'],
  affectsState: false,
  parameters: [],
  run: async ctx => answer(await liveOf(ctx).jobs()),
}

function liveOf({ live }: Context): LiveIndex {
  if (live === undefined) throw fhirError('not-supported', 'This server does not index while it runs.')
  return live
}

const answer = (jobs: readonly IndexJob[]) => ({
  text: writeJson({
    resourceType: 'Parameters',
    ...(jobs.length > 0 && { parameter: jobs.map(job => ({ name: 'job', part: partsOf(job) })) }),
  }),
})

function partsOf(job: IndexJob): JsonObject[] {
  const number = (name: string, value: number): JsonObject => ({
    name,
    valueInteger: new NumberText(String(value)),
  })
  const instant = (name: string, at: number): JsonObject => ({ name, valueInstant: stampText(at) })
  return [
    { name: 'id', valueString: String(job.id) },
    { name: 'what', valueString: job.what },
    ...job.types.map(type => ({ name: 'type', valueCode: type })),
    { name: 'state', valueCode: job.state },
    number('done', job.done),
    ...(job.total === undefined ? [] : [number('total', job.total)]),
    ...(job.failed === 0 ? [] : [number('failed', job.failed)]),
    instant('asked', job.asked),
    ...(job.finished === undefined ? [] : [instant('finished', job.finished)]),
    ...(job.error === undefined ? [] : [{ name: 'error', valueString: job.error }]),
  ]
}
