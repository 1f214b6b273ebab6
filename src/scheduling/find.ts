/** Appointments that could be: the free slots of Schedules in a time, by who, what, where and for how much. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { codings } from '../fhir/tree.ts'
import { checkGranted } from '../interactions/identity.ts'
import { decimalKey } from '../lib/decimal.ts'
import { busyNode, instantOf, keysOf } from '../search/busy.ts'
import type { Node } from '../search/plan-node.ts'
import { idOf, type Key, type Live } from '../storage/port.ts'
import { openBook } from './book.ts'
import { overlap, planFor, resourceOf, takenWithin } from './calendar.ts'
import { feesOf } from './fee.ts'
import { type Candidate, schedulesFor, type Wanted } from './find-schedules.ts'
import type { Span } from './hours.ts'
import type { Quote } from './price.ts'
import { derivedStatus } from './slot-status.ts'

/** Slots that one question may find, and days that it may ask about. */
const MOST_SLOTS = 5000
export const MOST_DAYS = 92

/** What is looked for, beside `Wanted`; times are ms since 1970, `end` exclusive. */
export interface FindRequest extends Wanted, Span {
  /** Of the practitioner, the department or the Schedule; `system|code`, or a code of any system. */
  specialties: readonly string[]
  /** Service or kind of the appointment, written so too. */
  visitTypes: readonly string[]
  /** Those who have to be free themselves. */
  patients: readonly Key[]
  /** A decimal: what costs more, or has no price, is left out. */
  maxFee: string | undefined
}

export interface FreeSlot extends Span {
  key: Key
  slot: Resource
  candidate: Candidate
  /** Undefined where nothing says what it costs. */
  fee: Quote | undefined
}

/**
 * Returns the slots that can be booked at this moment, by their start and then by the order in which practitioners are wanted. What has
 * begun is past; what only a hold that has run out still marks as taken is free.
 *
 * Throws as a search does; `too-costly` (400) where too much comes into question.
 */
export async function freeSlots(ctx: Context, request: FindRequest): Promise<FreeSlot[]> {
  checkGranted(ctx, 'read', 'Slot')
  const start = Math.max(request.start, ctx.clock())
  if (request.end <= start) return []
  const found = await schedulesFor(ctx, request)
  const fees = await feesOf(
    ctx,
    found.map(({ schedule, resources }) => [schedule, ...resources]),
  )
  const most = request.maxFee === undefined ? undefined : decimalKey(request.maxFee)
  const priced = found
    .map((candidate, i) => ({ candidate, fee: fees[i] }))
    .filter(({ candidate, fee }) => {
      const isOffered = candidate.resources.every(
        ({ active, status }) => active !== false && status !== 'inactive',
      )
      return isOffered && (most === undefined || (fee !== undefined && decimalKey(fee.price.value) <= most))
    })
  const slots = await slotsOf(ctx, priced, { start, end: request.end })
  const asked = slots.filter(
    one => isOf(one, request.specialties, SPECIALTY) && isOf(one, request.visitTypes, VISIT_TYPE),
  )
  const open = await stillOpen(ctx, asked)
  const taken = await takenWithin(ctx, request.patients, start, request.end)
  return open
    .filter(one => !taken.some(other => overlap(one, other)))
    .sort(
      (a, b) =>
        a.start - b.start ||
        a.candidate.rank - b.candidate.rank ||
        (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    )
}

type Priced = Pick<FreeSlot, 'candidate' | 'fee'>

/** Schedules of one search. */
const AT_ONCE = 50

async function slotsOf(ctx: Context, priced: readonly Priced[], { start, end }: Span): Promise<FreeSlot[]> {
  const by = new Map(priced.map(one => [one.candidate.key, one]))
  const keys = [...by.keys()]
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const found: FreeSlot[] = []
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const plan = planFor('Slot', offeredBy(keys.slice(at, at + AT_ONCE), start, end))
    const limit = MOST_SLOTS - found.length + 1
    const page = await ctx.storage.search(plan, { limit, total: 'none', deadline })
    for (const row of page.rows as Live[]) {
      const slot = resourceOf(row)
      const own = by.get(keysOf(slot.schedule, ctx.settings.baseUrl)[0] as Key)
      const from = instantOf(slot.start)
      const to = instantOf(slot.end)
      if (own === undefined || from === undefined || to === undefined) continue
      if (from >= start && to <= end && to > from)
        found.push({ ...own, key: row.key, slot, start: from, end: to })
    }
    if (page.more || found.length > MOST_SLOTS)
      throw fhirError('too-costly', `More than ${MOST_SLOTS} slots come into question: ask for fewer days.`, {
        status: 400,
        expression: 'http.end',
      })
  }
  return found
}

/** Schedules times days up to which slots are looked up by both; beyond, the Schedules and the time narrow the search each for itself. */
const MARKS = 32
const DAY = 86_400_000

/** The booking rule keeps the status in step with what is booked; only a hold that runs out leaves it as it was. */
function offeredBy(schedules: readonly Key[], start: number, end: number): Node {
  const bounds = [
    { end: 'lo', op: '>=', value: start },
    { end: 'lo', op: '<', value: end },
  ] as const
  const named = schedules.map(
    (key): Node => ({ kind: 'reference', param: 'Slot.schedule', type: 'Schedule', id: idOf(key) }),
  )
  const isNarrow = schedules.length * ((end - start) / DAY + 2) <= MARKS
  return {
    kind: 'and',
    nodes: [
      isNarrow ? busyNode(schedules, start, end) : { kind: 'or', nodes: named },
      { kind: 'date', param: 'Slot.start', bounds },
      {
        kind: 'or',
        nodes: ['free', TENTATIVE].map((code): Node => ({ kind: 'token', param: 'Slot.status', code })),
      },
    ],
  }
}

const TENTATIVE = 'busy-tentative'

/** Slots whose appointments are read at once. */
const SLOTS = 50

/** Returns those that are free, and those whose holds have run out. */
async function stillOpen(ctx: Context, slots: readonly FreeSlot[]): Promise<FreeSlot[]> {
  const doubtful = slots.filter(one => one.slot.status === TENTATIVE)
  const taken = new Set<Key>()
  for (let at = 0; at < doubtful.length; at += SLOTS) {
    const part = doubtful.slice(at, at + SLOTS)
    const stretches = part.map(({ key }) => ({
      actors: [],
      slots: [key],
      start: Number.POSITIVE_INFINITY,
      end: Number.NEGATIVE_INFINITY,
    }))
    const book = await openBook(ctx, stretches, new Map())
    const all = [...book.taken.values()]
    for (const { key } of part) {
      const place = book.places.get(key)
      if (place === undefined || derivedStatus(book, place, all, ctx.clock()) !== 'free') taken.add(key)
    }
  }
  return slots.filter(one => !taken.has(one.key))
}

/** Where a code may stand: the slot's own say wins over its Schedule's, and both over those of the actors. */
interface Said {
  own: readonly string[]
  /** The one of these that, where it is said, leaves the actors no say. */
  deciding: string
  ofActors: readonly string[]
}

const SPECIALTY: Said = { own: ['specialty'], deciding: 'specialty', ofActors: ['specialty'] }
const VISIT_TYPE: Said = {
  own: ['serviceType', 'appointmentType', 'serviceCategory'],
  deciding: 'serviceType',
  ofActors: ['type'],
}

function isOf(
  { slot, candidate }: FreeSlot,
  tokens: readonly string[],
  { own, deciding, ofActors }: Said,
): boolean {
  if (tokens.length === 0) return true
  const isAsked = (coding: JsonObject): boolean => tokens.some(token => isCode(coding, token))
  const saidAs = (name: string): JsonObject[] => codings(slot[name] ?? candidate.schedule[name])
  if (own.flatMap(saidAs).some(isAsked)) return true
  if (saidAs(deciding).length > 0) return false
  const others = candidate.resources.filter(one => one.resourceType !== 'Location')
  return ofActors.flatMap(name => others.flatMap(one => codings(one[name]))).some(isAsked)
}

/** https://hl7.org/fhir/R4/search.html#token */
function isCode({ system, code }: JsonObject, token: string): boolean {
  const bar = token.lastIndexOf('|')
  if (bar < 0) return code === token
  const asked = token.slice(0, bar)
  return (asked === '' ? system === undefined : system === asked) && code === token.slice(bar + 1)
}
