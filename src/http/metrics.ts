/** Counts of requests and their times, as text for Prometheus. https://prometheus.io/docs/instrumenting/exposition_formats/ */

/** Upper ends of the histogram's buckets, seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Times {
  /** Per bucket, not summed up; the last is what is above all. */
  counts: number[]
  sum: number
}

export interface Metrics {
  inFlight: number
  /** Counts a finished request. `seconds` from its arrival to its answer. */
  count(interaction: string, type: string, status: number, seconds: number): void
  /** Returns the exposition text; `gauges` are added as they are. */
  text(gauges: Record<string, number>): string
}

/** Returns counters that start at zero; they live as long as the process. */
export function createMetrics(version: string): Metrics {
  const requests = new Map<string, number>()
  const times = new Map<string, Times>()

  return {
    inFlight: 0,

    count(interaction, type, status, seconds) {
      const key = `${interaction} ${type} ${Math.floor(status / 100)}`
      requests.set(key, (requests.get(key) ?? 0) + 1)
      let of = times.get(interaction)
      if (of === undefined) {
        of = { counts: new Array(BUCKETS.length + 1).fill(0), sum: 0 }
        times.set(interaction, of)
      }
      let bucket = 0
      while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket++
      of.counts[bucket]!++
      of.sum += seconds
    },

    text(gauges) {
      const lines = ['# TYPE nadi_info gauge', `nadi_info{version="${version}"} 1`]
      lines.push(
        '# HELP nadi_http_requests_total Requests answered.',
        '# TYPE nadi_http_requests_total counter',
      )
      for (const [key, value] of requests) {
        const [interaction, type, status] = key.split(' ')
        const labels = `interaction="${interaction}",type="${type}",status="${status}xx"`
        lines.push(`nadi_http_requests_total{${labels}} ${value}`)
      }
      lines.push('# HELP nadi_http_request_seconds Time from arrival to answer.')
      lines.push('# TYPE nadi_http_request_seconds histogram')
      for (const [interaction, of] of times) {
        let sum = 0
        for (let i = 0; i <= BUCKETS.length; i++) {
          sum += of.counts[i]!
          const end = BUCKETS[i] ?? '+Inf'
          lines.push(`nadi_http_request_seconds_bucket{interaction="${interaction}",le="${end}"} ${sum}`)
        }
        lines.push(`nadi_http_request_seconds_sum{interaction="${interaction}"} ${of.sum}`)
        lines.push(`nadi_http_request_seconds_count{interaction="${interaction}"} ${sum}`)
      }
      const all = { nadi_http_in_flight: this.inFlight, ...gauges }
      for (const [name, value] of Object.entries(all)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`)
      return `${lines.join('\n')}\n`
    },
  }
}
