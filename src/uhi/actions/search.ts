/** search: doctors through the gateway, slots from one app to us. The answer is on_search. */
import type { Context } from '../../context.ts'
import { search as searchInteraction } from '../../interactions/search.ts'
import { resourceOf } from '../../scheduling/calendar.ts'
import type { Action } from '../act.ts'
import { needed } from '../act.ts'
import { catalogOf, isMeant } from '../catalog.ts'
import { UhiError } from '../error.ts'
import { callback } from '../job.ts'
import { type Doctor, doctorOf, freeSlots, isOnlineSlot, type Offer } from '../offers.ts'
import { isDone, leave } from '../once.ts'
import { INTENT, type Intent } from '../order.ts'
import { readShape } from '../shape.ts'
import { millisOf } from '../time.ts'

const DAY = 86_400_000
/** Days that one search may look ahead. */
const MOST_DAYS = 62
const MOST_SCHEDULES = 200
const MOST_OFFERS = 300

export const search: Action = async act => {
  const { ctx, self, admitted } = act
  const intent = needed(readShape(admitted.message.intent, INTENT, '/message/intent'), '/message/intent')
  const window = windowOf(ctx, intent)
  if (await isDone(ctx, admitted)) return
  const offers = await offersFor(ctx, intent, window, admitted.byGateway)
  const message = { catalog: catalogOf(ctx.settings.uhi.name, offers) }
  const to = admitted.context
  await leave(ctx, admitted, [callback(ctx, self, 'on_search', to, { message }, admitted.byGateway)])
}

function windowOf(ctx: Context, { fulfillment }: Intent): { start: number; end: number } {
  const path = '/message/intent/fulfillment'
  const at = (name: 'start' | 'end') =>
    millisOf(needed(fulfillment?.[name]?.time?.timestamp, `${path}/${name}/time/timestamp`))!
  needed(fulfillment?.type, `${path}/type`)
  const start = Math.max(at('start'), ctx.clock())
  const end = at('end')
  if (end - start > MOST_DAYS * DAY)
    throw new UhiError('UHI-1404', `${path}/end`, `A SEARCH LOOKS AT MOST ${MOST_DAYS} DAYS AHEAD`)
  return { start, end }
}

/** The first search names each doctor with the next free slot, the second all slots of the doctor. */
async function offersFor(
  ctx: Context,
  intent: Intent,
  { start, end }: { start: number; end: number },
  isFirst: boolean,
): Promise<Offer[]> {
  if (end <= start) return []
  const online = intent.fulfillment?.type === 'Online'
  const offers: Offer[] = []
  for (const doctor of await doctors(ctx)) {
    if (!isMeant(doctor, intent)) continue
    const slots = await freeSlots(ctx, doctor.schedule, start, end, MOST_OFFERS)
    const own = slots
      .filter(slot => isOnlineSlot(slot, doctor.schedule) === online)
      .map(slot => ({ ...doctor, slot, online }))
    offers.push(...(isFirst ? own.slice(0, 1) : own))
    if (offers.length >= MOST_OFFERS) break
  }
  return offers.slice(0, MOST_OFFERS)
}

async function doctors(ctx: Context): Promise<Doctor[]> {
  const { rows } = await searchInteraction(ctx, 'Schedule', [
    ['active:not', 'false'],
    ['_count', String(Math.min(MOST_SCHEDULES, ctx.settings.limits.pageMax))],
  ])
  const found: Doctor[] = []
  for (const row of rows) {
    const doctor = await doctorOf(ctx, resourceOf(row))
    if (doctor !== undefined) found.push(doctor)
  }
  return found
}
