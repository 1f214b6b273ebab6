/** Slots of published hours, and finding them, over HTTP; through several servers on one store where there are. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Api, bundle, entry, matches, refused, type Tree, word } from './client.ts'

const DAY = 86_400_000
const dayIn = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10)

export function slotsSuite(clients: () => Api[]): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const ref = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
  const put = (type: string, name: string, more: Tree = {}) =>
    entry('PUT', `${type}/${id(name)}`, { resource: { resourceType: type, id: id(name), ...more } })
  const [from, to] = [dayIn(30), dayIn(31)]
  const client = (n = 0): Api => clients()[n % clients().length]!
  const body = (...parameter: Tree[]) => ({ resourceType: 'Parameters', parameter })
  const generate = (n = 0): Promise<Answer> =>
    client(n).post(
      `Schedule/${id('s')}/$generate-slots`,
      body({ name: 'start', valueDate: from }, { name: 'end', valueDate: to }),
    )
  const created = (answer: Answer): number => {
    expect(answer.status, answer.text).toBe(200)
    return answer.body.parameter[0].part.find((one: Tree) => one.name === 'created').valueInteger
  }
  const slots = () => client().found(`Slot?schedule=Schedule/${id('s')}&_sort=start`)

  describe('slots', () => {
    beforeAll(async () => {
      const answer = await client().post(
        '',
        bundle(
          'transaction',
          put('Location', 'l', { position: { latitude: 9.944, longitude: 76.349 } }),
          put('Practitioner', 'p'),
          put('PractitionerRole', 'r', {
            practitioner: ref('Practitioner', 'p'),
            availableTime: [{ availableStartTime: '09:00:00', availableEndTime: '10:00:00' }],
          }),
          put('Schedule', 's', {
            extension: [{ url: 'urn:nadi:extension:slot-minutes', valuePositiveInt: 30 }],
            actor: [ref('PractitionerRole', 'r'), ref('Practitioner', 'p'), ref('Location', 'l')],
          }),
        ),
      )
      expect(answer.status, answer.text).toBe(200)
    })

    it('are made once, however many generate them at once', async () => {
      const made = await Promise.all([0, 1, 2, 3].map(generate))
      expect(made.map(created).reduce((sum, one) => sum + one, 0)).toBe(4)
      expect(await slots()).toHaveLength(4)
      expect(created(await generate())).toBe(0)
    })

    it('are found by GET, by a form and by Parameters alike', async () => {
      const query = `start=${from}&end=${to}&practitioner=Practitioner/${id('p')}&near=9.944|76.349|1|km`
      const answers = [
        await client().get(`Appointment/$find?${query}`),
        await client().ask('POST', 'Appointment/$find', {
          body: query,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
        await client().post(
          'Appointment/$find',
          body(
            { name: 'start', valueDateTime: from },
            { name: 'end', valueDateTime: to },
            { name: 'practitioner', valueReference: ref('Practitioner', 'p') },
            { name: 'near', valueString: '9.944|76.349|1|km' },
          ),
        ),
      ]
      const expected = (await slots()).map(one => `Slot/${one}`)
      for (const answer of answers) {
        expect(answer.status, answer.text).toBe(200)
        expect(answer.body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 4 })
        expect(matches(answer.body).map(one => one.slot[0].reference)).toEqual(expected)
      }
    })

    it('are made by POST of FHIR alone, which no foreign page can send unasked', async () => {
      const path = `Schedule/${id('s')}/$generate-slots`
      refused(await client().get(path), 405)
      const form = { body: 'slotMinutes=5', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
      refused(await client().ask('POST', path, form), 415)
      refused(await client().get('Appointment/$find'), 400)
      expect(await slots()).toHaveLength(4)
    })
  })
}
