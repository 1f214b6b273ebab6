import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileInvariant } from '../../../src/fhir/path/invariant.ts'
import { around, focusOf } from './evaluated.ts'

const R4 = new URL('../../../node_modules/hl7.fhir.r4.examples/', import.meta.url)
const NRCES = new URL('../../../../shared/abdm/nrces-6.0.0/', import.meta.url)

interface Definition {
  resourceType: string
  contextInvariant?: string[]
  context?: { type: string; expression: string }[]
  snapshot?: { element: { constraint?: { expression?: string }[] }[] }
  differential?: { element: { constraint?: { expression?: string }[] }[] }
}

/** Returns every expression of the definitions in a folder and those below it. */
function expressionsOf(folder: URL): Set<string> {
  const expressions = new Set<string>()
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/StructureDefinition[^/]*\.json$/.test(file)) continue
    const definition = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Definition
    if (definition.resourceType !== 'StructureDefinition') continue
    const elements = [...(definition.snapshot?.element ?? []), ...(definition.differential?.element ?? [])]
    for (const { constraint } of elements)
      for (const { expression } of constraint ?? []) if (expression !== undefined) expressions.add(expression)
    for (const expression of definition.contextInvariant ?? []) expressions.add(expression)
    for (const { type, expression } of definition.context ?? [])
      if (type === 'fhirpath') expressions.add(expression)
  }
  return expressions
}

const refused = (expressions: Iterable<string>): string[] =>
  [...expressions].flatMap(expression => {
    try {
      compileInvariant(expression)
      return []
    } catch (error) {
      return [`${expression}: ${(error as Error).message}`]
    }
  })

describe('expressions of definitions', () => {
  it('every one of R4 compiles', () => {
    const expressions = expressionsOf(R4)
    expect(expressions.size).toBeGreaterThan(190)
    expect(refused(expressions)).toEqual([])
  })

  it.skipIf(!existsSync(NRCES))(
    'every one of the official profiles of ABDM compiles (skipped where ../shared is absent)',
    () => {
      const expressions = expressionsOf(NRCES)
      expect(expressions.size).toBeGreaterThan(10)
      expect(refused(expressions)).toEqual([])
    },
  )

  it.each([
    [
      'que-7',
      "operator = 'exists' implies (answer is Boolean)",
      { operator: 'exists', answerBoolean: true },
      'Questionnaire.item.enableWhen',
      true,
    ],
    [
      'que-7',
      "operator = 'exists' implies (answer is Boolean)",
      { operator: 'exists', answerString: 'x' },
      'Questionnaire.item.enableWhen',
      false,
    ],
    [
      'que-12',
      'enableWhen.count() > 2 implies enableBehavior.exists()',
      { enableWhen: [{}, {}] },
      'Questionnaire.item',
      false,
    ],
    [
      'que-12',
      'enableWhen.count() > 2 implies enableBehavior.exists()',
      { enableWhen: [{}] },
      'Questionnaire.item',
      true,
    ],
    [
      'inv-0',
      "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
      { resourceType: 'ValueSet', name: 'My set' },
      'ValueSet',
      false,
    ],
    [
      'inv-0',
      "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
      { resourceType: 'ValueSet', name: 'MySet' },
      'ValueSet',
      true,
    ],
    [
      'ref-1 without reference',
      "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
      { display: 'x' },
      'Reference',
      true,
    ],
    [
      'per-1',
      'start.hasValue().not() or end.hasValue().not() or (start <= end)',
      { start: '2012-05', end: '2012-04' },
      'Period',
      false,
    ],
    [
      'per-1 of unlike precision',
      'start.hasValue().not() or end.hasValue().not() or (start <= end)',
      { start: '2012-05-01', end: '2012-05' },
      'Period',
      true,
    ],
    [
      'inv-0 without name',
      "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
      { resourceType: 'ValueSet' },
      'ValueSet',
      true,
    ],
    [
      'bdl-8 without fullUrl',
      "fullUrl.contains('/_history/').not()",
      { resource: { resourceType: 'Basic' } },
      'Bundle.entry',
      true,
    ],
    [
      'bdl-8',
      "fullUrl.contains('/_history/').not()",
      { fullUrl: 'http://x.in/Basic/1/_history/2' },
      'Bundle.entry',
      false,
    ],
    [
      'ras-2',
      'probability is decimal implies (probability as decimal) <= 100',
      {},
      'RiskAssessment.prediction',
      true,
    ],
    [
      'ras-2',
      'probability is decimal implies (probability as decimal) <= 100',
      { probabilityDecimal: 101 },
      'RiskAssessment.prediction',
      false,
    ],
    [
      'rng-2',
      'low.empty() or high.empty() or (low <= high)',
      { low: { value: 2 }, high: { value: 1 } },
      'Range',
      false,
    ],
    [
      'rng-2 of unlike units',
      'low.empty() or high.empty() or (low <= high)',
      { low: { value: 2, code: 'g' }, high: { value: 1, code: 'm' } },
      'Range',
      true,
    ],
    ['qty-3', 'code.empty() or system.exists()', { code: 'g' }, 'Quantity', false],
    ['ele-1', 'hasValue() or (children().count() > id.count())', { id: 'a' }, 'Period', false],
    ['ele-1', 'hasValue() or (children().count() > id.count())', { id: 'a', start: '2012' }, 'Period', true],
    [
      'ext-1',
      'extension.exists() != value.exists()',
      { url: 'u', valueString: 'x', extension: [{ url: 'v' }] },
      'Extension',
      false,
    ],
    ['ext-1', 'extension.exists() != value.exists()', { url: 'u', valueString: 'x' }, 'Extension', true],
    [
      'obs-6',
      'dataAbsentReason.empty() or value.empty()',
      { resourceType: 'Observation', valueBoolean: true, dataAbsentReason: { text: 'x' } },
      'Observation',
      false,
    ],
  ] as const)('%s: %s of %j', (_, expression, json, type, expected) => {
    const focus = focusOf(json, type)
    expect(compileInvariant(expression).holds(focus, around(focus))).toBe(expected)
  })
})
