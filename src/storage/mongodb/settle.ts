/** What a commit came to, by its id: it stands in every version that the commit made. */
import { fhirError } from '../../fhir/error.ts'
import type { Commit, Committed } from '../port.ts'
import { type Collections, versionId } from './document.ts'

/**
 * Returns what the commit came to when it was done before, by this call or another with the same id; undefined when it was not.
 *
 * Reads what the primary has, and acknowledges only once a majority has it.
 */
export async function doneBefore(
  collections: Collections,
  commit: Commit,
  until: number,
): Promise<Committed | undefined> {
  const local = await stampOf(collections, commit, 'local')
  if (local === undefined) return undefined
  for (;;) {
    const at = await stampOf(collections, commit, 'majority')
    if (at !== undefined) return { ok: true, at }
    if (performance.now() > until)
      throw fhirError('transient', 'The write is not yet confirmed by a majority of the database servers.')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function stampOf(
  collections: Collections,
  commit: Commit,
  level: 'local' | 'majority',
): Promise<number | undefined> {
  const first = commit.changes[0]
  const options = { readConcern: { level } }
  if (first === undefined) return (await collections.commits.findOne({ _id: commit.id }, options))?.at
  const { key, version } = first
  const projection = { v: 1, c: 1, lu: 1 }
  const current = await collections.resources.findOne({ _id: key }, { ...options, projection })
  if (current === null || current.v < version) return undefined
  const made =
    current.v === version
      ? current
      : await collections.history.findOne(
          { _id: versionId(key, version), k: key },
          { ...options, projection },
        )
  return made?.c === commit.id ? made.lu : undefined
}
