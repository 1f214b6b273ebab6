/**
 * Profiles, tags and security labels as sets: a tag or label is the same where its system and code are, a profile where its URL is.
 * https://hl7.org/fhir/R4/resource-operation-meta-add.html
 */
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'

/** The members of Meta that are sets, each with what tells its values apart. */
export const LABEL_SETS: Readonly<Record<string, (value: Json) => string>> = {
  profile: value => (typeof value === 'string' ? value : ''),
  security: identity,
  tag: identity,
}

function identity(value: Json): string {
  if (!isObject(value)) return ''
  const { system, code } = value
  return JSON.stringify([typeof system === 'string' ? system : '', typeof code === 'string' ? code : ''])
}

/**
 * Returns `meta` with the labels added, or without them; undefined where that changes nothing. What was there stays as it was, version
 * and display included; versionId, lastUpdated, source and extensions of `labels` count for nothing.
 */
export function changeLabels(
  meta: JsonObject,
  labels: JsonObject,
  way: 'add' | 'delete',
): JsonObject | undefined {
  let changed = false
  const after: JsonObject = { ...meta }
  for (const [name, of] of Object.entries(LABEL_SETS)) {
    const asked = labels[name]
    if (!Array.isArray(asked)) continue
    const before = Array.isArray(meta[name]) ? (meta[name] as Json[]) : []
    const known = new Set(before.map(of))
    if (way === 'add') {
      const added: Json[] = []
      for (const one of asked) {
        if (known.has(of(one))) continue
        known.add(of(one))
        added.push(one)
      }
      if (added.length === 0) continue
      after[name] = [...before, ...added]
    } else {
      const gone = new Set(asked.map(of))
      const left = before.filter(one => !gone.has(of(one)))
      if (left.length === before.length) continue
      if (left.length === 0) delete after[name]
      else after[name] = left
    }
    changed = true
  }
  return changed ? after : undefined
}
