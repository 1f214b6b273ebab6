/** Series, bookings for several patients, and walk-ins. Expected: RFC 5545's days, and the issue: all in one commit, or none with why. */
import { beforeEach, describe, expect, it } from 'vitest'
import { samePhone } from '../../src/scheduling/guardian.ts'
import { daysOf, type Recurrence } from '../../src/scheduling/recurrence.ts'
import type { TestContext } from '../interactions/context.ts'
import {
  type Any,
  appointmentFor,
  ask,
  at,
  morning,
  parameters,
  put,
  reference,
  resourceIn,
  statusOf,
  stored,
  storeTogether,
} from './appointments.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await morning()
})

const count = async (type: string): Promise<number> => {
  const plan = { types: [type], where: { kind: 'and' as const, nodes: [] }, sort: [], fingerprint: type }
  return (await ctx.storage.search(plan, { limit: 0, total: 'accurate' })).total!
}
const rule = (more: Partial<Recurrence>): Recurrence => ({
  frequency: 'daily',
  interval: 1,
  days: [],
  count: undefined,
  until: undefined,
  ...more,
})

describe('the days of a series', () => {
  it.each<[string, string, Partial<Recurrence>, string[]]>([
    ['daily', '2026-11-30', { count: 3 }, ['2026-11-30', '2026-12-01', '2026-12-02']],
    [
      'every third day until',
      '2026-11-30',
      { interval: 3, until: '2026-12-06' },
      ['2026-11-30', '2026-12-03', '2026-12-06'],
    ],
    ['weekly', '2026-12-01', { frequency: 'weekly', count: 3 }, ['2026-12-01', '2026-12-08', '2026-12-15']],
    [
      'every second week on two days',
      '2026-12-01',
      { frequency: 'weekly', interval: 2, days: ['tue', 'fri'], count: 4 },
      ['2026-12-01', '2026-12-04', '2026-12-15', '2026-12-18'],
    ],
    [
      'weekly from the later of its days',
      '2026-12-04',
      { frequency: 'weekly', days: ['fri', 'tue'], count: 3 },
      ['2026-12-04', '2026-12-08', '2026-12-11'],
    ],
    [
      'monthly, a month without the day left out',
      '2027-01-31',
      { frequency: 'monthly', count: 3 },
      ['2027-01-31', '2027-03-31', '2027-05-31'],
    ],
    [
      'monthly over the year',
      '2026-11-15',
      { frequency: 'monthly', interval: 2, until: '2027-03-15' },
      ['2026-11-15', '2027-01-15', '2027-03-15'],
    ],
    [
      'every fourth year on a leap day',
      '2028-02-29',
      { frequency: 'monthly', interval: 12, count: 2 },
      ['2028-02-29', '2032-02-29'],
    ],
    ['until the first', '2026-11-30', { until: '2026-11-30' }, ['2026-11-30']],
  ])('%s', (_, first, more, expected) => {
    expect(daysOf(first, rule(more), 100)).toEqual(expected)
  })
})

describe('$book-series', () => {
  const first = (more: object = {}) =>
    appointmentFor('meera', { slot: undefined, start: at('15:00'), end: at('15:20'), ...more })
  const series = (appointment: object, ...given: object[]) =>
    ask(ctx, 'Appointment/$book-series', parameters(resourceIn('appointment', appointment), ...given))
  const weekly = { name: 'frequency', valueCode: 'weekly' }
  const three = { name: 'count', valuePositiveInt: 3 }
  const startsIn = (answer: [number, Any]) =>
    answer[1].entry.filter((one: Any) => one.resource.start).map((one: Any) => one.resource.start)

  it('books all at the same time of the day, in one commit and under one identifier', async () => {
    const answer = await series(first(), weekly, three)
    expect([answer[0], answer[1].total]).toEqual([200, 3])
    expect(startsIn(answer)).toEqual([
      '2026-12-01T15:00:00+05:30',
      '2026-12-08T15:00:00+05:30',
      '2026-12-15T15:00:00+05:30',
    ])
    const all = answer[1].entry.map((one: Any) => one.resource)
    expect(new Set(all.map((one: Any) => one.meta.lastUpdated)).size).toBe(1)
    expect(
      new Set(all.map((one: Any) => `${one.identifier[0].system} ${one.identifier[0].value}`)).size,
    ).toBe(1)
    expect(all[0].identifier[0].system).toBe('urn:nadi:appointment-series')
    expect(all.map((one: Any) => one.status)).toEqual(['booked', 'booked', 'booked'])
  })

  it('keeps the clock of the place when clocks change', async () => {
    await put(ctx, {
      resourceType: 'Location',
      id: 'berlin',
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Europe/Berlin' }],
    })
    const there = {
      ...first({ start: '2027-03-22T09:00:00+01:00', end: '2027-03-22T09:30:00+01:00' }),
      participant: [
        { actor: { reference: 'Patient/meera' }, status: 'accepted' },
        { actor: { reference: 'Location/berlin' }, status: 'accepted' },
      ],
    }
    // Germany's clocks go forward on 28 March 2027.
    expect(startsIn(await series(there, weekly, { name: 'count', valuePositiveInt: 2 }))).toEqual([
      '2027-03-22T09:00:00+01:00',
      '2027-03-29T09:00:00+02:00',
    ])
    const named = await series(there, weekly, three, { name: 'zone', valueString: 'Mars/Olympus' })
    expect(named[0]).toBe(400)
  })

  it('takes the slots of the same schedule', async () => {
    await storeTogether(ctx, [
      {
        resourceType: 'Slot',
        id: 'next-week',
        schedule: { reference: 'Schedule/anjali' },
        status: 'free',
        start: at('09:00', '2026-12-08'),
        end: at('09:20', '2026-12-08'),
      },
    ])
    const answer = await series(appointmentFor('meera'), weekly, { name: 'until', valueDate: '2026-12-08' })
    expect(answer[1].entry.map((one: Any) => one.resource.slot[0].reference)).toEqual([
      'Slot/0900',
      'Slot/next-week',
    ])
    expect(await statusOf(ctx, 'Slot/next-week')).toBe('busy')
  })

  describe('where one date cannot be', () => {
    beforeEach(() =>
      put(ctx, {
        ...appointmentFor('abdul', {
          status: 'booked',
          slot: undefined,
          start: at('15:10', '2026-12-08'),
          end: at('15:30', '2026-12-08'),
        }),
        id: 'other',
      }),
    )

    it('books none, and says which and why', async () => {
      const answer = await series(first(), weekly, three)
      const { issue } = answer[1].entry[0].resource
      expect([answer[0], answer[1].total, issue.length]).toEqual([409, 0, 1])
      expect(issue[0].diagnostics).toBe(
        '2026-12-08T15:00:00+05:30: Practitioner/anjali has another appointment at that time.',
      )
      expect(await count('Appointment')).toBe(1)
    })

    it('with partial books the others in one commit, and warns of it', async () => {
      const answer = await series(first(), weekly, three, { name: 'partial', valueBoolean: true })
      expect([answer[0], answer[1].total]).toEqual([200, 2])
      expect(startsIn(answer)).toEqual(['2026-12-01T15:00:00+05:30', '2026-12-15T15:00:00+05:30'])
      const outcome = answer[1].entry.at(-1)
      expect([outcome.search.mode, outcome.resource.issue[0].severity]).toEqual(['outcome', 'warning'])
    })
  })

  it('says of every date that has no slot that there is none', async () => {
    const answer = await series(appointmentFor('meera'), weekly, three)
    expect(answer[1].entry[0].resource.issue.map((one: Any) => one.diagnostics)).toEqual([
      '2026-12-08T09:00:00+05:30: There is no such slot.',
      '2026-12-15T09:00:00+05:30: There is no such slot.',
    ])
    expect([answer[0], await count('Appointment')]).toEqual([409, 0])
  })

  it.each<[string, object[]]>([
    ['no rule', []],
    ['another frequency', [{ name: 'frequency', valueCode: 'yearly' }, three]],
    ['neither count nor until', [weekly]],
    ['both', [weekly, three, { name: 'until', valueDate: '2026-12-31' }]],
    ['a day that is none', [weekly, three, { name: 'day', valueCode: 'monday' }]],
    ['days without the first', [weekly, three, { name: 'day', valueCode: 'mon' }]],
    [
      'days of a daily one',
      [{ name: 'frequency', valueCode: 'daily' }, three, { name: 'day', valueCode: 'tue' }],
    ],
    ['an end before the beginning', [weekly, { name: 'until', valueDate: '2026-01-01' }]],
    ['an end that is no day', [weekly, { name: 'until', valueDate: '2026-13-45' }]],
    ['101 of them', [weekly, { name: 'count', valuePositiveInt: 101 }]],
    ['a thousand million of them', [weekly, { name: 'count', valuePositiveInt: 999999999 }]],
    ['an end in a thousand years', [weekly, { name: 'until', valueDate: '9999-12-31' }]],
    ['an interval without end', [weekly, three, { name: 'interval', valuePositiveInt: 999999999 }]],
  ])('refuses %s', async (_, given) => {
    expect((await series(first(), ...given))[0]).toBe(400)
    expect(await count('Appointment')).toBe(0)
  })
})

describe('$book-together', () => {
  const PHONE = '+91 98470 12345'
  const together = (appointments: object[], phone?: string) =>
    ask(
      ctx,
      'Appointment/$book-together',
      parameters(
        ...appointments.map(one => resourceIn('appointment', one)),
        ...(phone === undefined ? [] : [{ name: 'phone', valueString: phone }]),
      ),
    )
  const children = [
    appointmentFor('meera'),
    appointmentFor('abdul', { start: at('09:20'), end: at('09:40'), slot: [{ reference: 'Slot/0920' }] }),
    appointmentFor('joseph', { start: at('09:40'), end: at('10:00'), slot: [{ reference: 'Slot/0940' }] }),
  ]
  beforeEach(() =>
    storeTogether(ctx, [
      { resourceType: 'Patient', id: 'meera', telecom: [{ system: 'phone', value: '09847012345' }] },
      {
        resourceType: 'Patient',
        id: 'abdul',
        contact: [{ telecom: [{ system: 'phone', value: '98470-12345' }] }],
      },
      {
        resourceType: 'RelatedPerson',
        id: 'mother',
        patient: { reference: 'Patient/joseph' },
        telecom: [{ system: 'phone', value: PHONE }],
      },
    ]),
  )

  it('books for several patients on one telephone, in one commit', async () => {
    const answer = await together(children, PHONE)
    expect([answer[0], answer[1].total]).toEqual([200, 3])
    const all = answer[1].entry.map((one: Any) => one.resource)
    expect(new Set(all.map((one: Any) => one.meta.lastUpdated)).size).toBe(1)
    expect(all[2].participant.at(-1)).toEqual({
      actor: { reference: 'RelatedPerson/mother' },
      required: 'information-only',
      status: 'accepted',
    })
    expect(all[0].participant).toHaveLength(2)
  })

  it('books none where one cannot be, and says which', async () => {
    await put(ctx, {
      ...appointmentFor('meera', { status: 'booked', slot: undefined, start: at('09:30'), end: at('09:50') }),
      participant: [{ actor: { reference: 'Patient/abdul' }, status: 'accepted' }],
      id: 'other',
    })
    const answer = await together(children, PHONE)
    expect([answer[0], answer[1].entry[0].resource.issue.map((one: Any) => one.diagnostics)]).toEqual([
      409,
      ['Appointment 2: The patient has another appointment at that time.'],
    ])
    expect(await count('Appointment')).toBe(1)
  })

  it('says why appointments that each could be cannot be together', async () => {
    const answer = await together([appointmentFor('meera'), appointmentFor('abdul')])
    expect([answer[0], await count('Appointment')]).toEqual([409, 0])
  })

  it('refuses a patient who is not reached on the telephone', async () => {
    const answer = await together(children, '+91 98470 99999')
    expect([answer[0], answer[1].entry[0].resource.issue[0].expression]).toEqual([422, ['http.phone']])
    expect(await count('Appointment')).toBe(0)
  })

  it.each<[string, object[], number]>([
    [
      'no patient',
      [
        {
          ...appointmentFor('meera'),
          participant: [{ actor: { reference: 'Practitioner/anjali' }, status: 'accepted' }],
        },
      ],
      400,
    ],
    ['no time', [{ ...appointmentFor('meera'), start: undefined }], 400],
    ['101 of them', Array.from({ length: 101 }, () => appointmentFor('meera')), 400],
    ['a patient who is not there', [appointmentFor('nobody')], 422],
  ])('refuses %s', async (_, appointments, expected) => {
    expect((await together(appointments, PHONE))[0]).toBe(expected)
    expect(await count('Appointment')).toBe(0)
  })

  it.each([
    ['+91 98470 12345', '09847012345', true],
    ['+91 98470 12345', '+91 98470 12346', false],
    ['', '', false],
    ['112', '112', true],
    ['112', '0112', false],
  ])('%j and %j are one telephone: %j', (one, other, expected) =>
    expect(samePhone(one, other)).toBe(expected),
  )
})

describe('$walk-in', () => {
  const walkIn = (...given: object[]) => ask(ctx, 'Appointment/$walk-in', parameters(...given))
  const meera = reference('patient', 'Patient/meera')
  const anjali = reference('practitioner', 'Practitioner/anjali')

  it('makes an appointment without a slot that has arrived, and its Encounter', async () => {
    const [status, made] = await walkIn(meera, anjali, {
      name: 'reason',
      valueCodeableConcept: { text: 'Fever' },
    })
    expect([
      status,
      made.status,
      made.slot,
      made.appointmentType.coding[0].code,
      made.reasonCode[0].text,
    ]).toEqual([200, 'arrived', undefined, 'WALKIN', 'Fever'])
    // 10:41 in Kolkata, fifteen minutes.
    expect([made.start, made.end]).toEqual(['2026-11-21T10:41:00+05:30', '2026-11-21T10:56:00+05:30'])
    const page = await ctx.storage.search(
      { types: ['Encounter'], where: { kind: 'and', nodes: [] }, sort: [], fingerprint: 'e' },
      { limit: 9, total: 'none' },
    )
    const encounters = page.rows.map(row => JSON.parse(row.text!))
    expect(encounters.map(one => [one.status, one.subject.reference, one.appointment[0].reference])).toEqual([
      ['arrived', 'Patient/meera', `Appointment/${made.id}`],
    ])
    expect((await ask(ctx, `Appointment/${made.id}/$check-in`))[1].status).toBe('checked-in')
    expect(await count('Encounter')).toBe(1)
  })

  it('comes in the next time that the practitioner has', async () => {
    const TODAY = '2026-11-21'
    for (const [i, from, to] of [
      ['a', '10:30', '11:00'],
      ['b', '11:10', '11:30'],
    ] as const)
      await put(ctx, {
        ...appointmentFor('abdul', {
          status: 'booked',
          slot: undefined,
          start: at(from, TODAY),
          end: at(to, TODAY),
        }),
        id: i,
      })
    expect((await walkIn(meera, anjali))[1].start).toBe(at('11:30', TODAY))
    expect(
      (
        await walkIn(reference('patient', 'Patient/joseph'), anjali, {
          name: 'minutes',
          valuePositiveInt: 10,
        })
      )[1].start,
    ).toBe(at('11:00', TODAY))
  })

  it('several at once come one after the other', async () => {
    const answers = await Promise.all(
      ['meera', 'abdul', 'joseph'].map(id => walkIn(reference('patient', `Patient/${id}`), anjali)),
    )
    expect(answers.map(one => one[1].start?.slice(11, 16)).sort()).toEqual(['10:41', '10:56', '11:11'])
  })

  it('a department sees many at once', async () => {
    const [one, other] = [
      await walkIn(meera, reference('service', 'HealthcareService/op')),
      await walkIn(reference('patient', 'Patient/abdul'), reference('service', 'HealthcareService/op')),
    ]
    expect([one[1].start, other[1].start]).toEqual([at('10:41', '2026-11-21'), at('10:41', '2026-11-21')])
  })

  it('makes a patient who is new in the same commit', async () => {
    const [, made] = await walkIn(
      resourceIn('patient-resource', { resourceType: 'Patient', name: [{ text: 'Lakshmi' }] }),
      anjali,
    )
    expect((await stored(ctx, made.participant[0].actor.reference)).name[0].text).toBe('Lakshmi')
  })

  it.each<[string, object[]]>([
    ['nobody', [anjali]],
    ['nobody to see', [meera]],
    [
      'both ways of naming the patient',
      [meera, resourceIn('patient-resource', { resourceType: 'Patient' }), anjali],
    ],
    ['a patient who is none', [reference('patient', 'Practitioner/anjali'), anjali]],
    ['a practitioner who is none', [meera, reference('practitioner', 'Patient/meera')]],
    ['a visit of a month', [meera, anjali, { name: 'minutes', valuePositiveInt: 43200 }]],
  ])('refuses %s', async (_, given) => {
    expect((await walkIn(...given))[0]).toBe(400)
    expect([await count('Appointment'), await count('Encounter')]).toEqual([0, 0])
  })
})
