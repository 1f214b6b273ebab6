/** The whole server on a real address with a store in memory; its clock is the test's, and its scheduler ticks when that is moved. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createApp, jobHandlers, underRules } from '../../src/app.ts'
import { createSmtpChannel } from '../../src/cli/smtp-channel.ts'
import { readConfig, settingsOf } from '../../src/config.ts'
import { systemContext } from '../../src/context.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { jsonLog } from '../../src/lib/json-log.ts'
import { channelsOf } from '../../src/notifications/channels/configured.ts'
import { dispatch, dispatchOptions } from '../../src/notifications/dispatch.ts'
import { tick } from '../../src/notifications/tick.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'

export interface StoryServer {
  base: string
  /** All that it has logged so far. */
  logged(): string
  /** Delivers what commits have left. */
  deliver(): Promise<void>
  /** Moves the clock to an instant, and does then what is due. */
  at(instant: string): Promise<void>
  close(): Promise<void>
}

/** Starts it with these settings, at an instant. */
export async function startStory(env: Record<string, string>, start: string): Promise<StoryServer> {
  let now = Date.parse(start)
  const clock = () => now
  let lines = ''
  const log = jsonLog('debug', clock, line => {
    lines += line
  })
  const config = readConfig(env)
  const storage = await openSqlite({ path: ':memory:', sync: 'normal', clock, log })
  const http = createServer()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const settings = settingsOf(config, (http.address() as AddressInfo).port)
  const smtp = createSmtpChannel(settings.notifications.channels.mail, { timeoutMs: 2000 })
  const channels = channelsOf(settings.notifications, { log, clock, smtp })
  let ids = 0
  const ctx = {
    ...systemContext({ storage, settings, log, version: '0.0.0' }),
    clock,
    newId: () => `id-${++ids}`,
  }
  const app = createApp({ ctx, metrics: createMetrics('0.0.0'), urlLimit: config.limits.url, channels })
  http.on('request', getRequestListener(app.fetch))
  const ruled = underRules(ctx, channels)
  const deliver = async (): Promise<void> => {
    const handlers = jobHandlers(channels, { random: () => 0 })
    while ((await dispatch(ruled, handlers, dispatchOptions(ruled))).taken > 0);
  }
  return {
    base: settings.baseUrl,
    logged: () => lines,
    deliver,
    async at(instant) {
      now = Date.parse(instant)
      await tick(ruled, now)
      await deliver()
    },
    async close() {
      smtp.close()
      http.closeAllConnections()
      http.close()
      await storage.close()
    },
  }
}
