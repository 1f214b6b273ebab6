/** Log lines to standard error, gathered for a moment: one write per line would cost more than a read by id does. */
import { writeSync } from 'node:fs'

/** Milliseconds and characters after which gathered lines are written. */
const WAIT_MS = 100
const FULL = 65_536

export interface LogWriter {
  write(line: string, urgent: boolean): void
  /** Writes what is gathered, at once; for the end of the process. */
  flush(): void
}

/** Returns a writer to the file descriptor `fd`. */
export function logWriter(fd: number): LogWriter {
  let gathered = ''
  let timer: NodeJS.Timeout | undefined

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    let rest = Buffer.from(gathered)
    gathered = ''
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch {
      // EAGAIN or EPIPE: whoever reads the log does not keep up or is gone. The server goes on without these lines.
    }
  }
  return {
    flush,
    write(line, urgent) {
      gathered += line
      if (urgent || gathered.length > FULL) flush()
      else timer ??= setTimeout(flush, WAIT_MS).unref()
    },
  }
}
