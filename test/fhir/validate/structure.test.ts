/**
 * Structural validation finds every fault, at its place, and says how to mend it; the cases stand in test/cases/validate.
 * https://hl7.org/fhir/R4/validation.html
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Json, type JsonObject, parseJson, type Resource } from '../../../src/fhir/json.ts'
import { type StructureOptions, validateStructure } from '../../../src/fhir/validate/structure.ts'

interface Case {
  name: string
  resource: Resource
  type?: string
  options?: StructureOptions
  /** `[code, expression, words of the diagnostics]` */
  faults: [string, string, string][]
}

const FILE = join(import.meta.dirname, '../../cases/validate/structure.json')
const cases = parseJson(readFileSync(FILE, 'utf8')) as unknown as Case[]

describe('a resource is judged', () => {
  it.each(cases)('$name', ({ resource, type, options, faults }) => {
    const issues = validateStructure(resource, type ?? resource.resourceType, options)
    expect(issues.map(issue => [issue.code, issue.expression])).toEqual(
      faults.map(([code, place]) => [code, place]),
    )
    for (const [i, [, , words]] of faults.entries()) expect(issues[i]!.diagnostics).toContain(words)
    for (const issue of issues) {
      expect(issue.severity).toBe('error')
      expect(issue.diagnostics).toMatch(/[^.][.?]$/)
    }
  })
})

describe('hostile bodies', () => {
  const timed = (work: () => number): [number, number] => {
    const start = performance.now()
    return [work(), performance.now() - start]
  }

  it('with a great many faults are answered with the first 500 and a note', () => {
    const names: Json[] = Array.from({ length: 400_000 }, () => ({ famly: 'x', use: 'y', given: [null] }))
    const [count, ms] = timed(() => {
      const issues = validateStructure({ resourceType: 'Patient', name: names }, 'Patient')
      expect(issues.at(-1)!.diagnostics).toContain('more than 500')
      return issues.length
    })
    expect(count).toBe(501)
    expect(ms).toBeLessThan(1000)
  })

  it('with a great many references to contained resources take time in proportion', () => {
    const contained: Json[] = []
    const focus: Json[] = []
    for (let i = 0; i < 50_000; i++) {
      contained.push({ resourceType: 'Patient', id: `p${i}` })
      focus.push({ reference: `#p${i}` })
    }
    const observation: JsonObject = { status: 'final', code: { text: 'x' }, contained, focus }
    const [count, ms] = timed(
      () => validateStructure({ resourceType: 'Observation', ...observation }, 'Observation').length,
    )
    expect(count).toBe(0)
    expect(ms).toBeLessThan(2000)
  })

  it('with long texts take time in proportion', () => {
    const long = 300_000
    const resource: Resource = {
      resourceType: 'Patient',
      implicitRules: 'http://x/'.repeat(long),
      language: `${'a '.repeat(long)} `,
      photo: [{ data: `${'AAAA '.repeat(long)}=`, url: ` ${'x'.repeat(long)}` }],
      managingOrganization: { reference: `http://${'a/A/'.repeat(long)}?` },
      generalPractitioner: [{ reference: `urn:oid:1${'.1'.repeat(long)}x` }],
      text: { status: 'generated', div: `<div ${' xmlns'.repeat(long)}` },
      ['x'.repeat(long)]: 'x',
    }
    const [, ms] = timed(() => validateStructure(resource, 'Patient').length)
    expect(ms).toBeLessThan(2000)
  })
})
