/** `$generate-slots`: the slots of published hours, written by hand from the calendar. START is Saturday 21 November 2026, 10:41 in India. */
import { beforeEach, describe, expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { remove } from '../../src/interactions/delete.ts'
import { read } from '../../src/interactions/read.ts'
import { search } from '../../src/interactions/search.ts'
import { update } from '../../src/interactions/update.ts'
import { refusal, testContext } from '../interactions/context.ts'
import { call, tree } from '../operations/context.ts'

let ctx: Context

beforeEach(async () => {
  ctx = underRules(await testContext())
})

// biome-ignore lint/suspicious/noExplicitAny: resources are written as their members
type Members = Record<string, any>

const put = (type: string, id: string, members: Members = {}): Promise<unknown> =>
  update(ctx, type, id, tree({ resourceType: type, id, ...members }))

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri']
const MORNING = { daysOfWeek: WEEKDAYS, availableStartTime: '09:00:00', availableEndTime: '10:00:00' }

const role = (members: Members = {}) =>
  put('PractitionerRole', 'r', {
    practitioner: { reference: 'Practitioner/p' },
    availableTime: [MORNING],
    ...members,
  })

const schedule = (members: Members = {}, actors: string[] = ['PractitionerRole/r', 'Practitioner/p']) =>
  put('Schedule', 's', {
    extension: [{ url: 'urn:nadi:extension:slot-minutes', valuePositiveInt: 30 }],
    specialty: [{ coding: [{ system: 'http://snomed.info/sct', code: '394802001' }] }],
    actor: actors.map(reference => ({ reference })),
    ...members,
  })

async function clinic(roleMembers: Members = {}): Promise<void> {
  await put('Practitioner', 'p')
  await role(roleMembers)
  await schedule()
}

const MONDAY = '2026-11-23'

/** Returns the parts of the answer by name; of appointments their references. */
async function generate(given: Record<string, string | number> = {}): Promise<Members> {
  const parameters = Object.entries({ start: MONDAY, end: MONDAY, ...given }).map(([name, value]) => ({
    name,
    value: String(value),
  }))
  const answer = await call(ctx, 'generate-slots', { type: 'Schedule', id: 's' }, parameters)
  const parts = answer.parameter[0].part as Members[]
  const number = (name: string) => parts.find(one => one.name === name)!.valueInteger
  return {
    created: number('created'),
    changed: number('changed'),
    removed: number('removed'),
    kept: number('kept'),
    appointments: parts
      .filter(one => one.name === 'appointment')
      .map(one => one.part[0].valueReference.reference),
  }
}

const slots = async (): Promise<Members[]> => {
  const { rows } = await search(ctx, 'Slot', [
    ['schedule', 'Schedule/s'],
    ['_sort', 'start'],
    ['_count', '1000'],
  ])
  return rows.map(row => JSON.parse(row.text))
}

/** `09:00-09:30` of the slots, as they are written, with their status where they are not free. */
const times = async (): Promise<string[]> =>
  (await slots()).map(
    ({ start, end, status }) =>
      `${start.slice(5, 16)}-${end.slice(11, 16)}${status === 'free' ? '' : ` ${status}`}`,
  )

const book = (id: string, start: string, end: string, members: Members = {}) =>
  put('Appointment', id, {
    status: 'booked',
    start: `${MONDAY}T${start}:00+05:30`,
    end: `${MONDAY}T${end}:00+05:30`,
    participant: [
      { actor: { reference: `Patient/${id}` }, status: 'accepted' },
      { actor: { reference: 'Practitioner/p' }, status: 'accepted' },
    ],
    ...members,
  })

const slotAt = async (start: string): Promise<string> =>
  `Slot/${(await slots()).find(one => one.start.includes(`T${start}`))!.id}`

describe('Schedule/$generate-slots', () => {
  it('makes slots of the hours, with the service of the Schedule and the offset of the zone', async () => {
    await clinic()
    expect(await generate()).toEqual({ created: 2, changed: 0, removed: 0, kept: 0, appointments: [] })
    expect(await slots()).toMatchObject([
      {
        start: '2026-11-23T09:00:00+05:30',
        end: '2026-11-23T09:30:00+05:30',
        status: 'free',
        schedule: { reference: 'Schedule/s' },
        specialty: [{ coding: [{ code: '394802001' }] }],
      },
      { start: '2026-11-23T09:30:00+05:30', end: '2026-11-23T10:00:00+05:30' },
    ])
  })

  it('changes nothing the second time', async () => {
    await clinic()
    await generate({ end: '2026-11-27' })
    const before = await slots()
    expect(before).toHaveLength(10)
    expect(await generate({ end: '2026-11-27' })).toEqual({
      created: 0,
      changed: 0,
      removed: 0,
      kept: 10,
      appointments: [],
    })
    expect(await slots()).toEqual(before)
  })

  it('makes each slot once where several are at it at once', async () => {
    await clinic()
    const made = await Promise.all([generate(), generate(), generate({ slotMinutes: 20 }), generate()])
    expect(made.length).toBe(4)
    const spans = (await slots()).map(one => [Date.parse(one.start), Date.parse(one.end)] as const)
    for (const [i, [start, end]] of spans.entries())
      for (const [from, to] of spans.slice(i + 1)) expect(start < to && end > from).toBe(false)
    expect([2, 3]).toContain(spans.length)
  })

  it('leaves breaks, leave, holidays and the time when the place is closed without slots', async () => {
    await put('Practitioner', 'p')
    await put('Location', 'building', {
      hoursOfOperation: [{ daysOfWeek: WEEKDAYS, openingTime: '09:30:00', closingTime: '16:00:00' }],
    })
    await put('Location', 'room', { partOf: { reference: 'Location/building' } })
    await put('HealthcareService', 'h', {
      availableTime: [
        { daysOfWeek: [...WEEKDAYS, 'sat'], availableStartTime: '08:00:00', availableEndTime: '15:00:00' },
      ],
      notAvailable: [{ description: 'a holiday', during: { start: '2026-11-24', end: '2026-11-24' } }],
    })
    await role({
      availableTime: [
        { daysOfWeek: [...WEEKDAYS, 'sat'], availableStartTime: '09:00:00', availableEndTime: '11:00:00' },
        { daysOfWeek: WEEKDAYS, availableStartTime: '14:00:00', availableEndTime: '17:00:00' },
      ],
      notAvailable: [
        { description: 'leave', during: { start: '2026-11-26', end: '2026-11-27' } },
        {
          description: 'dentist',
          during: { start: '2026-11-25T10:15:00+05:30', end: '2026-11-25T10:45:00+05:30' },
        },
      ],
    })
    await schedule({}, ['PractitionerRole/r', 'Practitioner/p', 'HealthcareService/h', 'Location/room'])
    await generate({ end: '2026-11-28' })
    expect(await times()).toEqual([
      '11-23T09:30-10:00',
      '11-23T10:00-10:30',
      '11-23T10:30-11:00',
      '11-23T14:00-14:30',
      '11-23T14:30-15:00',
      '11-25T09:30-10:00',
      '11-25T14:00-14:30',
      '11-25T14:30-15:00',
    ])
  })

  it('moves free slots to new hours, keeps those that are booked, and names who no longer fits', async () => {
    await clinic()
    await generate()
    await book('a', '09:00', '09:30', { slot: [{ reference: await slotAt('09:00') }] })
    await role({
      availableTime: [{ daysOfWeek: WEEKDAYS, availableStartTime: '14:00:00', availableEndTime: '15:00:00' }],
    })
    expect(await generate()).toEqual({
      created: 2,
      changed: 0,
      removed: 1,
      kept: 1,
      appointments: ['Appointment/a'],
    })
    expect(await times()).toEqual(['11-23T09:00-09:30 busy', '11-23T14:00-14:30', '11-23T14:30-15:00'])
    await book('a', '09:00', '09:30', { status: 'cancelled', slot: [{ reference: await slotAt('09:00') }] })
    expect(await generate()).toMatchObject({ removed: 1, appointments: [] })
    expect((await times())[0]).toBe('11-23T09:00-09:30 entered-in-error')
  })

  it('names appointments outside the hours that are in no slot, or in one that is gone, and none of another Schedule', async () => {
    await clinic()
    await put('Location', 'here')
    await put('Location', 'there')
    await schedule({}, ['PractitionerRole/r', 'Practitioner/p', 'Location/here'])
    await put('Schedule', 'other', { actor: [{ reference: 'Practitioner/p' }] })
    const times = { start: `${MONDAY}T18:00:00+05:30`, end: `${MONDAY}T18:15:00+05:30` }
    await put('Slot', 'other', { schedule: { reference: 'Schedule/other' }, status: 'free', ...times })
    const at = (place: string) => ({
      participant: [
        { actor: { reference: 'Practitioner/p' }, status: 'accepted' },
        { actor: { reference: `Location/${place}` }, status: 'accepted' },
      ],
    })
    await book('alone', '16:00', '16:15')
    await book('here', '16:15', '16:30', at('here'))
    await book('there', '16:30', '16:45', at('there'))
    await book('gone', '17:00', '17:15', { slot: [{ reference: 'Slot/never' }] })
    await book('other', '18:00', '18:15', { slot: [{ reference: 'Slot/other' }] })
    await book('fits', '09:00', '09:15')
    expect((await generate()).appointments).toEqual([
      'Appointment/alone',
      'Appointment/here',
      'Appointment/gone',
    ])
  })

  it('leaves no slot of a booking behind that comes while the hours change', async () => {
    await clinic()
    for (let round = 0; round < 5; round++) {
      await role()
      await generate()
      const [first] = await slots()
      await role({ active: false })
      const id = `b${round}`
      const booked = book(id, '09:00', '09:30', { slot: [{ reference: `Slot/${first!.id}` }] })
      const [done, said] = await Promise.all([
        booked.then(
          () => true,
          () => false,
        ),
        generate(),
      ])
      const again = await generate()
      const told = [...said.appointments, ...again.appointments]
      // Whoever came first: the clerk learns of the appointment.
      expect(told.includes(`Appointment/${id}`)).toBe(done)
      if (done) await remove(ctx, 'Appointment', id)
    }
  })

  it('makes room for another length around what is booked or set aside', async () => {
    await clinic()
    await generate()
    await book('a', '09:00', '09:30', { slot: [{ reference: await slotAt('09:00') }] })
    expect(await generate({ slotMinutes: 20 })).toMatchObject({
      removed: 1,
      created: 1,
      kept: 1,
      appointments: [],
    })
    expect(await times()).toEqual(['11-23T09:00-09:30 busy', '11-23T09:40-10:00'])
  })

  it('leaves a slot that is set aside where it is, also outside the hours', async () => {
    await clinic()
    await generate()
    const [first] = await slots()
    await update(ctx, 'Slot', first!.id, tree({ ...first, status: 'busy-unavailable' }))
    await role({ active: false })
    expect(await generate()).toMatchObject({ created: 0, removed: 1, kept: 1 })
    expect(await times()).toEqual(['11-23T09:00-09:30 busy-unavailable'])
  })

  it('makes nothing in a time of several days that is set aside', async () => {
    await clinic()
    const away = { start: '2026-11-22T00:00:00+05:30', end: '2026-11-25T09:30:00+05:30' }
    await put('Slot', 'away', { schedule: { reference: 'Schedule/s' }, status: 'busy-unavailable', ...away })
    await generate({ end: '2026-11-25' })
    expect(await times()).toEqual(['11-22T00:00-09:30 busy-unavailable', '11-25T09:30-10:00'])
  })

  it('does not offer time that a live appointment without a slot takes', async () => {
    await clinic()
    await book('walk-in', '09:10', '09:25')
    await generate()
    expect(await times()).toEqual(['11-23T09:00-09:30 busy', '11-23T09:30-10:00'])
    await book('walk-in', '09:10', '09:25', { status: 'cancelled' })
    expect(await times()).toEqual(['11-23T09:00-09:30', '11-23T09:30-10:00'])
  })

  it('gives slots the capacity asked for, and takes no place away from those who are booked', async () => {
    await clinic()
    await schedule({
      extension: [
        { url: 'urn:nadi:extension:slot-minutes', valuePositiveInt: 30 },
        { url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 3 },
      ],
    })
    await generate()
    const capacities = async () => (await slots()).map(one => one.extension?.[0].valuePositiveInt)
    expect(await capacities()).toEqual([3, 3])
    await book('a', '09:00', '09:30', { slot: [{ reference: await slotAt('09:00') }] })
    expect(await generate({ capacity: 2 })).toMatchObject({ changed: 1, kept: 1 })
    expect(await capacities()).toEqual([3, 2])
    expect(await generate({ capacity: 4 })).toMatchObject({ changed: 2, kept: 0 })
    expect(await capacities()).toEqual([4, 4])
  })

  it('begins now, and ends with the planning horizon', async () => {
    await clinic({ availableTime: [{ allDay: true }] })
    await schedule({
      extension: [{ url: 'urn:nadi:extension:slot-minutes', valuePositiveInt: 240 }],
      planningHorizon: { end: '2026-11-22' },
    })
    const parameters = { type: 'Schedule', id: 's' }
    await call(ctx, 'generate-slots', parameters)
    expect(await times()).toEqual([
      '11-21T12:00-16:00',
      '11-21T16:00-20:00',
      '11-21T20:00-00:00',
      '11-22T00:00-04:00',
      '11-22T04:00-08:00',
      '11-22T08:00-12:00',
      '11-22T12:00-16:00',
      '11-22T16:00-20:00',
      '11-22T20:00-00:00',
    ])
  })

  it('reads hours in the zone of the place, and follows its clocks', async () => {
    await put('Practitioner', 'p')
    await put('Location', 'london', {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Europe/London' }],
    })
    await role({ availableTime: [{ availableStartTime: '00:00:00', availableEndTime: '04:00:00' }] })
    await schedule({}, ['PractitionerRole/r', 'Location/london'])
    // On 28 March 2027 clocks in London go from 01:00 GMT to 02:00 BST; on 31 October from 02:00 BST to 01:00 GMT.
    await generate({ start: '2027-03-28', end: '2027-03-28', slotMinutes: 60 })
    await generate({ start: '2027-10-31', end: '2027-10-31', slotMinutes: 60 })
    expect((await slots()).map(one => one.start)).toEqual([
      '2027-03-28T00:00:00+00:00',
      '2027-03-28T02:00:00+01:00',
      '2027-03-28T03:00:00+01:00',
      '2027-10-31T00:00:00+01:00',
      '2027-10-31T01:00:00+01:00',
      '2027-10-31T01:00:00+00:00',
      '2027-10-31T02:00:00+00:00',
      '2027-10-31T03:00:00+00:00',
    ])
  })

  it('lets hours cross midnight, and makes the same slots whichever day is asked for', async () => {
    await clinic({
      availableTime: [{ daysOfWeek: ['mon'], availableStartTime: '23:00:00', availableEndTime: '00:45:00' }],
    })
    await generate({ start: '2026-11-24', end: '2026-11-24' })
    expect(await times()).toEqual(['11-24T00:00-00:30'])
    await generate({ start: MONDAY, end: '2026-11-24' })
    expect(await times()).toEqual(['11-23T23:00-23:30', '11-23T23:30-00:00', '11-24T00:00-00:30'])
  })

  it('finds the role of the practitioner for the place and the service of the Schedule', async () => {
    await put('Practitioner', 'p')
    await put('Location', 'here')
    await put('Location', 'there')
    await role({ location: [{ reference: 'Location/here' }] })
    await put('PractitionerRole', 'other', {
      practitioner: { reference: 'Practitioner/p' },
      location: [{ reference: 'Location/there' }],
      availableTime: [{ daysOfWeek: WEEKDAYS, availableStartTime: '15:00:00', availableEndTime: '15:30:00' }],
    })
    await schedule({}, ['Practitioner/p', 'Location/there'])
    await generate()
    expect(await times()).toEqual(['11-23T15:00-15:30'])
  })

  it('makes slots of a place without a practitioner by its own hours', async () => {
    await put('Location', 'laboratory', {
      hoursOfOperation: [{ daysOfWeek: ['mon'], openingTime: '07:00:00', closingTime: '08:00:00' }],
    })
    await schedule({}, ['Location/laboratory'])
    await generate()
    expect(await times()).toEqual(['11-23T07:00-07:30', '11-23T07:30-08:00'])
  })

  it('does several Schedules in one call', async () => {
    await clinic()
    await put('Practitioner', 'q')
    await put('PractitionerRole', 'rq', {
      practitioner: { reference: 'Practitioner/q' },
      availableTime: [MORNING],
    })
    await put('Schedule', 't', { actor: [{ reference: 'Practitioner/q' }] })
    const answer = await call(ctx, 'generate-slots', { type: 'Schedule' }, [
      { name: 'schedule', value: 'Schedule/s' },
      { name: 'schedule', value: 'Schedule/t' },
      { name: 'start', value: MONDAY },
      { name: 'end', value: MONDAY },
      { name: 'slotMinutes', value: '15' },
    ])
    expect(answer.parameter.map((one: Members) => one.part.slice(0, 4))).toEqual(
      ['Schedule/s', 'Schedule/t'].map(reference => [
        { name: 'reference', valueReference: { reference } },
        { name: 'start', valueDate: MONDAY },
        { name: 'end', valueDate: MONDAY },
        { name: 'created', valueInteger: 4 },
      ]),
    )
  })

  it('does nothing where one of several Schedules is refused', async () => {
    await clinic()
    await put('Schedule', 't', { active: false, actor: [{ reference: 'Practitioner/p' }] })
    const both = call(ctx, 'generate-slots', { type: 'Schedule' }, [
      { name: 'schedule', value: 'Schedule/s' },
      { name: 'schedule', value: 'Schedule/t' },
      { name: 'slotMinutes', value: '15' },
    ])
    expect((await refusal(both)).status).toBe(422)
    expect(await slots()).toEqual([])
  })

  it('makes again a slot that was deleted, and writes nothing where references are enforced and lead nowhere', async () => {
    await clinic()
    await generate()
    const before = await slots()
    await remove(ctx, 'Slot', before[0]!.id)
    expect(await generate()).toMatchObject({ created: 1, kept: 1 })
    expect((await slots()).map(one => one.id).sort()).toEqual(before.map(one => one.id).sort())
    expect(JSON.parse((await read(ctx, 'Slot', before[0]!.id)).text).meta.versionId).toBe('3')
  })

  it('marks a slot as a mistake where references are enforced and something refers to it', async () => {
    ctx = { ...ctx, settings: { ...ctx.settings, references: 'enforce' } }
    await clinic()
    await generate()
    await put('Basic', 'b', { code: { text: 'x' }, subject: { reference: await slotAt('09:00') } })
    await role({ active: false })
    expect(await generate()).toMatchObject({ removed: 2, kept: 0 })
    expect(await times()).toEqual(['11-23T09:00-09:30 entered-in-error'])
  })

  const REFUSED: [
    string,
    Record<string, string | number>,
    (() => Promise<unknown>) | undefined,
    number,
    string,
  ][] = [
    ['days that are none', { start: '2026-02-30' }, undefined, 400, 'invalid'],
    ['a month for a day', { start: '2026-11' }, undefined, 400, 'invalid'],
    ['an end before the start', { end: '2026-11-22' }, undefined, 400, 'invalid'],
    ['401 days', { end: '2027-12-28' }, undefined, 400, 'too-costly'],
    ['a year that is far away', { end: '9999-12-31' }, undefined, 400, 'too-costly'],
    ['more than 10,000 slots', { slotMinutes: 1, end: '2027-11-22' }, undefined, 400, 'too-costly'],
    [
      'a week of a thousand hours, for a year',
      { end: '2027-11-22' },
      () => role({ availableTime: Array(1000).fill(MORNING) }),
      400,
      'too-costly',
    ],
    ['slots longer than a day', { slotMinutes: 1441 }, undefined, 400, 'invalid'],
    ['more places than a hall has', { capacity: 1001 }, undefined, 400, 'invalid'],
    ['a Schedule that is not active', {}, () => schedule({ active: false }), 422, 'business-rule'],
    ['a role without hours', {}, () => role({ availableTime: undefined }), 422, 'business-rule'],
    ['no length of slots', {}, () => schedule({ extension: undefined }), 400, 'required'],
    ['a Schedule of nobody', {}, () => schedule({}, ['Device/1']), 422, 'business-rule'],
    ['a Schedule that is deleted', {}, () => remove(ctx, 'Schedule', 's'), 410, 'deleted'],
  ]

  it.each(REFUSED)('refuses %s, and writes nothing', async (_, given, prepare, status, code) => {
    await clinic()
    await prepare?.()
    const { status: got, code: why } = await refusal(generate(given))
    expect([got, why]).toEqual([status, code])
    expect(await slots()).toEqual([])
  })

  it('takes hours that make no sense for none, without failing', async () => {
    ctx = { ...ctx, settings: { ...ctx.settings, validate: 'off' } }
    await put('Practitioner', 'p')
    await role({
      availableTime: [
        'x',
        { daysOfWeek: 'mon', availableStartTime: 900, availableEndTime: '10:00:00' },
        { daysOfWeek: ['mon'], availableStartTime: '25:00:00', availableEndTime: '26:00:00' },
        { daysOfWeek: ['mon'], availableStartTime: '09:00:00', availableEndTime: '09:00:00' },
        { daysOfWeek: ['mon'], availableStartTime: '13:00:00', availableEndTime: '13:30:00' },
      ],
      notAvailable: ['x', { during: 'y' }, { during: {} }, { during: { start: 'z' } }],
      location: 'x',
      period: { start: '2020' },
    })
    await schedule({}, ['PractitionerRole/r'])
    await generate()
    expect(await times()).toEqual(['11-23T13:00-13:30'])
  })
})
