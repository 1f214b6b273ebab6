/** The import order and the five rules of docs/architecture.md, held by reading import lines. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const SRC = join(ROOT, 'src')

/** A folder imports only from its left. What is not built yet has its place already. */
const ORDER = [
  'lib',
  'config',
  'fhir',
  'search',
  'storage/port',
  'auth',
  'context',
  'conformance',
  'terminology',
  'validation',
  'interactions',
  'scheduling',
  'documents',
  'operations',
  'notifications',
  'http',
  'abdm',
  'uhi',
  'facades',
  'console',
  'app',
]
const SIDE_BY_SIDE = new Set(['abdm', 'uhi', 'facades', 'console'])
const ENTRIES = new Set(['node', 'worker', 'cli'])
const MAY_SEE_NODE =
  /^(node\.ts|cli\.ts|cli\/.*|storage\/sqlite\/node[\w-]*\.ts|storage\/mongodb\/.*|(fhir\/definitions|documents\/render)\/prepare[\w-]*\.ts)$/
const MAY_SEE_HONO = /^(app\.ts|http\/.*|console\/.*|.*\/routes\.ts|node\.ts|worker\.ts)$/

interface Import {
  from: string
  /** A path under src without extension for our own files, the bare specifier otherwise. */
  to: string
  own: boolean
  typeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map(file => file.split(sep).join('/'))
  .filter(file => file.endsWith('.ts') && !file.includes('generated/') && !file.endsWith('.d.ts'))

const imports: Import[] = files.flatMap(from => {
  const text = readFileSync(join(SRC, from), 'utf8')
  const found: Import[] = []
  const line =
    /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g
  for (const match of text.matchAll(line)) {
    const specifier = (match[2] ?? match[3])!
    const own = specifier.startsWith('.')
    const to = own
      ? relative(SRC, normalize(join(SRC, dirname(from), specifier)))
          .split(sep)
          .join('/')
      : specifier
    found.push({ from, to, own, typeOnly: match[1] !== undefined })
  }
  return found
})

/** The place of a file in the import order; entries and adapters have their own rules. */
function layer(file: string): string {
  const path = file.replace(/\.(ts|json)$/, '')
  if (/^storage\/(port|concept[\w-]*)$/.test(path)) return 'storage/port'
  const [first, second] = path.split('/') as [string, string | undefined]
  if (first === 'storage') return `adapter ${second}`
  return first
}

const breaches = (rule: (one: Import) => boolean): string[] =>
  imports.filter(rule).map(one => `${one.from} imports ${one.to}`)

it('reads imports at all', () => {
  expect(files.length).toBeGreaterThan(40)
  expect(imports.filter(one => one.own).length).toBeGreaterThan(100)
})

it('a folder imports only from its left', () => {
  const wrong = breaches(one => {
    if (!one.own) return false
    const from = layer(one.from)
    const to = layer(one.to)
    if (from === to || ENTRIES.has(from)) return false
    if (from.startsWith('adapter')) return !['lib', 'fhir', 'search', 'storage/port'].includes(to)
    if (SIDE_BY_SIDE.has(from) && SIDE_BY_SIDE.has(to)) return true
    const left = ORDER.indexOf(from)
    const right = ORDER.indexOf(to)
    return left < 0 || right < 0 || right > left
  })
  expect(wrong).toEqual([])
})

it('1. only entries import a storage adapter, and adapters never see each other', () => {
  expect(
    breaches(
      one =>
        one.own &&
        layer(one.to).startsWith('adapter') &&
        layer(one.from) !== layer(one.to) &&
        !ENTRIES.has(layer(one.from)),
    ),
  ).toEqual([])
})

it('2. hono appears only in app.ts, http/, console/, routes.ts and the entries that serve', () => {
  expect(breaches(one => /^(@hono\/|hono(\/|$))/.test(one.to) && !MAY_SEE_HONO.test(one.from))).toEqual([])
})

it('3. the faces of the exchange reach data only through interactions and operations', () => {
  expect(
    breaches(
      one =>
        one.own && !one.typeOnly && SIDE_BY_SIDE.has(layer(one.from)) && layer(one.to) === 'storage/port',
    ),
  ).toEqual([])
})

it('4. node: and process appear only at the rim', () => {
  expect(breaches(one => one.to.startsWith('node:') && !MAY_SEE_NODE.test(one.from))).toEqual([])
  const process = files.filter(
    file =>
      !MAY_SEE_NODE.test(file) &&
      /(?<![\w.'"])process\.(env|argv|on|exit|cwd|stdout)/.test(readFileSync(join(SRC, file), 'utf8')),
  )
  expect(process).toEqual([])
})

it('5. no cycles and no barrels', () => {
  const edges = new Map<string, string[]>()
  for (const one of imports)
    if (one.own && !one.typeOnly) edges.set(one.from, [...(edges.get(one.from) ?? []), one.to])
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, way: string[]): void => {
    if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (done.has(file) || way.includes(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
  expect(files.filter(file => /(^|\/)index\.ts$/.test(file))).toEqual([])
})

it('names that name nothing are not used', () => {
  expect(files.filter(file => /(utils?|helpers?|manager|service|common|misc)\b/i.test(file))).toEqual([])
})
