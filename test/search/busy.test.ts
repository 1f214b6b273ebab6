/** Rows of taken time, worked out by hand: who is taken, under which names, and when an appointment was made. */
import { expect, it } from 'vitest'
import { BUSY, busyNode, CREATED, inSlotNode, MISSED } from '../../src/search/busy.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { matches } from '../../src/search/match.ts'
import type { Node } from '../../src/search/plan-node.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { resource } from '../interactions/context.ts'

const index = createIndexer(createRegistry(), {
  zone: 'Asia/Kolkata',
  references: 'off',
  baseUrl: 'http://127.0.0.1:8080/fhir',
})
const rowsOf = (members: string) =>
  index(
    resource(`{"resourceType":"Appointment",${members},"start":"2026-11-30T09:00:00Z","end":"2026-11-30T09:30:00Z",
      "slot":[{"reference":"Slot/1"}],"participant":[{"actor":{"reference":"Patient/1"},"status":"accepted"},
      {"actor":{"reference":"Location/1"},"status":"declined"}]}`),
  )
const finds = (members: string, node: Node): boolean =>
  matches(node, { type: 'Appointment', id: '1', at: 0, rows: rowsOf(members) })
const at = (hours: number, minutes = 0): number => Date.UTC(2026, 10, 30, hours, minutes)

it.each(['pending', 'booked', 'arrived', 'checked-in'])(
  'an appointment that is %s takes the time of who has not declined',
  status => {
    const is = `"status":"${status}"`
    for (const [start, end] of [
      [at(9), at(9, 30)],
      [at(9, 29), at(9, 31)],
      [at(8), at(9, 1)],
      [at(0), at(24)],
      [at(-24 * 400), at(24 * 400)],
    ] as const) {
      expect(finds(is, busyNode(['Patient/2', 'Patient/1'], start, end))).toBe(true)
      expect(finds(is, busyNode(['Location/1'], start, end))).toBe(false)
      expect(finds(is, busyNode(['Patient/1'], start, end, MISSED))).toBe(false)
    }
    expect(finds(is, busyNode(['Patient/1'], at(12), at(13)))).toBe(false)
    expect([finds(is, inSlotNode('Slot/1')), finds(is, inSlotNode('Slot/2'))]).toEqual([true, false])
  },
)

it('one that nobody came to stands under another name, and leaves its slot', () => {
  const is = '"status":"noshow"'
  expect(finds(is, busyNode(['Patient/1'], at(9, 10), at(9, 20), MISSED))).toBe(true)
  expect(finds(is, busyNode(['Patient/1'], at(9, 10), at(9, 20)))).toBe(false)
  expect(finds(is, inSlotNode('Slot/1'))).toBe(false)
})

it.each(['cancelled', 'fulfilled', 'proposed', 'waitlist', 'entered-in-error'])(
  'one that is %s takes nothing',
  status => {
    const is = `"status":"${status}"`
    for (const param of [BUSY, MISSED])
      expect(finds(is, busyNode(['Patient/1'], at(0), at(24), param))).toBe(false)
  },
)

it('when it was made is a key in UTC to sort by', () => {
  const key = '2026-11-17T05:35:00.000Z'
  expect(rowsOf('"status":"cancelled","created":"2026-11-17T11:05:00+05:30"')).toContainEqual({
    kind: 'sort',
    param: CREATED,
    min: key,
    max: key,
  })
})
