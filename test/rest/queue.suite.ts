/** Queues over HTTP: tokens, rescans and calls that race; through several servers on one store where there are. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Api, bundle, entry, type Tree, word } from './client.ts'

export function queueSuite(clients: () => Api[]): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const desk = `Location/${id('counter')}`
  const PATIENTS = 6
  const client = (n = 0): Api => clients()[n % clients().length]!
  const parameters = (...parameter: Tree[]) => ({ resourceType: 'Parameters', parameter })
  const take = (n: number, patient: number): Promise<Answer> =>
    client(n).post(
      `${desk}/$token`,
      parameters({ name: 'patient', valueReference: { reference: `Patient/${id(`p${patient}`)}` } }),
    )
  const printed = ({ status, body, text }: Answer): string => {
    expect(status, text).toBe(200)
    return body.identifier[0].value
  }
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
  const numbers = (tokens: readonly string[]): number[] =>
    tokens.map(token => Number(token.split('-')[1])).sort((a, b) => a - b)

  describe('a queue', () => {
    beforeAll(async () => {
      const put = (type: string, name: string) =>
        entry('PUT', `${type}/${id(name)}`, { resource: { resourceType: type, id: id(name) } })
      const all = [put('Location', 'counter'), ...upTo(PATIENTS).map(i => put('Patient', `p${i}`))]
      expect((await client().post('', bundle('transaction', ...all))).status).toBe(200)
    })

    it('gives numbers without gaps or doubles, and each patient one token, however often they scan at once', async () => {
      const taken = await Promise.all(upTo(2 * PATIENTS).map(n => take(n, n % PATIENTS).then(printed)))
      expect(numbers([...new Set(taken)])).toEqual(upTo(PATIENTS).map(i => i + 1))
      for (const i of upTo(PATIENTS)) expect(taken[i + PATIENTS]).toBe(taken[i])
    })

    it('calls nobody twice and skips nobody when clerks call the next at once', async () => {
      const called = await Promise.all(
        upTo(4).map(n => client(n).post(`${desk}/$call-next`, { resourceType: 'Parameters' }).then(printed)),
      )
      expect(numbers(called)).toEqual([1, 2, 3, 4])
      const { body } = await client(1).get(`${desk}/$queue`)
      const tokens = body.parameter[0].part.filter(({ name }: Tree) => name === 'token')
      expect(tokens).toHaveLength(PATIENTS)
      const states = tokens.map(({ part }: Tree) => part.find(({ name }: Tree) => name === 'state').valueCode)
      expect(states).toEqual([...Array(4).fill('called'), ...Array(2).fill('waiting')])
    })

    it('is shown on a page of the waiting room', async () => {
      const { status, text } = await client().get(`//console/queue/${desk}`)
      expect([status, text]).toEqual([200, expect.stringMatching(/GC-4.*GC-5/s)])
    })
  })
}
