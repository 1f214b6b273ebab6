import { describe, expect, test } from 'vitest'
import { boxAround, distance, EARTH_RADIUS } from '../../src/search/distance.ts'
import { compareBySort, type Indexed, matches } from '../../src/search/match.ts'

const at = (latitude: number, longitude: number) => ({ latitude, longitude })
const QUARTER = (Math.PI / 2) * EARTH_RADIUS

describe('distances along the great circle', () => {
  test.each([
    ['a place and itself', at(9.93, 76.26), at(9.93, 76.26), 0],
    ['pole and equator', at(90, 0), at(0, 77), QUARTER],
    ['a quarter of the equator', at(0, 0), at(0, 90), QUARTER],
    ['antipodes', at(0, 0), at(0, 180), 2 * QUARTER],
    ['antipodes off the equator', at(30, 20), at(-30, -160), 2 * QUARTER],
    ['a degree of a meridian', at(10, 76), at(11, 76), QUARTER / 90],
    ['two degrees over the 180th meridian', at(0, 179), at(0, -179), QUARTER / 45],
    // On the 60th parallel, 90 degrees apart: cos d = sin²60 + cos²60 · cos 90 = 3/4.
    ['on a parallel', at(60, 0), at(60, 90), Math.acos(0.75) * EARTH_RADIUS],
  ])('%s', (_, from, to, metres) => {
    expect(Math.abs(distance(from, to) - metres)).toBeLessThan(0.01)
    expect(distance(to, from)).toBe(distance(from, to))
  })
})

describe('a box', () => {
  const inBox = (
    box: ReturnType<typeof boxAround>,
    { latitude, longitude }: { latitude: number; longitude: number },
  ) =>
    latitude >= box.south &&
    latitude <= box.north &&
    box.longitudes.some(([west, east]) => longitude >= west && longitude <= east)

  test('over the 180th meridian has two ranges', () => {
    expect(boxAround(at(0, 179.99), 10_000).longitudes).toHaveLength(2)
    expect(boxAround(at(0, -179.99), 10_000).longitudes).toHaveLength(2)
  })

  test('over a pole goes round', () => {
    expect(boxAround(at(89.99, 10), 10_000)).toMatchObject({ north: 90, longitudes: [[-180, 180]] })
  })

  test('holds every place within the distance, and is not much wider', () => {
    for (const latitude of [-89.5, -60, -1, 0, 9.93, 45, 80, 89.9])
      for (const longitude of [-180, -179.9, -30, 0, 76.26, 179.9, 180])
        for (const metres of [1, 500, 50_000, 2_000_000, 9_000_000]) {
          const centre = at(latitude, longitude)
          const box = boxAround(centre, metres)
          for (let bearing = 0; bearing < 360; bearing += 5) {
            const place = towards(centre, bearing, metres * 0.999_999)
            expect(inBox(box, place), `${latitude} ${longitude} ${metres} ${bearing}`).toBe(true)
          }
        }
    const { south, north, longitudes } = boxAround(at(60, 0), QUARTER / 90)
    expect(north - south).toBeLessThan(2.0001)
    // A degree of arc at 60 degrees is two of longitude to each side.
    expect(longitudes[0]![1] - longitudes[0]![0]).toBeLessThan(4.01)
  })

  /** The place that lies so far in a direction. */
  function towards(from: { latitude: number; longitude: number }, bearing: number, metres: number) {
    const rad = Math.PI / 180
    const angle = metres / EARTH_RADIUS
    const [f1, b] = [from.latitude * rad, bearing * rad]
    const f2 = Math.asin(Math.sin(f1) * Math.cos(angle) + Math.cos(f1) * Math.sin(angle) * Math.cos(b))
    const l =
      from.longitude * rad +
      Math.atan2(Math.sin(b) * Math.sin(angle) * Math.cos(f1), Math.cos(angle) - Math.sin(f1) * Math.sin(f2))
    return at(f2 / rad, ((((l / rad + 180) % 360) + 360) % 360) - 180)
  }
})

describe('in memory', () => {
  const location = (id: string, ...places: [number, number][]): Indexed => ({
    type: 'Location',
    id,
    at: 0,
    rows: places.map(([latitude, longitude]) => ({
      kind: 'position',
      param: 'Location.near',
      latitude,
      longitude,
    })),
  })
  const near = { kind: 'near', param: 'Location.near', latitude: 0, longitude: 0, metres: 120_000 } as const

  test('a place is near within the distance, the distance itself included', () => {
    expect(matches(near, location('a', [1, 0]))).toBe(true)
    expect(matches(near, location('b', [2, 0]))).toBe(false)
    expect(matches(near, location('c'))).toBe(false)
    expect(matches({ ...near, metres: distance(at(0, 0), at(1, 0)) }, location('a', [1, 0]))).toBe(true)
    expect(matches({ ...near, metres: 0 }, location('d', [0, 0]))).toBe(true)
  })

  test.each([
    [false, ['near', 'two', 'far', 'nowhere']],
    [true, ['far', 'two', 'near', 'nowhere']],
  ])(
    'resources are sorted by their nearest place, descending %s; those without one come last',
    (descending, order) => {
      const all = [
        location('nowhere'),
        location('far', [3, 0]),
        location('two', [9, 9], [2, 0]),
        location('near', [0, 1]),
      ]
      const sort = [
        { by: 'distance', param: 'Location.near', latitude: 0, longitude: 0, descending } as const,
      ]
      const plan = { types: ['Location'], where: { kind: 'and', nodes: [] } as const, sort, fingerprint: '' }
      expect(all.sort(compareBySort(plan)).map(one => one.id)).toEqual(order)
    },
  )
})

test('a word is found whole, or by its beginning', () => {
  const resource: Indexed = {
    type: 'Patient',
    id: 'a',
    at: 0,
    rows: [{ kind: 'words', param: '_text', words: ['chest', 'pain'] }],
  }
  const word = (text: string, prefix: boolean) =>
    matches({ kind: 'word', param: '_text', word: text, prefix }, resource)
  expect([word('pain', false), word('pai', false), word('pai', true), word('ain', true)]).toEqual([
    true,
    false,
    true,
    false,
  ])
})

test.each(['chain', 'has'] as const)('without other resources a %s cannot be judged', kind => {
  const node =
    kind === 'chain'
      ? ({
          kind,
          params: ['a'],
          types: ['Patient'],
          canonical: false,
          node: { kind: 'and', nodes: [] },
        } as const)
      : ({ kind, type: 'Patient', params: ['a'], node: { kind: 'and', nodes: [] } } as const)
  expect(() => matches(node, { type: 'Patient', id: 'a', at: 0, rows: [] })).toThrow(/cannot be judged/)
})
