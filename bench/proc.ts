/**
 * CPU time and memory of a server with all its processes and threads, from /proc.
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** One process: its parent, and the clock ticks that it and its ended, waited-for children used in user and kernel mode. */
export interface ProcessStat {
  parent: number
  ticks: number
}

/** Returns what a line of /proc/<pid>/stat says. The command stands in parentheses and may hold spaces and parentheses itself. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  // state is field 3 of the manual's numbering: parent 4, utime 14, stime 15, cutime 16, cstime 17
  const field = (n: number) => Number(fields[n - 3])
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

/** Returns RssAnon of /proc/<pid>/status in bytes; 0 where there is none (kernel threads, zombies). */
export function parseRssAnon(status: string): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? 0 : Number(kilobytes) * 1024
}

/** Returns the roots and all their descendants. */
export function treeOf(roots: readonly number[], stats: ReadonlyMap<number, ProcessStat>): number[] {
  const tree = new Set(roots.filter(pid => stats.has(pid)))
  for (let grown = true; grown; ) {
    grown = false
    for (const [pid, stat] of stats)
      if (!tree.has(pid) && tree.has(stat.parent)) {
        tree.add(pid)
        grown = true
      }
  }
  return [...tree]
}

/** What a server has used: CPU since its start in milliseconds, and anonymous memory now in bytes. */
export interface Usage {
  cpuMs: number
  rssAnon: number
  processes: number
}

/**
 * Returns the usage of the roots and their descendants. A child that ended counts through the parent that waited for it, so differences
 * of two readings miss nothing.
 *
 * Throws when a root is gone: figures without it would mean nothing.
 */
export function usageOf(roots: readonly number[]): Usage {
  const stats = new Map<number, ProcessStat>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = read(`/proc/${name}/stat`)
    if (line !== undefined) stats.set(Number(name), parseStat(line))
  }
  for (const root of roots) if (!stats.has(root)) throw new Error(`Process ${root} is not running.`)
  const tree = treeOf(roots, stats)
  let ticks = 0
  let rssAnon = 0
  for (const pid of tree) {
    ticks += stats.get(pid)!.ticks
    rssAnon += parseRssAnon(read(`/proc/${pid}/status`) ?? '')
  }
  return { cpuMs: (ticks * 1000) / ticksPerSecond(), rssAnon, processes: tree.length }
}

/** Returns the processes whose command line matches, without this one and its parent (whose own command line holds the pattern). */
export function processesLike(pattern: RegExp): number[] {
  const found: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    if (pid === process.pid || pid === process.ppid) continue
    const command = read(`/proc/${name}/cmdline`)?.replaceAll('\0', ' ')
    if (command && !command.includes('bench/') && pattern.test(command)) found.push(pid)
  }
  return found
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process ended between listing and reading.
    return undefined
  }
}

let perSecond: number | undefined

function ticksPerSecond(): number {
  perSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return perSecond
}
