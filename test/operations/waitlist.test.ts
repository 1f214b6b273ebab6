/** The waitlist, offers and their answers, and what the tick clears away. Expected: the issue; AppointmentResponse as R4 has it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { create } from '../../src/interactions/create.ts'
import { releaseExpired } from '../../src/scheduling/expire.ts'
import type { TestContext } from '../interactions/context.ts'
import {
  type Any,
  appointmentFor,
  ask,
  bookedIn,
  DAY,
  morning,
  parameters,
  put,
  reference,
  statusOf,
  stored,
} from './appointments.ts'
import { tree } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await morning()
  // Of the doctor's morning only the slot at nine is left to be had.
  for (const id of ['0920', '0940', 'group'])
    await put(ctx, { ...(await stored(ctx, `Slot/${id}`)), status: 'busy-unavailable' })
})

const MINUTE = 60_000
const wait = (patient: string, ...more: object[]) =>
  ask(
    ctx,
    'Appointment/$waitlist',
    parameters(
      reference('patient', `Patient/${patient}`),
      reference('actor', 'Practitioner/anjali'),
      { name: 'start', valueDateTime: DAY },
      { name: 'end', valueDateTime: DAY },
      ...more,
    ),
  )
const waiting = async (patient: string, ...more: object[]): Promise<string> =>
  `Appointment/${(await wait(patient, ...more))[1].id}`
const tick = () => releaseExpired(ctx, ctx.clock())
const taken = () => put(ctx, { ...appointmentFor('joseph', { status: 'booked' }), id: 'taken' })
const freed = () => ask(ctx, 'Appointment/taken/$cancel')
const all = async (type: string): Promise<Any[]> => {
  const page = await ctx.storage.search(
    { types: [type], where: { kind: 'and', nodes: [] }, sort: [], fingerprint: type },
    { limit: 100, total: 'none' },
  )
  return page.rows.map(row => JSON.parse(row.text!))
}
const patientOf = (one: Any): string => one.participant[0].actor.reference
/** What stands held for somebody. */
const held = async () =>
  (await all('Appointment'))
    .filter(one => one.status === 'pending')
    .map(one => [patientOf(one), one.slot[0].reference])
const respond = (key: string, participantStatus: string, actor = 'Patient/meera') =>
  create(
    ctx,
    'AppointmentResponse',
    tree({
      resourceType: 'AppointmentResponse',
      appointment: { reference: key },
      actor: { reference: actor },
      participantStatus,
    }),
  )
const told = async () =>
  (await all('CommunicationRequest')).filter(one => one.category[0].coding[0].code === 'waitlist-offer')

describe('$waitlist', () => {
  it('makes an Appointment on the waitlist, with the time in which the patient could come', async () => {
    const [status, entry] = await wait('meera', { name: 'priority', valuePositiveInt: 2 })
    expect([status, entry.status, entry.start, entry.priority]).toEqual([200, 'waitlist', undefined, 2])
    expect(entry.requestedPeriod).toEqual([
      { start: '2026-11-30T18:30:00.000Z', end: '2026-12-01T18:30:00.000Z' },
    ])
    expect(entry.participant.map((one: Any) => [one.actor.reference, one.status])).toEqual([
      ['Patient/meera', 'accepted'],
      ['Practitioner/anjali', 'needs-action'],
    ])
  })

  it('twice for the same time is one entry, for another time a conflict', async () => {
    const first = await wait('meera')
    expect(await wait('meera')).toEqual(first)
    const other = await ask(
      ctx,
      'Appointment/$waitlist',
      parameters(
        reference('patient', 'Patient/meera'),
        reference('actor', 'Practitioner/anjali'),
        { name: 'start', valueDateTime: '2026-12-05' },
        { name: 'end', valueDateTime: '2026-12-06' },
      ),
    )
    expect(other[0]).toBe(409)
  })

  it.each<[string, object[]]>([
    [
      'nobody',
      [
        reference('actor', 'Practitioner/anjali'),
        { name: 'start', valueDateTime: DAY },
        { name: 'end', valueDateTime: DAY },
      ],
    ],
    [
      'a patient who is none',
      [
        reference('patient', 'Practitioner/anjali'),
        reference('actor', 'Practitioner/anjali'),
        { name: 'start', valueDateTime: DAY },
        { name: 'end', valueDateTime: DAY },
      ],
    ],
    [
      'an actor who is none',
      [
        reference('patient', 'Patient/meera'),
        reference('actor', 'Patient/abdul'),
        { name: 'start', valueDateTime: DAY },
        { name: 'end', valueDateTime: DAY },
      ],
    ],
    [
      'a time that is over',
      [
        reference('patient', 'Patient/meera'),
        reference('actor', 'Practitioner/anjali'),
        { name: 'start', valueDateTime: '2020' },
        { name: 'end', valueDateTime: '2020' },
      ],
    ],
    [
      'no time',
      [
        reference('patient', 'Patient/meera'),
        reference('actor', 'Practitioner/anjali'),
        { name: 'start', valueDateTime: 'x' },
        { name: 'end', valueDateTime: '\u0000' },
      ],
    ],
    [
      'many actors',
      [
        reference('patient', 'Patient/meera'),
        ...Array.from({ length: 11 }, (_, i) => reference('actor', `Practitioner/p${i}`)),
        { name: 'start', valueDateTime: DAY },
        { name: 'end', valueDateTime: DAY },
      ],
    ],
  ])('refuses %s', async (_, given) => {
    expect((await ask(ctx, 'Appointment/$waitlist', parameters(...given)))[0]).toBe(400)
    expect(await all('Appointment')).toEqual([])
  })
})

describe('a slot that becomes free', () => {
  it('is held for the first who waits, who is told until when to answer', async () => {
    await taken()
    const entry = await waiting('meera')
    await waiting('abdul')
    expect((await tick()).offered).toEqual([])
    await freed()
    const { offered } = await tick()
    expect(await held()).toEqual([['Patient/meera', 'Slot/0900']])
    const offer = await stored(ctx, offered[0]!)
    expect(offer.extension).toEqual([
      { url: 'urn:nadi:extension:hold-until', valueInstant: '2026-11-21T05:26:00.000Z' },
    ])
    expect(offer.participant.map((one: Any) => [one.actor.reference, one.status])).toEqual([
      ['Patient/meera', 'needs-action'],
      ['Practitioner/anjali', 'accepted'],
      ['Location/clinic', 'accepted'],
    ])
    expect([await statusOf(ctx, entry), await statusOf(ctx, 'Slot/0900')]).toEqual([
      'waitlist',
      'busy-tentative',
    ])
    const [request] = await told()
    expect([request.subject.reference, request.about[0].reference]).toEqual(['Patient/meera', offered[0]])
    // 05:26 UTC is 10:56 in Kolkata.
    expect(request.extension[0].extension[1]).toEqual({ url: 'value', valueString: '10:56' })
  })

  it('goes to the most urgent before the first', async () => {
    await waiting('meera')
    await waiting('abdul', { name: 'priority', valuePositiveInt: 9 })
    await waiting('joseph', { name: 'priority', valuePositiveInt: 1 })
    await tick()
    expect(await held()).toEqual([['Patient/joseph', 'Slot/0900']])
  })

  it('is offered once, however many ticks there are, on two servers at once too', async () => {
    await waiting('meera')
    // With another slot free, who loses the race for the first must not offer the second.
    await put(ctx, { ...(await stored(ctx, 'Slot/0920')), status: 'free' })
    await Promise.all([tick(), tick(), tick()])
    await tick()
    expect(await held()).toEqual([['Patient/meera', 'Slot/0900']])
    expect(await told()).toHaveLength(1)
  })

  it('is offered after a crash between the cancellation and the tick', async () => {
    await taken()
    await waiting('meera')
    await freed()
    // Whatever was in memory is gone: the store alone says what is free and who waits.
    await releaseExpired({ ...ctx }, ctx.clock())
    expect(await held()).toEqual([['Patient/meera', 'Slot/0900']])
  })

  it('goes to the next when the first does not answer, and never again to the first', async () => {
    await waiting('meera')
    await waiting('abdul')
    const [first] = (await tick()).offered
    ctx.pass(15 * MINUTE)
    expect((await tick()).released).toEqual([first])
    expect(await held()).toEqual([['Patient/abdul', 'Slot/0900']])
    expect((await stored(ctx, first!)).cancelationReason.coding[0].code).toBe('hold-expired')
    ctx.pass(15 * MINUTE)
    await tick()
    expect(await held()).toEqual([])
    expect(await statusOf(ctx, 'Slot/0900')).toBe('free')
  })

  it('is not offered to who has another appointment at that time', async () => {
    await put(ctx, {
      ...appointmentFor('meera', { status: 'booked' }),
      id: 'elsewhere',
      slot: [{ reference: 'Slot/t0900' }],
      participant: [
        { actor: { reference: 'Patient/meera' }, status: 'accepted' },
        { actor: { reference: 'Practitioner/thomas' }, status: 'accepted' },
      ],
    })
    await waiting('meera')
    await waiting('abdul')
    await tick()
    expect(await held()).toEqual([['Patient/abdul', 'Slot/0900']])
  })

  it('a wait that is over ends', async () => {
    const entry = await waiting('meera')
    ctx.pass(20 * 24 * 60 * MINUTE)
    expect((await tick()).ended).toEqual([entry])
    expect((await stored(ctx, entry)).cancelationReason.coding[0].code).toBe('waitlist-over')
  })
})

describe('the answer to an offer', () => {
  let entry: string
  let offer: string
  beforeEach(async () => {
    entry = await waiting('meera')
    await waiting('abdul')
    offer = (await tick()).offered[0]!
  })

  it('accepted by an AppointmentResponse books it and ends the wait, in the same commit', async () => {
    await respond(offer, 'accepted')
    const booked = await stored(ctx, offer)
    expect([booked.status, booked.participant[0].status]).toEqual(['booked', 'accepted'])
    const ended = await stored(ctx, entry)
    expect([ended.status, ended.cancelationReason.coding[0].code]).toEqual(['cancelled', 'waitlist-served'])
    expect(booked.meta.lastUpdated).toBe(ended.meta.lastUpdated)
    expect(await statusOf(ctx, 'Slot/0900')).toBe('busy')
  })

  it('accepted by $book does the same', async () => {
    const answer = await ask(ctx, 'Appointment/$book', parameters(reference('appointment-reference', offer)))
    expect([bookedIn(answer).status, await statusOf(ctx, entry)]).toEqual(['booked', 'cancelled'])
  })

  it('declined frees the slot, which goes to the next, and the patient waits on', async () => {
    await respond(offer, 'declined')
    const after = await stored(ctx, offer)
    expect([after.status, after.cancelationReason.coding[0].code]).toEqual(['cancelled', 'offer-declined'])
    expect([await statusOf(ctx, 'Slot/0900'), await statusOf(ctx, entry)]).toEqual(['free', 'waitlist'])
    await tick()
    expect(await held()).toEqual([['Patient/abdul', 'Slot/0900']])
  })

  it('accepted too late is refused where the time was taken, and stores nothing', async () => {
    ctx.pass(16 * MINUTE)
    expect(
      (
        await ask(
          ctx,
          'Appointment/$book',
          parameters(reference('appointment-reference', 'Appointment/proposed.0900'), {
            name: 'patient-resource',
            resource: { resourceType: 'Patient', id: 'joseph' },
          }),
        )
      )[0],
    ).toBe(200)
    await expect(respond(offer, 'accepted')).rejects.toMatchObject({ status: 409 })
    expect(await all('AppointmentResponse')).toEqual([])
    expect(await statusOf(ctx, entry)).toBe('waitlist')
  })
})

describe('AppointmentResponse', () => {
  beforeEach(() => put(ctx, { ...appointmentFor('meera', { status: 'booked' }), id: 'visit' }))

  it('changes the participant alone, in the same commit', async () => {
    const { stored: reply } = await respond('Appointment/visit', 'tentative', 'Practitioner/anjali')
    const after = await stored(ctx, 'Appointment/visit')
    expect([after.status, ...after.participant.map((one: Any) => one.status)]).toEqual([
      'booked',
      'accepted',
      'tentative',
    ])
    expect(after.meta.lastUpdated).toBe(new Date(reply.at).toISOString())
  })

  it('that says nothing new makes no version', async () => {
    await respond('Appointment/visit', 'accepted')
    expect((await stored(ctx, 'Appointment/visit')).meta.versionId).toBe('1')
  })

  it('speaks for whom the appointment names by what they are there for, who takes part then', async () => {
    // As in R4's example of a reply to a request: https://hl7.org/fhir/R4/appointmentresponse-example-req.html
    const attending = [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'ATND' }] },
    ]
    await put(ctx, {
      ...appointmentFor('meera', { status: 'proposed' }),
      id: 'asked',
      participant: [
        { actor: { reference: 'Patient/meera' }, status: 'accepted' },
        { type: attending, status: 'needs-action' },
      ],
    })
    const reply = {
      resourceType: 'AppointmentResponse',
      appointment: { reference: 'Appointment/asked' },
      participantType: attending,
      actor: { reference: 'Practitioner/anjali' },
      participantStatus: 'accepted',
    }
    await create(ctx, 'AppointmentResponse', tree(reply))
    expect((await stored(ctx, 'Appointment/asked')).participant[1]).toEqual({
      type: attending,
      status: 'accepted',
      actor: { reference: 'Practitioner/anjali' },
    })
  })

  it('of a stranger is refused, and nothing is stored', async () => {
    await expect(respond('Appointment/visit', 'accepted', 'Patient/abdul')).rejects.toMatchObject({
      status: 422,
    })
    expect(await all('AppointmentResponse')).toEqual([])
  })

  it('of an appointment that is not here changes nothing', async () => {
    await respond('Appointment/none', 'accepted')
    await respond('https://elsewhere.example.org/fhir/Appointment/visit', 'declined')
    expect((await stored(ctx, 'Appointment/visit')).meta.versionId).toBe('1')
  })
})

describe('holds that have run out', () => {
  it('are cancelled with the reason, and their slots shown free', async () => {
    const answer = await ask(
      ctx,
      'Appointment/$hold',
      parameters(reference('appointment-reference', 'Appointment/proposed.0900')),
    )
    const key = `Appointment/${bookedIn(answer).id}`
    ctx.pass(14 * MINUTE)
    expect((await tick()).released).toEqual([])
    ctx.pass(MINUTE)
    expect((await tick()).released).toEqual([key])
    const after = await stored(ctx, key)
    expect([after.status, after.cancelationReason.coding[0].code]).toEqual(['cancelled', 'hold-expired'])
    expect(await statusOf(ctx, 'Slot/0900')).toBe('free')
    // Whether or not the tick has run, what is still free can be booked by who held it.
    const patient = { name: 'patient-resource', resource: { resourceType: 'Patient', id: 'meera' } }
    const again = await ask(
      ctx,
      'Appointment/$book',
      parameters(reference('appointment-reference', key), patient),
    )
    expect([again[0], bookedIn(again).status, bookedIn(again).cancelationReason]).toEqual([
      200,
      'booked',
      undefined,
    ])
    const late = await ask(
      ctx,
      'Appointment/$book',
      parameters(reference('appointment-reference', key), {
        name: 'patient-resource',
        resource: { resourceType: 'Patient', id: 'abdul' },
      }),
    )
    expect(late[0]).toBe(409)
  })
})
