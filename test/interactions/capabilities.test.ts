/** https://hl7.org/fhir/R4/capabilitystatement.html */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeJson } from '../../src/fhir/json.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { capabilities } from '../../src/interactions/capabilities.ts'
import { search } from '../../src/interactions/search.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

const FACTS = {
  formats: ['application/fhir+json'],
  patchFormats: ['application/json-patch+json'],
  operations: [],
}
const VALUES: Record<string, string> = {
  token: 'x',
  string: 'x',
  date: '2020',
  number: '1',
  quantity: '1',
  reference: 'Patient/x',
  uri: 'http://x',
  special: '9|76',
}

// biome-ignore lint/suspicious/noExplicitAny: read field by field below
const statement = (): any => JSON.parse(writeJson(capabilities(ctx, FACTS)))

describe('the CapabilityStatement', () => {
  test('is a sound resource', () => {
    expect(validateStructure(capabilities(ctx, FACTS), 'CapabilityStatement')).toEqual([])
  })

  test('has every R4 resource type once', () => {
    const types = statement().rest[0].resource.map((one: { type: string }) => one.type)
    // The value set of resource types has 148 codes; two of them, Resource and DomainResource, are abstract.
    expect(types).toHaveLength(146)
    expect(new Set(types).size).toBe(146)
  })

  test('lists no search parameter that a search refuses', async () => {
    const [rest] = statement().rest
    for (const type of ['Patient', 'Observation', 'RiskAssessment', 'ValueSet', 'Binary', 'Bundle']) {
      const { searchParam } = rest.resource.find((one: { type: string }) => one.type === type)
      expect(searchParam.length).toBeGreaterThan(4)
      for (const { name, type: paramType, documentation } of searchParam) {
        const parts = /Value: (.*?)\./.exec(documentation)?.[1]?.split('$')
        const paths = ctx.registry.param(type, name)?.paths ?? []
        const value =
          name === '_lastUpdated'
            ? '2020'
            : paths.some(path => path.type === 'boolean')
              ? 'true'
              : (parts?.map(part => (/date|period/.test(part) ? '2020' : '1')).join('$') ??
                VALUES[paramType]!)
        await expect(search(ctx, type, [[name, value]]), `${type}?${name}=${value}`).resolves.toBeDefined()
      }
    }
  })

  test('says nothing of what the backend cannot do', () => {
    const nodes = new Set([...ctx.storage.caps.nodes].filter(kind => kind !== 'quantity')) as ReadonlySet<
      Node['kind']
    >
    const caps = { ...ctx.storage.caps, nodes }
    const poor = { ...ctx, storage: Object.assign(Object.create(ctx.storage), { caps }) }
    const text = writeJson(capabilities(poor, FACTS))
    expect(text).not.toContain('"value-quantity"')
    expect(writeJson(capabilities(ctx, FACTS))).toContain('"value-quantity"')
  })

  test('says enforced where references are', () => {
    const policy = (one: { rest: { resource: { referencePolicy: string[] }[] }[] }) =>
      one.rest[0]?.resource[0]?.referencePolicy
    expect(policy(statement())).not.toContain('enforced')
    ctx.settings = { ...ctx.settings, references: 'enforce' }
    expect(policy(statement())).toContain('enforced')
  })
})
