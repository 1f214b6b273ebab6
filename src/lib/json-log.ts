/** Log lines as JSON, one object a line. */

import type { Log } from './log.ts'

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/**
 * Returns a log that hands whole lines, with their line feed, to `write`; `urgent` is true for warnings and errors, which must not wait
 * in a buffer. `clock` gives ms since 1970; times are written in UTC.
 */
export function jsonLog(
  least: (typeof LEVELS)[number],
  clock: () => number,
  write: (line: string, urgent: boolean) => void,
): Log {
  const line = (
    level: string,
    message: string,
    fields: Record<string, unknown> | undefined,
    urgent: boolean,
  ) =>
    write(`${JSON.stringify({ time: new Date(clock()).toISOString(), level, message, ...fields })}\n`, urgent)
  const from = (level: (typeof LEVELS)[number], urgent: boolean): Log['info'] =>
    LEVELS.indexOf(level) < LEVELS.indexOf(least)
      ? () => {}
      : (message, fields) => line(level, message, fields, urgent)
  return {
    debug: from('debug', false),
    info: from('info', false),
    warn: from('warn', true),
    error: from('error', true),
  }
}
