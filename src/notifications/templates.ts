/** The built-in templates, and those of a folder put before them. */
import { parseTemplate, type Template, type Templates } from './template.ts'
import { CARE_GATEWAY } from './templates/care-gateway.ts'
import { EN } from './templates/en.ts'
import { HI } from './templates/hi.ts'
import { ML } from './templates/ml.ts'
import { OPENCARE } from './templates/opencare.ts'

export const TEMPLATES: Templates = {
  standard: { en: EN, hi: HI, ml: ML },
  opencare: { en: OPENCARE },
  'care-gateway': { en: CARE_GATEWAY },
}

/** A file of templates: `standard.ml.json` with its text. */
export interface TemplateFile {
  name: string
  text: string
}

const FILE = /^([a-z][a-z-]*)\.([a-z]{2,3})\.json$/

/**
 * Returns the templates with those of the files in the place of built-in ones of the same set, language and name.
 *
 * Throws Error with a sentence for each fault, one a line: it names the file, the template and what is wrong.
 */
export function withFiles(templates: Templates, files: readonly TemplateFile[]): Templates {
  const faults: string[] = []
  const all: Record<string, Record<string, Record<string, Template>>> = {}
  for (const [set, languages] of Object.entries(templates)) {
    all[set] = {}
    for (const [language, texts] of Object.entries(languages)) all[set][language] = { ...texts }
  }
  for (const { name, text } of files) {
    const [, set, language] = FILE.exec(name) ?? []
    if (set === undefined || !Object.hasOwn(all, set)) {
      faults.push(
        `${name}: is not named as SET.LANGUAGE.json, with one of the sets ${Object.keys(all).join(', ')}.`,
      )
      continue
    }
    const into = all[set]![language!] ?? {}
    all[set]![language!] = into
    for (const [template, value] of entriesOf(name, text, faults)) {
      const checked = checkedTemplate(value, why => faults.push(`${name}: ${template}: ${why}.`))
      if (checked !== undefined) into[template] = checked
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return all
}

function entriesOf(name: string, text: string, faults: string[]): [string, unknown][] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
    faults.push(`${name}: is no JSON object of templates.`)
  } catch {
    faults.push(`${name}: is not JSON.`)
  }
  return []
}

function checkedTemplate(value: unknown, fault: (why: string) => void): Template | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fault('is no object with texts')
    return undefined
  }
  const texts = Object.entries(value)
  if (!texts.some(([channel]) => channel === 'text')) fault('has no "text"')
  for (const [channel, text] of texts) {
    if (typeof text !== 'string' || text === '') fault(`its "${channel}" is no text`)
    else
      try {
        parseTemplate(text)
      } catch (error) {
        fault(`in its "${channel}" ${(error as Error).message}`)
      }
  }
  return value as Template
}
