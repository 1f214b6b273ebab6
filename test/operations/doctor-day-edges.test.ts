/** A doctor's day with an appointment that cannot be written as it is stored, such as one from before validation was on. */
import { expect, it } from 'vitest'
import type { Context } from '../../src/context.ts'
import { update } from '../../src/interactions/update.ts'
import { appointmentFor, ask, at, DAY, morning, parameters, put, statusOf, stored } from './appointments.ts'
import { tree } from './context.ts'

async function day(): Promise<Context> {
  const ctx = await morning()
  await put(ctx, { ...appointmentFor('meera', { status: 'booked' }), id: 'bad' })
  const good = { slot: [{ reference: 'Slot/0920' }], start: at('09:20'), end: at('09:40') }
  await put(ctx, { ...appointmentFor('abdul', { status: 'booked', ...good }), id: 'good' })
  const { rules: _, ...rest } = ctx as Context
  const unchecked: Context = { ...rest, settings: { ...ctx.settings, validate: 'off' } }
  const bad = await stored(ctx, 'Appointment/bad')
  await update(unchecked, 'Appointment', 'bad', tree({ ...bad, nonsense: true }))
  return ctx
}

const told = (name: string, key: string) => ({ name, valueReference: { reference: key } })

it('$absent leaves it, says so, and does the others', async () => {
  const ctx = await day()
  const [status, answer] = await ask(
    ctx,
    'Practitioner/anjali/$absent',
    parameters({ name: 'day', valueDate: DAY }),
  )
  expect([status, answer.parameter.slice(1)]).toEqual([
    200,
    [told('left', 'Appointment/bad'), told('cancelled', 'Appointment/good')],
  ])
  expect(await statusOf(ctx, 'Appointment/good')).toBe('cancelled')
})

it('$late leaves it, says so, and does the others', async () => {
  const ctx = await day()
  const late = parameters({ name: 'day', valueDate: DAY }, { name: 'minutes', valueInteger: 20 })
  const [status, answer] = await ask(ctx, 'Practitioner/anjali/$late', late)
  expect([status, answer.parameter.slice(1)]).toEqual([
    200,
    [told('changed', 'Appointment/good'), told('left', 'Appointment/bad')],
  ])
})
