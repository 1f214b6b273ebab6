/** What searches look up before they are planned to their end. https://hl7.org/fhir/R4/search.html#token */
import { describe, expect, it } from 'vitest'
import { compareVersions, definitionOf } from '../../src/conformance/canonical.ts'
import { remove } from '../../src/interactions/delete.ts'
import { lookUp } from '../../src/interactions/needs.ts'
import { search } from '../../src/interactions/search.ts'
import { update } from '../../src/interactions/update.ts'
import type { Known } from '../../src/search/ask.ts'
import { BASE } from '../settings.ts'
import { refusal, resource, testContext } from './context.ts'

const CS = 'https://thanal.example.org/cs'
const VS = 'https://thanal.example.org/vs'

async function withResources(...resources: object[]) {
  const ctx = await testContext()
  for (const one of resources as { resourceType: string; id: string }[]) {
    await update(ctx, one.resourceType, one.id, resource(JSON.stringify(one)))
    ctx.pass(1000)
  }
  return ctx
}

const codes = (known: Known) => ('codes' in known ? known.codes.map(({ code }) => code).sort() : known)
const ids = (known: Known) => ('ids' in known ? [...known.ids].sort() : known)

const valueSet = (id: string, code: string, more: object = {}) => ({
  resourceType: 'ValueSet',
  id,
  url: VS,
  status: 'active',
  compose: { include: [{ system: CS, concept: [{ code }] }] },
  ...more,
})

const codeSystem = (more: object = {}) => ({
  resourceType: 'CodeSystem',
  id: 'cs',
  url: CS,
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [{ code: 'a', concept: [{ code: 'b', concept: [{ code: 'c' }] }, { code: 'd' }] }],
  ...more,
})

describe('the codes of a value set', () => {
  it('are found by url, url and version, id, and address', async () => {
    const ctx = await withResources(
      valueSet('one', 'a', { version: '1.9' }),
      valueSet('ten', 'b', { version: '1.10' }),
      valueSet('draft', 'c', { version: '2', status: 'draft' }),
    )
    const look = async (url: string) => codes(await lookUp(ctx, { is: 'value-set', url }))
    expect(await look(VS), 'the highest active version').toEqual(['b'])
    expect(await look(`${VS}|1.9`)).toEqual(['a'])
    expect(await look(`${VS}|2`)).toEqual(['c'])
    expect(await look('ValueSet/one')).toEqual(['a'])
    expect(await look(`${BASE}/ValueSet/ten`)).toEqual(['b'])
    expect(await look(`${VS}|3`)).toEqual({ unknown: expect.stringContaining('no such ValueSet') })
    await remove(ctx, 'ValueSet', 'ten', {})
    expect(await look(VS)).toEqual(['a'])
  })

  it('of the same version are those of the last one updated', async () => {
    const ctx = await withResources(valueSet('old', 'a'), valueSet('new', 'b'))
    expect(codes(await lookUp(ctx, { is: 'value-set', url: VS }))).toEqual(['b'])
  })

  it('come with the systems of the codes', async () => {
    const ctx = await withResources(
      codeSystem(),
      valueSet('v', '', { compose: { include: [{ system: CS }] } }),
    )
    const known = await lookUp(ctx, { is: 'value-set', url: VS })
    expect('codes' in known && known.codes.every(({ system }) => system === CS)).toBe(true)
    expect(codes(known)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('of a required binding of R4 are known, until the server has its own ValueSet of that url', async () => {
    const url = 'http://hl7.org/fhir/ValueSet/administrative-gender'
    const ctx = await withResources()
    const gender = ['female', 'male', 'other', 'unknown']
    expect(codes(await lookUp(ctx, { is: 'value-set', url }))).toEqual(gender)
    expect(codes(await lookUp(ctx, { is: 'value-set', url: `${url}|4.0.1` }))).toEqual(gender)
    expect(codes(await lookUp(ctx, { is: 'value-set', url: `${url}|9` }))).toEqual({
      unknown: expect.any(String),
    })
    const own = resource(JSON.stringify(valueSet('own', 'x', { url })))
    await update(ctx, 'ValueSet', 'own', own)
    expect(codes(await lookUp(ctx, { is: 'value-set', url }))).toEqual(['x'])
  })
})

describe('codes above and below', () => {
  it('are those of the hierarchy and the code itself', async () => {
    const ctx = await withResources(codeSystem())
    const look = async (code: string, way: 'above' | 'below') =>
      codes(await lookUp(ctx, { is: 'codes', system: CS, code, way }))
    expect(await look('b', 'below')).toEqual(['b', 'c'])
    expect(await look('a', 'below')).toEqual(['a', 'b', 'c', 'd'])
    expect(await look('c', 'above')).toEqual(['a', 'b', 'c'])
    expect(await look('d', 'below')).toEqual(['d'])
    expect(await look('zz', 'below')).toEqual({ unknown: expect.stringContaining('no such code') })
  })

  it('are not told of a system that is unknown or incomplete', async () => {
    const look = (ctx: Awaited<ReturnType<typeof withResources>>) =>
      lookUp(ctx, { is: 'codes', system: CS, code: 'a', way: 'below' })
    expect(await look(await withResources())).toEqual({ unknown: expect.stringContaining('no CodeSystem') })
    expect(await look(await withResources(codeSystem({ content: 'fragment' })))).toEqual({
      unknown: expect.stringContaining('not complete'),
    })
  })
})

describe('what was looked up', () => {
  it('is looked up again: a change counts at once, and so does a deletion', async () => {
    const ctx = await withResources(
      codeSystem(),
      valueSet('v', '', { compose: { include: [{ system: CS }] } }),
    )
    const look = async () => codes(await lookUp(ctx, { is: 'value-set', url: VS }))
    expect(await look()).toEqual(['a', 'b', 'c', 'd'])
    expect(await look()).toEqual(['a', 'b', 'c', 'd'])
    await update(
      ctx,
      'CodeSystem',
      'cs',
      resource(JSON.stringify(codeSystem({ concept: [{ code: 'new' }] }))),
    )
    expect(await look()).toEqual(['new'])
    await remove(ctx, 'CodeSystem', 'cs', {})
    expect(await look()).toEqual({ unknown: expect.stringContaining('no CodeSystem') })
    await update(ctx, 'CodeSystem', 'cs', resource(JSON.stringify(codeSystem())))
    expect(await look()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('of more than is kept is right all the same', async () => {
    const large = (n: number) =>
      valueSet(`v${n}`, `c${n}`, { url: `${VS}/${n}`, description: 'x'.repeat(1_000_000) })
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    const ctx = await withResources(...numbers.map(large))
    for (const n of [...numbers, ...numbers])
      expect(codes(await lookUp(ctx, { is: 'value-set', url: `${VS}/${n}` }))).toEqual([`c${n}`])
  })
})

describe('resources above and below', () => {
  const place = (id: string, partOf?: string) => ({
    resourceType: 'Location',
    id,
    ...(partOf === undefined ? {} : { partOf: { reference: partOf } }),
  })
  const look = async (ctx: Awaited<ReturnType<typeof withResources>>, id: string, way: 'above' | 'below') =>
    ids(await lookUp(ctx, { is: 'resources', type: 'Location', id, param: 'Location.partof', way }))

  it('are found level by level, by relative and by absolute references', async () => {
    const ctx = await withResources(
      place('house'),
      place('ward', 'Location/house'),
      place('bed', `${BASE}/Location/ward`),
      place('bed2', 'Location/ward'),
      place('elsewhere', 'https://other.example.org/fhir/Location/ward'),
    )
    expect(await look(ctx, 'house', 'below')).toEqual(['bed', 'bed2', 'house', 'ward'])
    expect(await look(ctx, 'ward', 'below')).toEqual(['bed', 'bed2', 'ward'])
    expect(await look(ctx, 'bed', 'above')).toEqual(['bed', 'house', 'ward'])
    expect(await look(ctx, 'nowhere', 'below')).toEqual(['nowhere'])
  })

  it('in a circle are found once', async () => {
    const ctx = await withResources(
      place('x', 'Location/y'),
      place('y', 'Location/x'),
      place('z', 'Location/z'),
    )
    expect(await look(ctx, 'x', 'below')).toEqual(['x', 'y'])
    expect(await look(ctx, 'x', 'above')).toEqual(['x', 'y'])
    expect(await look(ctx, 'z', 'below')).toEqual(['z'])
  })

  it('deeper than a hundred levels are not told', async () => {
    const chain = Array.from({ length: 102 }, (_, n) =>
      place(`l${n}`, n === 0 ? undefined : `Location/l${n - 1}`),
    )
    const ctx = await withResources(...chain)
    expect(await look(ctx, 'l0', 'below')).toEqual({ unknown: expect.stringContaining('100 levels') })
    expect(await look(ctx, 'l3', 'below')).toHaveLength(99)
  })
})

describe('versions', () => {
  it.each([
    ['1.10', '1.9'],
    ['2', '1.9.9'],
    ['1.2.1', '1.2'],
    ['20240101', '20231231'],
    ['2024-02', '2024-01'],
    ['1.0.0-b', '1.0.0-a'],
  ])('%s is above %s', (high, low) => {
    expect(compareVersions(high, low)).toBeGreaterThan(0)
    expect(compareVersions(low, high)).toBeLessThan(0)
    expect(compareVersions(high, high)).toBe(0)
  })
})

describe('a definition', () => {
  it('is not found under the url of another type', async () => {
    const ctx = await withResources(valueSet('v', 'a'))
    expect(await definitionOf(ctx, 'CodeSystem', VS)).toBeUndefined()
    expect(await definitionOf(ctx, 'CodeSystem', 'ValueSet/v')).toBeUndefined()
  })
})

it('what is looked up for a search ends at its deadline, however many look-ups there are', async () => {
  const hierarchy = Array.from({ length: 50 }, (_, i) => ({
    resourceType: 'Location',
    id: `l${i}`,
    ...(i > 0 && { partOf: { reference: `Location/l${i - 1}` } }),
  }))
  const including = Array.from({ length: 10 }, (_, i) =>
    valueSet(`v${i}`, 'x', { url: `${VS}/${i}`, compose: { include: [{ valueSet: [`${VS}/${i + 1}`] }] } }),
  )
  const ctx = await withResources(...hierarchy, ...including, valueSet('end', 'x', { url: `${VS}/10` }))
  let asked = 0
  // A fifth of the time that a search may take.
  const wait = () => {
    asked++
    ctx.pass(1001)
  }
  const { storage } = ctx
  const slow = {
    ...ctx,
    storage: {
      ...storage,
      async search(...args: Parameters<typeof storage.search>) {
        wait()
        return storage.search(...args)
      },
      async readMany(...args: Parameters<typeof storage.readMany>) {
        wait()
        return storage.readMany(...args)
      },
    },
  }
  for (const [type, name, value] of [
    ['Location', 'partof:below', 'l0'],
    ['Location', 'partof:above', 'l49'],
    ['Patient', '_tag:in', `${VS}/0`],
  ] as const) {
    asked = 0
    const error = await refusal(search(slow, type, [[name, value]]))
    expect([error.code, error.status]).toEqual(['too-costly', 503])
    expect(asked).toBeLessThan(7)
  }
})
