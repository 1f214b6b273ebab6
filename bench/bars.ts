/** The bars: what Nadi on SQLite has to reach, judged from the reports of one run. */
import type { RowReport, ServerReport } from './measure.ts'

export interface Bar {
  row: string
  /** What is asked: `at most 0.1 of hapi-pg`. */
  bar: string
  /** What was measured, undefined where a report for it is missing or its row failed. */
  measured: number | undefined
  holds: boolean | undefined
}

const BULK_PER_CPU_SECOND = 4000
const RSS_ANON_MB = 250
const SHARE_OF_HAPI = 0.1
const TIMES_FLOOR = 2

type Measured = Exclude<RowReport, { failed: string }>

/** Returns every bar that the reports have figures for, and those that they should have had. */
export function bars(reports: readonly ServerReport[]): Bar[] {
  const rowOf = (server: string, row: string): Measured | undefined => {
    const found = reports.find(report => report.server === server)?.rows.find(report => report.row === row)
    return found && !('failed' in found) ? found : undefined
  }
  const share = (row: string, server: string) => {
    const own = rowOf('nadi', row)?.cpuMsPerOperation
    const other = rowOf(server, row)?.cpuMsPerOperation
    return own === undefined || !other ? undefined : own / other
  }
  const bar = (
    row: string,
    text: string,
    measured: number | undefined,
    holds: (value: number) => boolean,
  ): Bar => ({
    row,
    bar: text,
    measured,
    holds: measured === undefined ? undefined : holds(measured),
  })
  const has = (server: string) => reports.some(report => report.server === server)
  const rows = reports.find(report => report.server === 'nadi')?.rows.map(({ row }) => row) ?? []
  const result: Bar[] = []
  for (const row of rows) {
    if (has('hapi-pg'))
      result.push(
        bar(
          row,
          `CPU at most ${SHARE_OF_HAPI} of hapi-pg`,
          share(row, 'hapi-pg'),
          value => value <= SHARE_OF_HAPI,
        ),
      )
    if (has('helios')) result.push(bar(row, 'CPU less than helios', share(row, 'helios'), value => value < 1))
  }
  if (has('floor') && rows.includes('read'))
    result.push(
      bar(
        'read',
        `CPU at most ${TIMES_FLOOR} times the floor`,
        share('read', 'floor'),
        value => value <= TIMES_FLOOR,
      ),
    )
  if (rows.includes('bulk load')) {
    const bulk = rowOf('nadi', 'bulk load')
    result.push(
      bar(
        'bulk load',
        `at least ${BULK_PER_CPU_SECOND} resources per CPU-second`,
        bulk?.perCpuSecond,
        value => value >= BULK_PER_CPU_SECOND,
      ),
      bar(
        'bulk load',
        `RssAnon under ${RSS_ANON_MB} MB after it`,
        bulk?.rssAnonMb,
        value => value < RSS_ANON_MB,
      ),
    )
  }
  return result
}
