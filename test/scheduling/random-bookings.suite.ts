/**
 * Many clients of two servers book, move, swap, hold and cancel at random overlapping times; afterwards a checker that shares no code
 * with the servers reads the whole history and finds no moment at which two were in one place.
 */
import { expect, it } from 'vitest'
import { below, pick, seeded } from '../../bench/random.ts'
import { api, type Tree } from '../rest/client.ts'
import { overlapFaults } from './calendar-checker.ts'

const DOCTORS = 6
const PATIENTS = 40
const ROOMS = 3
const CLIENTS = 24
const MINUTE = 60_000

export interface RandomOptions {
  /** How many bookings are tried; each may be refused. */
  count: number
  /** Whether stamps follow the order of commits, so that the past can be judged moment by moment. */
  ordered: boolean
}

const iso = (at: number): string => new Date(at).toISOString()

export function randomBookingsSuite(
  start: () => Promise<{ bases: string[]; stop(): Promise<void> }>,
  options: RandomOptions,
): void {
  const seed = Number(process.env.NADI_TEST_SEED ?? Date.now() % 1e6)
  it(`${options.count} random bookings by ${CLIENTS} clients leave no overlap at any time (seed ${seed})`, async () => {
    const servers = await start()
    try {
      const random = seeded(seed)
      const apis = servers.bases.map(api)
      const first = apis[0]!
      const day = Math.ceil((Date.now() + 5 * 864e5) / 864e5) * 864e5
      const entry: Tree[] = []
      const put = (resource: Tree) =>
        entry.push({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
      const room = [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'ro' }]
      for (let n = 0; n < ROOMS; n++)
        put({ resourceType: 'Location', id: `room${n}`, physicalType: { coding: room } })
      const slots: { id: string; from: number; to: number; doctor: number }[] = []
      for (let n = 0; n < DOCTORS; n++) {
        put({
          resourceType: 'PractitionerRole',
          id: `role${n}`,
          practitioner: { reference: `Practitioner/d${n}` },
        })
        put({
          resourceType: 'Schedule',
          id: `d${n}`,
          actor: [{ reference: `Practitioner/d${n}` }, { reference: `PractitionerRole/role${n}` }],
        })
        for (let i = 0; i < 24; i++) {
          const from = day + i * 20 * MINUTE
          const one = { id: `s${n}-${i}`, from, to: from + 20 * MINUTE, doctor: n }
          slots.push(one)
          put({
            resourceType: 'Slot',
            id: one.id,
            status: 'free',
            schedule: { reference: `Schedule/d${n}` },
            start: iso(from),
            end: iso(one.to),
            ...(i % 4 === 0
              ? { extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 3 }] }
              : {}),
          })
        }
      }
      const filled = await first.post('', { resourceType: 'Bundle', type: 'transaction', entry })
      expect(filled.status, filled.text).toBe(200)

      const wish = (id?: string): Tree => {
        const inSlot = random() < 0.5 ? pick(random, slots) : undefined
        const doctor = inSlot?.doctor ?? below(random, DOCTORS)
        const from = inSlot?.from ?? day + below(random, 480) * MINUTE
        const to = inSlot?.to ?? from + (5 + below(random, 40)) * MINUTE
        const who = [
          `Patient/p${below(random, PATIENTS)}`,
          random() < 0.3 ? `PractitionerRole/role${doctor}` : `Practitioner/d${doctor}`,
        ]
        if (random() < 0.3) who.push(`Location/room${below(random, ROOMS)}`)
        const isHold = random() < 0.3
        return {
          resourceType: 'Appointment',
          ...(id === undefined ? {} : { id }),
          status: isHold ? 'pending' : 'booked',
          start: iso(from),
          end: iso(to),
          // Some holds run out while others want their time.
          ...(isHold
            ? {
                extension: [
                  {
                    url: 'urn:nadi:extension:hold-until',
                    valueInstant: iso(Date.now() + below(random, 400)),
                  },
                ],
              }
            : {}),
          ...(inSlot === undefined ? {} : { slot: [{ reference: `Slot/${inSlot.id}` }] }),
          participant: who.map(reference => ({ actor: { reference }, status: 'accepted' })),
        }
      }
      const mine: string[] = []
      const seen = new Map<number, number>()
      let left = options.count
      const client = async (number: number) => {
        const server = apis[number % apis.length]!
        while (left-- > 0) {
          const dice = random()
          let status: number
          if (dice < 0.55 || mine.length < 4) {
            const made = await server.post('Appointment', wish())
            status = made.status
            if (status === 201) mine.push(made.body.id)
          } else if (dice < 0.75) {
            const id = pick(random, mine)
            status = (await server.put(`Appointment/${id}`, wish(id))).status
          } else if (dice < 0.85) {
            // Two change places: both times are taken until the one commit that changes both.
            const [a, b] = await Promise.all(
              [pick(random, mine), pick(random, mine)].map(
                async id => (await server.get(`Appointment/${id}`)).body,
              ),
            )
            // One of them may be deleted meanwhile.
            if (a.id === b.id || a.meta === undefined || b.meta === undefined) continue
            const time = ({ start, end, slot }: Tree) => ({ start, end, slot })
            const swapped = [
              { ...a, ...time(b) },
              { ...b, ...time(a) },
            ].map(resource => ({
              resource,
              request: {
                method: 'PUT',
                url: `Appointment/${resource.id}`,
                ifMatch: `W/"${resource.meta.versionId}"`,
              },
            }))
            status = (await server.post('', { resourceType: 'Bundle', type: 'transaction', entry: swapped }))
              .status
          } else if (dice < 0.93) {
            const id = pick(random, mine)
            const patch = [
              { op: 'replace', path: '/status', value: pick(random, ['booked', 'cancelled', 'arrived']) },
            ]
            status = (
              await server.patch(`Appointment/${id}`, patch, {
                'content-type': 'application/json-patch+json',
              })
            ).status
          } else status = (await server.delete(`Appointment/${pick(random, mine)}`)).status
          seen.set(status, (seen.get(status) ?? 0) + 1)
        }
      }
      await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))

      // Won, refused for a reason of the calendar or the table, gone, or written by somebody else meanwhile.
      expect(
        [...seen.keys()].filter(status => ![200, 201, 204, 409, 410, 412, 422].includes(status)),
      ).toEqual([])
      expect(seen.get(201) ?? 0).toBeGreaterThan(options.count / 100)
      expect(seen.get(409) ?? 0).toBeGreaterThan(options.count / 20)

      const all = async (path: string): Promise<Tree[]> => {
        const found: Tree[] = []
        for (let next: string | undefined = path; next !== undefined; ) {
          const { body } = await first.get(next)
          found.push(...(body.entry ?? []))
          next = body.link?.find((link: Tree) => link.relation === 'next')?.url
        }
        return found
      }
      const now = Date.now()
      const appointments = (await all('Appointment?_count=1000')).map(one => one.resource)
      const slotsNow = (await all('Slot?_count=1000')).map(one => one.resource)
      // A role is its practitioner.
      const named = (one: Tree): Tree =>
        JSON.parse(JSON.stringify(one).replaceAll('PractitionerRole/role', 'Practitioner/d'))
      expect(overlapFaults(appointments.map(named), slotsNow, now)).toEqual([])

      if (!options.ordered) return
      const versions = await all('Appointment/_history?_count=1000')
      versions.reverse()
      const live = new Map<string, Tree>()
      const faults: string[] = []
      for (let i = 0; i < versions.length; i++) {
        const { resource, fullUrl, request } = versions[i]
        const id = resource?.id ?? (fullUrl ?? request.url).split('/').at(-1)
        if (resource === undefined) live.delete(id)
        else live.set(id, named(resource))
        const stamp = resource?.meta.lastUpdated ?? versions[i].response.lastModified
        const next = versions[i + 1]
        // One commit has one stamp: it is judged when all of it is there.
        if (next !== undefined && (next.resource?.meta.lastUpdated ?? next.response.lastModified) === stamp)
          continue
        const at = Date.parse(stamp)
        const changed = resource === undefined ? undefined : live.get(id)
        if (changed === undefined) continue
        faults.push(...overlapFaults([...live.values()], [], at).map(fault => `${stamp} ${fault}`))
      }
      expect(faults.slice(0, 10)).toEqual([])
    } finally {
      await servers.stop()
    }
  }, 600_000)
}
