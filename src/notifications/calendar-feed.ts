/** A calendar of the appointments of one person, for calendar programs that read it again and again. https://www.rfc-editor.org/rfc/rfc5545 */
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator'
import type { Context } from '../context.ts'
import { isObject, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects, text } from '../fhir/tree.ts'
import { plannedSearch } from '../interactions/search.ts'
import { EXTENSION } from '../scheduling/codes.ts'
import { extensionOf } from '../scheduling/hold.ts'
import { actorsOf, instantOf, keysOf } from '../search/busy.ts'
import type { Key, Live } from '../storage/port.ts'
import { PRODUCT, uidOf } from './invitation.ts'
import { nameOf } from './person.ts'
import { createReading, resourceOf } from './reading.ts'

const DAY = 86_400_000
/** Days before and after today that a feed shows, and the appointments of which it shows the first. */
const BEFORE = 30 * DAY
const AFTER = 400 * DAY
const MOST = 2000

/** States that a calendar shows; a cancelled one so that it goes away there. */
const SHOWN: ReadonlySet<string> = new Set(['booked', 'arrived', 'checked-in', 'fulfilled', 'cancelled'])

/** Returns the feed of a Patient or Practitioner as text; undefined where there is no such person. */
export async function calendarFeed(ctx: Context, key: Key): Promise<string | undefined> {
  const reading = createReading(ctx, [])
  const person = (await reading.load([key])).get(key)
  if (person === undefined) return undefined
  const actors = [key, ...(key.startsWith('Practitioner/') ? await rolesOf(ctx, key) : [])]
  const now = ctx.clock()
  const { plan } = await plannedSearch(
    ctx,
    'Appointment',
    [
      ['actor', actors.join(',')],
      ['date', `ge${new Date(now - BEFORE).toISOString()}`],
      ['date', `le${new Date(now + AFTER).toISOString()}`],
      ['_sort', 'date'],
    ],
    {},
  )
  const deadline = now + ctx.settings.limits.searchMs
  const page = await ctx.storage.search(plan, { limit: MOST, total: 'none', deadline })
  const rows = (page.rows as Live[]).map(row => ({ row, resource: resourceOf(row) }))
  const shown = rows.filter(({ resource }) => SHOWN.has(String(resource.status)))
  const { baseUrl } = ctx.settings
  const names = await reading.load(
    shown.flatMap(({ resource }) => actorsOf(resource).flatMap(actor => keysOf(actor, baseUrl))),
  )
  const calendar = ical({
    prodId: PRODUCT,
    method: ICalCalendarMethod.PUBLISH,
    name: nameOf(person, '') ?? 'Appointments',
  })
  for (const { row, resource } of shown) {
    const [start, end] = [instantOf(resource.start), instantOf(resource.end)]
    if (start === undefined || end === undefined || end < start) continue
    const other = key.startsWith('Patient/') ? /^Practitioner/ : /^Patient/
    const link = text(extensionOf(resource, EXTENSION.joinUrl)?.valueUrl)
    calendar.createEvent({
      id: uidOf(row.key),
      sequence: row.version - 1,
      stamp: new Date(row.at),
      start: new Date(start),
      end: new Date(end),
      summary: shownName(resource, other, names, baseUrl) || 'Appointment',
      location: shownName(resource, /^Location/, names, baseUrl) || null,
      status: resource.status === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
      ...(link === undefined ? {} : { url: link }),
    })
  }
  return calendar.toString()
}

async function rolesOf(ctx: Context, key: Key): Promise<string[]> {
  const { plan } = await plannedSearch(ctx, 'PractitionerRole', [['practitioner', key]], {})
  const page = await ctx.storage.search(plan, { limit: 20, total: 'none' })
  return page.rows.map(row => row.key)
}

function shownName(
  appointment: Resource,
  type: RegExp,
  names: ReadonlyMap<string, Resource>,
  baseUrl: string,
): string {
  const all = actorsOf(appointment).filter((actor): actor is JsonObject => isObject(actor))
  for (const actor of all) {
    const [key] = keysOf(actor, baseUrl)
    if (key === undefined || !type.test(key)) continue
    const name = nameOf(names.get(key), '') ?? text(actor.display)
    if (name !== undefined) return name
  }
  return (
    objects(all).flatMap(({ type: is, display }) =>
      type.test(String(is)) ? (text(display) ?? []) : [],
    )[0] ?? ''
  )
}
