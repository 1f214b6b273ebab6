/** Resources as a commit will leave them: its own versions first, then what is stored; each is read once. */
import type { Context, Pending } from '../context.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import type { Key, Live, Stored } from '../storage/port.ts'

export interface Reading {
  /** Returns those that are live, by key. */
  load(keys: Iterable<string>): Promise<Map<string, Resource>>
  /** Returns the stored version of a key that was loaded, deletions too; undefined where there is none. */
  stored(key: string): Stored | undefined
}

export function createReading(ctx: Context, pending: readonly Pending[]): Reading {
  const known = new Map<string, Resource | undefined>(pending.map(({ key, after }) => [key, after]))
  const rows = new Map<string, Stored>()
  return {
    async load(keys) {
      const all = [...new Set(keys)]
      const unknown = all.filter(key => !known.has(key)) as Key[]
      if (unknown.length > 0) {
        const found = await ctx.storage.readMany(unknown)
        for (const key of unknown) {
          const row = found.get(key)
          if (row !== undefined) rows.set(key, row)
          known.set(key, row?.text === undefined ? undefined : resourceOf(row as Live))
        }
      }
      return new Map(
        all.flatMap(key => {
          const resource = known.get(key)
          return resource === undefined ? [] : [[key, resource] as const]
        }),
      )
    },
    stored: key => rows.get(key),
  }
}

export const resourceOf = (row: Live): Resource => parseJson(row.text, Number.POSITIVE_INFINITY) as Resource
