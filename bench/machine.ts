/** The machine that figures were taken on. */
import { cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  /** Runnable processes on average over the last minute: above 0.5 before the run, others were using the machine. */
  loadBefore: number
  loadAfter: number
}

export function machine(loadBefore: number): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${type()} ${release()}`,
    node: process.version,
    loadBefore,
    loadAfter: load(),
  }
}

export const load = (): number => Math.round(loadavg()[0]! * 100) / 100

export function machineLine({ cpu, cores, memoryGiB, kernel, node, loadBefore, loadAfter }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, Node ${node}; load ${loadBefore} before, ${loadAfter} after`
}
