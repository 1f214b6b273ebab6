/** The OperationDefinitions of the operations on documents say what the operations take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../src/operations/registry.ts'
import type { Any } from './clinic-app.ts'

describe('profiles/operations', () => {
  const FOLDER = join(import.meta.dirname, '../../profiles/operations')
  const own = OPERATIONS.filter(({ definition }) => /^urn:nadi:operation:.*document/.test(definition))

  it.each(own.map(one => [one.definition, one] as const))(
    '%s says what the operation takes',
    (definition, operation) => {
      const id = definition.slice('urn:nadi:operation:'.length)
      const stated = JSON.parse(readFileSync(join(FOLDER, `OperationDefinition-${id}.json`), 'utf8'))
      expect([stated.url, stated.code, stated.resource, stated.affectsState]).toEqual([
        definition,
        operation.name,
        operation.types,
        operation.affectsState,
      ])
      expect([stated.system, stated.type, stated.instance]).toEqual(
        ['system', 'type', 'instance'].map(level => operation.levels.includes(level as Any)),
      )
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

  it('covers all of them', () => expect(own).toHaveLength(3))
})
