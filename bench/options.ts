/** The options of `npm run bench` and `bench/peers.ts`. */
import { parseArgs } from 'node:util'
import { ROW_NAMES, type RowName } from './rows.ts'

export interface Options {
  /** A server that is already running; undefined starts Nadi. */
  baseUrl: string | undefined
  /** Roots of the running server's processes. */
  pids: number[]
  pidOf: RegExp | undefined
  storage: string | undefined
  logLevel: string
  rows: RowName[]
  clients: number
  seconds: number
  requests: number
  warmup: number
  hapiWarmup: number
  patients: number
  resources: number
  bundles: string
  seed: number
  /** File for the JSON; undefined writes none. */
  out: string | undefined
  /** Folder for CPU profiles of Nadi, one per row; undefined takes none. */
  profile: string | undefined
  servers: string[]
  hapi: string
  helios: string
}

const FLAGS = {
  'base-url': ['URL', undefined, 'measure the FHIR server there instead of starting Nadi'],
  pid: ['PID,...', undefined, 'its processes, children included: for CPU and memory'],
  'pid-of': ['PATTERN', undefined, 'the same, by a regular expression on the command line'],
  storage: ['URI', undefined, "Nadi's storage; a SQLite file in a temporary folder by default"],
  'log-level': ['LEVEL', 'warn', "Nadi's log level"],
  rows: ['NAME,...', ROW_NAMES.join(','), 'rows to run'],
  clients: ['N', '8', 'clients, each with one request at a time'],
  seconds: ['N', '10', 'a row ends after this time, the bulk load apart'],
  requests: ['N', 'Infinity', 'or after so many requests'],
  warmup: ['SECONDS', '15', 'of all rows together, before the first is measured'],
  'hapi-warmup': ['SECONDS', '120', 'the same for HAPI (peers)'],
  patients: ['N', '2000', 'in the data set, with ten Observations each'],
  resources: ['N', '50000', 'in the bulk load'],
  bundles: ['DIR', '../shared/data/synthea-2019', "Synthea's bundles; without the folder, ours"],
  seed: ['N', '1', 'of all data and questions; take another one for each run on the same server'],
  out: ['FILE', 'bench/results/last.json', 'for the figures in JSON; none for no file'],
  profile: ['DIR', undefined, 'write a CPU profile of each row and print its hot spots (Nadi only)'],
  servers: ['NAME,...', 'floor,nadi,hapi,helios', 'to compare, in this order (peers)'],
  hapi: ['DIR', '../shared/peer-hapi', 'the folder of start-hapi.sh (peers)'],
  helios: ['DIR', '../shared/peer-helios', 'the folder of start-helios.sh (peers)'],
} as const

type Flag = keyof typeof FLAGS

export function usage(command: string): string {
  const lines = Object.entries(FLAGS).map(([name, [value, fallback, meaning]]) => {
    const shown = fallback === undefined ? '' : ` [${fallback}]`
    return `  --${`${name} ${value}`.padEnd(22)} ${meaning}${shown}`
  })
  return `${command} [options]\n${lines.join('\n')}\n`
}

/** Returns the options; undefined when help is asked for. Throws an Error that names the bad option. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean' },
      ...(Object.fromEntries(Object.keys(FLAGS).map(name => [name, { type: 'string' }])) as Record<
        Flag,
        { type: 'string' }
      >),
    },
  })
  if (values.help) return undefined
  const text = (name: Flag): string | undefined => values[name] ?? FLAGS[name][1]
  const number = (name: Flag, least: number): number => {
    const value = Number(text(name))
    if (!(value >= least))
      throw new Error(`--${name} wants a number of at least ${least}, not ${text(name)}.`)
    return value
  }
  const list = (name: Flag): string[] => (text(name) ?? '').split(',').filter(item => item !== '')
  const out = text('out')
  return {
    baseUrl: text('base-url')?.replace(/\/$/, ''),
    pids: list('pid').map(pid => {
      if (!/^\d+$/.test(pid)) throw new Error(`--pid wants process ids, not ${pid}.`)
      return Number(pid)
    }),
    pidOf: text('pid-of') === undefined ? undefined : new RegExp(text('pid-of')!),
    storage: text('storage'),
    logLevel: text('log-level')!,
    rows: list('rows').map(rowName),
    clients: number('clients', 1),
    seconds: number('seconds', 0.1),
    requests: number('requests', 1),
    warmup: number('warmup', 0),
    hapiWarmup: number('hapi-warmup', 0),
    patients: number('patients', 100),
    resources: number('resources', 1),
    bundles: text('bundles')!,
    seed: number('seed', 0),
    out: out === 'none' ? undefined : out,
    profile: text('profile'),
    servers: list('servers'),
    hapi: text('hapi')!,
    helios: text('helios')!,
  }
}

/** Short names for the command line: `token` for `token search`. */
function rowName(text: string): RowName {
  const found = ROW_NAMES.find(name => name === text || name.split(' ')[0] === text)
  if (!found) throw new Error(`There is no row ${text}. The rows are: ${ROW_NAMES.join(', ')}.`)
  return found
}

/** The options that the figures depend on. */
export const settings = ({
  rows,
  clients,
  seconds,
  requests,
  warmup,
  patients,
  resources,
  seed,
}: Options) => ({
  rows,
  clients,
  seconds,
  requests: Number.isFinite(requests) ? requests : null,
  warmup,
  patients,
  resources,
  seed,
})
