/** Holding, booking, moving and seeing patients, over HTTP; through several servers on one store where there are. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Api, bundle, entry, type Tree, word } from './client.ts'

const DAY = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10)
const at = (clock: string): string => `${DAY}T${clock}:00+05:30`

export function bookingSuite(clients: () => Api[]): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const ref = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
  const client = (n = 0): Api => clients()[n % clients().length]!
  const slot = (name: string, from: string, to: string) =>
    entry('PUT', `Slot/${id(name)}`, {
      resource: {
        resourceType: 'Slot',
        id: id(name),
        schedule: ref('Schedule', 's'),
        status: 'free',
        start: at(from),
        end: at(to),
      },
    })
  const ask = (n: number, path: string, ...parameter: Tree[]): Promise<Answer> =>
    client(n).post(`Appointment/${path}`, {
      resourceType: 'Parameters',
      ...(parameter.length > 0 && { parameter }),
    })
  const proposed = (name: string) => ({
    name: 'appointment-reference',
    valueReference: { reference: `Appointment/proposed.${id(name)}` },
  })
  const patient = (name: string) => ({
    name: 'patient-resource',
    resource: { resourceType: 'Patient', name: [{ text: name }] },
  })
  const resourceIn = (answer: Answer): Tree => {
    expect(answer.status, answer.text).toBe(200)
    return answer.body.entry[0].resource
  }
  const slotStatus = async (name: string) => (await client().get(`Slot/${id(name)}`)).body.status

  describe('booking', () => {
    beforeAll(async () => {
      const answer = await client().post(
        '',
        bundle(
          'transaction',
          entry('PUT', `Practitioner/${id('p')}`, {
            resource: { resourceType: 'Practitioner', id: id('p') },
          }),
          entry('PUT', `Schedule/${id('s')}`, {
            resource: { resourceType: 'Schedule', id: id('s'), actor: [ref('Practitioner', 'p')] },
          }),
          slot('a', '09:00', '09:20'),
          slot('b', '09:20', '09:40'),
          slot('c', '09:40', '10:00'),
        ),
      )
      expect(answer.status, answer.text).toBe(200)
    })

    it('a hold is booked, moved, checked in once and completed', async () => {
      const held = resourceIn(await ask(0, '$hold', proposed('a')))
      expect([held.status, await slotStatus('a')]).toEqual(['pending', 'busy-tentative'])
      const other = await ask(1, '$book', proposed('a'), patient('Other'))
      expect([other.status, other.body.resourceType, other.body.total]).toEqual([409, 'Bundle', 0])
      const reference = {
        name: 'appointment-reference',
        valueReference: { reference: `Appointment/${held.id}` },
      }
      const booked = resourceIn(await ask(1, '$book', reference, patient('Meera')))
      expect([booked.id, booked.status]).toEqual([held.id, 'booked'])

      const moved = await ask(0, `${held.id}/$reschedule`, { name: 'start', valueInstant: at('09:20') })
      expect([moved.status, moved.body.slot]).toEqual([200, [ref('Slot', 'b')]])
      expect([await slotStatus('a'), await slotStatus('b')]).toEqual(['free', 'busy'])

      const arrivals = await Promise.all([0, 1, 2].map(n => ask(n, `${held.id}/$check-in`)))
      expect(arrivals.map(one => [one.status, one.body.status])).toEqual(Array(3).fill([200, 'checked-in']))
      expect((await ask(1, `${held.id}/$complete`)).body.status).toBe('fulfilled')
      const encounters = await client().found(`Encounter?appointment=Appointment/${held.id}`)
      expect(encounters).toHaveLength(1)
      const refused = await ask(0, `${held.id}/$cancel`)
      expect([refused.status, refused.body.issue[0].code]).toEqual([422, 'business-rule'])
    })

    it('of many who want one slot one has it', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => ask(n, '$book', proposed('c'), patient(`P${n}`))),
      )
      expect(answers.map(one => one.status).sort()).toEqual([200, ...Array(7).fill(409)])
      expect(await client().found(`Appointment?slot=Slot/${id('c')}`)).toHaveLength(1)
    })
  })
}
