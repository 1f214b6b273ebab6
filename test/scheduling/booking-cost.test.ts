import { expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { create } from '../../src/interactions/create.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { resource, testContext } from '../interactions/context.ts'

const tree = (value: object) => resource(JSON.stringify(value))

const put = (one: { resourceType: string; id: string }) => ({
  resource: one,
  request: { method: 'PUT', url: `${one.resourceType}/${one.id}` },
})

const reference = (to: string) => ({ reference: to })

/** Names of the calls of the store, in their order. */
function counted(ctx: Context): { ctx: Context; calls: string[] } {
  const calls: string[] = []
  const { storage } = ctx
  const noted: typeof storage = {
    ...storage,
    read: (...of) => {
      calls.push('read')
      return storage.read(...of)
    },
    readMany: (...of) => {
      calls.push('readMany')
      return storage.readMany(...of)
    },
    search: (...of) => {
      calls.push('search')
      return storage.search(...of)
    },
    commit: (...of) => {
      calls.push('commit')
      return storage.commit(...of)
    },
  }
  return { ctx: { ...ctx, storage: noted }, calls }
}

it('a booking of a slot asks the store for its slot, its owners twice, the calendar once and the people once, and is one commit', async () => {
  const plain = await testContext()
  const clinic = [
    { resourceType: 'Patient', id: 'meera', telecom: [{ system: 'phone', value: '+919800000000' }] },
    { resourceType: 'Practitioner', id: 'menon' },
    { resourceType: 'PractitionerRole', id: 'menon', practitioner: reference('Practitioner/menon') },
    {
      resourceType: 'Schedule',
      id: 'menon',
      actor: [reference('Practitioner/menon'), reference('PractitionerRole/menon')],
    },
    {
      resourceType: 'Slot',
      id: 'ten',
      schedule: reference('Schedule/menon'),
      status: 'free',
      start: '2026-11-24T04:30:00Z',
      end: '2026-11-24T04:45:00Z',
    },
  ].map(put)
  await transaction(plain, tree({ resourceType: 'Bundle', type: 'transaction', entry: clinic }))
  const { ctx, calls } = counted(plain)
  await create(
    underRules(ctx),
    'Appointment',
    tree({
      resourceType: 'Appointment',
      status: 'booked',
      start: '2026-11-24T04:30:00Z',
      end: '2026-11-24T04:45:00Z',
      slot: [reference('Slot/ten')],
      participant: ['Patient/meera', 'Practitioner/menon'].map(actor => ({
        actor: reference(actor),
        status: 'accepted',
      })),
    }),
  )
  expect(calls.sort()).toEqual(['commit', 'readMany', 'readMany', 'search', 'search', 'search'])
  expect((await plain.storage.read('Slot/ten'))!.text).toContain('"busy"')
  const page = await plain.storage.search(
    {
      types: ['Communication', 'CommunicationRequest'],
      where: { kind: 'and', nodes: [] },
      sort: [],
      fingerprint: '',
    },
    { limit: 10, total: 'none' },
  )
  expect(page.rows).toHaveLength(4)
})
