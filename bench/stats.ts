/** Percentiles of latencies. */

/** Returns the nearest-rank percentile of ascending values: the smallest that at least `percent` of 100 do not exceed; NaN of none. */
export function percentile(ascending: ArrayLike<number>, percent: number): number {
  if (ascending.length === 0) return Number.NaN
  const rank = Math.ceil((percent / 100) * ascending.length)
  return ascending[Math.max(rank, 1) - 1]!
}

/** Latencies in milliseconds. */
export interface Latency {
  p50: number
  p95: number
  p99: number
  max: number
}

export function latencyOf(milliseconds: readonly number[]): Latency {
  const ascending = Float64Array.from(milliseconds).sort()
  return {
    p50: percentile(ascending, 50),
    p95: percentile(ascending, 95),
    p99: percentile(ascending, 99),
    max: percentile(ascending, 100),
  }
}
