/** The tables of the search benchmark, and its bars. */
import { table } from '../table.ts'
import type { FamilyReport, ScaleReport } from './measure.ts'

const P99_MS = 20
const GROWTH = 1.5
const SHARE_OF_HAPI = 0.1
const READ_P99_MS = 10

const figure = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? ''

export function scaleTable(report: ScaleReport): string {
  const clients = [...new Set(report.families.flatMap(({ closed }) => closed.map(one => one.clients)))]
  const head = [
    'family',
    'CPU-ms each',
    ...clients.flatMap(n => [`per second, ${n} clients`, `p99 ms, ${n}`]),
    'open: per second',
    'p50 ms',
    'p99 ms',
    'p99 beside a writer',
    'writes per second',
  ]
  const rows = report.families.map(one => [
    `${one.family}${one.planted ? ' *' : ''}`,
    one.failed ? 'FAILED' : figure(one.cpuMs, 3),
    ...clients.flatMap(n => {
      const found = one.closed.find(candidate => candidate.clients === n)
      return [figure(found?.perSecond, 0), figure(found?.p99, 1)]
    }),
    figure(one.open?.perSecond, 0),
    figure(one.open?.p50, 2),
    figure(one.open?.p99, 2),
    figure(one.beside?.p99, 2),
    figure(one.beside?.writesPerSecond, 0),
  ])
  const { filled, fileMb, rssAnonMb, readBesideCounts: reads } = report
  return [
    `${report.server}, ${report.resources} resources`,
    ...(filled
      ? [
          `filled in ${filled.seconds} s: ${filled.perSecond} per second, ${filled.perCpuSecond ?? '?'} per CPU-second`,
        ]
      : []),
    ...(fileMb ? [`file ${fileMb} MB, RssAnon ${rssAnonMb} MB`] : []),
    ...(reads
      ? [`reads beside large counts: ${reads.perSecond} per second, p50 ${reads.p50} ms, p99 ${reads.p99} ms`]
      : []),
    '',
    table(head, rows),
  ].join('\n')
}

const own = (reports: readonly ScaleReport[]): ScaleReport[] =>
  reports.filter(({ server }) => server === 'nadi').sort((a, b) => a.resources - b.resources)

interface Pair {
  family: FamilyReport
  from: number
  to: number
}

function pairs(a: ScaleReport, b: ScaleReport): Pair[] {
  return b.families.flatMap(family => {
    const from = a.families.find(one => one.family === family.family)?.cpuMs
    return from === undefined || family.cpuMs === undefined ? [] : [{ family, from, to: family.cpuMs }]
  })
}

/** How the CPU cost grows from the smallest scale to the largest; undefined with one scale. */
export function growthTable(reports: readonly ScaleReport[]): string | undefined {
  const all = own(reports)
  if (all.length < 2) return undefined
  const [small, large] = [all[0]!, all.at(-1)!]
  const head = ['family', `CPU-ms at ${small.resources}`, `at ${large.resources}`, 'times']
  return table(
    head,
    pairs(small, large).map(({ family, from, to }) => [
      `${family.family}${family.planted ? ' *' : ''}`,
      from.toFixed(3),
      to.toFixed(3),
      (to / from).toFixed(2),
    ]),
  )
}

function sharePairs(reports: readonly ScaleReport[]): Pair[] {
  const hapi = reports.find(({ server }) => server === 'hapi-pg')
  const nadi = reports.find(one => one.server === 'nadi' && one.resources === hapi?.resources)
  return hapi && nadi ? pairs(hapi, nadi) : []
}

/** Nadi's CPU cost beside HAPI's at the same scale; undefined where HAPI was not measured. */
export function shareTable(reports: readonly ScaleReport[]): string | undefined {
  const found = sharePairs(reports)
  if (found.length === 0) return undefined
  return table(
    ['family', 'hapi-pg CPU-ms', 'nadi CPU-ms', 'nadi/hapi-pg'],
    found.map(({ family, from, to }) => [
      family.family,
      from.toFixed(3),
      to.toFixed(3),
      (to / from).toFixed(3),
    ]),
  )
}

/** Returns a sentence for each bar that is missed. */
export function barsOf(reports: readonly ScaleReport[]): string[] {
  const missed: string[] = []
  const all = own(reports)
  const largest = all.at(-1)
  for (const { family, open, large } of largest?.families ?? [])
    if (!large && open && !(open.p99 < P99_MS))
      missed.push(`${family}: p99 ${open.p99} ms in the open loop, bar ${P99_MS}`)
  const reads = largest?.readBesideCounts
  if (reads && !(reads.p99 < READ_P99_MS))
    missed.push(`read beside large counts: p99 ${reads.p99} ms, bar ${READ_P99_MS}`)
  if (all.length > 1)
    for (const { family, from, to } of pairs(all[0]!, largest!))
      if (family.planted && !(to / from < GROWTH))
        missed.push(
          `${family.family}: ${(to / from).toFixed(2)} times from ${all[0]!.resources} to ${largest!.resources}, bar ${GROWTH}`,
        )
  for (const { family, from, to } of sharePairs(reports))
    if (!(to / from <= SHARE_OF_HAPI))
      missed.push(`${family.family}: ${(to / from).toFixed(3)} of HAPI's CPU, bar ${SHARE_OF_HAPI}`)
  return missed
}
