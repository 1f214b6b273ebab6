/** Figures of this process for /metrics. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Returns a function that reads memory (bytes), CPU (seconds since the start) and the event loop's delay (seconds since the last call). */
export function processGauges(): () => Record<string, number> {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return () => {
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const figures = {
      nadi_process_resident_memory_bytes: rss,
      nadi_process_heap_used_bytes: heapUsed,
      nadi_process_cpu_seconds: (user + system) / 1e6,
      nadi_process_event_loop_delay_p99_seconds: delay.percentile(99) / 1e9,
    }
    delay.reset()
    return figures
  }
}
