/** Coded values against the value sets that they are bound to. https://hl7.org/fhir/R4/terminologies.html#binding */
import { describe, expect, it } from 'vitest'
import { memberOf } from '../../src/fhir/terminology/member.ts'
import { remove } from '../../src/interactions/delete.ts'
import { lookUp } from '../../src/interactions/needs.ts'
import { update } from '../../src/interactions/update.ts'
import { checkCodes } from '../../src/terminology/check-code.ts'
import { definitionsOf } from '../../src/terminology/definitions.ts'
import { answerCodes, type Question } from '../../src/terminology/validate-code.ts'
import { resource, type TestContext, testContext } from '../interactions/context.ts'

const VS = 'https://thanal.example.org/vs'
const CS = 'https://thanal.example.org/cs'
const SCT = 'http://snomed.info/sct'

async function withResources(...resources: object[]): Promise<TestContext> {
  const ctx = await testContext()
  for (const one of resources as { resourceType: string; id: string }[])
    await update(ctx, one.resourceType, one.id, resource(JSON.stringify(one)))
  return ctx
}

const ask = (ctx: TestContext, ...questions: Question[]) => answerCodes(ctx, questions, ctx.clock() + 5000)

const valueSet = (compose: object, more: object = {}) => ({
  resourceType: 'ValueSet',
  id: 'v',
  url: VS,
  status: 'active',
  compose,
  ...more,
})

const colours = (more: object = {}) => ({
  resourceType: 'CodeSystem',
  id: 'c',
  url: CS,
  status: 'active',
  content: 'complete',
  concept: [
    { code: 'r', display: 'Red', designation: [{ language: 'hi', value: 'लाल' }] },
    { code: 'g', display: 'Green' },
  ],
  ...more,
})

describe('a value set of R4', () => {
  const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender'
  const system = 'http://hl7.org/fhir/administrative-gender'

  it('is there at start, by url and by url and version', async () => {
    const ctx = await testContext()
    const codings = [{ system, code: 'female' }]
    const [plain, versioned, other] = await ask(
      ctx,
      { valueSet: gender, codings },
      { valueSet: `${gender}|4.0.1`, codings },
      { valueSet: `${gender}|9.9`, codings },
    )
    expect(plain).toEqual({ result: 'in', matched: 0 })
    expect(versioned).toEqual({ result: 'in', matched: 0 })
    expect(other).toEqual({ result: 'unknown', why: expect.stringContaining('no ValueSet') })
  })

  it('knows a bare code by itself, and no coding without a system', async () => {
    const ctx = await testContext()
    const codings = [{ code: 'male' }]
    const [bare, coding, none] = await ask(
      ctx,
      { valueSet: gender, codings, inferSystem: true },
      { valueSet: gender, codings },
      { valueSet: gender, codings: [{ code: 'Male' }], inferSystem: true },
    )
    expect(bare).toEqual({ result: 'in', matched: 0 })
    expect(coding).toEqual({ result: 'out', why: 'The code male has no system.' })
    expect(none?.result).toBe('out')
  })

  it('of v3 with a filter over a hierarchy has what is below its code', async () => {
    const ctx = await testContext()
    const valueSet = 'http://terminology.hl7.org/ValueSet/v3-ActEncounterCode'
    const [inside, outside] = await ask(
      ctx,
      {
        valueSet,
        codings: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }],
      },
      {
        valueSet,
        codings: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'EHCPOL' }],
      },
    )
    expect(inside?.result).toBe('in')
    expect(outside?.result).toBe('out')
  })

  it('that lists SNOMED CT codes is answered without SNOMED CT; one that filters it is not known', async () => {
    const ctx = await testContext()
    const [listed, missing, filtered] = await ask(
      ctx,
      {
        valueSet: 'http://hl7.org/fhir/ValueSet/condition-severity',
        codings: [{ system: SCT, code: '24484000', display: 'Severe' }],
      },
      {
        valueSet: 'http://hl7.org/fhir/ValueSet/condition-severity',
        codings: [{ system: SCT, code: '1' }],
      },
      { valueSet: 'http://hl7.org/fhir/ValueSet/body-site', codings: [{ system: SCT, code: '368209003' }] },
    )
    expect(listed).toEqual({ result: 'in', matched: 0 })
    expect(missing?.result).toBe('out')
    expect(filtered).toEqual({ result: 'unknown', why: expect.stringContaining(SCT) })
  })

  it.each([
    ['http://hl7.org/fhir/ValueSet/mimetypes', 'urn:ietf:bcp:13', 'application/pdf', 'in'],
    ['http://hl7.org/fhir/ValueSet/mimetypes', 'urn:ietf:bcp:13', 'pdf', 'out'],
    ['http://hl7.org/fhir/ValueSet/currencies', 'urn:iso:std:iso:4217', 'INR', 'in'],
    ['http://hl7.org/fhir/ValueSet/currencies', 'urn:iso:std:iso:4217', 'QQQ', 'out'],
    ['http://hl7.org/fhir/ValueSet/all-languages', 'urn:ietf:bcp:47', 'ta-IN', 'in'],
    ['http://hl7.org/fhir/ValueSet/all-languages', 'urn:ietf:bcp:47', 'no language', 'out'],
    ['http://hl7.org/fhir/ValueSet/ucum-units', 'http://unitsofmeasure.org', 'mg/dL', 'in'],
    ['http://hl7.org/fhir/ValueSet/ucum-units', 'http://unitsofmeasure.org', 'milligram', 'out'],
    ['http://hl7.org/fhir/ValueSet/ucum-units', 'http://unitsofmeasure.org', '[iU]/L', 'unknown'],
    ['http://hl7.org/fhir/ValueSet/units-of-time', 'http://unitsofmeasure.org', 'wk', 'in'],
  ])('%s says of %s|%s: %s', async (valueSet, system, code, result) => {
    const ctx = await testContext()
    expect((await ask(ctx, { valueSet, codings: [{ system, code }] }))[0]?.result).toBe(result)
  })
})

describe('several codings', () => {
  const set = valueSet({ include: [{ system: CS }, { system: 'urn:not-held' }] })
  it('are in when one is, and the one is named', async () => {
    const ctx = await withResources(colours(), set)
    const codings = [
      { system: CS, code: 'blue' },
      { system: CS, code: 'g' },
    ]
    expect(await ask(ctx, { valueSet: VS, codings })).toEqual([{ result: 'in', matched: 1 }])
  })
  it('are unknown when none is in and one cannot be told', async () => {
    const ctx = await withResources(colours(), set)
    const codings = [
      { system: CS, code: 'blue' },
      { system: 'urn:not-held', code: 'x' },
    ]
    expect(await ask(ctx, { valueSet: VS, codings })).toEqual([
      { result: 'unknown', why: expect.stringContaining('urn:not-held') },
    ])
  })
  it('are out when there is no code at all', async () => {
    const ctx = await withResources(colours(), set)
    expect(await ask(ctx, { valueSet: VS, codings: [{ display: 'Red' }] })).toEqual([
      { result: 'out', why: 'The value has no code.' },
    ])
  })
})

describe('the display', () => {
  it.each([
    ['Red', undefined],
    ['red', undefined],
    ['  RED ', undefined],
    ['लाल', undefined],
    ['Crimson', 'Red'],
  ])('%s is answered with %s', async (display, right) => {
    const ctx = await withResources(colours(), valueSet({ include: [{ system: CS }] }))
    const [answer] = await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'r', display }] })
    expect(answer).toEqual({ result: 'in', matched: 0, ...(right && { display: right }) })
  })

  it('of a listed code may be the value set own, or that of the code system', async () => {
    const ctx = await withResources(
      colours(),
      valueSet({ include: [{ system: CS, concept: [{ code: 'r', display: 'Rot' }] }] }),
    )
    const answer = async (display: string) =>
      (await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'r', display }] }))[0]?.display
    expect(await answer('rot')).toBeUndefined()
    expect(await answer('Red')).toBeUndefined()
    expect(await answer('Rouge')).toBe('Rot')
  })

  it('is not judged where nobody has one', async () => {
    const ctx = await withResources(
      valueSet({ include: [{ system: 'urn:not-held', concept: [{ code: 'r' }] }] }),
    )
    const codings = [{ system: 'urn:not-held', code: 'r', display: 'Anything' }]
    expect(await ask(ctx, { valueSet: VS, codings })).toEqual([{ result: 'in', matched: 0 }])
  })
})

describe('parts of code systems', () => {
  it('say what is in them, and nothing of what is not', async () => {
    const ctx = await withResources(colours({ content: 'fragment' }), valueSet({ include: [{ system: CS }] }))
    const [there, not] = await ask(
      ctx,
      { valueSet: VS, codings: [{ system: CS, code: 'r' }] },
      { valueSet: VS, codings: [{ system: CS, code: 'b' }] },
    )
    expect(there?.result).toBe('in')
    expect(not?.result).toBe('unknown')
  })
  it('whose case does not matter have a code in any', async () => {
    const ctx = await withResources(
      colours({ caseSensitive: false }),
      valueSet({ include: [{ system: CS }] }),
    )
    expect((await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'R' }] }))[0]?.result).toBe('in')
  })
})

describe('excludes and inactive codes', () => {
  it('are out', async () => {
    const ctx = await withResources(
      colours({
        concept: [
          { code: 'r' },
          { code: 'g' },
          { code: 'old', property: [{ code: 'status', valueCode: 'retired' }] },
        ],
      }),
      valueSet({
        inactive: false,
        include: [{ system: CS }],
        exclude: [{ system: CS, concept: [{ code: 'g' }] }],
      }),
    )
    const result = async (code: string) =>
      (await ask(ctx, { valueSet: VS, codings: [{ system: CS, code }] }))[0]?.result
    expect(await result('r')).toBe('in')
    expect(await result('g')).toBe('out')
    expect(await result('old')).toBe('out')
  })
})

describe('a value set of active codes only', () => {
  it('takes none that is not from another value set', async () => {
    const retired = [{ code: 'status', valueCode: 'retired' }]
    const ctx = await withResources(
      colours({ concept: [{ code: 'r' }, { code: 'old', property: retired }] }),
      { ...valueSet({ include: [{ system: CS }] }), id: 'all', url: `${VS}/all` },
      {
        ...valueSet({ include: [{ system: CS, concept: [{ code: 'r' }, { code: 'old' }] }] }),
        id: 'listed',
        url: `${VS}/listed`,
      },
      valueSet({ inactive: false, include: [{ valueSet: [`${VS}/all`] }, { valueSet: [`${VS}/listed`] }] }),
    )
    const asked = ['r', 'old'].map(code => ({ valueSet: VS, codings: [{ system: CS, code }] }))
    expect((await ask(ctx, ...asked)).map(({ result }) => result)).toEqual(['in', 'out'])
    expect(await lookUp(ctx, { is: 'value-set', url: VS })).toEqual({ codes: [{ system: CS, code: 'r' }] })
  })
})

describe('what changes in the store', () => {
  const codings = [{ system: CS, code: 'r' }]
  it('here is seen at once', async () => {
    const ctx = await withResources(colours(), valueSet({ include: [{ system: CS }] }))
    expect((await ask(ctx, { valueSet: VS, codings }))[0]?.result).toBe('in')
    await update(ctx, 'CodeSystem', 'c', resource(JSON.stringify(colours({ concept: [{ code: 'b' }] }))))
    expect((await ask(ctx, { valueSet: VS, codings }))[0]?.result).toBe('out')
    await remove(ctx, 'ValueSet', 'v', {})
    expect((await ask(ctx, { valueSet: VS, codings }))[0]?.result).toBe('unknown')
  })

  it('by another instance is seen after a second', async () => {
    const ctx = await withResources(colours(), valueSet({ include: [{ system: CS }] }))
    // The cache goes by the store: behind a proxy it is another instance's.
    const other = { ...ctx, storage: new Proxy(ctx.storage, {}) }
    expect((await ask(other, { valueSet: VS, codings }))[0]?.result).toBe('in')
    ctx.pass(1000)
    await update(ctx, 'CodeSystem', 'c', resource(JSON.stringify(colours({ concept: [{ code: 'b' }] }))))
    ctx.pass(1000)
    expect((await ask(other, { valueSet: VS, codings }))[0]?.result).toBe('out')
  })

  it('asks the store nothing within that second', async () => {
    const ctx = await withResources(colours(), valueSet({ include: [{ system: CS }] }))
    await ask(ctx, { valueSet: VS, codings })
    const { storage } = ctx
    let asked = 0
    const counting = new Proxy(storage, {
      get(target, name) {
        if (name === 'search' || name === 'history' || name === 'read') asked++
        return Reflect.get(target, name, target)
      },
    })
    // The cache goes by the store: the first question of this one is asked for its state, the second for nothing.
    const again = { ...ctx, storage: counting }
    await ask(again, { valueSet: VS, codings })
    const before = asked
    expect(before).toBeGreaterThan(0)
    await ask(again, ...Array.from({ length: 500 }, () => ({ valueSet: VS, codings })))
    expect(asked).toBe(before)
  })
})

describe('hostile definitions', () => {
  it('that include themselves are unknown', async () => {
    const ctx = await withResources(valueSet({ include: [{ valueSet: [VS] }] }))
    expect(await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'r' }] })).toEqual([
      { result: 'unknown', why: expect.stringContaining('includes itself') },
    ])
  })

  it('in a long chain are unknown', async () => {
    const chain = Array.from({ length: 30 }, (_, i) => ({
      ...valueSet({ include: [{ valueSet: [`${VS}/${i + 1}`] }] }),
      id: `v${i}`,
      url: `${VS}/${i}`,
    }))
    const ctx = await withResources(...chain)
    expect(await ask(ctx, { valueSet: `${VS}/0`, codings: [{ system: CS, code: 'r' }] })).toEqual([
      { result: 'unknown', why: expect.stringContaining('more than 16 deep') },
    ])
  })

  it('are unknown at the deadline', async () => {
    const ctx = await withResources(colours(), valueSet({ include: [{ system: CS }] }))
    const [answer] = await answerCodes(
      ctx,
      [{ valueSet: VS, codings: [{ system: CS, code: 'r' }] }],
      ctx.clock() - 1,
    )
    expect(answer?.result).toBe('unknown')
  })
})

describe('a system in which case does not matter', () => {
  const anyCase = colours({
    caseSensitive: false,
    concept: [{ code: 'Red', concept: [{ code: 'Pink' }] }, { code: 'Green' }],
  })
  const results = async (compose: object, ...codes: string[]) => {
    const ctx = await withResources(anyCase, valueSet(compose))
    const answers = await ask(ctx, ...codes.map(code => ({ valueSet: VS, codings: [{ system: CS, code }] })))
    return answers.map(({ result }) => result)
  }
  it('has excluded codes out, in whatever case they are excluded', async () => {
    const compose = {
      include: [{ system: CS }],
      exclude: [{ system: CS, concept: [{ code: 'RED' }] }],
    }
    expect(await results(compose, 'Red', 'red', 'Green')).toEqual(['out', 'out', 'in'])
  })
  it('has the codes in that a filter names in another case', async () => {
    const compose = {
      include: [{ system: CS, filter: [{ property: 'concept', op: 'is-a', value: 'RED' }] }],
    }
    expect(await results(compose, 'Pink', 'pink', 'Green')).toEqual(['in', 'in', 'out'])
  })
  it('has a code in that is listed in another case', async () => {
    const compose = { include: [{ system: CS, concept: [{ code: 'red' }] }] }
    expect(await results(compose, 'red', 'Red', 'RED', 'Green')).toEqual(['in', 'in', 'in', 'out'])
  })
  it('is searched for as it is defined, in lower and in upper case', async () => {
    const ctx = await withResources(
      anyCase,
      valueSet({ include: [{ system: CS, concept: [{ code: 'Red' }] }] }),
    )
    const codes = ['Red', 'red', 'RED'].map(code => ({ system: CS, code }))
    expect(await lookUp(ctx, { is: 'value-set', url: VS })).toEqual({ codes })
    expect(await lookUp(ctx, { is: 'codes', way: 'below', system: CS, code: 'pink' })).toEqual({
      codes: ['Pink', 'pink', 'PINK'].map(code => ({ system: CS, code })),
    })
  })
})

describe('what is not known of a value set', () => {
  it('is a bare code that two includes have, of which one has another system', async () => {
    const OTHER = 'https://thanal.example.org/other'
    const ctx = await withResources(
      colours(),
      { ...colours({ url: OTHER, concept: [{ code: 'r' }] }), id: 'o' },
      {
        ...valueSet({ include: [{ system: CS, concept: [{ code: 'r' }] }] }),
        id: 'inner',
        url: `${VS}/inner`,
      },
      valueSet({
        include: [
          { system: OTHER, valueSet: [`${VS}/inner`] },
          { system: CS, valueSet: [`${VS}/inner`], filter: [{ property: 'code', op: 'regex', value: 'r' }] },
        ],
      }),
    )
    const held = definitionsOf(ctx, ctx.clock() + 5000)
    expect(await memberOf(VS, { system: undefined, code: 'r' }, held)).toMatchObject({ is: 'in', system: CS })
  })
  it.each([
    ['filter', { name: 'filter', valueString: 're' }],
    ['active codes only', { name: 'activeOnly', valueBoolean: true }],
    ['systems left out', { name: 'exclude-system', valueUri: 'urn:x' }],
    ['a count that was reached', { name: 'count', valueInteger: 1 }],
  ])('are the codes beyond an expansion that was made with %s', async (_, parameter) => {
    const expansion = {
      timestamp: '2026-01-01',
      parameter: [parameter],
      contains: [{ system: CS, code: 'r' }],
    }
    const ctx = await withResources({ ...valueSet({}), compose: undefined, expansion })
    const [answer] = await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'g' }] })
    expect(answer?.result).toBe('unknown')
  })
  it.each(['supplement', 'fragment', 'example', 'not-present'])(
    'is nothing, where the store has a %s of what is there as a whole',
    async content => {
      const url = 'http://hl7.org/fhir/administrative-gender'
      const concept = content === 'not-present' ? undefined : [{ code: 'male' }]
      const ctx = await withResources(colours({ url, content, concept }))
      const valueSet = 'http://hl7.org/fhir/ValueSet/administrative-gender'
      const [there, not] = await ask(
        ctx,
        { valueSet, codings: [{ system: url, code: 'female' }] },
        { valueSet, codings: [{ system: url, code: 'Male' }] },
      )
      expect([there?.result, not?.result]).toEqual(['in', 'out'])
    },
  )
  it('is every code of a supplement: it defines none', async () => {
    const ctx = await withResources(
      colours({ content: 'supplement' }),
      valueSet({ include: [{ system: CS }] }),
    )
    expect((await ask(ctx, { valueSet: VS, codings: [{ system: CS, code: 'r' }] }))[0]?.result).toBe(
      'unknown',
    )
  })
})

it('takes the designations of a value set for displays', async () => {
  const concept = [{ code: 'r', display: 'Red', designation: [{ language: 'ml', value: 'ചുവപ്പ്' }] }]
  const ctx = await withResources(valueSet({ include: [{ system: CS, concept }] }))
  const codings = [{ system: CS, code: 'r', display: 'ചുവപ്പ്' }]
  expect(await ask(ctx, { valueSet: VS, codings })).toEqual([{ result: 'in', matched: 0 }])
  const held = definitionsOf(ctx, ctx.clock() + 5000)
  const coding = { system: CS, version: undefined, code: 'r', display: 'ചുവപ്പ്' }
  expect(await checkCodes(held, { valueSet: VS }, [coding], { language: 'ml' })).toMatchObject({
    result: true,
    display: 'ചുവപ്പ്',
  })
})
