/** Definitions that the tests of terminology are about, small enough to work out by hand. */
import type { Given } from '../../src/operations/parameters.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { storeAll } from './context.ts'

export const BODY = 'https://thanal.example.org/cs/body'
export const PARTS = 'https://thanal.example.org/vs/parts'

/**
 * body > limb (abstract) > arm > hand, limb > leg; old is retired. Each has a display, arm names in Hindi and Tamil too.
 */
export const bodySystem = {
  resourceType: 'CodeSystem',
  id: 'body',
  url: BODY,
  version: '2',
  name: 'Body',
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  property: [
    { code: 'side', type: 'string' },
    { code: 'status', uri: 'http://hl7.org/fhir/concept-properties#status', type: 'code' },
    { code: 'abstract', uri: 'http://hl7.org/fhir/concept-properties#notSelectable', type: 'boolean' },
  ],
  concept: [
    {
      code: 'body',
      display: 'Whole body',
      concept: [
        {
          code: 'limb',
          display: 'Limb',
          property: [{ code: 'abstract', valueBoolean: true }],
          concept: [
            {
              code: 'arm',
              display: 'Upper arm',
              definition: 'What a hand hangs on.',
              designation: [
                { language: 'hi', value: 'बाँह' },
                { language: 'ta-IN', value: 'கை' },
                { use: { system: 'urn:use', code: 'short' }, value: 'arm (s)' },
              ],
              property: [{ code: 'side', valueString: 'both' }],
              concept: [{ code: 'hand', display: 'Hand' }],
            },
            { code: 'leg', display: 'Leg', property: [{ code: 'side', valueString: 'both' }] },
          ],
        },
      ],
    },
    { code: 'old', display: 'Old part', property: [{ code: 'status', valueCode: 'retired' }] },
  ],
}

export const valueSet = (compose: object, more: object = {}) => ({
  resourceType: 'ValueSet',
  id: 'parts',
  url: PARTS,
  version: '1',
  status: 'active',
  compose,
  ...more,
})

export async function contextWith(...resources: object[]): Promise<TestContext> {
  const ctx = await testContext()
  if (resources.length > 0) await storeAll(ctx, resources)
  return ctx
}

/** Parameters as a URL or a Parameters resource would bring them; resources and objects go in as they are. */
export const given = (parameters: Record<string, unknown>): Given[] =>
  Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one => ({
      name,
      value:
        typeof one === 'object' && one !== null && 'resourceType' in one
          ? { resource: one }
          : (one as Given['value']),
    })),
  )

/** Returns the parameters of an answer by name; of parts, and of names that repeat, a list. */
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field in assertions
export function plain(answer: any): Record<string, any> {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const found: Record<string, any> = {}
  for (const { name, part, ...rest } of answer.parameter ?? []) {
    const value = part === undefined ? Object.values(rest)[0] : plain({ parameter: part })
    if (!(name in found)) found[name] = value
    else found[name] = [...(Array.isArray(found[name]) ? found[name] : [found[name]]), value]
  }
  return found
}
