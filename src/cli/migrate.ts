/** `nadi migrate`: schema and index to this version's, as the server does when it starts. */
import { readConfig, SettingsError, settingsOf } from '../config.ts'
import { systemContext } from '../context.ts'
import { jsonLog } from '../lib/json-log.ts'
import { bringIndexUpToDate, finishIndexing } from './index-update.ts'
import { openStorage } from './open-storage.ts'
import { explain } from './words.ts'

const HELP = `Usage: npm run nadi -- migrate [--storage sqlite:FILE|mongodb://...] [other settings of the server]

Brings the schema and the search index up to date, custom search parameters included, so that the next start of the server need not. The settings that the index depends
on (NADI_ZONE, NADI_REFERENCES, NADI_BASE_URL) must be those of the server.`

/** Runs the command and returns the exit code. */
export async function migrate(
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  try {
    const config = readConfig(env, args)
    const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
    const storage = await openStorage(config, log).catch(error => {
      throw new Error(explain(error, config))
    })
    const settings = settingsOf(config, config.port)
    const ctx = systemContext({ storage, settings, log, version: '' })
    const indexed = await bringIndexUpToDate(ctx, config.baseUrl ?? '')
    await finishIndexing(indexed)
    const { epoch } = indexed.live.registry()
    await storage.close()
    console.log(`Schema and index are up to date (index epoch ${epoch}).`)
    return 0
  } catch (error) {
    console.error(error instanceof SettingsError ? error.problems.join('\n') : (error as Error).message)
    return 1
  }
}
