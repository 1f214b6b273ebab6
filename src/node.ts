/** The server on Node: settings, storage, application, address; and an orderly end. */
import { getRequestListener } from '@hono/node-server'
import pkg from '../package.json' with { type: 'json' }
import { createApp } from './app.ts'
import { loadHarfbuzz } from './cli/harfbuzz.ts'
import { compress, listen, malformed, proxyTest, stop } from './cli/http-server.ts'
import { bringIndexUpToDate, keepIndexing } from './cli/index-update.ts'
import { logWriter } from './cli/log-writer.ts'
import { type Messages, messageWork, openMessages } from './cli/messages.ts'
import { addressesOf, clientAddress } from './cli/network.ts'
import { openStorage } from './cli/open-storage.ts'
import { processGauges } from './cli/process-gauges.ts'
import { banner, explain, explainAddress } from './cli/words.ts'
import { helpText } from './config/text.ts'
import { type Config, readConfig, SettingsError, settingsOf } from './config.ts'
import { unusableProfiles } from './conformance/profiles-in-force.ts'
import { systemContext } from './context.ts'
import { createMetrics } from './http/metrics.ts'
import { traceOf } from './http/on-error.ts'
import { faultOf } from './lib/fault.ts'
import { jsonLog } from './lib/json-log.ts'
import { createTurns } from './lib/turns.ts'

const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(helpText())
  process.exit(0)
}

/** Says why there is no server, and ends. */
function giveUp(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}

let config: Config
try {
  config = readConfig(process.env, args)
} catch (error) {
  if (!(error instanceof SettingsError)) throw error
  giveUp(error.problems.join('\n'))
}

const writer = logWriter(2)
const log = jsonLog(config.log, Date.now, writer.write)
process.on('exit', writer.flush)
// Whoever read the banner may be gone: `npm start | head -1`.
process.stdout.on('error', () => {})

let messages: Messages
try {
  messages = openMessages(config, log)
} catch (error) {
  giveUp((error as Error).message)
}
const work = messageWork(messages)

const storage = await openStorage(config, log).catch(error => giveUp(explain(error, config)))
const settings = settingsOf(config, config.port)
const start = {
  ...systemContext({ storage, settings, log, version: pkg.version }),
  harfbuzz: loadHarfbuzz,
  inTurn: createTurns(),
}
const indexed = await bringIndexUpToDate(start, config.baseUrl ?? '').catch(error =>
  giveUp(explain(error, config)),
)

let stopIndexing = async (): Promise<void> => {}
const server = await listen(config, port => {
  const ctx = { ...indexed, settings: settingsOf(config, port), announce: work.announce }
  const app = createApp({
    ctx,
    metrics: createMetrics(pkg.version),
    channels: messages.channels,
    templates: messages.templates,
    urlLimit: config.limits.url,
    compress,
    gauges: processGauges(),
    fromTrustedProxy: proxyTest(config.trustedProxies),
    addressOf: clientAddress(proxyTest(config.trustedProxies)),
    resolve: addressesOf,
  })
  stopIndexing = keepIndexing(ctx)
  work.start(ctx)
  console.log(banner(ctx, config, port))
  unusableProfiles(ctx).then(
    profiles => {
      if (profiles.length > 0) log.warn('writes are refused until these profiles are known', { profiles })
    },
    error => log.warn('profiles could not be looked up', { error: faultOf(error) }),
  )
  return getRequestListener(app.fetch, { errorHandler: malformed })
}).catch(async error => {
  await storage.close()
  giveUp(explainAddress(error, config) ?? traceOf(error))
})

let stoppingSince: number | undefined
async function end(signal: string): Promise<void> {
  const now = performance.now()
  if (stoppingSince !== undefined) {
    // A second Ctrl-C means: now. But of one Ctrl-C npm makes two signals at once.
    if (now - stoppingSince > 500) process.exit(1)
    return
  }
  stoppingSince = now
  log.info('stopping', { signal })
  await stop(server, config.stopMs)
  await work.stop(config.stopMs)
  await stopIndexing()
  await storage.close()
  writer.flush()
  process.exit(0)
}
process.on('SIGTERM', end)
process.on('SIGINT', end)

// An error that nobody caught leaves the process in a state that nobody knows: what is acknowledged is stored, so it ends at once.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, error => {
    log.error(event, { error: faultOf(error) })
    writer.flush()
    process.exit(1)
  })
