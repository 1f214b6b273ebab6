/** `$calendar-feed`, an operation of this server: the private address of a calendar of appointments, and a new one in its place. */
import { type Resource, writeJson } from '../fhir/json.ts'
import { read } from '../interactions/read.ts'
import { FEEDS, feedAddress, revokeFeed } from '../scheduling/feed-address.ts'
import { keyOf } from '../storage/port.ts'
import { type Operation, textOf } from './operation.ts'

export const calendarFeed: Operation = {
  name: 'calendar-feed',
  definition: 'urn:nadi:operation:calendar-feed',
  types: FEEDS,
  levels: ['instance'],
  affectsState: true,
  parameters: [{ name: 'renew', type: 'boolean', min: 0, max: 1 }],
  async run(ctx, call) {
    await read(ctx, call.type, call.id)
    const key = keyOf(call.type, call.id)
    if (textOf(call, 'renew') === 'true') await revokeFeed(ctx, key)
    const answer: Resource = {
      resourceType: 'Parameters',
      parameter: [{ name: 'return', valueUrl: await feedAddress(ctx, key) }],
    }
    return { text: writeJson(answer) }
  },
}
