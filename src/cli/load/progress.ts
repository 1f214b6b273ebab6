/** How far the load is: a bar on a terminal, a line every few seconds elsewhere. */

export interface Progress {
  /** Bytes of files read, of all; resources stored so far. */
  update(bytes: number, stored: number): void
  end(): void
}

const BAR = 30
const TERMINAL_MS = 100
const LINES_MS = 5000

/** Returns a progress display on `out`; `clock` gives ms. */
export function createProgress(out: NodeJS.WriteStream, total: number, clock: () => number): Progress {
  const start = clock()
  let shown = start
  const line = (bytes: number, stored: number) => {
    const part = total === 0 ? 1 : Math.min(1, bytes / total)
    const full = Math.round(part * BAR)
    const bar = '#'.repeat(full) + '.'.repeat(BAR - full)
    const percent = `${Math.floor(part * 100)}%`.padStart(4)
    return `[${bar}] ${percent}  ${count(stored)} resources  ${rate(stored, clock() - start)}`
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

export const rate = (resources: number, ms: number): string =>
  `${count(Math.round(resources / Math.max(0.001, ms / 1000)))} resources/s`
