#!/usr/bin/env node
/** `nadi`: the commands beside the server itself. */
const HELP = `Usage: npm run nadi -- COMMAND

  load FILE|DIR...     Load Bundles and NDJSON into a running server (also: npm run load -- FILE|DIR...).
  backup FILE          Copy the SQLite database into FILE, also while the server runs.
  restore FILE         Put the database of a backup in place; the server must be stopped.
  migrate              Bring the storage's schema and index up to date, as the server does when it starts.
  package ACTION       Install, list and remove FHIR packages (implementation guides) of a running server.
  terminology ACTION   Load, list and remove releases of SNOMED CT, LOINC and ICD-10, also while the server runs.
  ids                  Print the integer ids of the OpenCare API with the resources that they stand for, or assign them.
  reminders send       Remind patients of the visits of the next hours, by hand.
  dev-worker           Run the server on workerd with a local D1 database (also: npm run dev:worker).

backup, restore, migrate, ids and terminology read NADI_STORAGE, or take --storage sqlite:FILE. Each command has --help.`

const [command, ...args] = process.argv.slice(2)
process.exitCode = await run()

async function run(): Promise<number> {
  switch (command) {
    case 'load':
      return (await import('./cli/load.ts')).load(args, process.env)
    case 'backup':
      return (await import('./cli/backup.ts')).backup(args, process.env)
    case 'restore':
      return (await import('./cli/restore.ts')).restore(args, process.env)
    case 'migrate':
      return (await import('./cli/migrate.ts')).migrate(args, process.env)
    case 'package':
      return (await import('./cli/package.ts')).packages(args, process.env)
    case 'terminology':
      return (await import('./cli/terminology.ts')).terminology(args, process.env)
    case 'ids':
      return (await import('./cli/ids.ts')).ids(args, process.env)
    case 'reminders':
      return (await import('./cli/reminders.ts')).reminders(args, process.env)
    case 'dev-worker':
      return (await import('./cli/dev-worker.ts')).devWorker(args, process.env)
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      console.log(HELP)
      return command === undefined ? 1 : 0
    default:
      console.error(`${command} is not a command of nadi.\n\n${HELP}`)
      return 1
  }
}
