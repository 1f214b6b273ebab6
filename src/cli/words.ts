/** What the server says to the person who starts it. */
import { storageName } from '../config/table.ts'
import { type Config, settingsOf } from '../config.ts'
import type { Context } from '../context.ts'

/** Returns the lines that announce a server which is ready; the first is for programs too. */
export function banner(ctx: Context, config: Config, port: number): string {
  const { baseUrl } = ctx.settings
  const local = settingsOf({ ...config, baseUrl: undefined }, port).baseUrl
  const listens = new URL(local).origin + new URL(baseUrl).pathname.replace(/\/$/, '')
  return [
    `Nadi ${ctx.version} listens on ${listens}`,
    ...(config.baseUrl === undefined ? [] : [`  known as   ${baseUrl}`]),
    `  storage    ${storageText(config)}`,
    `  validates  ${config.validate}; references: ${config.references}; dates without a zone: ${config.zone}`,
    '  samples    npm run load -- bundles/',
    `  look next  ${baseUrl}/metadata and docs/ (npm start -- --help lists the settings)`,
  ].join('\n')
}

const storageText = ({ storage, sync }: Config): string =>
  storage.kind === 'mongodb'
    ? `MongoDB ${storageName(storage.uri)}`
    : storage.path === ':memory:'
      ? 'SQLite in memory: everything is gone when the server stops'
      : `SQLite ${storage.path} (sync ${sync})`

/** Returns a sentence that says why the address cannot be had, and what can be done; undefined for any other error. */
export function explainAddress(error: unknown, config: Config): string | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException
  const address = `${config.host}:${config.port}`
  if (code === 'EADDRINUSE')
    return `${address} is in use: another server, perhaps another Nadi, listens there. Choose another port with --port.`
  if (code === 'EACCES' && syscall === 'listen')
    return `This user may not listen on ${address}: ports below 1024 are for the system. Choose another with --port.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${config.host} is no address of this machine. Use 127.0.0.1, ::1 or localhost.`
  return undefined
}

/** Returns a sentence that says why the storage cannot be used. */
export function explain(error: unknown, config: Config): string {
  const { message, cause } = error as Error
  const why = cause instanceof Error ? ` (${cause.message.split('\n')[0]})` : ''
  return `The storage ${storageText(config)} cannot be opened: ${message}${why}`
}
