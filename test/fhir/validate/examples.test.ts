/**
 * Every resource that HL7 publishes as an example of R4 is accepted and comes back as it was; those refused are listed with their fault.
 * https://hl7.org/fhir/R4/downloads.html
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson, type Resource, writeJson } from '../../../src/fhir/json.ts'
import { validateStructure } from '../../../src/fhir/validate/structure.ts'
import refused from '../../cases/r4-examples-refused.json' with { type: 'json' }

const FOLDER = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))
const FILES = readdirSync(FOLDER).filter(file => /^[A-Za-z].*\.json$/.test(file) && file !== 'package.json')

/** The number literals of a JSON text in their order, found without our lexer. */
const numberTexts = (json: string): string[] =>
  (json.match(/"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*/g) ?? []).filter(token => token[0] !== '"')

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

describe('the examples of R4', () => {
  it('are all there', () => {
    expect(FILES.length).toBe(5306)
  })

  it('are accepted, but for those listed, each with its faults', { timeout: 120_000 }, () => {
    const found = FILES.flatMap(file => {
      const resource = parseJson(read(file)) as Resource
      const issues = validateStructure(resource, resource.resourceType)
      return issues.length === 0
        ? []
        : [{ file, faults: issues.map(issue => [issue.code, issue.expression]) }]
    })
    expect(found).toEqual(refused.map(({ file, faults }) => ({ file, faults })))
  })

  it('come back with equal trees and equal number texts', { timeout: 120_000 }, () => {
    const changed = FILES.filter(file => {
      const text = read(file)
      const written = writeJson(parseJson(text))
      return (
        JSON.stringify(JSON.parse(text)) !== JSON.stringify(JSON.parse(written)) ||
        !sameNumbers(text, written)
      )
    })
    expect(changed).toEqual([])
  })
})

function sameNumbers(before: string, after: string): boolean {
  const [a, b] = [numberTexts(before), numberTexts(after)]
  return a.length === b.length && a.every((text, i) => text === b[i])
}
