/** Messages on Node: the channels and templates that the settings name, and the work that goes on while the server runs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scheduleJob } from 'node-schedule'
import { jobHandlers, underRules } from '../app.ts'
import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { faultOf } from '../lib/fault.ts'
import type { Log } from '../lib/log.ts'
import type { Channel } from '../notifications/channel.ts'
import { channelsOf } from '../notifications/channels/configured.ts'
import {
  type Dispatcher,
  type DispatchOptions,
  dispatchOptions,
  type Step,
  startDispatch,
} from '../notifications/dispatch.ts'
import type { Templates } from '../notifications/template.ts'
import { TEMPLATES, withFiles } from '../notifications/templates.ts'
import { tick } from '../notifications/tick.ts'
import { addressesOf } from './network.ts'
import { createSmtpChannel } from './smtp-channel.ts'

export interface Messages {
  channels: readonly Channel[]
  templates: Templates
  /** Ends what the channels keep open. */
  close(): void
}

/** Returns the channels and templates. Throws Error with a sentence for each bad template, and for a folder that cannot be read. */
export function openMessages({ notifications, messages }: Config, log: Log): Messages {
  const { mail } = notifications.channels
  const smtp = mail.by === 'smtp' ? createSmtpChannel(mail, { timeoutMs: messages.sendMs }) : undefined
  return {
    channels: channelsOf(notifications, { log, clock: Date.now, ...(smtp === undefined ? {} : { smtp }) }),
    templates:
      messages.templates === undefined ? TEMPLATES : withFiles(TEMPLATES, templateFiles(messages.templates)),
    close: () => smtp?.close(),
  }
}

function templateFiles(folder: string): { name: string; text: string }[] {
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .sort()
      .map(name => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  } catch (error) {
    throw new Error(
      `NADI_TEMPLATES: ${folder} cannot be read (${(error as { code?: string }).code ?? 'unknown'}).`,
    )
  }
}

/** Returns how this process takes jobs; a test may have shorter leases. */
function optionsOf(ctx: Context): DispatchOptions {
  const leaseMs = Number(process.env.NADI_TEST_LEASE_MS)
  return {
    ...dispatchOptions(ctx),
    ...(leaseMs > 0 ? { leaseMs } : {}),
    ...(crash === undefined ? {} : { at: crash }),
  }
}

/** Ends the process at the step that a test names, without a word and without cleaning up. */
const crashAt = process.env.NADI_TEST_CRASH
const crash =
  crashAt === undefined
    ? undefined
    : (step: Step): void => {
        if (step === crashAt) process.kill(process.pid, 'SIGKILL')
      }

export interface MessageWork {
  /** Says that a commit has left work. */
  announce(): void
  /** Begins to tick and to dispatch. */
  start(ctx: Context): void
  /** Returns after what is at hand is done, or after so many milliseconds: what is cut off is sent again later, under the same key. */
  stop(ms: number): Promise<void>
}

/** Every minute. */
const TICK = process.env.NADI_TEST_TICK ?? '0 * * * * *'

/** Returns the work of messages on this server, which begins with `start`. */
export function messageWork({ channels, templates, close }: Messages): MessageWork {
  let dispatcher: Dispatcher | undefined
  let ticking: Promise<void> | undefined
  let scheduled: ReturnType<typeof scheduleJob> | undefined
  return {
    announce() {
      crash?.('after-commit')
      dispatcher?.wake()
    },
    start(bare) {
      const ctx = underRules(bare, channels, templates)
      const deliver = { random: Math.random, ...(crash === undefined ? {} : { at: crash }) }
      dispatcher = startDispatch(ctx, jobHandlers(channels, deliver, addressesOf), optionsOf(ctx))
      const onTick = (): void => {
        // A slow tick is not overtaken by the next.
        ticking ??= tick(ctx, ctx.clock())
          .then(
            () => {},
            error => ctx.log.warn('what is due could not be done', { error: faultOf(error) }),
          )
          .finally(() => {
            ticking = undefined
          })
      }
      scheduled = scheduleJob(TICK, onTick)
      // After a time in which nothing ran, much may be due.
      onTick()
    },
    async stop(ms) {
      scheduled?.cancel()
      const atHand = Promise.all([ticking, dispatcher?.stop()])
      await Promise.race([atHand, new Promise(resolve => setTimeout(resolve, ms))])
      close()
    },
  }
}
