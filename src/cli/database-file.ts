/** What backup and restore have in common: a file named by the person, and the SQLite file of the settings. */
import { resolve } from 'node:path'
import { type Config, readConfig, SettingsError } from '../config.ts'
import type { Progress } from '../storage/sqlite/node-backup.ts'

export interface FileCommand {
  help: string
  /** Flags without a value that the command knows. */
  flags: readonly string[]
  run(given: {
    file: string
    database: string
    config: Config
    flags: ReadonlySet<string>
    onProgress: Progress
  }): Promise<string>
}

/** Runs the command on `FILE [--storage sqlite:FILE]`, prints what it returns, and returns the exit code. */
export async function runFileCommand(
  command: FileCommand,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  if (args.includes('--help')) {
    console.log(command.help)
    return 0
  }
  try {
    const flags = new Set(command.flags.filter(flag => args.includes(flag)))
    const [file, ...settings] = args.filter(arg => !command.flags.includes(arg))
    if (file === undefined || file.startsWith('-')) throw new Error(command.help)
    const config = readConfig(env, settings)
    const { storage } = config
    if (storage.kind !== 'sqlite')
      throw new Error(
        'This command is for SQLite. MongoDB has its own tools: mongodump and mongorestore (docs/storage.md).',
      )
    if (storage.path === ':memory:') throw new Error('A database in memory has no file.')
    // npm runs scripts in the package's folder and keeps in INIT_CWD where the person stands.
    const path = resolve(env.INIT_CWD ?? '.', file)
    console.log(
      await command.run({
        file: path,
        database: storage.path,
        config,
        flags,
        onProgress: progressOn(process.stderr),
      }),
    )
    return 0
  } catch (error) {
    console.error(error instanceof SettingsError ? error.problems.join('\n') : (error as Error).message)
    return 1
  }
}

/** Returns a display of per cent on a terminal; elsewhere nothing is shown. */
function progressOn(out: NodeJS.WriteStream): Progress {
  return (done, of) => {
    if (out.isTTY) out.write(done < of ? `\r${Math.floor((100 * done) / of)}%` : '\r\x1b[K')
  }
}
