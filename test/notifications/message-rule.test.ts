import { beforeEach, describe, expect, it } from 'vitest'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import type { MessageJob } from '../../src/notifications/message.ts'
import { tokenTask } from '../../src/scheduling/token.ts'
import { refusal, resource } from '../interactions/context.ts'
import { accepting, type Clinic, openClinic, PATIENT, plain, told, visit } from './clinic.ts'

const MONDAY = '2026-11-23T10:00:00+05:30'
const TUESDAY = '2026-11-24T10:00:00+05:30'

const sms = () => accepting('sms', 'phone')
const mail = () => accepting('email', 'email')

let clinic: Clinic

const jobs = async (): Promise<MessageJob[]> =>
  (await clinic.ctx.storage.outbox.take(1000, 'test', 1)).map(({ body }) => JSON.parse(body) as MessageJob)

/** Event and recipient of what was told, without the texts. */
const whom = async (): Promise<string[]> =>
  told(await clinic.all('Communication')).map(([event, channel, who]) => `${event} ${channel} ${who}`)

/** Forgets what was told before. */
async function news(): Promise<string[][]> {
  const all = told(await clinic.all('Communication'))
  const fresh = all.slice(seen)
  seen = all.length
  return fresh
}
let seen = 0

const opened: typeof openClinic = (...given) => {
  seen = 0
  return openClinic(...given)
}

describe('what is told, and to whom', () => {
  beforeEach(async () => {
    clinic = await opened([sms()])
  })

  it('a booking, a new time and a cancellation are told to the patient and the practitioner, once each', async () => {
    await clinic.put(visit('a', MONDAY))
    expect(await news()).toEqual([
      [
        'booked',
        'sms',
        'Patient/meera',
        'Appointment booked for Meera Nair with Dr Anjali Menon at Thanal Clinic: Monday, 23 November 2026, 10:00 AM.',
      ],
      [
        'booked',
        'sms',
        'Practitioner/menon',
        'New appointment: Meera Nair, Monday, 23 November 2026, 10:00 AM, Thanal Clinic.',
      ],
    ])
    await clinic.put(visit('a', TUESDAY))
    expect(await news()).toEqual([
      [
        'rescheduled',
        'sms',
        'Patient/meera',
        'The appointment of Meera Nair with Dr Anjali Menon at Thanal Clinic has a new time: Tuesday, 24 November 2026, 10:00 AM. It was: Monday, 23 November 2026, 10:00 AM.',
      ],
      [
        'rescheduled',
        'sms',
        'Practitioner/menon',
        'The appointment of Meera Nair is moved to Tuesday, 24 November 2026, 10:00 AM, Thanal Clinic. It was: Monday, 23 November 2026, 10:00 AM.',
      ],
    ])
    await clinic.put(visit('a', TUESDAY))
    await clinic.put(visit('a', TUESDAY, { description: 'Review of blood sugar' }))
    expect(await news()).toEqual([])
    await clinic.put(visit('a', TUESDAY, { status: 'cancelled' }))
    expect((await news()).map(([event, , who]) => [event, who])).toEqual([
      ['cancelled', 'Patient/meera'],
      ['cancelled', 'Practitioner/menon'],
    ])
  })

  it('to and fro is told each time', async () => {
    for (const start of [MONDAY, TUESDAY, MONDAY, TUESDAY]) await clinic.put(visit('a', start))
    expect((await whom()).filter(one => one.endsWith('Patient/meera'))).toEqual([
      'booked sms Patient/meera',
      'rescheduled sms Patient/meera',
      'rescheduled sms Patient/meera',
      'rescheduled sms Patient/meera',
    ])
  })

  it('a hold, its end, and history that is imported are told to nobody', async () => {
    await clinic.put(visit('held', MONDAY, { status: 'pending' }))
    await clinic.put(visit('held', MONDAY, { status: 'cancelled' }))
    for (const [id, status] of [
      ['past', 'booked'],
      ['done', 'fulfilled'],
      ['missed', 'noshow'],
    ])
      await clinic.put(visit(id!, '2026-11-20T10:00:00+05:30', { status }))
    await clinic.put(visit('past', '2026-11-20T10:00:00+05:30', { status: 'cancelled' }))
    expect(await clinic.all('Communication')).toEqual([])
    expect(await clinic.all('CommunicationRequest')).toEqual([])
  })

  it('a hold that is booked is told; a visit that nobody came to is told to the patient', async () => {
    await clinic.put(visit('a', MONDAY, { status: 'pending' }))
    await clinic.put(visit('a', MONDAY))
    clinic.ctx.pass(Date.parse(MONDAY) + 3_600_000 - clinic.ctx.clock())
    await clinic.put(visit('a', MONDAY, { status: 'noshow' }))
    expect(await whom()).toEqual([
      'booked sms Patient/meera',
      'booked sms Practitioner/menon',
      'no-show sms Patient/meera',
    ])
  })

  it('an appointment that is deleted is cancelled, and its message leads nowhere', async () => {
    await clinic.put(visit('a', MONDAY))
    await remove(clinic.ctx, 'Appointment', 'a')
    const last = plain((await clinic.all('Communication')).at(-1)) as { category: unknown; about?: unknown }
    expect(last.category).toEqual([
      { coding: [{ system: 'urn:nadi:codes:message-event', code: 'cancelled' }] },
    ])
    expect(last.about).toBeUndefined()
    expect(plain((await clinic.all('CommunicationRequest', { status: 'active' })) as never)).toEqual([])
  })

  it('where references are enforced, an appointment can be deleted though people were told of it', async () => {
    clinic = await opened([sms()], { references: 'enforce' })
    await clinic.put(visit('a', MONDAY))
    await remove(clinic.ctx, 'Appointment', 'a')
    expect((await whom()).map(one => one.split(' ')[0])).toEqual([
      'booked',
      'booked',
      'cancelled',
      'cancelled',
    ])
    for (const type of ['Communication', 'CommunicationRequest'])
      for (const one of await clinic.all(type)) expect(one.about).toBeUndefined()
    expect(
      await clinic.all('Communication', { identifier: 'urn:nadi:message-about|Appointment/a' }),
    ).toHaveLength(2)
  })

  it('a Communication says event, channel, subject, person, cause and key, and the job carries the same key', async () => {
    await clinic.put(visit('a', MONDAY))
    const [one] = plain((await clinic.all('Communication')) as never) as { id: string }[]
    expect(one).toMatchObject({
      resourceType: 'Communication',
      language: 'en',
      status: 'preparation',
      identifier: [
        { system: 'urn:nadi:message-key', value: one!.id },
        { system: 'urn:nadi:message-about', value: 'Appointment/a' },
      ],
      medium: [{ coding: [{ system: 'urn:nadi:codes:message-channel', code: 'sms' }] }],
      subject: { reference: 'Patient/meera' },
      about: [{ reference: 'Appointment/a' }],
      recipient: [{ reference: 'Patient/meera' }],
    })
    expect(one!.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const found = await clinic.all('Communication', {
      identifier: `urn:nadi:message-key|${one!.id}`,
      status: 'preparation',
    })
    expect(found).toHaveLength(1)
    const [job] = await jobs()
    expect([job!.communication, job!.delivery.key, job!.delivery.to]).toEqual([
      one!.id,
      one!.id,
      '+919876543210',
    ])
    expect(job!.delivery.template).toBe('booked')
  })

  it('what is refused tells nobody', async () => {
    await clinic.put(visit('a', MONDAY))
    await news()
    expect((await refusal(clinic.put(visit('b', MONDAY)))).code).toBe('conflict')
    expect(await news()).toEqual([])
  })

  it('fifty that book and move at once make one message set each', async () => {
    await Promise.all(Array.from({ length: 10 }, () => clinic.put(visit('a', MONDAY))))
    expect(await whom()).toEqual(['booked sms Patient/meera', 'booked sms Practitioner/menon'])
  })

  it('nothing is told where messages are turned off', async () => {
    const notifications = { ...clinic.ctx.settings.notifications, enabled: false }
    clinic = await opened([sms()], { notifications })
    await clinic.put(visit('a', MONDAY))
    expect(await clinic.all('Communication')).toEqual([])
  })
})

describe('channels and addresses', () => {
  const patient = (more: object) => ({ ...PATIENT, ...more })
  const reached = async (more: object): Promise<string[]> => {
    clinic = await opened([mail(), sms()])
    await clinic.put(patient(more))
    await clinic.put(visit('a', MONDAY))
    const sent = await jobs()
    return sent
      .filter(({ delivery }) => !/menon|9876500001/.test(delivery.to))
      .map(({ channel, delivery }) => `${channel} ${delivery.to}`)
      .sort()
  }
  const phone = (value: string, more: object = {}) => ({ system: 'phone', value, ...more })

  it('each channel that has an address is told; without channels the log, which needs none', async () => {
    expect(await reached({})).toEqual(['email meera@example.org', 'sms +919876543210'])
    expect(await reached({ telecom: [phone('+91 98765-43210')] })).toEqual(['sms +919876543210'])
    clinic = await opened()
    await clinic.put(patient({ telecom: undefined }))
    await clinic.put(visit('a', MONDAY))
    expect(await whom()).toEqual(['booked log Patient/meera', 'booked log Practitioner/menon'])
  })

  it.each([
    ['an old number', [phone('9000000001', { use: 'old' }), phone('9000000002')], '+919000000002'],
    [
      'a number whose time is over',
      [phone('9000000001', { period: { end: '2026-11-20' } }), phone('9000000002')],
      '+919000000002',
    ],
    [
      'a number whose time is to come',
      [phone('9000000001', { period: { start: '2026-12-01' } }), phone('9000000002')],
      '+919000000002',
    ],
    [
      'rank before the order of the list',
      [phone('9000000001', { rank: 2 }), phone('9000000002', { rank: 1 })],
      '+919000000002',
    ],
    [
      'a mobile before a landline',
      [phone('9000000001', { use: 'home' }), phone('9000000002', { use: 'mobile' })],
      '+919000000002',
    ],
    ['what is no number is passed by', [phone('none'), phone('09000000002')], '+919000000002'],
    ['another country', [phone('+1 415 555 0100')], '+14155550100'],
  ])('addresses: %s', async (_, telecom, to) => {
    expect(await reached({ telecom })).toEqual([`sms ${to}`])
  })

  const optOut = (code: string) => ({
    extension: [{ url: 'urn:nadi:extension:message-opt-out', valueCode: code }],
  })

  it('who has opted out of a channel, of an address or of all is not told there', async () => {
    expect(await reached(optOut('sms'))).toEqual(['email meera@example.org'])
    expect(await reached(optOut('all'))).toEqual([])
    expect(await reached({ telecom: [phone('9000000001', { use: 'old' })] })).toEqual([])
    expect(await reached({ telecom: [phone('9000000001', optOut('sms')), phone('9000000002')] })).toEqual([
      'sms +919000000002',
    ])
  })

  it('a child, and who has no address, is told through who is related, else through a contact; one address once', async () => {
    const guardian = {
      resourceType: 'RelatedPerson',
      id: 'mother',
      patient: { reference: 'Patient/meera' },
      telecom: [phone('9000000009')],
    }
    clinic = await opened([sms()])
    await clinic.put(patient({ birthDate: '2020-01-01' }))
    await clinic.put(guardian)
    await clinic.put(visit('a', MONDAY))
    expect(await whom()).toEqual([
      'booked sms Patient/meera',
      'booked sms RelatedPerson/mother',
      'booked sms Practitioner/menon',
    ])
    await clinic.put({ ...guardian, telecom: PATIENT.telecom })
    await clinic.put(visit('b', TUESDAY))
    expect((await whom()).slice(3)).toEqual(['booked sms Patient/meera', 'booked sms Practitioner/menon'])
    expect(await reached({ telecom: undefined, contact: [{ telecom: [phone('9000000008')] }] })).toEqual([
      'sms +919000000008',
    ])
  })
})

describe('language and time', () => {
  const language = (code: string) => ({
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code }] }, preferred: true }],
  })
  const textFor = async (more: object, appointment: object = {}): Promise<string> => {
    clinic = await opened([sms()])
    await clinic.put({ ...PATIENT, ...more })
    await clinic.put(visit('a', MONDAY, appointment))
    return (await news()).find(([, , who]) => who === 'Patient/meera')![3]!
  }
  const zone = (name: string) => ({
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: name }],
  })

  it('Hindi and Malayalam, with the name as it is written there; another language falls back to English', async () => {
    expect(await textFor(language('hi-IN'))).toBe(
      'Meera Nair का अपॉइंटमेंट बुक हो गया है। समय: सोमवार, 23 नवंबर 2026, सुबह 10:00 बजे। डॉक्टर: Dr Anjali Menon। स्थान: Thanal Clinic।',
    )
    expect(await textFor(language('ml'))).toBe(
      'മീര നായർ എന്ന പേരിൽ അപ്പോയിന്റ്മെന്റ് ബുക്ക് ചെയ്തു. സമയം: തിങ്കളാഴ്ച, 23 നവംബർ 2026, രാവിലെ 10:00. ഡോക്ടർ: Dr Anjali Menon. സ്ഥലം: Thanal Clinic.',
    )
    expect(await textFor(language('ta'))).toMatch(/^Appointment booked for Meera Nair/)
  })

  it("the time is that of the place, named where it is not the patient's", async () => {
    expect(await textFor(zone('Europe/London'))).toContain(
      'Monday, 23 November 2026, 10:00 AM (Kolkata, UTC+05:30).',
    )
    expect(await textFor(zone('Asia/Colombo'))).toContain('Monday, 23 November 2026, 10:00 AM.')
    clinic = await opened([sms()])
    await clinic.put({ resourceType: 'Location', id: 'room', name: 'Room 1', ...zone('Asia/Dubai') })
    await clinic.put(visit('a', MONDAY))
    expect((await news())[0]![3]).toContain('Monday, 23 November 2026, 8:30 AM.')
  })

  it('a visit online is told in the zone of the patient, and its link is in the text', async () => {
    const online = {
      appointmentType: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' }],
      },
      extension: [{ url: 'urn:nadi:extension:join-url', valueUrl: 'https://meet.example.org/a' }],
    }
    const text = await textFor(zone('Europe/London'), online)
    expect(text).toContain('Monday, 23 November 2026, 4:30 AM.')
    expect(text).toContain('Join here: https://meet.example.org/a')
  })
})

describe('templates of other systems', () => {
  const OPENCARE = { identifier: [{ system: 'urn:nadi:opencare:appointment', value: '7' }] }

  it('appointments of OpenCare are told in its words, changes and completion too', async () => {
    const post = mail()
    clinic = await opened([post, sms()])
    const first = visit('a', '2026-11-23T15:38:00+05:30', { ...OPENCARE, description: 'Fever' }, 30)
    await clinic.put(first)
    const [booked] = await jobs()
    expect(booked!.delivery.subject).toBe('Appointment Scheduled - November 23, 2026 at 03:38 PM')
    const texts = (await news()).filter(([, , who]) => who === 'Patient/meera').map(([, , , text]) => text)
    expect(texts).toEqual([
      [
        'Hello Meera Nair,',
        '',
        'Your appointment has been scheduled:',
        '',
        'Patient: Meera Nair',
        'Provider: Dr Anjali Menon',
        'Facility: Room 1',
        'Date & Time: November 23, 2026 at 03:38 PM',
        'Duration: 30 minutes',
        'Type: General Consultation',
        'Reason: Fever',
        '',
        'Please arrive 10 minutes before your scheduled time.',
        '',
        'Thank you,',
        'OpenCare-Africa Team',
      ].join('\n'),
      'Appointment scheduled: Nov 23, 2026 at 03:38 PM with Dr Anjali Menon at Room 1. Arrive 10 mins early.',
    ])
    await clinic.put({ ...first, description: 'Cough' })
    expect((await news()).map(([event, , , text]) => [event, text]).at(-1)).toEqual([
      'updated',
      'Appointment updated: Nov 23, 2026 at 03:38 PM with Dr Anjali Menon at Room 1.',
    ])
    clinic.ctx.pass(Date.parse('2026-11-23T16:00:00+05:30') - clinic.ctx.clock())
    await clinic.put({ ...first, status: 'fulfilled' })
    expect((await news()).map(([event]) => event)).toEqual(['updated', 'updated', 'updated', 'updated'])
  })

  it('the Care gateway is told of bookings with a token, of each new time as Booking and Cancellation, and of the queue', async () => {
    clinic = await opened([
      accepting('care-gateway', 'abha', {
        templates: 'care-gateway',
        events: new Set(['booked', 'rescheduled', 'cancelled', 'reminder-1h', 'queue']),
      }),
    ])
    await clinic.put({
      ...PATIENT,
      identifier: [
        { system: 'https://healthid.abdm.gov.in', value: '91-0000-0000-0018' },
        { system: 'https://healthid.abdm.gov.in', value: 'meera@abdm' },
      ],
    })
    await clinic.put(visit('bare', TUESDAY))
    expect(await news()).toEqual([])
    const token = tokenTask({
      appointment: 'Appointment/a',
      patient: 'Patient/meera',
      owner: 'Practitioner/menon',
      day: '2026-11-23',
    })
    await clinic.post(visit('a', MONDAY), { ...(plain(token) as object), id: 'token' })
    const texts = async () => (await news()).map(([, , , text]) => text)
    const [booked, ...queue] = await texts()
    expect(booked).toBe(
      'Your appointment has been booked successfully. Booking ID: a, Patient: Meera Nair, Practitioner: Dr Anjali Menon, Date & Time: 2026-11-23 10:00, Token Number: GC-1',
    )
    expect(queue).toEqual([
      'Queue update for token GC-1. Current queue position: 1. You are next in the queue.',
    ])
    expect((await jobs()).map(({ delivery }) => [delivery.event, delivery.to])).toEqual([
      ['booked', 'meera@abdm'],
      ['queue', 'meera@abdm'],
    ])
    await clinic.put(visit('a', '2026-11-23T12:00:00+05:30'))
    expect(await texts()).toEqual([
      'Your appointment has been cancelled. Booking ID: a, Patient: Meera Nair',
      'Your appointment has been booked successfully. Booking ID: a, Patient: Meera Nair, Practitioner: Dr Anjali Menon, New Date & Time: 2026-11-23 12:00, Token Number: GC-1',
    ])
  })

  it('a patient without an ABHA is not told by the gateway, and why stands there', async () => {
    clinic = await opened([
      accepting('care-gateway', 'abha', { templates: 'care-gateway', events: new Set(['cancelled']) }),
    ])
    await clinic.put(visit('a', MONDAY))
    await clinic.put(visit('a', MONDAY, { status: 'cancelled' }))
    const all = plain((await clinic.all('Communication')) as never) as object[]
    expect(all).toHaveLength(1)
    expect(all[0]).toMatchObject({
      status: 'not-done',
      statusReason: { text: 'The patient has no ABHA address or number.' },
    })
    expect(await jobs()).toEqual([])
  })
})

describe('requests', () => {
  const request = (id: string, more: object = {}) => ({
    resourceType: 'CommunicationRequest',
    id,
    status: 'active',
    category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'pin' }] }],
    identifier: [{ system: 'urn:nadi:message-key', value: 'pin of a' }],
    subject: { reference: 'Patient/meera' },
    about: [{ reference: 'Appointment/a' }],
    ...more,
  })
  const statusOf = async (id: string) => (await clinic.all('CommunicationRequest', { _id: id }))[0]!.status

  beforeEach(async () => {
    clinic = await opened([sms()])
    await clinic.put(visit('a', MONDAY))
    await news()
  })

  it('a secret goes to who is told it, and stands nowhere but in the outbox', async () => {
    const lines: string[] = []
    const log = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map(level => [
        level,
        (...all: unknown[]) => lines.push(JSON.stringify(all)),
      ]),
    )
    const ctx = { ...clinic.ctx, secrets: { pin: '482913' }, log: log as never }
    await update(ctx, 'CommunicationRequest', 'r', resource(JSON.stringify(request('r'))))
    await update(ctx, 'Appointment', 'a', resource(JSON.stringify(visit('a', TUESDAY))))
    expect((await news()).slice(0, 1).map(([, , , text]) => text)).toEqual([
      'The PIN for the visit of Meera Nair is ****. Time: Monday, 23 November 2026, 10:00 AM. Show it at the clinic only.',
    ])
    const all = await jobs()
    const secret = all.filter(({ delivery }) => delivery.event === 'pin')
    expect(secret.map(({ delivery }) => [delivery.to, delivery.values.pin])).toEqual([
      ['+919876543210', '482913'],
    ])
    expect(secret[0]!.delivery.text).toContain('is 482913.')
    const { rows } = await clinic.ctx.storage.history({}, { limit: 1000, total: 'none' })
    expect(rows.length).toBeGreaterThan(5)
    expect(rows.filter(({ text }) => text?.includes('482913'))).toEqual([])
    expect(lines.join()).not.toContain('482913')
    const others = all.filter(({ delivery }) => delivery.event !== 'pin')
    expect(others.map(({ delivery }) => delivery.event)).toContain('rescheduled')
    expect(others.filter(one => JSON.stringify(one).includes('482913'))).toEqual([])
  })

  it('the same cause is told once, by however many requests', async () => {
    await clinic.put(request('r'))
    await clinic.put(request('s'))
    await clinic.put(request('r', { priority: 'urgent' }))
    expect(await news()).toHaveLength(1)
    expect([await statusOf('r'), await statusOf('s')]).toEqual(['completed', 'completed'])
  })

  it('a text of its own is told as it is, with the values that it names', async () => {
    const value = {
      url: 'urn:nadi:extension:message-value',
      extension: [
        { url: 'name', valueString: 'room' },
        { url: 'value', valueString: '4 {pin}' },
      ],
    }
    await clinic.put(
      request('r', {
        category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'of-our-own' }] }],
        extension: [value],
        payload: [{ contentString: 'Please come to room {room} [left] {}.' }],
      }),
    )
    expect((await news()).map(([, , , text]) => text)).toEqual(['Please come to room 4 {pin} [left] {}.'])
  })

  it('a request that names too many people is refused, and one that names none of ours tells nobody', async () => {
    const many = Array.from({ length: 201 }, (_, i) => ({ reference: `Patient/p${i}` }))
    expect((await refusal(clinic.put(request('r', { recipient: many })))).issues[0]!.expression).toBe(
      'CommunicationRequest.recipient',
    )
    const strange = [{ reference: 'Device/1' }, { reference: 'Patient/none' }, { display: 'Somebody' }]
    await clinic.put(request('r', { recipient: strange, subject: undefined, about: [{ display: 'x' }] }))
    expect(await news()).toEqual([])
    expect(await statusOf('r')).toBe('revoked')
  })

  it('resources that were stored unchecked, of any shape, keep nobody from booking', async () => {
    const strange = ['x', 4, true, [], {}, [[]], [null], ['x'], [{}], { x: { y: 1 } }]
    const members = [
      'name',
      'telecom',
      'identifier',
      'communication',
      'extension',
      'contact',
      'birthDate',
      'managingOrganization',
      'partOf',
      'meta',
    ]
    for (const value of strange) {
      clinic = await opened(
        [sms(), mail(), accepting('care-gateway', 'abha', { templates: 'care-gateway' })],
        { validate: 'off' },
      )
      const odd = Object.fromEntries(members.map(member => [member, member === 'meta' ? {} : value]))
      await clinic.put({ resourceType: 'Patient', id: 'meera', ...odd })
      await clinic.put({ resourceType: 'Practitioner', id: 'menon', ...odd })
      await clinic.put({ resourceType: 'Location', id: 'room', ...odd })
      await clinic.put(
        visit('a', MONDAY, {
          identifier: value,
          description: value,
          extension: value,
          reasonCode: value,
          appointmentType: value,
        }),
      )
      await clinic.put(visit('a', TUESDAY, { extension: value }))
      await clinic.put(
        request('r', {
          recipient: value,
          subject: value,
          payload: value,
          occurrencePeriod: value,
          extension: value,
          identifier: value,
        }),
      )
      await clinic.put(visit('a', TUESDAY, { status: 'cancelled', cancelationReason: value }))
    }
  })

  it('what is for later waits; what is no event of ours, or not active, is left alone', async () => {
    await clinic.put(request('later', { occurrenceDateTime: '2026-11-22T10:00:00+05:30' }))
    await clinic.put(request('draft', { status: 'draft' }))
    await clinic.put(request('other', { category: [{ text: 'call me' }] }))
    expect(await news()).toEqual([])
    expect([await statusOf('later'), await statusOf('draft'), await statusOf('other')]).toEqual([
      'active',
      'draft',
      'active',
    ])
  })

  it('a request that says what has happened to an appointment is told in the place of that', async () => {
    await clinic.post(
      visit('a', MONDAY, { status: 'cancelled' }),
      request('r', {
        category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'doctor-absent' }] }],
        extension: [
          {
            url: 'urn:nadi:extension:message-value',
            extension: [
              { url: 'name', valueString: 'oldWhen' },
              { url: 'value', valueString: '2026-11-23T04:30:00.000Z' },
            ],
          },
        ],
      }),
    )
    expect(await news()).toEqual([
      [
        'doctor-absent',
        'sms',
        'Patient/meera',
        'Dr Anjali Menon is away. The appointment of Meera Nair on Monday, 23 November 2026, 10:00 AM cannot take place. Please contact the clinic with any question.',
      ],
    ])
  })
})

describe('hostile and sad cases', () => {
  it('who has died is told nothing, the practitioner is; a reminder is revoked', async () => {
    clinic = await opened([sms()])
    await clinic.put(visit('a', MONDAY))
    await news()
    for (const died of [{ deceasedBoolean: true }, { deceasedDateTime: '2026-11-21' }]) {
      await clinic.put({ ...PATIENT, ...died })
      await clinic.put(visit('a', died.deceasedBoolean ? TUESDAY : MONDAY))
      expect((await news()).map(([event, , who]) => `${event} ${who}`)).toEqual([
        'rescheduled Practitioner/menon',
      ])
    }
    await clinic.put({ ...PATIENT, deceasedBoolean: false })
    await clinic.put(visit('a', TUESDAY))
    expect((await news()).map(([, , who]) => who)).toEqual(['Patient/meera', 'Practitioner/menon'])
  })

  it('a text that would grow without bounds is refused, and long values are cut', async () => {
    clinic = await opened([sms()])
    const request = (contentString: string) => ({
      resourceType: 'CommunicationRequest',
      id: 'r',
      status: 'active',
      category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'note' }] }],
      subject: { reference: 'Patient/meera' },
      payload: [{ contentString }],
    })
    const refused = await refusal(clinic.put(request('{name}'.repeat(2000))))
    expect([refused.status, refused.issues[0]!.expression]).toEqual([
      422,
      'CommunicationRequest.payload.contentString',
    ])
    await clinic.put(request('Dear {name}.'))
    expect((await news())[0]![3]).toBe('Dear Meera Nair.')
    await jobs()
    clinic.ctx.pass(1)
    await clinic.put({ ...PATIENT, name: [{ text: 'M'.repeat(500_000) }] })
    await clinic.put({ ...request('{name}'.repeat(1000)), id: 's' })
    const job = (await jobs()).at(-1)
    expect(job!.delivery.text.length).toBeLessThanOrEqual(20_000)
    expect(JSON.stringify(job).length).toBeLessThan(100_000)
  })

  it('each patient of one appointment is told, by their own name', async () => {
    clinic = await opened([sms()])
    await clinic.put({
      resourceType: 'Patient',
      id: 'arun',
      name: [{ text: 'Arun Das' }],
      telecom: [{ system: 'phone', value: '98765 00007' }],
    })
    const one = visit('a', MONDAY)
    const actor = { actor: { reference: 'Patient/arun' }, status: 'accepted' }
    await clinic.put({ ...one, participant: [...one.participant, actor] })
    const all = await news()
    expect(all.map(([, , who]) => who)).toEqual(['Patient/meera', 'Patient/arun', 'Practitioner/menon'])
    expect(all[0]![3]).toContain('booked for Meera Nair with')
    expect(all[1]![3]).toContain('booked for Arun Das with')
    const [request] = await clinic.all('CommunicationRequest', { status: 'active' })
    expect(plain(request!.recipient)).toEqual([{ reference: 'Patient/meera' }, { reference: 'Patient/arun' }])
  })
})
