/** https://hl7.org/fhir/R4/patient-operation-everything.html */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/context.ts'
import { CARE_DATES, isInCareRange } from '../../src/operations/care-dates.ts'
import { sentKeys } from '../../src/operations/sent-keys.ts'
import type { IndexRow } from '../../src/search/index-row.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { testContext } from '../interactions/context.ts'
import { call, givenOf, storeAll } from './context.ts'

const PATIENT = { type: 'Patient', id: 'p' }
const patient = { resourceType: 'Patient', id: 'p' }
const observation = (n: number, more: object = {}) => ({
  resourceType: 'Observation',
  id: `o${n}`,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: 'Patient/p' },
  ...more,
})
const doctor = (n: number) => ({ resourceType: 'Practitioner', id: `d${n}` })
const by = (...numbers: number[]) => ({
  performer: numbers.map(n => ({ reference: `Practitioner/d${n}` })),
})

/** The keys of each page, and how many times each mode. */
async function walk(ctx: Context, count: string) {
  const keys: string[] = []
  const sizes: number[] = []
  let longest = 0
  let given = [{ name: '_count', value: count }]
  for (;;) {
    const page = await call(ctx, 'everything', PATIENT, given)
    const entries: { fullUrl?: string }[] = page.entry ?? []
    keys.push(...entries.map(({ fullUrl }) => String(fullUrl?.split('/').slice(-2).join('/'))))
    sizes.push(entries.length)
    const next = page.link.find((one: { relation: string }) => one.relation === 'next')
    if (next === undefined) return { keys, sizes, longest }
    longest = Math.max(longest, next.url.length)
    given = givenOf(next.url) as typeof given
  }
}

describe('a walk', () => {
  it('sends each resource once, and its links stay short however much it sent', async () => {
    const ctx = await testContext()
    const many = Array.from({ length: 240 }, (_, n) => n)
    await storeAll(ctx, [
      patient,
      ...many.map(doctor),
      ...many.map(n => observation(n, by(n, (n * 7) % 240))),
    ])
    const { keys, longest } = await walk(ctx, '7')
    expect(keys).toHaveLength(1 + 240 + 240)
    expect(new Set(keys).size).toBe(keys.length)
    expect(longest).toBeLessThan(4500)
  })

  it('of more than it remembers loses nothing', async () => {
    const ctx = await testContext()
    const many = Array.from({ length: 400 }, (_, n) => n)
    await storeAll(ctx, [patient, ...many.map(doctor), ...many.map(n => observation(n, by(n, 0)))])
    const { keys, longest } = await walk(ctx, '10')
    expect(new Set(keys).size).toBe(1 + 400 + 400)
    expect(longest).toBeLessThan(4500)
  })

  it('passes over what is out of time without an end, page after page', async () => {
    const ctx = await testContext()
    const many = Array.from({ length: 90 }, (_, n) => n)
    await storeAll(ctx, [
      patient,
      ...many.map(n => observation(n, { effectiveDateTime: n === 80 ? '2026-05-05' : '2020-01-01' })),
    ])
    const given = [
      { name: 'start', value: '2026' },
      { name: '_count', value: '2' },
    ]
    const page = await call(ctx, 'everything', PATIENT, given)
    expect(page.entry.map((one: { resource: { id: string } }) => one.resource.id)[0]).toBe('p')
    const found = new Set<string>()
    let at: { name: string; value: string }[] | undefined = given
    for (let pages = 0; at !== undefined; pages++) {
      expect(pages).toBeLessThan(50)
      const one = await call(ctx, 'everything', PATIENT, at)
      for (const { resource } of one.entry ?? []) found.add(resource.id)
      const next = one.link.find((each: { relation: string }) => each.relation === 'next')
      at = next && (givenOf(next.url) as typeof given)
    }
    expect([...found]).toEqual(['p', 'o80'])
  })

  it('ends a page early where the resources are large', async () => {
    const ctx = await testContext()
    ctx.settings.limits.body = 20_000
    const note = [{ text: 'x'.repeat(9000) }]
    await storeAll(ctx, [patient, ...Array.from({ length: 12 }, (_, n) => observation(n, { note }))])
    const { keys, sizes } = await walk(ctx, '100')
    expect(new Set(keys).size).toBe(13)
    expect(keys).toHaveLength(13)
    expect(Math.max(...sizes)).toBeLessThan(13)
  })

  it('ends a page early where what it refers to is too much, and says so where one resource does', async () => {
    const ctx = await testContext()
    ctx.settings.limits.includes = 3
    await storeAll(ctx, [
      patient,
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(doctor),
      observation(1, by(1, 2)),
      observation(2, by(3)),
      observation(3, by(4, 5)),
      observation(4, by(6, 7, 8, 9)),
    ])
    const { keys } = await walk(ctx, '100')
    expect(new Set(keys).size).toBe(keys.length)
    const found = keys.filter(key => key.startsWith('Practitioner/')).sort()
    expect(found.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map(n => `Practitioner/d${n}`))
    expect(found).toHaveLength(5 + 3)
    expect(keys.at(-1), 'the outcome, which has no address').toBe('undefined')
  })

  it('ends a page early where what it refers to is large', async () => {
    const ctx = await testContext()
    ctx.settings.limits.body = 20_000
    const many = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    const large = (n: number) => ({ ...doctor(n), name: [{ text: 'x'.repeat(15_000) }] })
    await storeAll(ctx, [patient, ...many.map(large), ...many.map(n => observation(n, by(n)))])
    const { keys, sizes } = await walk(ctx, '100')
    expect([...keys].sort()).toEqual(
      ['Patient/p', ...many.map(n => `Observation/o${n}`), ...many.map(n => `Practitioner/d${n}`)].sort(),
    )
    // Two of them are as much as may come along.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6)
  })

  it('is bound to whom it was given', async () => {
    const ctx = await testContext()
    await storeAll(ctx, [patient, observation(1), observation(2)])
    const page = await call(ctx, 'everything', PATIENT, [{ name: '_count', value: '1' }])
    const next = givenOf(page.link[1].url)
    await expect(
      call({ ...ctx, principal: { id: 'other' } }, 'everything', PATIENT, next),
    ).rejects.toMatchObject({
      status: 400,
    })
  })
})

describe('the keys that were sent', () => {
  it('are known again from their text, eight characters each, and the oldest are forgotten', () => {
    const sent = sentKeys('')
    for (let n = 0; n < 300; n++) sent.add(`Practitioner/${n}`)
    const text = sent.text()
    expect(text).toMatch(/^[A-Za-z0-9_-]{2000}$/)
    const again = sentKeys(text)
    for (let n = 50; n < 300; n++) expect(again.has(`Practitioner/${n}`)).toBe(true)
    for (let n = 0; n < 50; n++) expect(again.has(`Practitioner/${n}`)).toBe(false)
  })

  it('are not taken for others', () => {
    const marks = new Set<string>()
    for (let n = 0; n < 20_000; n++) {
      const one = sentKeys('')
      one.add(`Organization/${n}`)
      marks.add(one.text())
    }
    expect(marks.size).toBe(20_000)
  })
})

describe('dates of care', () => {
  const registry = createRegistry()
  it.each(Object.entries(CARE_DATES))('of %s are date parameters of it', (type, codes) => {
    for (const code of codes) expect(registry.param(type, code)?.type, code).toBe('date')
  })

  const row = (param: string, lo: number, hi: number): IndexRow => ({ kind: 'date', param, lo, hi })
  const inRange = (rows: IndexRow[]) => isInCareRange(registry, 'Condition', rows, { lo: 100, hi: 200 })
  it('reach from the first to the last, and touch the range or not', () => {
    const [onset] = registry.param('Condition', 'onset-date')!.rows
    const [end] = registry.param('Condition', 'abatement-date')!.rows
    expect(inRange([row(onset!, 50, 60)])).toBe(false)
    expect(inRange([row(onset!, 50, 101)])).toBe(true)
    expect(inRange([row(onset!, 50, 100)])).toBe(false)
    expect(inRange([row(onset!, 200, 201)])).toBe(false)
    expect(inRange([row(onset!, 199, 300)])).toBe(true)
    expect(inRange([row(onset!, 10, 20), row(end!, 300, 310)])).toBe(true)
    expect(inRange([])).toBe(true)
    expect(inRange([row('Condition.other', 10, 20)])).toBe(true)
  })
})
