/** `nadi ids`: the integer ids that clients of `/api/v1` know resources by. */
import { readConfig, SettingsError, settingsOf } from '../config.ts'
import { type Context, systemContext } from '../context.ts'
import { KINDS, type Kind, systemOf } from '../facades/opencare/codes.ts'
import { shownNode } from '../facades/opencare/list.ts'
import { seriesOf } from '../facades/opencare/numbers.ts'
import { numberEvery, numbersOf } from '../interactions/numbering.ts'
import { jsonLog } from '../lib/json-log.ts'
import { bringIndexUpToDate } from './index-update.ts'
import { openStorage } from './open-storage.ts'
import { explain } from './words.ts'

const HELP = `Usage: npm run nadi -- ids [appointment] [patient] [provider] [facility] [--assign] [--storage sqlite:FILE|mongodb://...]

Prints the integer ids of the OpenCare API with their systems and FHIR references, parted by tabs, smallest first; of all kinds where none is named.

  --assign   First gives an id to every resource of these kinds that has none; those that are shown by the API get theirs by themselves.
             The settings that the index depends on (NADI_ZONE, NADI_REFERENCES, NADI_BASE_URL) must be those of the server, which may run.`

/** Runs the command and returns the exit code. */
export async function ids(args: readonly string[], env: Record<string, string | undefined>): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP)
    return 0
  }
  try {
    const { kinds, assign, settings } = askedOf(args)
    const config = readConfig(env, settings)
    if (config.storage.kind === 'sqlite' && config.storage.path === ':memory:')
      throw new Error('A database in memory ends with this command: name a file with --storage sqlite:FILE.')
    const log = jsonLog(config.log, Date.now, line => process.stderr.write(line))
    const storage = await openStorage(config, log, { mapped: false }).catch(error => {
      throw new Error(explain(error, config))
    })
    try {
      const ctx = systemContext({ storage, settings: settingsOf(config, config.port), log, version: '' })
      if (assign) await assignAll(await bringIndexUpToDate(ctx, config.baseUrl ?? ''), kinds)
      for (const line of await linesOf(ctx, kinds)) console.log(line)
    } finally {
      await storage.close()
    }
    return 0
  } catch (error) {
    console.error(error instanceof SettingsError ? error.problems.join('\n') : (error as Error).message)
    return 1
  }
}

interface Asked {
  kinds: readonly Kind[]
  assign: boolean
  settings: string[]
}

function askedOf(args: readonly string[]): Asked {
  const kinds: Kind[] = []
  const settings: string[] = []
  let assign = false
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--assign') assign = true
    else if (word.startsWith('-')) settings.push(word.includes('=') ? word : `${word}=${args[++i] ?? ''}`)
    else if (KINDS.includes(word as Kind)) kinds.push(word as Kind)
    else throw new Error(`${word} is none of ${KINDS.join(', ')}.\n\n${HELP}`)
  }
  return { kinds: kinds.length === 0 ? KINDS : kinds, assign, settings }
}

async function assignAll(ctx: Context, kinds: readonly Kind[]): Promise<void> {
  for (const kind of kinds) {
    const count = await numberEvery(
      ctx,
      seriesOf(kind),
      kind === 'appointment' ? shownNode : { kind: 'and', nodes: [] },
    )
    if (count > 0) console.error(`${count} got an id of ${systemOf(kind)}.`)
  }
}

async function linesOf(ctx: Context, kinds: readonly Kind[]): Promise<string[]> {
  const lines: string[] = []
  for (const kind of kinds) {
    const found: [number, string][] = []
    for await (const one of numbersOf(ctx, seriesOf(kind))) found.push(one)
    found.sort(([a], [b]) => a - b)
    lines.push(...found.map(([number, key]) => `${number}\t${systemOf(kind)}\t${key}`))
  }
  return lines
}
