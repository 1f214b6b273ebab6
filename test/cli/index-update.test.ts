import { expect, it } from 'vitest'
import { bringIndexUpToDate } from '../../src/cli/index-update.ts'
import type { Context } from '../../src/context.ts'
import { create } from '../../src/interactions/create.ts'
import { search } from '../../src/interactions/search.ts'
import { patient, refusal, testContext } from '../interactions/context.ts'
import { BASE } from '../settings.ts'

const bornOnNewYear = async (ctx: Context): Promise<number> =>
  (await search(ctx, 'Patient', [['birthdate', '2026-01-01']])).rows.length

it('makes the index anew for another zone, so that days are found again', async () => {
  const ctx = await testContext({ zone: 'Asia/Kolkata' })
  const indian = await bringIndexUpToDate(ctx, BASE)
  await create(indian, 'Patient', patient('"birthDate":"2026-01-01"'))
  expect(await bornOnNewYear(indian)).toBe(1)
  const utc = { ...ctx, settings: { ...ctx.settings, zone: 'UTC' } }
  // Rows of the Indian day begin at 18:30 UTC of the day before, which is no part of the day at UTC.
  expect(await bornOnNewYear(utc)).toBe(0)
  const renewed = await bringIndexUpToDate(utc, BASE)
  expect(renewed.registry.epoch).toBe(indian.registry.epoch + 1)
  expect(await bornOnNewYear(renewed)).toBe(1)
})

it('refuses what a server of the old rules would still write, and says that it will pass', async () => {
  const ctx = await testContext({ zone: 'Asia/Kolkata' })
  const old = await bringIndexUpToDate(ctx, BASE)
  await bringIndexUpToDate({ ...ctx, settings: { ...ctx.settings, zone: 'UTC' } }, BASE)
  await expect(create(old, 'Patient', patient())).rejects.toMatchObject({ code: 'transient', status: 503 })
})

it('changes nothing where the rules are the same', async () => {
  const ctx = await testContext()
  const first = await bringIndexUpToDate(ctx, BASE)
  const second = await bringIndexUpToDate(ctx, BASE)
  expect(second.registry.epoch).toBe(first.registry.epoch)
})

it('lets the next start go on at once: nobody waits for a lease of work that is done', async () => {
  // The clock stands still, so a lease that is kept would never run out.
  const ctx = await testContext()
  for (const zone of ['UTC', 'Asia/Kolkata', 'UTC', 'Asia/Kolkata'])
    await bringIndexUpToDate({ ...ctx, settings: { ...ctx.settings, zone } }, BASE)
})

it('within a budget it does a piece and says how far it is; the next call goes on', async () => {
  const ctx = await testContext({ zone: 'Asia/Kolkata' })
  const indian = await bringIndexUpToDate(ctx, BASE)
  for (let n = 0; n < 40; n++) await create(indian, 'Patient', patient('"birthDate":"2026-01-01"'))
  const utc = { ...ctx, settings: { ...ctx.settings, zone: 'UTC' } }
  const piece = () => bringIndexUpToDate(utc, BASE, { ms: 60_000, pages: 1 })
  const error = await refusal(piece())
  expect(error.status).toBe(503)
  expect(error.message).toContain('32 of 40')
  const whole = await piece()
  const pairs: [string, string][] = [
    ['birthdate', '2026-01-01'],
    ['_summary', 'count'],
  ]
  expect((await search(whole, 'Patient', pairs)).total).toBe(40)
})
