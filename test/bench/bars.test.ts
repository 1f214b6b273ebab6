import { describe, expect, it } from 'vitest'
import { bars } from '../../bench/bars.ts'
import type { RowReport, ServerReport } from '../../bench/measure.ts'
import type { RowName } from '../../bench/rows.ts'

const row = (name: RowName, cpuMsPerOperation: number, more: object = {}): RowReport => ({
  row: name,
  requests: 1,
  operations: 1,
  seconds: 1,
  perSecond: 1,
  p50: 1,
  p95: 1,
  p99: 1,
  max: 1,
  cpuMsPerOperation,
  ...more,
})

const report = (server: string, ...rows: RowReport[]): ServerReport => ({
  server,
  software: server,
  baseUrl: '',
  logLevel: '',
  warmupSeconds: 0,
  seeded: { resources: 1, seconds: 1, perSecond: 1 },
  rows,
})

const judge = (...reports: ServerReport[]) =>
  Object.fromEntries(bars(reports).map(({ row, bar, holds }) => [`${row}: ${bar}`, holds]))

describe('bars', () => {
  it('holds at exactly a tenth of HAPI and twice the floor, and not at what Helios needs', () => {
    expect(
      judge(
        report('floor', row('read', 0.05)),
        report('nadi', row('read', 0.1)),
        report('hapi-pg', row('read', 1)),
        report('helios', row('read', 0.1)),
      ),
    ).toEqual({
      'read: CPU at most 0.1 of hapi-pg': true,
      'read: CPU less than helios': false,
      'read: CPU at most 2 times the floor': true,
    })
  })

  it('asks 4,000 resources per CPU-second and less than 250 MB of the bulk load', () => {
    const bulk = (perCpuSecond: number, rssAnonMb: number) =>
      Object.values(judge(report('nadi', row('bulk load', 0.2, { perCpuSecond, rssAnonMb }))))
    expect(bulk(4000, 249)).toEqual([true, true])
    expect(bulk(3999, 250)).toEqual([false, false])
  })

  it('leaves a bar open where a row failed', () => {
    const failed: RowReport = { row: 'read', failed: 'wrong' }
    expect(judge(report('nadi', row('read', 0.1)), report('helios', failed))).toEqual({
      'read: CPU less than helios': undefined,
    })
  })
})
