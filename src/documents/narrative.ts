/**
 * Narratives as XHTML tables: every word escaped, nothing in them that the data does not hold.
 * https://hl7.org/fhir/R4/narrative.html
 */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { COLUMNS, type Column } from './columns.ts'
import { standingWords } from './standing.ts'

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Returns a text for XHTML. Control characters, which XML does not have, are left out. */
export const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 refuses
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, char => ESCAPES[char]!)

export const narrative = (content: string): JsonObject => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`,
})

export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`

/** Returns a table of names and values; rows without a value are left out. */
export function pairsTable(rows: readonly (readonly [name: string, value: string])[]): string {
  const told = rows.filter(([, value]) => value !== '')
  const body = told.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`)
  return body.length === 0 ? '' : `<table><tbody>${body.join('')}</tbody></table>`
}

/** Returns what is told of a type, second of all how a resource stands where it is not simply so: no narrative hides that. */
function columnsOf(type: string): readonly Column[] {
  const [first, ...others] = COLUMNS[type] ?? []
  return first === undefined ? [] : [first, ['Attention', standingWords], ...others]
}

/** Returns a table of the resources of one type, without columns in which nothing stands. */
export function resourcesTable(resources: readonly Resource[], zone: string): string {
  const type = resources[0]?.resourceType ?? ''
  const columns = columnsOf(type)
  const rows = resources.map(one => columns.map(([, words]) => words(one, zone)))
  const used = columns.map((_, index) => rows.some(row => row[index] !== ''))
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells
      .filter((_, index) => used[index])
      .map(cell => `<${tag}>${escaped(cell)}</${tag}>`)
      .join('')}</tr>`
  if (!used.includes(true)) return paragraph(`${type}: ${resources.length}`)
  const head = line(
    columns.map(([label]) => label),
    'th',
  )
  return `<table><thead>${head}</thead><tbody>${rows.map(row => line(row, 'td')).join('')}</tbody></table>`
}

/** Returns the narrative of one resource: what its columns tell, or its type where they tell nothing. */
export function resourceNarrative(resource: Resource, zone: string): JsonObject {
  const columns = columnsOf(resource.resourceType)
  const table = pairsTable(columns.map(([label, words]) => [label, words(resource, zone)]))
  return narrative(table === '' ? paragraph(resource.resourceType) : table)
}
