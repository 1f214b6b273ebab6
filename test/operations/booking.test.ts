/** `$hold` and `$book`. Expected: IHE ITI Scheduling 1.0.0 (ITI-116, ITI-117), and the issue's rules of holds. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { TestContext } from '../interactions/context.ts'
import {
  type Any,
  appointmentFor,
  ask,
  at,
  bookedIn,
  morning,
  parameters,
  put,
  reference,
  resourceIn,
  statusOf,
  stored,
} from './appointments.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await morning()
})

const MINUTE = 60_000
const PROPOSAL = 'Appointment/proposed.0900'
const meera = resourceIn('patient-resource', { resourceType: 'Patient', id: 'meera' })
const abdul = resourceIn('patient-resource', { resourceType: 'Patient', id: 'abdul' })

const hold = (of = PROPOSAL) =>
  ask(ctx, 'Appointment/$hold', parameters(reference('appointment-reference', of)))
const book = (of: string, ...more: object[]) =>
  ask(ctx, 'Appointment/$book', parameters(reference('appointment-reference', of), ...more))
const bookThis = (resource: object, ...more: object[]) =>
  ask(ctx, 'Appointment/$book', parameters(resourceIn('appointment-resource', resource), ...more))
const keyIn = (answer: [number, Any]): string => `Appointment/${bookedIn(answer).id}`
const rulesIn = ([status, body]: [number, Any]) => [
  status,
  ...(body.issue ?? body.entry[0].resource.issue).map(
    (one: Any) => one.rule ?? one.details?.coding[0].code ?? one.code,
  ),
]

describe('$hold', () => {
  it('answers with a searchset of one pending Appointment, and its Slot is busy-tentative', async () => {
    const [status, bundle] = await hold()
    expect([status, bundle.resourceType, bundle.type, bundle.total, bundle.entry.length]).toEqual([
      200,
      'Bundle',
      'searchset',
      1,
      1,
    ])
    const { resource, search } = bundle.entry[0]
    expect([resource.resourceType, resource.status, search.mode]).toEqual(['Appointment', 'pending', 'match'])
    expect([resource.start, resource.end, resource.slot[0].reference]).toEqual([
      at('09:00'),
      at('09:20'),
      'Slot/0900',
    ])
    expect(resource.requestedPeriod).toEqual([{ start: at('09:00'), end: at('09:20') }])
    expect(resource.participant.map((one: Any) => one.actor.reference)).toEqual([
      'Practitioner/anjali',
      'Location/clinic',
    ])
    expect(await statusOf(ctx, 'Slot/0900')).toBe('busy-tentative')
  })

  it('keeps the time for 15 minutes', async () => {
    const [, bundle] = await hold()
    expect(bundle.entry[0].resource.extension).toEqual([
      { url: 'urn:nadi:extension:hold-until', valueInstant: '2026-11-21T05:26:00.000Z' },
    ])
  })

  it('answers an appointment that is not available with fatal and not-found, and why', async () => {
    await hold()
    const [status, outcome] = await hold()
    expect([status, outcome.resourceType]).toEqual([409, 'OperationOutcome'])
    expect([outcome.issue[0].severity, outcome.issue[0].code, outcome.issue[0].expression]).toEqual([
      'fatal',
      'not-found',
      'Appointment',
    ])
    expect(rulesIn([status, outcome])).toContain('slot-full')
  })

  it('a hold that is held again stays as it is', async () => {
    const first = await hold()
    ctx.pass(MINUTE)
    const again = await hold(keyIn(first))
    expect(again).toEqual(first)
  })

  it('a hold that ran out can be had again', async () => {
    const first = await hold()
    ctx.pass(16 * MINUTE)
    const again = await hold(keyIn(first))
    expect(again[0]).toBe(200)
    expect(bookedIn(again).extension[0].valueInstant).toBe('2026-11-21T05:42:00.000Z')
  })

  it.each([
    ['a proposal of a slot that is not there', 'Appointment/proposed.none', 404],
    ['an appointment that is not there', 'Appointment/none', 404],
  ])('refuses %s as not available', async (_, of, expected) => {
    const [status, outcome] = await hold(of)
    expect([status, outcome.issue[0].severity, outcome.issue[0].code]).toEqual([
      expected,
      'fatal',
      'not-found',
    ])
  })

  it.each([
    ['another server', 'https://elsewhere.example.org/fhir/Appointment/1'],
    ['a fragment', '#a'],
    ['a patient', 'Patient/meera'],
    ['nonsense', 'Appointment/../x'],
  ])('refuses a reference to %s', async (_, of) => {
    expect((await hold(of))[0]).toBe(400)
  })
})

describe('$book', () => {
  it('books what could be for the patient that is sent', async () => {
    const answer = await book(PROPOSAL, meera, { name: 'comment', valueString: 'Wheelchair' })
    const resource = bookedIn(answer)
    expect([answer[0], answer[1].type, answer[1].total, resource.status, resource.comment]).toEqual([
      200,
      'searchset',
      1,
      'booked',
      'Wheelchair',
    ])
    expect(resource.participant[0]).toEqual({
      actor: { reference: 'Patient/meera' },
      required: 'required',
      status: 'accepted',
    })
    expect(await statusOf(ctx, 'Slot/0900')).toBe('busy')
  })

  it('books a hold, which loses its end', async () => {
    const key = keyIn(await hold())
    const answer = await book(key, meera)
    expect([answer[0], keyIn(answer), bookedIn(answer).status, bookedIn(answer).extension]).toEqual([
      200,
      key,
      'booked',
      undefined,
    ])
  })

  it('books a hold that ran out while its time is still free', async () => {
    const key = keyIn(await hold())
    ctx.pass(16 * MINUTE)
    expect(bookedIn(await book(key, meera)).status).toBe('booked')
  })

  it('refuses a hold that ran out, and whose time was taken since, with 409', async () => {
    const key = keyIn(await hold())
    ctx.pass(16 * MINUTE)
    expect((await book(PROPOSAL, abdul))[0]).toBe(200)
    const answer = await book(key, meera)
    expect(rulesIn(answer)).toEqual(
      [409, 'slot-full', 'practitioner-overlap'].slice(0, rulesIn(answer).length),
    )
    expect([answer[1].type, answer[1].total, answer[1].entry[0].search.mode]).toEqual([
      'searchset',
      0,
      'outcome',
    ])
  })

  it('a booking that is sent again stays as it is', async () => {
    const key = keyIn(await hold())
    const first = await book(key, meera)
    expect(await book(key, meera)).toEqual(first)
    expect((await stored(ctx, key)).meta.versionId).toBe('2')
  })

  it('books an Appointment resource that is pending, with or without a slot', async () => {
    const withSlot = await bookThis(appointmentFor('meera'))
    expect([withSlot[0], bookedIn(withSlot).status]).toEqual([200, 'booked'])
    const { slot: _, ...without } = appointmentFor('abdul', { start: at('11:00'), end: at('11:10') })
    expect(bookedIn(await bookThis(without)).slot).toBeUndefined()
  })

  it('changes an appointment that is booked', async () => {
    const first = bookedIn(await bookThis(appointmentFor('meera')))
    const next = { ...first, start: at('09:20'), end: at('09:40'), slot: [{ reference: 'Slot/0920' }] }
    const answer = await bookThis(next)
    expect([answer[0], bookedIn(answer).id, bookedIn(answer).start]).toEqual([200, first.id, at('09:20')])
    expect([await statusOf(ctx, 'Slot/0900'), await statusOf(ctx, 'Slot/0920')]).toEqual(['free', 'busy'])
    // What was made of a version that is no longer the current one would undo what came between.
    expect(rulesIn(await bookThis({ ...first, comment: 'late' }))).toEqual([409, 'conflict'])
  })

  it('cancels an appointment with its reason, and keeps all else of it', async () => {
    const { id } = bookedIn(await bookThis(appointmentFor('meera')))
    const wish = {
      ...appointmentFor('abdul'),
      id,
      status: 'cancelled',
      cancelationReason: { text: 'Fever is gone' },
    }
    const answer = await bookThis(wish)
    const after = bookedIn(answer)
    expect([after.status, after.cancelationReason.text, after.participant[0].actor.reference]).toEqual([
      'cancelled',
      'Fever is gone',
      'Patient/meera',
    ])
    expect(await statusOf(ctx, 'Slot/0900')).toBe('free')
    expect(await bookThis(wish)).toEqual(answer)
  })

  it('knows a patient by an identifier, and makes a new one in the same commit', async () => {
    const known = resourceIn('patient-resource', {
      resourceType: 'Patient',
      identifier: [{ system: 'https://thanal.example.org/mrn', value: 'MRN-abdul' }],
    })
    expect(bookedIn(await book(PROPOSAL, known)).participant[0].actor.reference).toBe('Patient/abdul')
    const fresh = resourceIn('patient-resource', {
      resourceType: 'Patient',
      name: [{ text: 'Lakshmi' }],
      identifier: [{ system: 'https://thanal.example.org/mrn', value: 'MRN-9' }],
    })
    const made = bookedIn(await book('Appointment/proposed.0920', fresh)).participant[0].actor.reference
    expect((await stored(ctx, made)).name[0].text).toBe('Lakshmi')
    // A refused booking makes nobody.
    const refused = await book(
      'Appointment/proposed.0920',
      resourceIn('patient-resource', { resourceType: 'Patient', id: 'nobody' }),
    )
    expect(refused[0]).toBe(409)
    expect(await stored(ctx, 'Patient/nobody')).toBeUndefined()
  })

  it('a hold for one patient is not booked for another', async () => {
    await put(ctx, { ...appointmentFor('meera'), id: 'mine' })
    expect(rulesIn(await book('Appointment/mine', abdul))).toEqual([422, 'business-rule'])
    expect(bookedIn(await book('Appointment/mine', meera)).status).toBe('booked')
  })

  it('refuses a second booking of a full slot, and takes three where it takes three', async () => {
    expect((await book(PROPOSAL, meera))[0]).toBe(200)
    expect(rulesIn(await book(PROPOSAL, abdul))[0]).toBe(409)
    const group = 'Appointment/proposed.group'
    for (const id of ['meera', 'abdul', 'joseph'])
      expect((await book(group, resourceIn('patient-resource', { resourceType: 'Patient', id })))[0]).toBe(
        200,
      )
    const fourth = resourceIn('patient-resource', { resourceType: 'Patient', name: [{ text: 'Fourth' }] })
    expect(rulesIn(await book(group, fourth))).toContain('slot-full')
  })

  it.each<[string, object, number]>([
    ['nothing', parameters(), 400],
    [
      'both ways of naming it',
      parameters(
        reference('appointment-reference', PROPOSAL),
        resourceIn('appointment-resource', appointmentFor('meera')),
      ),
      400,
    ],
    ['no patient', parameters(reference('appointment-reference', PROPOSAL)), 422],
    [
      'a fulfilled appointment',
      parameters(resourceIn('appointment-resource', appointmentFor('meera', { status: 'fulfilled' }))),
      400,
    ],
    [
      'a change of what is not there',
      parameters(
        resourceIn('appointment-resource', appointmentFor('meera', { status: 'booked', id: 'none' })),
      ),
      404,
    ],
    [
      'an id that is none',
      parameters(
        resourceIn('appointment-resource', appointmentFor('meera', { status: 'cancelled', id: '../x' })),
      ),
      404,
    ],
    [
      'an end before the start',
      parameters(resourceIn('appointment-resource', appointmentFor('meera', { end: at('08:00') }))),
      422,
    ],
    [
      'no time',
      parameters(
        resourceIn('appointment-resource', { ...appointmentFor('meera'), start: undefined, end: undefined }),
      ),
      400,
    ],
    [
      'a patient who is a practitioner',
      parameters(
        reference('appointment-reference', PROPOSAL),
        resourceIn('patient-resource', { resourceType: 'Practitioner' }),
      ),
      400,
    ],
  ])('refuses %s, and changes nothing', async (_, body, expected) => {
    const [status] = await ask(ctx, 'Appointment/$book', body)
    expect(status).toBe(expected)
    expect(await statusOf(ctx, 'Slot/0900')).toBe('free')
  })
})

describe('two at once', () => {
  it('of many who book one slot one wins, and the others are refused', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        book(
          PROPOSAL,
          resourceIn('patient-resource', { resourceType: 'Patient', name: [{ text: `P${i}` }] }),
        ),
      ),
    )
    expect(answers.map(([status]) => status).sort()).toEqual([200, ...Array(11).fill(409)])
  })
})
