/** The table of fields: complete, and true of search parameters, extensions and the page of docs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SEARCH_PARAMETERS } from '../../src/fhir/definitions/search-parameters.ts'
import { builtInStructure } from '../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { AUTHORIZATION } from '../../src/scheduling/pin.ts'
import { DOCTOR_REASONS, FAILED, PATIENT_REASONS, UHI_EXTENSION } from '../../src/uhi/codes.ts'
import { FIELDS, fieldsTable } from '../../src/uhi/fields.ts'
import { CHAT, ORDER } from '../../src/uhi/order.ts'
import { leavesOf } from '../../src/uhi/shape.ts'
import type { Tree } from './peers.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = (name: string): Tree[] =>
  readdirSync(join(ROOT, 'profiles', name)).map(file =>
    JSON.parse(readFileSync(join(ROOT, 'profiles', name, file), 'utf8')),
  )
const OWN = folder('uhi')
const extensions = [...OWN, ...folder('scheduling')].filter(one => one.resourceType === 'StructureDefinition')
const parameters = OWN.filter(one => one.resourceType === 'SearchParameter')

it('every field of an order and of a chat has its row, and no other has one', () => {
  const paths = FIELDS.map(({ path }) => path).filter(path => !path.startsWith('context/'))
  expect(paths.sort()).toEqual([...leavesOf(ORDER, 'order'), ...leavesOf(CHAT, 'chat')].sort())
})

it('every row names a search parameter that finds its element, or a typed extension on its type', () => {
  const wrong = FIELDS.filter(({ element, by }) => {
    const type = element.split('.')[0]!
    if (by.startsWith('urn:'))
      return !extensions.some(
        one => one.url === by && one.context.some((context: Tree) => context.expression === type),
      )
    const expression = expressionOf(type, by)
    return expression === undefined || !expression.includes(by === '_id' ? 'Resource.id' : element)
  })
  expect(wrong).toEqual([])
})

function expressionOf(type: string, code: string): string | undefined {
  const own = parameters.find(one => one.code === code && one.base.includes(type))
  if (own !== undefined) return own.expression
  const given = SEARCH_PARAMETERS.find(
    one => one.code === code && (one.base.includes(type) || one.base.includes('Resource')),
  )
  return given?.expression
}

it('no extension has a value of any type: each has one, or typed parts', () => {
  for (const one of OWN.filter(each => each.resourceType === 'StructureDefinition')) {
    const values = one.differential.element.filter(
      (each: Tree) => each.path.endsWith('value[x]') && each.max !== '0',
    )
    expect(values.length, one.id).toBeGreaterThan(0)
    for (const value of values) expect(value.type, one.id).toEqual([{ code: expect.any(String) }])
  }
})

it('the page of docs has the table as it is', () => {
  expect(readFileSync(join(ROOT, 'docs/uhi.md'), 'utf8')).toContain(fieldsTable())
})

describe('definitions of UHI', () => {
  it('are sound R4, and come with the server', () => {
    for (const one of OWN)
      expect([
        one.id,
        validateStructure(parseJson(JSON.stringify(one)) as Resource, one.resourceType),
      ]).toEqual([one.id, []])
    for (const one of OWN.filter(each => each.resourceType === 'StructureDefinition'))
      expect(builtInStructure(one.url), one.url).toBeDefined()
  })

  it('define every extension and reason that the code has', () => {
    const urls = OWN.filter(one => one.resourceType === 'StructureDefinition').map(one => one.url)
    expect(urls.sort()).toEqual([...Object.values(UHI_EXTENSION), AUTHORIZATION].sort())
    const reasons = OWN.find(one => one.id === 'uhi-reason').concept.map((one: Tree) => one.code)
    expect(reasons).toEqual([...PATIENT_REASONS, ...DOCTOR_REASONS, FAILED])
  })
})
