/**
 * An instance that delivers messages and writes what it is told on its input, a resource a line, until it ends itself at a named step:
 * without warning, as kill -9 does. Its options are an argument: CrashOptions as JSON. Dozens of them are started, so each loads only what
 * it comes to before its end.
 */
import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import { readConfig, settingsOf } from '../../src/config.ts'
import { systemContext } from '../../src/context.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import type { Channel } from '../../src/notifications/channel.ts'
import { type Handlers, type Step, startDispatch } from '../../src/notifications/dispatch.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'

/** The steps of a delivery, and the one behind them: it is recorded, but its job still stands in the outbox. */
export type End = Step | 'after-record'

export interface CrashOptions {
  path: string
  /** Where it ends; absent: it lives. */
  step?: End
  env: Record<string, string>
  leaseMs: number
  /** Milliseconds between two looks at the outbox. */
  lookMs: number
}

const { path, step: last, env, leaseMs, lookMs } = JSON.parse(process.argv[2]!) as CrashOptions
const at = (step: End): void => {
  if (step === last) process.kill(process.pid, 'SIGKILL')
}

const settings = settingsOf(readConfig(env), 8080)
const store = await openSqlite({ path, sync: 'normal', clock: Date.now, log: silent })
/** Keys of messages that left here. */
const sent = new Set<string>()
const storage: typeof store = {
  ...store,
  outbox: {
    ...store.outbox,
    done(id, fence) {
      if (sent.has(id.replace('message ', ''))) at('after-record')
      return store.outbox.done(id, fence)
    },
  },
}
const ctx = systemContext({ storage, settings, log: silent, version: 'test' })

async function openChannels(): Promise<Channel[]> {
  const { createSmtpChannel } = await import('../../src/cli/smtp-channel.ts')
  const { channelsOf } = await import('../../src/notifications/channels/configured.ts')
  const smtp = createSmtpChannel(settings.notifications.channels.mail, {
    timeoutMs: settings.messages.sendMs,
  })
  const channels = channelsOf(settings.notifications, { log: silent, clock: Date.now, smtp })
  return channels.map(channel => ({
    ...channel,
    async send(delivery, signal) {
      const outcome = await channel.send(delivery, signal)
      if (outcome.is === 'accepted') sent.add(delivery.key)
      return outcome
    },
  }))
}

/** Writes what stands on the input under all rules. */
async function write(): Promise<void> {
  const { update } = await import('../../src/interactions/update.ts')
  const { bookingRule } = await import('../../src/scheduling/booking-rule.ts')
  const { tokenRule } = await import('../../src/scheduling/token-rule.ts')
  const { createMessageRule } = await import('../../src/notifications/message-rule.ts')
  const media = [
    { name: 'email', reaches: 'email' },
    { name: 'sms', reaches: 'phone' },
  ] as const
  const rules = [bookingRule, tokenRule, createMessageRule(media)]
  const ruled = { ...ctx, rules, announce: () => at('after-commit') }
  createInterface({ input: process.stdin }).on('line', line => {
    const resource = parseJson(line) as Resource
    update(ruled, resource.resourceType, String(resource.id), resource).then(
      () => console.log('written'),
      error => console.log(`refused: ${error}`),
    )
  })
}

/** Does the work of the outbox, for ever. */
async function deliver(): Promise<void> {
  const handlers: Record<string, Handlers[string]> = {}
  if (last !== 'after-lease') {
    const { createDeliver } = await import('../../src/notifications/deliver.ts')
    handlers.message = createDeliver(await openChannels(), { random: Math.random, at })
  }
  console.log('ready')
  const owner = String(process.pid)
  const dispatcher = startDispatch(ctx, handlers, { owner, leaseMs, parallel: 16, at })
  setInterval(dispatcher.wake, lookMs)
}

if (last === undefined || last === 'after-commit') await write()
// What is killed leaves no compiled code behind for those that follow.
if (last === undefined) setTimeout(flushCompileCache, 500)
if (last === 'after-commit') console.log('ready')
else await deliver()
