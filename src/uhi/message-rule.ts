/** What follows when something happens to an order, by whichever door: the app is told, and what is cancelled unpaid is owed no more. */
import type { Context, Pending, Put, Ruling, WriteRule } from '../context.ts'
import type { Resource } from '../fhir/json.ts'
import { liveResources } from '../scheduling/live-resources.ts'
import { keysOf, LIVE } from '../search/busy.ts'
import type { Job, Key } from '../storage/port.ts'
import type { Admitted } from './admit.ts'
import { chatFrom, isChat, partiesOf } from './chat.ts'
import { UHI } from './codes.ts'
import { isAgreed } from './confirmed.ts'
import { identifierOf, objects } from './elements.ts'
import { orderFrom, slotIn, stateOf } from './from-fhir.ts'
import { callback, tellOrder } from './job.ts'
import { addresseeOf, graphOfStored, isOrder } from './load-order.ts'
import { notOwed } from './not-owed.ts'
import { selfOf } from './self.ts'

/** Comes after the rules that add to appointments: what they add is told too. */
export const uhiMessageRule: WriteRule = {
  types: new Set(['Appointment', 'Communication']),
  judge: (ctx, pending) => judge(ctx, pending),
}

/** Returns the rule for what a message of an app commits: its callback has the id of the message. */
export const answering = ({ context }: Admitted): WriteRule => ({
  ...uhiMessageRule,
  judge: (ctx, pending) => judge(ctx, pending, context),
})

async function judge(
  ctx: Context,
  pending: readonly Pending[],
  asked?: Admitted['context'],
): Promise<Ruling> {
  const self = selfOf(ctx.settings)
  if (self === undefined) return {}
  const outbox: Job[] = []
  const puts: Put[] = []
  for (const one of pending) {
    const { key, before } = one
    const after = one.after ?? deleted(key, before)
    if (after === undefined) continue
    if (key.startsWith('Communication/')) {
      if (before === undefined && isChat(after)) outbox.push(...(await chatJobs(ctx, after)))
      continue
    }
    if (!isOrder(after)) continue
    if (before !== undefined && !isOff(before) && isOff(after))
      puts.push(...(await notOwed(ctx, after, pending)))
    const action = actionFor(before, after)
    if (action !== undefined) {
      const graph = await graphOfStored(ctx, key, after, pending)
      const to = addresseeOf(ctx, after)
      // What was agreed to before it was paid is still answered.
      const confirming = action === 'on_confirm' ? identifierOf(after, UHI.confirm) : undefined
      const messageId = action === `on_${asked?.action}` ? asked?.messageId : confirming
      outbox.push(...tellOrder(ctx, self, action, { ...to, messageId }, orderFrom(graph, '')))
    }
  }
  return { outbox, puts }
}

/** Returns what the app is told of an order that is deleted before it is over: it is cancelled. */
const deleted = (key: Key, before: Resource | undefined): Resource | undefined =>
  key.startsWith('Appointment/') && isOrder(before) && LIVE.has(String(before.status))
    ? { ...before, status: 'cancelled' }
    : undefined

/** Whether a visit will not be, through no fault of the patient or with notice: terms of refund are about these. */
const isOff = (appointment: Resource): boolean =>
  appointment.status === 'cancelled' || stateOf(appointment) === 'DOCTOR_NO_SHOW'

/** Returns the action that tells of a change, undefined where there is nothing to tell. */
function actionFor(before: Resource | undefined, after: Resource): string | undefined {
  const is = stateOf(after)
  if (before === undefined)
    return is === undefined ? 'on_init' : is === 'CONFIRMED' ? 'on_confirm' : undefined
  const was = stateOf(before)
  if (was === is) return is === 'CONFIRMED' && isMoved(before, after) ? 'on_update' : undefined
  if (is === 'CANCELLED') return 'on_cancel'
  if (is === 'FAILED') return isAgreed(after) ? 'on_confirm' : undefined
  // The app itself has said so.
  if (is === 'DOCTOR_NO_SHOW') return undefined
  if (is === 'CONFIRMED' && was === undefined) return 'on_confirm'
  return is === undefined ? undefined : 'on_update'
}

const isMoved = (before: Resource, after: Resource): boolean =>
  before.start !== after.start || before.end !== after.end || slotIn(before) !== slotIn(after)

/** Returns what tells the app of a chat that a practitioner has written. */
async function chatJobs(ctx: Context, communication: Resource): Promise<Job[]> {
  const self = selfOf(ctx.settings)
  const { sender, receiver } = partiesOf(communication)
  if (self === undefined || !sender?.startsWith('Practitioner/') || !receiver?.startsWith('Patient/'))
    return []
  const about = objects(communication.about).flatMap(one => keysOf(one, ctx.settings.baseUrl) as Key[])
  const found = await liveResources(ctx, [...about, sender as Key, receiver as Key])
  const appointment = about.map(key => found.get(key)).find(isOrder)
  const [from, to] = [found.get(sender as Key), found.get(receiver as Key)]
  if (appointment === undefined || from === undefined || to === undefined) return []
  const chat = chatFrom(communication, from, to)
  return [callback(ctx, self, 'on_message', addresseeOf(ctx, appointment), { message: { intent: { chat } } })]
}
