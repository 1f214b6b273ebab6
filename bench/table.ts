/** Tables in text: Markdown that also reads well in a terminal. */
import type { RowReport, ServerReport } from './measure.ts'

/** Returns a Markdown table; the first column is left-aligned, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map(cells => cells[i]!.length), 3))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

const HEAD = [
  'operation',
  'per second',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'CPU-ms each',
  'per CPU-second',
  'RssAnon MB',
  'peak MB',
] as const

/** Returns the table of one server; failed rows say so. */
export function serverTable({ rows, insertFloor }: ServerReport): string {
  const floors = insertFloor
    ? ([
        ['create', insertFloor.create],
        ['bulk load', insertFloor.bulk],
      ] as const)
    : []
  const floorCells = floors.map(([row, { cpuMsPerOperation: cpu }]) => [
    `bare SQLite, the rows of ${row}`,
    ...Array<string>(4).fill(''),
    cpu.toFixed(4),
    (1000 / cpu).toFixed(0),
    '',
    '',
  ])
  return table(HEAD, [...rows.map(rowCells), ...floorCells])
}

function rowCells(report: RowReport): string[] {
  if ('failed' in report) return [report.row, 'FAILED', ...Array<string>(HEAD.length - 2).fill('')]
  const { row, perSecond, p50, p95, p99, cpuMsPerOperation, perCpuSecond, rssAnonMb, rssAnonPeakMb } = report
  return [
    row === 'bulk load' ? 'bulk load, per resource' : row,
    perSecond.toFixed(0),
    p50.toFixed(2),
    p95.toFixed(2),
    p99.toFixed(2),
    cpuMsPerOperation?.toFixed(4) ?? '',
    perCpuSecond?.toFixed(0) ?? '',
    rssAnonMb?.toFixed(0) ?? '',
    rssAnonPeakMb?.toFixed(0) ?? '',
  ]
}

/** Returns the failed rows with their reasons, one a line. */
export function failures({ server, rows }: ServerReport): string[] {
  return rows.flatMap(report => ('failed' in report ? [`${server}: ${report.failed}`] : []))
}

/** Returns CPU-ms per operation of all servers side by side, and Nadi's share of each peer's. */
export function comparison(reports: readonly ServerReport[]): string {
  const names = [...new Set(reports.flatMap(({ rows }) => rows.map(({ row }) => row)))]
  const cpu = (report: ServerReport, row: string): number | undefined => {
    const found = report.rows.find(candidate => candidate.row === row)
    return found && !('failed' in found) ? found.cpuMsPerOperation : undefined
  }
  const own = reports.find(({ server }) => server === 'nadi')
  const peers = reports.filter(report => own && report !== own)
  const head = [
    'operation',
    ...reports.map(({ server }) => server),
    ...peers.map(({ server }) => `nadi/${server}`),
  ]
  const body = names.map(row => [
    row,
    ...reports.map(
      report => cpu(report, row)?.toFixed(4) ?? (report.rows.some(r => r.row === row) ? 'FAILED' : ''),
    ),
    ...peers.map(peer => {
      const [mine, theirs] = [cpu(own!, row), cpu(peer, row)]
      return mine === undefined || !theirs ? '' : (mine / theirs).toFixed(3)
    }),
  ])
  return table(head, body)
}
