/**
 * The resources that a record needs to be read by itself: practitioners, organizations, locations, medications, attachments.
 * https://hl7.org/fhir/R4/patient-operation-everything.html
 */
import type { Context } from '../context.ts'
import { isObject, type Json, parseJson, type Resource } from '../fhir/json.ts'
import { mapLinks } from '../fhir/links.ts'
import { parseReference } from '../fhir/reference.ts'
import { isType } from '../interactions/identity.ts'
import { indexRows } from '../interactions/indexer.ts'
import { fingerprintOf } from '../search/fingerprint.ts'
import type { Node } from '../search/plan-node.ts'
import { idOf, type Key, keyOf, type Live, typeOf } from '../storage/port.ts'
import { compartmentsOf, type Member } from './compartment-members.ts'

/** Steps from the record to what it needs: an observation, its practitioner's role, the practitioner, the organization. */
const STEPS = 3

export interface SupportOptions {
  /** What the record is of: it came first. */
  root: Key | undefined
  /** Whether a resource comes with the record by itself. */
  isMember(member: Member): boolean
  /** The patients whose resources may come along; undefined allows all. */
  patients: ReadonlySet<string> | undefined
  /** Resources at most, and bytes of their texts. */
  most: number
  bytes: number
}

export interface Supports {
  rows: readonly Live[]
  /** References that were not followed because there were too many. */
  left: number
}

/**
 * Returns the live resources that these refer to, and those that they refer to, each once. Those of other patients are left out, and so is
 * what is deleted, not there, or on another server.
 */
export async function supportsOf(
  ctx: Context,
  record: readonly Live[],
  { root, isMember, patients, most, bytes }: SupportOptions,
): Promise<Supports> {
  const seen = new Set<Key>(record.map(row => row.key))
  if (root !== undefined) seen.add(root)
  const rows: Live[] = []
  let left = 0
  let room = bytes
  let level: readonly Live[] = record
  for (let step = 0; step < STEPS && level.length > 0; step++) {
    const wanted: Key[] = []
    for (const row of level)
      for (const key of linksOf(ctx, row)) {
        if (seen.has(key)) continue
        seen.add(key)
        if (rows.length + wanted.length < most) wanted.push(key)
        else left++
      }
    if (wanted.length === 0) break
    const found = await readLive(ctx, wanted, room)
    left += found.left
    const next: Live[] = []
    for (const live of found.rows) {
      const { key } = live
      room -= live.text.length
      const resource = parseJson(live.text, Number.POSITIVE_INFINITY) as Resource
      const member = { type: typeOf(key), id: idOf(key), rows: indexRows(ctx, resource) }
      if (isMember(member)) continue
      const owners = compartmentsOf(ctx.registry, 'Patient', member)
      if (patients !== undefined && owners.size > 0 && ![...owners].some(id => patients.has(id))) continue
      rows.push(live)
      // What is about a patient belongs to a record of its own: it comes along, and brings nothing.
      if (owners.size === 0) next.push(live)
    }
    level = next
  }
  return { rows, left }
}

/** Returns the live ones, as many as there is room for, and how many may have been left. */
async function readLive(ctx: Context, keys: readonly Key[], bytes: number): Promise<Supports> {
  const byType = new Map<string, string[]>()
  for (const key of keys) byType.set(typeOf(key), [...(byType.get(typeOf(key)) ?? []), idOf(key)])
  const rows: Live[] = []
  let left = 0
  let room = bytes
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  for (const [type, ids] of byType) {
    if (room <= 0) {
      left += ids.length
      continue
    }
    const where: Node = { kind: 'id', ids }
    const plan = { types: [type], where, sort: [], fingerprint: fingerprintOf([type], where, []) }
    const page = await ctx.storage.search(plan, { limit: ids.length, total: 'none', deadline, bytes: room })
    for (const row of page.rows as Live[]) {
      room -= row.text.length
      rows.push(row)
    }
    if (page.more) left += ids.length - page.rows.length
  }
  return { rows, left }
}

/** Returns the keys of the resources of this server that a resource refers to, and of the Binaries that its attachments are in. */
function linksOf(ctx: Context, row: Live): Set<Key> {
  const keys = new Set<Key>()
  const resource: Json = parseJson(row.text, Number.POSITIVE_INFINITY)
  if (!isObject(resource)) return keys
  mapLinks(resource as Resource, (text, kind) => {
    if (kind === 'html' || text.length > 2048) return text
    const parsed = parseReference(text, ctx.settings.baseUrl)
    if (parsed.kind !== 'local' || (kind === 'uri' && parsed.type !== 'Binary')) return text
    if (isType(ctx, parsed.type)) keys.add(keyOf(parsed.type, parsed.id))
    return text
  })
  return keys
}
