/**
 * ICD-10-CM from its order file: a line for each code and heading, in fixed columns.
 * https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
 */
import type { ConceptRow } from '../../storage/concepts.ts'
import { type Format, type ReadOptions, type ReleaseReader, reading } from './format.ts'
import type { Source } from './sources.ts'
import { eachLine, FileFault } from './text.ts'

const NAME = /^icd10cm[-_]order[-_](?:(?:\d{4}|january|april)[-_])*(\d{4}).*\.txt$|^icd10cm[-_]order.*\.txt$/i

/** Order number, code without its dot, 1 where it may be reported and 0 for a heading, short and long name. */
const LINE = /^\d{5} ([A-Z0-9]{3,7}) +([01]) (.{1,60}?)(?: {1,}|$)(.*)$/

const fileOf = (files: readonly Source[]): Source | undefined => files.find(({ name }) => NAME.test(name))

export const icd10cm: Format = {
  name: 'icd-10',
  wanted: 'ICD-10-CM: the order file icd10cm_order_YEAR.txt',
  holds: files => fileOf(files) !== undefined,
  async read(options) {
    return read(fileOf(options.files)!, options)
  },
}

function read(file: Source, options: ReadOptions): ReleaseReader {
  const version = options.version ?? /(20\d\d)/.exec(file.name)?.[1]
  if (version === undefined)
    throw new Error(
      `The year is not in the name ${file.name}. Give the version with --version, for example 2026.`,
    )
  return {
    release: { system: 'http://hl7.org/fhir/sid/icd-10-cm', version, title: `ICD-10-CM ${version}` },
    rows: () => rowsOf(file, options),
    propertyTypes: () => ({ billable: 'boolean' }),
  }
}

/** One line in some 100 bytes: the whole file is 13 MB, its rows are made and given on in pieces. */
async function* rowsOf(file: Source, { onProgress }: ReadOptions): AsyncGenerator<ConceptRow> {
  const rows: ConceptRow[] = []
  /** The headings that are open: each begins with the one before. */
  let open: string[] = []
  const onBytes = reading([file], 0.1, onProgress)
  await eachLine(file, onBytes, (line, number) => {
    if (line.trim() === '') return
    const fields = LINE.exec(line)
    const long = line.slice(77).trim()
    if (fields === null || line.length < 17)
      throw new FileFault(
        file,
        number,
        'it is no line of an order file: number, code, 0 or 1, short name, long name.',
      )
    const bare = fields[1]!
    const short = line.slice(16, 76).trim()
    open = open.filter(one => bare.startsWith(one))
    if (bare === open.at(-1)) throw new FileFault(file, number, `the code ${bare} is there twice.`)
    const ancestors = open.map(dotted).reverse()
    const display = long === '' ? short : long
    rows.push({
      code: dotted(bare),
      display,
      active: true,
      parents: ancestors.slice(0, 1),
      ancestors,
      properties: { billable: [String(fields[2] === '1')] },
      designations: short === display ? [] : [{ language: 'en', use: 'short', value: short }],
      sets: [],
    })
    open.push(bare)
  })
  for (const [i, row] of rows.entries()) {
    yield row
    if (i % 1000 === 0) onProgress(0.1 + (0.9 * i) / rows.length)
  }
}

const dotted = (code: string): string => (code.length > 3 ? `${code.slice(0, 3)}.${code.slice(3)}` : code)
