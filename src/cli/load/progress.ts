/** How far the load is: a bar on a terminal, a line every few seconds elsewhere. */

export interface Progress {
  /** How much is done, of the total (bytes of files read); resources stored so far. */
  update(bytes: number, stored: number): void
  end(): void
}

const BAR = 30
const TERMINAL_MS = 100
const LINES_MS = 5000

/** Returns a progress display on `out`; `clock` gives ms, `what` is what is stored. */
export function createProgress(
  out: NodeJS.WriteStream,
  total: number,
  clock: () => number,
  what = 'resources',
): Progress {
  const start = clock()
  let shown = start
  const line = (bytes: number, stored: number) => {
    const part = total === 0 ? 1 : Math.min(1, bytes / total)
    const full = Math.round(part * BAR)
    const bar = '#'.repeat(full) + '.'.repeat(BAR - full)
    const percent = `${Math.floor(part * 100)}%`.padStart(4)
    return `[${bar}] ${percent}  ${count(stored)} ${what}  ${rate(stored, clock() - start, what)}`
  }
  return {
    update(bytes, stored) {
      if (clock() - shown < (out.isTTY ? TERMINAL_MS : LINES_MS)) return
      shown = clock()
      out.write(out.isTTY ? `\r\x1b[K${line(bytes, stored)}` : `${line(bytes, stored)}\n`)
    },
    end() {
      if (out.isTTY) out.write('\r\x1b[K')
    },
  }
}

export const count = (n: number): string => n.toLocaleString('en')

export const rate = (stored: number, ms: number, what = 'resources'): string =>
  `${count(Math.round(stored / Math.max(0.001, ms / 1000)))} ${what}/s`
