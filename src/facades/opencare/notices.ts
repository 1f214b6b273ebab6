/** Who was told of an appointment, and how: its Communications that were delivered. */
import type { Context } from '../../context.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../../fhir/json.ts'
import { findAll, planFor, resourceOf } from '../../scheduling/calendar.ts'
import { SYSTEM } from '../../scheduling/codes.ts'
import { instantOf, keysOf } from '../../search/busy.ts'
import type { Node } from '../../search/plan-node.ts'
import type { Key } from '../../storage/port.ts'
import { timeText } from './translate.ts'

/** Channels that tell no person. */
const SILENT: ReadonlySet<string> = new Set(['log', 'webhook'])

/** Events in the words of OpenCare; what has none is told under its own. */
const TYPES: Readonly<Record<string, string>> = {
  booked: 'created',
  rescheduled: 'updated',
  updated: 'updated',
  completed: 'updated',
  'no-show': 'updated',
  cancelled: 'cancelled',
  'reminder-24h': 'reminder',
  'reminder-1h': 'reminder',
}

/** Returns what was delivered to provider and patient, oldest first. */
export async function noticesOf(ctx: Context, key: Key): Promise<unknown[]> {
  const where: Node = {
    kind: 'and',
    nodes: [
      { kind: 'token', param: 'Communication.identifier', system: SYSTEM.messageAbout, code: key },
      { kind: 'token', param: 'Communication.status', code: 'completed' },
    ],
  }
  return (await findAll(ctx, planFor('Communication', where)))
    .map(resourceOf)
    .map(one => ({ one, at: instantOf(one.sent) ?? instantOf(one.received) }))
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
    .flatMap(({ one, at }) => noticeOf(ctx, one, at))
}

function noticeOf(ctx: Context, communication: Resource, at: number | undefined): unknown[] {
  const [to = ''] = keysIn(communication.recipient, ctx)
  const recipient = to.startsWith('Practitioner') ? 'provider' : 'patient'
  const event = codeIn(communication.category, SYSTEM.event)
  const method = codeIn(communication.medium, SYSTEM.channel)
  if (event === undefined || method === undefined || SILENT.has(method)) return []
  return [
    { type: Object.hasOwn(TYPES, event) ? TYPES[event] : event, recipient, method, sent_at: timeText(at) },
  ]
}

const keysIn = (references: Json | undefined, ctx: Context): string[] =>
  Array.isArray(references) ? references.flatMap(one => keysOf(one, ctx.settings.baseUrl)) : []

function codeIn(concepts: Json | undefined, system: string): string | undefined {
  const codings = (Array.isArray(concepts) ? concepts : [])
    .filter(isObject)
    .flatMap(concept => (Array.isArray(concept.coding) ? (concept.coding as JsonObject[]) : []))
  const code = codings.find(one => isObject(one) && one.system === system)?.code
  return typeof code === 'string' ? code : undefined
}
