/**
 * Whole walks over a large result by the links of the answers, while others write: what does not change is seen once and in its order.
 * https://hl7.org/fhir/R4/http.html#paging
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { compareBySort, matches } from '../../src/search/match.ts'
import { keyOf, type Storage } from '../../src/storage/port.ts'
import { appOn, type SearchApp } from './app-on.ts'
import { CASES_END, type CaseResource, planCase, stored } from './cases.ts'
import { generator } from './random.ts'

const FAMILIES = ['Nair', 'Menon', 'Pillai', 'Das', 'മേനോൻ', 'Varma', 'Kurup']
const GIVEN = ['Asha', 'Ravi', 'Leela', 'Meera', 'രവി']
const SEED = 4711
/** Resources that come, change and go meanwhile. */
const OTHERS = 120

type Random = ReturnType<typeof generator>

/** Few different keys and many with none, so that pages begin and end among equals. */
function randomPatient({ below, pick }: Random, id: string): object {
  return {
    resourceType: 'Patient',
    id,
    ...(below(3) ? { gender: pick(['male', 'female', 'other']) } : {}),
    ...(below(2) ? { birthDate: pick(['1980', '1980-05', '1980-05-05', '1999-12-31', '2000']) } : {}),
    name: Array.from({ length: below(4) }, () => ({
      family: pick(FAMILIES),
      given: [pick(GIVEN), pick(GIVEN)],
    })),
  }
}
const randomLocation = ({ below, pick }: Random, id: string): object => ({
  resourceType: 'Location',
  id,
  ...(below(5)
    ? {
        position: {
          latitude: pick([8.52, 9.93, 10.1, 11.25, 12.97]),
          longitude: pick([75.78, 76.26, 76.94]),
        },
      }
    : {}),
})

/** Numbers as a request brings them. */
const treeOf = (resource: object): Resource => parseJson(JSON.stringify(resource)) as Resource

const PATIENT_SORTS = [
  '',
  '_lastUpdated',
  '-_lastUpdated',
  'given',
  '-given',
  'name',
  '-family',
  'birthdate',
  '-birthdate',
  'gender,-birthdate',
  '-gender,given',
  '_id',
  '-_id',
]

export interface Size {
  patients: number
  locations: number
  /** Of a page. */
  count: number
  /** Milliseconds between the writes of a writer: in this process it would else leave the reader nothing. */
  pause: number
}

export interface Sharing {
  /** On one store. */
  storages: readonly Storage[]
  close(): Promise<void>
}

export function pagingSuite(
  name: string,
  open: () => Promise<Sharing>,
  { patients, locations, count, pause }: Size,
): void {
  describe(`${name}: pages while others write`, () => {
    const random = generator(SEED)
    const stays = stored(
      [
        ...Array.from({ length: patients }, (_, i) =>
          randomPatient(random, `s${(i * 7919) % patients}x${i}`),
        ),
        ...Array.from({ length: locations }, (_, i) => randomLocation(random, `s${i}`)),
      ].map(treeOf),
      CASES_END,
    )
    let sharing: Sharing
    let apps: SearchApp[]
    beforeAll(async () => {
      sharing = await open()
      // Those that change stand among those that stay.
      const [patient, location] = [stays.slice(0, patients), stays.slice(patients)]
      const all: CaseResource[] = [
        ...mixed(random, patient, other => randomPatient(random, other), 'Patient'),
        ...mixed(random, location, other => randomLocation(random, other), 'Location'),
      ]
      const EACH = 50
      for (let i = 0; i < all.length; i += EACH) {
        const changes = all.slice(i, i + EACH)
        const { at } = changes.at(-1)!
        for (const one of changes) one.at = at
        const committed = await sharing.storages[0]!.commit({
          id: `paging-${i}`,
          at,
          epoch: 0,
          changes: changes.map(one => ({
            key: keyOf(one.type, one.id),
            version: 1,
            method: 'PUT',
            body: { text: one.text, stampAt: one.stampAt },
            index: one.rows,
            claims: [],
          })),
          require: [],
          outbox: [],
        })
        expect(committed.ok).toBe(true)
      }
      let now = all.at(-1)!.at
      const clock = (): number => ++now
      apps = sharing.storages.map(storage => appOn(storage, clock, 60_000))
    }, 120_000)
    afterAll(() => sharing?.close())

    /** Writes until it is told to stop; returns how often each instance did. */
    const writing = (type: 'Patient' | 'Location') => {
      let stopped = false
      const done = apps.map(() => 0)
      const statuses = new Set<number>()
      const { below, pick, ...rest } = generator(SEED + 1)
      const write = async (n: number): Promise<void> => {
        const app = apps[n]!
        while (!stopped) {
          const id = `o${below(OTHERS)}`
          const make = type === 'Patient' ? randomPatient : randomLocation
          const { status } =
            below(3) === 0
              ? await app.ask('DELETE', `${type}/${id}`)
              : await app.ask('PUT', `${type}/${id}`, JSON.stringify(make({ below, pick, ...rest }, id)))
          statuses.add(status)
          done[n]!++
          await new Promise(resolve => setTimeout(resolve, pause))
        }
      }
      const writers = apps.flatMap((_, n) => [write(n), write(n)])
      return async (): Promise<number[]> => {
        stopped = true
        await Promise.all(writers)
        // Two that change one resource may meet.
        for (const status of statuses) expect([200, 201, 204, 404, 409]).toContain(status)
        return done
      }
    }

    /** Each page of another instance. */
    const follow = async (first: string, relation: string): Promise<{ ids: string[][]; last: string }> => {
      const ids: string[][] = []
      let [url, last] = [first, first]
      for (;;) {
        const { status, body, text } = await apps[ids.length % apps.length]!.ask('GET', url)
        expect(status, `${url}: ${text.slice(0, 500)}`).toBe(200)
        const page: string[] = (body.entry ?? []).map((one: { resource: { id: string } }) => one.resource.id)
        expect(page.length).toBeLessThanOrEqual(count)
        ids.push(page)
        last = url
        const next = body.link.find((one: { relation: string }) => one.relation === relation)?.url
        if (next === undefined) return { ids, last }
        expect(ids.length, 'pages without end').toBeLessThan((stays.length + 2 * OTHERS) / count + 5)
        url = next
      }
    }

    const walks = [
      ...PATIENT_SORTS.map(sort => ({
        type: 'Patient' as const,
        query: sort === '' ? '' : `_sort=${sort}`,
        sort,
      })),
      // With a condition, by which another index drives.
      { type: 'Patient' as const, query: 'gender=female,male&_sort=-birthdate', sort: '-birthdate' },
      { type: 'Patient' as const, query: 'family=n,m,d&_sort=given', sort: 'given' },
      { type: 'Location' as const, query: 'near=9.97|76.31|400|km', sort: 'distance' },
    ]
    test.each(walks)('$type?$query', { timeout: 120_000 }, async ({ type, query }) => {
      const { plan } = planCase({ type, query, why: '' })
      const wanted = stays
        .filter(one => matches(plan, one))
        .sort(compareBySort(plan))
        .map(one => one.id)
      expect(wanted.length).toBeGreaterThan(3 * count)
      const stop = writing(type)
      const steady = (pages: readonly string[][]): string[] => pages.flat().filter(id => id.startsWith('s'))
      const forwards = await follow(`${type}?${query}&_count=${count}`, 'next')
      // From the last page, which is not the same as when it was read.
      const backwards = await follow(forwards.last, 'previous')
      const writes = await stop()
      expect(steady(forwards.ids)).toEqual(wanted)
      const back = steady(backwards.ids.reverse())
      // The first page backwards is the last one again, and may have lost to others what stood at its end.
      expect(back).toEqual(wanted.slice(0, back.length))
      expect(back.length).toBeGreaterThan(wanted.length - count)
      for (const times of writes) expect(times).toBeGreaterThan(3)
    })
  })
}

/** Returns the steady ones in their order with the others strewn among them. */
function mixed(
  { below }: Random,
  steady: readonly CaseResource[],
  make: (id: string) => object,
  type: string,
): CaseResource[] {
  const all: CaseResource[] = []
  let others = 0
  for (const one of steady) {
    if (others < OTHERS / 2 && below(Math.ceil(steady.length / OTHERS) + 1) === 0) {
      const [other] = stored([treeOf(make(`o${others++}`))], one.at)
      if (other!.type === type) all.push({ ...other!, at: one.at })
    }
    all.push(one)
  }
  return all
}
