/** What a log may say of an error. The messages of drivers quote what is stored, so of theirs only name and code are told. */

/** What the language and the program itself throw: their messages name code, not data. */
const OWN: ReadonlySet<string> = new Set(['Error', 'TypeError', 'ReferenceError', 'RangeError'])
const FRAME = /^ +at .+:\d+:\d+\)?$/gm
const MOST = 8000
const MOST_CAUSES = 5

/** Returns name and code of an error: `MongoServerError 11000`, `Error ECONNREFUSED`. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  const codes = [code, errcode].filter(one => typeof one === 'number' || typeof one === 'string')
  return [error.name, ...codes].join(' ').slice(0, 200)
}

/** Returns where an error was thrown and what caused it; with its message where it is no driver's. At most 5 causes and 8000 characters. */
export function faultOf(error: unknown, causes = MOST_CAUSES): string {
  if (!(error instanceof Error)) return nameOf(error)
  // A message may have lines that look like a place.
  const { stack = '', message } = error
  const at = stack.indexOf(message)
  const places = (at < 0 ? stack : stack.slice(at + message.length)).match(FRAME) ?? []
  const head = isOwn(error) ? `${error.name}: ${message.slice(0, 1000)}` : nameOf(error)
  const cause =
    error.cause === undefined || causes === 0 ? [] : [`caused by ${faultOf(error.cause, causes - 1)}`]
  return [head, ...places, ...cause].join('\n').slice(0, MOST)
}

const isOwn = (error: Error): boolean =>
  OWN.has(error.name) && nameOf(error) === error.name && !error.message.startsWith('D1_')
