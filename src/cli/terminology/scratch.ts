/** A folder for files of one command's work; those of commands that were killed are removed by the next. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BEGINNING = 'nadi-terminology-'

export interface Scratch {
  path: string
  remove(): void
}

/** Returns a new folder within `place`, the system's folder for such files where none is given. */
export function scratchFolder(place = tmpdir()): Scratch {
  mkdirSync(place, { recursive: true })
  for (const name of readdirSync(place)) {
    const pid = name.startsWith(BEGINNING) ? /^\d+/.exec(name.slice(BEGINNING.length))?.[0] : undefined
    if (pid !== undefined && !isRunning(Number(pid)))
      // Another person's folder is not ours to remove.
      try {
        rmSync(join(place, name), { recursive: true, force: true })
      } catch {}
  }
  const path = mkdtempSync(join(place, `${BEGINNING}${process.pid}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
