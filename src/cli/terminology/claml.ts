/**
 * ICD-10 of the WHO, and national versions of it, in ClaML (EN 14463): classes with their rubrics, and modifiers, which make further codes
 * of the classes that they modify. A file has some 12,000 classes and is held in memory.
 */
import type { ConceptRow, Designation } from '../../storage/concepts.ts'
import { expandModifiers } from './claml-modifiers.ts'
import { type Format, type ReadOptions, type ReleaseReader, reading } from './format.ts'
import { createProperties } from './properties.ts'
import type { Source } from './sources.ts'
import { FileFault, textOf } from './text.ts'
import { readXml } from './xml.ts'

export interface Rubric {
  kind: string
  language: string | undefined
  text: string
}

export interface ModifiedBy {
  code: string
  /** Only these of its classes, where the list is not empty. */
  valid: string[]
}

/** A class, or a class of a modifier. */
export interface ClamlClass {
  code: string
  /** chapter, block or category. */
  kind: string
  /** dagger, aster, optional. */
  usage: string | undefined
  parent: string | undefined
  rubrics: Rubric[]
  modifiedBy: ModifiedBy[]
  notModifiedBy: string[]
}

export interface Claml {
  title: string
  version: string
  classes: Map<string, ClamlClass>
  /** Of each modifier its classes. */
  modifiers: Map<string, ClamlClass[]>
}

/** A release has a hundred times less. */
const MOST_CLASSES = 500_000

export const claml: Format = {
  name: 'icd-10',
  wanted: 'ICD-10 in ClaML: an XML file',
  holds: async files => (await fileOf(files)) !== undefined,
  async read(options) {
    return read((await fileOf(options.files))!, options)
  },
}

async function fileOf(files: readonly Source[]): Promise<Source | undefined> {
  for (const file of files) {
    if (!/\.xml$/i.test(file.name)) continue
    for await (const text of textOf(file, () => {})) {
      if (/<ClaML[\s>]/.test(text)) return file
      break
    }
  }
  return undefined
}

async function read(file: Source, options: ReadOptions): Promise<ReleaseReader> {
  const found = await readClaml(file, reading([file], 0.4, options.onProgress))
  const version = options.version ?? found.version
  if (version === '')
    throw new Error(`${file.path} does not say its version. Give it with --version, for example 2019.`)
  const german = /\bGM\b/.test(found.title)
  return {
    release: {
      system: german ? 'http://fhir.de/CodeSystem/bfarm/icd-10-gm' : 'http://hl7.org/fhir/sid/icd-10',
      version,
      title: `${found.title || 'ICD-10'} ${version}`,
    },
    rows: () => rowsOf(found, options.onProgress),
    propertyTypes: () => ({ kind: 'code', usage: 'code' }),
  }
}

/** Kinds of rubrics that are names; the others are properties. */
const NAMES = new Set(['preferred', 'preferredLong', 'inclusion'])

async function* rowsOf(found: Claml, onProgress: (part: number) => void): AsyncGenerator<ConceptRow> {
  const classes = [...expandModifiers(found)]
  const byCode = new Map(classes.map(one => [one.code, one]))
  for (const [i, one] of classes.entries()) {
    const ancestors: string[] = []
    for (
      let at = one.parent;
      at !== undefined && byCode.has(at) && !ancestors.includes(at);
      at = byCode.get(at)!.parent
    )
      ancestors.push(at)
    const properties = createProperties()
    if (one.kind !== '') properties.add('kind', one.kind)
    if (one.usage !== undefined) properties.add('usage', one.usage)
    const designations: Designation[] = []
    for (const { kind, language, text } of one.rubrics)
      if (NAMES.has(kind))
        designations.push({ ...(language === undefined ? {} : { language }), use: kind, value: text })
      else properties.add(kind, text)
    const preferred = one.rubrics.find(({ kind }) => kind === 'preferred')
    yield {
      code: one.code,
      display: preferred?.text ?? one.code,
      active: true,
      parents: ancestors.slice(0, 1),
      ancestors,
      properties: properties.all(),
      designations,
      sets: [],
    }
    if (i % 500 === 0) onProgress(0.4 + (0.6 * i) / classes.length)
  }
}

/** Elements of a label that stand apart from the text before them. */
const APART = new Set(['Para', 'Fragment', 'ListItem', 'Cell', 'Row', 'Table', 'List'])

export async function readClaml(file: Source, onBytes: (bytes: number) => void): Promise<Claml> {
  const found: Claml = { title: '', version: '', classes: new Map(), modifiers: new Map() }
  let current: ClamlClass | undefined
  let modifier: string | undefined
  let rubric: Rubric | undefined
  let text: string | undefined
  let root = true
  const attribute = (of: Record<string, string>, name: string, element: string, line: number): string => {
    const value = of[name]?.trim()
    if (value === undefined || value === '') throw new FileFault(file, line, `<${element}> has no ${name}.`)
    return value
  }
  await readXml(file, onBytes, {
    start(name, of, line) {
      if (root && name !== 'ClaML') throw new FileFault(file, line, `<${name}> is no ClaML.`)
      root = false
      if (text !== undefined && APART.has(name)) text += ' '
      switch (name) {
        case 'Title':
          found.title = of.name?.trim() ?? ''
          found.version = (of.version ?? of.date ?? '').trim()
          break
        case 'Class':
        case 'ModifierClass': {
          const code = attribute(of, 'code', name, line)
          current = {
            code,
            kind: of.kind ?? '',
            usage: of.usage,
            parent: undefined,
            rubrics: [],
            modifiedBy: [],
            notModifiedBy: [],
          }
          if (name === 'ModifierClass') {
            modifier = attribute(of, 'modifier', name, line)
            const list = found.modifiers.get(modifier)
            if (list === undefined) found.modifiers.set(modifier, [current])
            else list.push(current)
          } else {
            if (found.classes.has(code)) throw new FileFault(file, line, `the class ${code} is there twice.`)
            if (found.classes.size >= MOST_CLASSES)
              throw new FileFault(file, line, `it has more than ${MOST_CLASSES} classes.`)
            found.classes.set(code, current)
          }
          break
        }
        case 'SuperClass':
          if (current !== undefined) current.parent ??= attribute(of, 'code', name, line)
          break
        case 'ModifiedBy':
          current?.modifiedBy.push({ code: attribute(of, 'code', name, line), valid: [] })
          break
        case 'ValidModifierClass':
          current?.modifiedBy.at(-1)?.valid.push(attribute(of, 'code', name, line))
          break
        case 'ExcludeModifier':
          current?.notModifiedBy.push(attribute(of, 'code', name, line))
          break
        case 'Rubric':
          if (current !== undefined)
            rubric = { kind: attribute(of, 'kind', name, line), language: undefined, text: '' }
          break
        case 'Label':
          if (rubric !== undefined) {
            text = ''
            rubric.language = of['xml:lang']
          }
          break
      }
    },
    end(name) {
      if (name === 'Class' || name === 'ModifierClass') current = undefined
      else if (name === 'Label' && rubric !== undefined && text !== undefined) {
        const plain = text.replace(/\s+/g, ' ').trim()
        if (plain !== '') current?.rubrics.push({ ...rubric, text: plain })
        text = undefined
      } else if (name === 'Rubric') rubric = undefined
      else if (text !== undefined && APART.has(name)) text += ' '
    },
    text(piece) {
      if (text !== undefined) text += piece
    },
  })
  return found
}
