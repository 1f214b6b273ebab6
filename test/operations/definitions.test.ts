/** The OperationDefinitions of the operations on Appointments say what the operations take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../src/operations/registry.ts'
import type { Any } from './appointments.ts'

const FOLDER = join(import.meta.dirname, '../../profiles/operations')
const PREFIX = 'urn:nadi:operation:'

/** Those that a file of ours defines, whatever they are about. */
const own = OPERATIONS.filter(({ definition }) => definition.startsWith(`${PREFIX}appointment-`))

describe('profiles/operations', () => {
  it.each(own.map(one => [one.definition, one] as const))(
    '%s says what it takes',
    (definition, operation) => {
      const id = definition.slice(PREFIX.length)
      const stated = JSON.parse(readFileSync(join(FOLDER, `OperationDefinition-${id}.json`), 'utf8'))
      expect([stated.url, stated.code, stated.resource, stated.affectsState]).toEqual([
        definition,
        operation.name,
        operation.types,
        operation.affectsState,
      ])
      expect([stated.type, stated.instance]).toEqual([
        operation.levels.includes('type'),
        operation.levels.includes('instance'),
      ])
      const taken = operation.parameters.map(({ name, min, max, type, resourceTypes }) => [
        name,
        min,
        String(max),
        resourceTypes?.[0] ?? type,
      ])
      const ins = stated.parameter.filter((one: Any) => one.use === 'in')
      expect(ins.map((one: Any) => [one.name, one.min, one.max, one.type])).toEqual(taken)
    },
  )

  it('those of IHE are named by the URL of IHE', () => {
    const named = (name: string) => OPERATIONS.filter(one => one.name === name).map(one => one.definition)
    const IHE = 'https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-'
    expect([named('hold'), named('book')]).toEqual([[`${IHE}hold`], [`${IHE}book`]])
  })
})
