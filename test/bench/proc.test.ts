import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parseRssAnon, parseStat, treeOf, usageOf } from '../../bench/proc.ts'

/** A line of /proc/<pid>/stat with the fields 14 to 17 (utime, stime, cutime, cstime) of the manual set. */
const line = (command: string, parent: number, times: string) =>
  `4242 (${command}) S ${parent} 4242 4242 0 -1 4194304 100 200 0 0 ${times} 20 0 11 0 5000 123456789 1000 18446744073709551615`

describe('parseStat', () => {
  it('adds user and kernel time of the process and of its ended children', () => {
    expect(parseStat(line('node', 17, '100 20 3 4'))).toEqual({ parent: 17, ticks: 127 })
  })

  it('is not misled by spaces and parentheses in the command', () => {
    expect(parseStat(line('a) R 99 (b', 17, '1 2 3 4'))).toEqual({ parent: 17, ticks: 10 })
  })
})

describe('parseRssAnon', () => {
  it('returns bytes', () => {
    expect(parseRssAnon('VmRSS:\t  900 kB\nRssAnon:\t  512 kB\nRssFile:\t 388 kB\n')).toBe(524_288)
  })

  it('is 0 for a process without memory of its own', () => {
    expect(parseRssAnon('Name:\tkthreadd\nState:\tS (sleeping)\n')).toBe(0)
  })
})

describe('treeOf', () => {
  const stat = (parent: number) => ({ parent, ticks: 1 })

  it('holds children and their children, whatever the order, and no others', () => {
    const stats = new Map([
      [30, stat(20)],
      [20, stat(10)],
      [10, stat(1)],
      [11, stat(1)],
      [21, stat(11)],
    ])
    expect(treeOf([10], stats).sort()).toEqual([10, 20, 30])
  })

  it('counts a process once though it is named as a root and is the child of one', () => {
    const stats = new Map([
      [10, stat(1)],
      [20, stat(10)],
    ])
    expect(treeOf([10, 20], stats).sort()).toEqual([10, 20])
  })
})

describe.runIf(process.platform === 'linux')('usageOf', () => {
  it('counts the time of a child, running and after it has ended', async () => {
    // Measured by its own CPU clock, as a busy machine gives it only a part of the time; it ends with its parent's pipe.
    const child = `while (process.cpuUsage().user < 300_000); console.log('done'); process.stdin.on('end', () => process.exit()).resume()`
    const parent = spawn(process.execPath, [
      '-e',
      `const { spawn } = require('node:child_process');
       const child = spawn(process.execPath, ['-e', ${JSON.stringify(child)}]);
       child.stdout.once('data', () => console.log('busy'));
       process.stdin.once('data', () => { child.kill(); child.on('exit', () => console.log('ended')) });`,
    ])
    const says = (word: string) =>
      new Promise<void>(resolve =>
        parent.stdout.on('data', (bytes: Buffer) => String(bytes).includes(word) && resolve()),
      )
    try {
      await says('busy')
      const running = usageOf([parent.pid!])
      expect(running.processes).toBe(2)
      expect(running.rssAnon).toBeGreaterThan(1_000_000)
      expect(running.cpuMs).toBeGreaterThanOrEqual(300)
      const ended = says('ended')
      parent.stdin.write('end\n')
      await ended
      const after = usageOf([parent.pid!])
      expect(after.processes).toBe(1)
      expect(after.cpuMs).toBeGreaterThanOrEqual(running.cpuMs)
    } finally {
      parent.kill()
    }
  })

  it('refuses a root that is not running', () => {
    expect(() => usageOf([2 ** 22 + 1])).toThrow(/not running/)
  })
})
