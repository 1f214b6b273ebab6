/** What anybody may send to the operations of terminology: an answer or a clear error, in bounded time, and never a fault of ours. */
import { describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import type { InParameter } from '../../src/operations/operation.ts'
import type { Given } from '../../src/operations/parameters.ts'
import { OPERATIONS } from '../../src/operations/registry.ts'
import { refusal } from '../interactions/context.ts'
import { generator, SEED } from '../search/random.ts'
import { call, tree } from './context.ts'
import { BODY, bodySystem, contextWith, given, PARTS, valueSet } from './terminology.ts'

const NAMES = ['lookup', 'validate-code', 'batch-validate-code', 'subsumes', 'expand', 'translate']
const TERMINOLOGY = OPERATIONS.filter(({ name }) => NAMES.includes(name))

const { below, pick } = generator(SEED)

const TEXTS = [
  BODY,
  PARTS,
  'arm',
  'limb',
  'wing',
  '',
  ' ',
  'x'.repeat(5000),
  '|',
  `${BODY}|`,
  `${BODY}|2|3`,
  '?fhir_vs',
]
TEXTS.push(
  'http://snomed.info/sct?fhir_vs=isa/',
  '__proto__',
  'constructor',
  'true',
  '-1',
  '0',
  '999999999',
  '\u{1F9B4}',
)
TEXTS.push(
  'http://hl7.org/fhir/ValueSet/all-types',
  'http://hl7.org/fhir/administrative-gender',
  'female',
  '*',
  '$x',
)

const MEMBERS = [
  'system',
  'code',
  'display',
  'version',
  'concept',
  'filter',
  'valueSet',
  'property',
  'op',
  'value',
]
MEMBERS.push(
  'include',
  'exclude',
  'compose',
  'expansion',
  'contains',
  'group',
  'element',
  'target',
  'unmapped',
  'mode',
)
MEMBERS.push(
  'url',
  'equivalence',
  'dependsOn',
  'product',
  'coding',
  'designation',
  'use',
  'language',
  'total',
  'extension',
)

function odd(depth = 0): unknown {
  const kind = below(depth > 4 ? 4 : 7)
  if (kind < 2) return pick(TEXTS)
  if (kind === 2) return pick([true, false, 0, 1e9, -1])
  if (kind === 3)
    return pick(['is-a', '=', 'regex', 'exists', 'in', 'fixed', 'provided', 'other-map', 'complete'])
  if (kind === 4) return Array.from({ length: below(4) }, () => odd(depth + 1))
  return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(MEMBERS), odd(depth + 1)]))
}

const oddObject = (): object => {
  const one = odd()
  return typeof one === 'object' && !Array.isArray(one) ? one! : { code: one }
}

function oddValue({ type, resourceTypes, parts }: InParameter): Given['value'] {
  if (type === 'Resource') {
    const resource = {
      ...oddObject(),
      resourceType: resourceTypes?.[0] ?? 'Patient',
      url: PARTS,
      content: 'complete',
    }
    for (const name of ['compose', 'expansion', 'concept', 'group', 'parameter'])
      if (below(2) === 0) Object.assign(resource, { [name]: odd() })
    return { resource: tree(resource) }
  }
  if (type === 'parts')
    return { parts: (parts ?? []).map(part => ({ name: part.name, value: oddValue(part) })) }
  if (type === 'Coding' || type === 'CodeableConcept') return tree({ resourceType: 'x', ...oddObject() })
  if (type === 'boolean') return pick(['true', 'false'])
  if (type === 'integer') return pick(['0', '1', '-1', '999999999'])
  return pick(TEXTS.filter(text => text !== ''))
}

describe('random parameters', () => {
  it('are answered, or refused in words', async () => {
    const ctx = await contextWith(bodySystem, valueSet({ include: [{ system: BODY }] }))
    let answered = 0
    for (let n = 0; n < 3000; n++) {
      const operation = pick(TERMINOLOGY)
      const sent = operation.parameters.flatMap(one =>
        below(3) === 0 ? [{ name: one.name, value: oddValue(one) }] : [],
      )
      try {
        const answer = await call(ctx, operation.name, { type: operation.types![0]!, lenient: true }, sent)
        expect(answer.resourceType, `call ${n}`).toMatch(/^(Parameters|ValueSet)$/)
        answered++
      } catch (error) {
        if (!(error instanceof FhirError)) throw error
        expect(error.status, error.message).toBeLessThan(500)
        expect(error.message.length).toBeLessThan(3000)
      }
    }
    expect(answered).toBeGreaterThan(30)
  }, 120_000)
})

describe('definitions that ask for much', () => {
  const expand = async (...resources: object[]) => {
    const ctx = await contextWith(...resources)
    const before = performance.now()
    const answer = call(ctx, 'expand', { type: 'ValueSet' }, given({ url: PARTS }))
    return { answer, took: () => performance.now() - before }
  }

  it('a thousand includes of a large code system', async () => {
    const large = {
      ...bodySystem,
      concept: Array.from({ length: 9000 }, (_, i) => ({ code: `c${i}` })),
    }
    const filter = [{ property: 'code', op: 'regex', value: 'c[0-9]*' }]
    const include = Array.from({ length: 1000 }, () => ({ system: BODY, filter }))
    const { answer, took } = await expand(large, valueSet({ include }))
    expect(await refusal(answer)).toMatchObject({ status: 422, code: 'too-costly' })
    expect(took()).toBeLessThan(5000)
  })

  it('value sets that include each other in all ways', async () => {
    const sets = Array.from({ length: 12 }, (_, i) => ({
      ...valueSet({
        include: Array.from({ length: 12 }, (_, j) => ({ valueSet: [`${PARTS}/${j}`] })),
      }),
      id: `v${i}`,
      url: i === 0 ? PARTS : `${PARTS}/${i}`,
    }))
    const { answer, took } = await expand(...sets)
    expect((await refusal(answer)).status).toBeGreaterThanOrEqual(400)
    expect(took()).toBeLessThan(5000)
  })

  it('a map of two million mappings to itself', async () => {
    const target = Array.from({ length: 400 }, () => ({ code: 'x', equivalence: 'equal' }))
    const element = Array.from({ length: 4000 }, () => ({ code: 'a', target }))
    const map = {
      resourceType: 'ConceptMap',
      status: 'active',
      group: [{ source: 'urn:a', target: 'urn:b', element }],
    }
    const ctx = await contextWith()
    const before = performance.now()
    const answer = call(
      ctx,
      'translate',
      { type: 'ConceptMap' },
      given({ conceptMap: map, system: 'urn:a', code: 'a' }),
    )
    expect(await refusal(answer)).toMatchObject({ status: 422, code: 'too-costly' })
    expect(performance.now() - before).toBeLessThan(5000)
  })
})
