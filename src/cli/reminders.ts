/** `nadi reminders send`: reminders of the visits of the next hours, by hand. */
import { jobHandlers, underRules } from '../app.ts'
import { readConfig, SettingsError, settingsOf } from '../config.ts'
import { systemContext } from '../context.ts'
import { jsonLog } from '../lib/json-log.ts'
import { dispatch, dispatchOptions } from '../notifications/dispatch.ts'
import { remindWithin } from '../notifications/remind.ts'
import { bringIndexUpToDate } from './index-update.ts'
import { openMessages } from './messages.ts'
import { openStorage } from './open-storage.ts'
import { explain } from './words.ts'

const HELP = `Usage: npm run nadi -- reminders send --hours N [settings of the server]

Reminds the patients of all booked visits that begin within N hours (1 to 168) and were not reminded of yet, by the channels of the
settings, also while the server runs. None is reminded of twice: not by calling this again, and not by the server later.`

const MOST_HOURS = 168

/** Runs the command and returns the exit code: 0 where all were told, or are to be told by the outbox. */
export async function reminders(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  try {
    const { hours, rest } = hoursIn(args)
    const config = readConfig(env, rest)
    const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
    const messages = openMessages(config, log)
    const storage = await openStorage(config, log).catch(error => {
      throw new Error(explain(error, config))
    })
    try {
      const settings = settingsOf(config, config.port)
      const indexed = await bringIndexUpToDate(
        systemContext({ storage, settings, log, version: '' }),
        config.baseUrl ?? '',
      )
      const ctx = underRules(indexed, messages.channels, messages.templates)
      const count = await remindWithin(ctx, hours)
      const options = dispatchOptions(ctx)
      const handlers = jobHandlers(messages.channels)
      while ((await dispatch(ctx, handlers, options)).taken > 0);
      console.log(`Reminded of ${count} ${count === 1 ? 'visit' : 'visits'} in the next ${hours} hours.`)
    } finally {
      messages.close()
      await storage.close()
    }
    return 0
  } catch (error) {
    console.error(error instanceof SettingsError ? error.problems.join('\n') : (error as Error).message)
    return 1
  }
}

/** Returns the hours and what is left of the arguments. Throws Error with a sentence for what cannot be understood. */
function hoursIn([action, ...args]: readonly string[]): { hours: number; rest: string[] } {
  if (action !== 'send') throw new Error(HELP)
  const rest: string[] = []
  let hours = Number.NaN
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i]!.split(/=(.*)/s)
    if (name !== '--hours') rest.push(args[i]!)
    else {
      const value = inline ?? args[++i] ?? ''
      hours = /^\d{1,3}$/.test(value) ? Number(value) : Number.NaN
    }
  }
  if (!(hours >= 1 && hours <= MOST_HOURS)) throw new Error(`--hours is a number from 1 to ${MOST_HOURS}.`)
  return { hours, rest }
}
