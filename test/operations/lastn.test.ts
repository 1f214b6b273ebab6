/** https://hl7.org/fhir/R4/observation-operation-lastn.html */
import { describe, expect, it } from 'vitest'
import { refusal, testContext } from '../interactions/context.ts'
import { call, storeAll } from './context.ts'

const observation = (n: number, more: object = {}) => ({
  resourceType: 'Observation',
  id: `o${n}`,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8310-5' }] },
  subject: { reference: 'Patient/p' },
  ...more,
})
const GIVEN = [
  { name: 'patient', value: 'p' },
  { name: 'code', value: '8310-5' },
]
const ids = (bundle: { entry?: { resource: { id: string } }[] }) =>
  (bundle.entry ?? []).map(one => one.resource.id)

describe('$lastn', () => {
  it('looks at ten thousand observations, and refuses beyond', async () => {
    const ctx = await testContext()
    const all = Array.from({ length: 10_001 }, (_, n) =>
      observation(n, { effectiveDateTime: new Date(Date.UTC(2020, 0, 1) + n * 60_000).toISOString() }),
    )
    await storeAll(ctx, all.slice(0, 10_000))
    expect(ids(await call(ctx, 'lastn', { type: 'Observation' }, GIVEN))).toEqual(['o9999'])
    await storeAll(ctx, all.slice(10_000))
    const error = await refusal(call(ctx, 'lastn', { type: 'Observation' }, GIVEN))
    expect([error.code, error.status]).toEqual(['too-costly', 400])
    const narrow = [...GIVEN, { name: 'date', value: 'lt2020-01-02' }]
    // 1,440 minutes of UTC, less the hours and a half that India is ahead.
    expect(ids(await call(ctx, 'lastn', { type: 'Observation' }, narrow))).toEqual([`o${24 * 60 - 330 - 1}`])
  }, 60_000)

  it('refuses an answer that is too large', async () => {
    const ctx = await testContext()
    ctx.settings.limits.body = 10_000
    const note = [{ text: 'x'.repeat(5000) }]
    await storeAll(
      ctx,
      Array.from({ length: 12 }, (_, n) => observation(n, { note, effectiveDateTime: `2026-01-${10 + n}` })),
    )
    expect(ids(await call(ctx, 'lastn', { type: 'Observation' }, GIVEN))).toEqual(['o11'])
    const error = await refusal(
      call(ctx, 'lastn', { type: 'Observation' }, [...GIVEN, { name: 'max', value: '12' }]),
    )
    expect(error.code).toBe('too-costly')
  })

  it('goes by the start of a period, or its end where it has no start', async () => {
    const ctx = await testContext()
    await storeAll(ctx, [
      observation(1, { effectivePeriod: { start: '2026-01-01', end: '2026-12-31' } }),
      observation(2, { effectiveDateTime: '2026-02-01' }),
      observation(3, { effectivePeriod: { end: '2026-01-15' } }),
      observation(4, { effectivePeriod: { start: '2026-01-20' } }),
      observation(5, { effectiveInstant: '2026-01-25T00:00:00Z' }),
    ])
    const given = [...GIVEN, { name: 'max', value: '9' }]
    expect(ids(await call(ctx, 'lastn', { type: 'Observation' }, given))).toEqual([
      'o2',
      'o5',
      'o4',
      'o3',
      'o1',
    ])
  })

  it('under lenient handling leaves out what it does not know, and says so', async () => {
    const ctx = await testContext()
    await storeAll(ctx, [observation(1)])
    const given = [...GIVEN, { name: 'colour', value: 'red' }, { name: '_sort', value: 'date' }]
    const bundle = await call(ctx, 'lastn', { type: 'Observation', lenient: true }, given)
    expect(bundle.total).toBe(1)
    expect(bundle.entry.map((one: { search: { mode: string } }) => one.search.mode)).toEqual([
      'match',
      'outcome',
    ])
    await refusal(call(ctx, 'lastn', { type: 'Observation' }, given))
  })
})
