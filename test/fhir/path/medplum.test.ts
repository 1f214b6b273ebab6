import { readdirSync, readFileSync } from 'node:fs'
import { evalFhirPathTyped, indexStructureDefinitionBundle, toTypedValue } from '@medplum/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeJson } from '../../../src/fhir/json.ts'
import failing from '../../cases/fhirpath/medplum.json' with { type: 'json' }
import { type Case, HAS_SUITE, readCases, readInput } from './suite.ts'

const DEFINITIONS = new URL('../../../node_modules/hl7.fhir.r4.examples/', import.meta.url)

type Definitions = Parameters<typeof indexStructureDefinitionBundle>[0]

/** The types of R4 from HL7's own definitions, which this engine takes its types from. */
function indexDefinitions(): void {
  const definitions = readdirSync(DEFINITIONS)
    .filter(name => name.startsWith('StructureDefinition-'))
    .map(name => JSON.parse(readFileSync(new URL(name, DEFINITIONS), 'utf8')))
    .filter(definition => definition.derivation !== 'constraint' && definition.kind !== 'logical')
  indexStructureDefinitionBundle(definitions as unknown as Definitions)
}

function shown({ type, value }: { type: string; value: unknown }): { type: string; value: string } {
  if (type === 'Quantity') {
    const quantity = value as { value: number; unit: string }
    return { type, value: `${quantity.value} '${quantity.unit}'` }
  }
  const sign = /^(?:date|dateTime|instant)$/i.test(type) ? '@' : /^time$/i.test(type) ? '@T' : ''
  return { type, value: `${sign}${String(value)}` }
}

const constant = (value: string): { type: string; value: string } => ({ type: 'string', value })
const CONSTANTS = {
  '%sct': constant('http://snomed.info/sct'),
  '%loinc': constant('http://loinc.org'),
  '%ucum': constant('http://unitsofmeasure.org'),
  '%`vs-administrative-gender`': constant('http://hl7.org/fhir/ValueSet/administrative-gender'),
  '%`ext-patient-birthTime`': constant('http://hl7.org/fhir/StructureDefinition/patient-birthTime'),
}

/** Returns why a case fails; undefined where it passes. Numbers are compared as numbers: this engine keeps no zeros. */
function fault({ expression, input, outputs, predicate }: Case): string | undefined {
  let found: { type: string; value: string }[]
  try {
    const focus = input === undefined ? [] : [toTypedValue(JSON.parse(writeJson(readInput(input))))]
    const variables = { ...CONSTANTS, ...(focus[0] && { '%resource': focus[0], '%context': focus[0] }) }
    found = evalFhirPathTyped(expression, focus, variables).map(shown)
    if (predicate) found = [{ type: 'boolean', value: String(found.length > 0) }]
  } catch (error) {
    return outputs === undefined ? undefined : `it throws: ${(error as Error).message}`
  }
  if (outputs === undefined) return 'it is not refused'
  const plain = ({ type, value }: { type?: string | undefined; value: string }, number: boolean): string =>
    `${number ? '' : type} ${Number.isNaN(Number(value)) ? value : Number(value)}`
  const wanted = outputs.map(output => plain(output, output.type === undefined))
  const got = found.map((value, i) => plain(value, outputs[i]?.type === undefined))
  return JSON.stringify(got) === JSON.stringify(wanted)
    ? undefined
    : `it gives ${JSON.stringify(found).slice(0, 300)}`
}

describe.skipIf(!HAS_SUITE)(
  'the FHIRPath of @medplum/core on the official suite (skipped where ../shared is absent)',
  () => {
    beforeAll(indexDefinitions, 60_000)

    it('passes, but for the cases that are listed with a reason', { timeout: 60_000 }, () => {
      const listed = new Set(Object.values<string[]>(failing).flat())
      const faults = readCases().flatMap(one => {
        const why = fault(one)
        if (why !== undefined && !listed.has(one.name))
          return [`${one.name}: ${one.expression.slice(0, 100)}: ${why}`]
        return why === undefined && listed.has(one.name) ? [`${one.name} is listed and passes`] : []
      })
      expect(faults).toEqual([])
    })
  },
)
