import { describe, expect, it } from 'vitest'
import { isObject, type Json, NumberText } from '../../../src/fhir/json.ts'
import { environment } from '../../../src/fhir/path/environment.ts'
import { compilePath } from '../../../src/fhir/path/path.ts'
import { type PathValue, pathValue, type Values } from '../../../src/fhir/path/value.ts'
import failing from '../../cases/fhirpath/ours.json' with { type: 'json' }
import { type Case, HAS_SUITE, readCases, readInput } from './suite.ts'

const NOW = '2026-11-21T10:00:00.000+05:30'

function evaluate({ expression, input, strict, predicate }: Case): Values | boolean | undefined {
  const resource = input === undefined ? undefined : readInput(input)
  const focus = resource && pathValue(resource, String(resource.resourceType))
  const env = environment({ now: NOW, strict, ...(focus === undefined ? {} : { resource: focus }) })
  const path = compilePath(expression)
  return predicate ? path.holds(focus, env) : path.evaluate(focus, env)
}

const AT: Record<string, string> = {
  Date: '@',
  DateTime: '@',
  Time: '@T',
  date: '@',
  dateTime: '@',
  instant: '@',
  time: '@T',
}

function shown({ value, type }: PathValue): { type: string; value: string } {
  const name = type.replace('System.', '')
  const text = (json: Json): string => (json instanceof NumberText ? json.text : String(json))
  if (isObject(value) && type === 'System.Quantity')
    return { type: name, value: `${text(value.value!)} '${text(value.unit!)}'` }
  const lower = name[0]!.toLowerCase() + name.slice(1)
  return { type: lower, value: `${AT[name] ?? ''}${text(value)}` }
}

/** Returns why a case fails; undefined where it passes. */
function fault(one: Case): string | undefined {
  let result: Values | boolean | undefined
  try {
    result = evaluate(one)
  } catch (error) {
    return one.outputs === undefined ? undefined : `it throws: ${(error as Error).message}`
  }
  if (one.outputs === undefined) return 'it is not refused'
  const found = Array.isArray(result)
    ? (result as Values).map(shown)
    : [{ type: 'boolean', value: String(result) }]
  const wanted = one.outputs.map((output, i) => ({
    type: output.type ?? found[i]?.type,
    value: output.value,
  }))
  return JSON.stringify(found) === JSON.stringify(wanted)
    ? undefined
    : `it gives ${JSON.stringify(found).slice(0, 300)}`
}

describe.skipIf(!HAS_SUITE)('the official FHIRPath suite (skipped where ../shared is absent)', () => {
  it('passes, but for the cases that are listed with a reason', () => {
    const listed = new Set(Object.values<string[]>(failing).flat())
    const faults = readCases().flatMap(one => {
      const why = fault(one)
      if (why !== undefined && !listed.has(one.name))
        return [`${one.name}: ${one.expression.slice(0, 100)}: ${why}`]
      return why === undefined && listed.has(one.name) ? [`${one.name} is listed and passes`] : []
    })
    expect(faults).toEqual([])
  })

  it('has 935 cases, and every listed name is one of them', () => {
    const names = new Set(readCases().map(({ name }) => name))
    expect(names.size).toBe(935)
    expect(
      Object.values<string[]>(failing)
        .flat()
        .filter(name => !names.has(name)),
    ).toEqual([])
  })
})
