/** Rows of taken time, worked out by hand: who is taken, under which names, and when an appointment was made. */
import { expect, it } from 'vitest'
import { createIndexer } from '../../src/search/index-values.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { resource } from '../interactions/context.ts'

const index = createIndexer(createRegistry(), {
  zone: 'Asia/Kolkata',
  references: 'off',
  baseUrl: 'http://127.0.0.1:8080/fhir',
})
const rows = (members: string) =>
  index(
    resource(`{"resourceType":"Appointment",${members},"start":"1970-01-02T00:30:00Z","end":"1970-01-02T01:30:00Z",
      "slot":[{"reference":"Slot/1"}],"participant":[{"actor":{"reference":"Patient/1"},"status":"accepted"},
      {"actor":{"reference":"Location/1"},"status":"declined"}]}`),
  ).filter(row => row.param.startsWith('_'))
const row = (param: string, code: string) => ({ kind: 'token', param, system: '', code })

it.each(['pending', 'booked', 'arrived', 'checked-in'])(
  'an appointment that is %s takes the hours of who has not declined',
  status => {
    expect(rows(`"status":"${status}"`)).toEqual([
      row('_busy', 'Patient/1@h24'),
      row('_busy', 'Patient/1@h25'),
      row('_busy', 'Patient/1@m0'),
      row('_busy', 'Slot/1@'),
    ])
  },
)

it('one that nobody came to stands under another name, and leaves its slot', () => {
  expect(rows('"status":"noshow"')).toEqual([
    row('_missed', 'Patient/1@h24'),
    row('_missed', 'Patient/1@h25'),
    row('_missed', 'Patient/1@m0'),
  ])
})

it.each(['cancelled', 'fulfilled', 'proposed', 'waitlist', 'entered-in-error'])(
  'one that is %s takes nothing',
  status => {
    expect(rows(`"status":"${status}"`)).toEqual([])
  },
)

it('when it was made is a key in UTC to sort by', () => {
  const key = '2026-11-17T05:35:00.000Z'
  expect(rows('"status":"cancelled","created":"2026-11-17T11:05:00+05:30"')).toEqual([
    { kind: 'sort', param: '_created', min: key, max: key },
  ])
})
