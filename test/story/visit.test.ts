/**
 * A day at a clinic, from published hours to a visit that is over, as clients and patients see it: requests over HTTP, and what arrives
 * by mail and text message. All that is told stands here; anything else that arrives is a failure.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, api, bundle, entry, matches, type Tree } from '../rest/client.ts'
import { type Message, type Receivers, SECRETS, startReceivers } from './receivers.ts'
import { type StoryServer, startStory } from './server.ts'

const MEERA = { sms: 'sms +919876543210', mail: 'mail meera@example.org' }
const RAHMAN = { sms: 'sms +919847011111', mail: 'mail rahman@example.org' }
const GUARDIAN = { sms: 'sms +919847022222' }
const RAVI = { sms: 'sms +919847033333' }
const DIVYA = { mail: 'mail divya@example.org' }
const DOCTOR = { sms: 'sms +919876500001', mail: 'mail menon@example.org' }

const MEET = 'https://meet.thanal.example.org/room/'
const FEEDBACK = 'https://thanal.example.org/feedback/'

let receivers: Receivers
let server: StoryServer
let client: Api
beforeAll(async () => {
  receivers = await startReceivers()
  const env = {
    ...receivers.env,
    NADI_JOIN_URL: `${MEET}{appointment}`,
    NADI_FEEDBACK_URL: `${FEEDBACK}{appointment}`,
  }
  server = await startStory(env, '2026-12-04T10:00:00+05:30')
  client = api(server.base)
})
afterAll(async () => {
  await server?.close()
  await receivers?.close()
})

/** A message: to whom, words in it, and properties of its calendar entry. */
type Expected = [to: string, ...says: (string | Record<string, string>)[]]

let seen = 0

/** Asserts that these messages have arrived since it was asked last, and no others. */
async function told(...expected: Expected[]): Promise<void> {
  await server.deliver()
  const left = receivers.messages.slice(seen)
  seen = receivers.messages.length
  for (const [to, ...says] of expected) {
    const at = left.findIndex(one => `${one.by} ${one.to}` === to && says.every(what => isIn(one, what)))
    expect(at, `${to} ${JSON.stringify(says)} is not in ${JSON.stringify(left, null, 1)}`).not.toBe(-1)
    left.splice(at, 1)
  }
  expect(left).toEqual([])
}

const isIn = ({ text, calendar }: Message, what: string | Record<string, string>): boolean =>
  typeof what === 'string'
    ? text.includes(what)
    : calendar.length === 1 && Object.entries(what).every(([name, value]) => calendar[0]![name] === value)

const put = (resource: Tree): Tree => entry('PUT', `${resource.resourceType}/${resource.id}`, { resource })
const ref = (reference: string) => ({ reference })
const phone = (value: string) => ({ system: 'phone', value, use: 'mobile' })
const mail = (value: string) => ({ system: 'email', value })

const parameters = (...parameter: Tree[]) => ({
  resourceType: 'Parameters',
  ...(parameter.length > 0 && { parameter }),
})
async function done(path: string, ...parameter: Tree[]): Promise<Tree> {
  const { status, body, text } = await client.post(path, parameters(...parameter))
  expect(status, `${path}: ${text}`).toBe(200)
  return body
}
const named = (id: string) => ({ name: 'appointment-reference', valueReference: ref(`Appointment/${id}`) })
const patient = (id: string) => ({ name: 'patient-resource', resource: { resourceType: 'Patient', id } })
const booked = async (...parameter: Tree[]): Promise<Tree> => {
  const [appointment] = matches(await done('Appointment/$book', ...parameter))
  expect(appointment.status).toBe('booked')
  return appointment
}
/** What could be booked on the day. */
async function free(): Promise<Map<string, Tree>> {
  const { body } = await client.get(
    'Appointment/$find?start=2026-12-07&end=2026-12-07&practitioner=Practitioner/menon&_count=50',
  )
  return new Map(matches(body).map(one => [one.start.slice(11, 16), one]))
}
const display = async (): Promise<string> => (await client.get('//console/queue/Practitioner/menon')).text
const slotStatus = async (appointment: Tree): Promise<string> =>
  (await client.get(appointment.slot[0].reference)).body.status
const communications = async (query: string): Promise<Tree[]> =>
  matches((await client.get(`Communication?${query}&_count=200`)).body)
const about = (appointment: Tree): string => `identifier=urn:nadi:message-about|Appointment/${appointment.id}`

/** Monday on the clocks of the clinic. */
const at = (clock: string): string => `2026-12-07T${clock}:00+05:30`
const EN = (clock: string): string => `Monday, 7 December 2026, ${clock}`
const ML = (clock: string): string => `തിങ്കളാഴ്ച, 7 ഡിസംബർ 2026, ${clock}`
const WHERE = ['Dr Anjali Menon', 'Thanal Clinic']
const WHERE_ML = ['ഡോ. അഞ്ജലി മേനോൻ', 'Thanal Clinic']

const IN_MALAYALAM = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/language', valueCode: 'ml' }],
}

let meera: Tree
let rahman: Tree
let anu: Tree
let appu: Tree
let ravi: Tree
let divya: Tree

it('the clinic publishes the hours of a doctor, and they become slots', async () => {
  const answer = await client.post(
    '',
    bundle(
      'transaction',
      put({ resourceType: 'Organization', id: 'thanal', name: 'Thanal Clinic' }),
      put({
        resourceType: 'Location',
        id: 'room',
        name: 'Room 1',
        managingOrganization: ref('Organization/thanal'),
        physicalType: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'ro' }],
        },
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Asia/Kolkata' }],
      }),
      put({
        resourceType: 'Practitioner',
        id: 'menon',
        name: [{ text: 'Dr Anjali Menon' }, { text: 'ഡോ. അഞ്ജലി മേനോൻ', ...IN_MALAYALAM }],
        telecom: [phone('+91 98765 00001'), mail('menon@example.org')],
      }),
      put({
        resourceType: 'PractitionerRole',
        id: 'menon',
        practitioner: ref('Practitioner/menon'),
        location: [ref('Location/room')],
        availableTime: [
          { daysOfWeek: ['mon'], availableStartTime: '09:00:00', availableEndTime: '11:40:00' },
        ],
      }),
      put({
        resourceType: 'Schedule',
        id: 'menon',
        actor: ['PractitionerRole/menon', 'Practitioner/menon', 'Location/room'].map(ref),
      }),
      put({
        resourceType: 'Patient',
        id: 'meera',
        name: [{ text: 'Meera Nair' }],
        telecom: [phone('98765 43210'), mail('meera@example.org')],
      }),
      put({
        resourceType: 'Patient',
        id: 'rahman',
        name: [{ text: 'Abdul Rahman' }, { text: 'അബ്ദുൽ റഹ്മാൻ', ...IN_MALAYALAM }],
        communication: [
          { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'ml' }] }, preferred: true },
        ],
        telecom: [phone('+91 98470 11111'), mail('rahman@example.org')],
      }),
      ...['anu', 'appu'].map(id =>
        put({
          resourceType: 'Patient',
          id,
          name: [{ text: `${id === 'anu' ? 'Anu' : 'Appu'} Thomas` }],
          birthDate: '2021-03-01',
        }),
      ),
      ...['anu', 'appu'].map(id =>
        put({
          resourceType: 'RelatedPerson',
          id: `guardian-of-${id}`,
          patient: ref(`Patient/${id}`),
          name: [{ text: 'Thomas Kurian' }],
          telecom: [phone('+91 98470 22222')],
        }),
      ),
      put({
        resourceType: 'Patient',
        id: 'ravi',
        name: [{ text: 'Ravi Kumar' }],
        telecom: [phone('98470 33333')],
      }),
      put({
        resourceType: 'Patient',
        id: 'divya',
        name: [{ text: 'Divya Pillai' }],
        telecom: [mail('divya@example.org')],
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: 'Asia/Dubai' }],
      }),
    ),
  )
  expect(answer.status, answer.text).toBe(200)
  await done(
    'Schedule/menon/$generate-slots',
    { name: 'start', valueDate: '2026-12-07' },
    { name: 'end', valueDate: '2026-12-07' },
    { name: 'slotMinutes', valuePositiveInt: 20 },
  )
  expect([...(await free()).keys()]).toEqual([
    '09:00',
    '09:20',
    '09:40',
    '10:00',
    '10:20',
    '10:40',
    '11:00',
    '11:20',
  ])
  await told()
})

it('a patient finds a time, holds it and books it; both sides are told, with an entry for their calendars', async () => {
  const proposal = (await free()).get('09:00')!
  const [held] = matches(await done('Appointment/$hold', named(proposal.id)))
  expect([held.status, await slotStatus(held)]).toEqual(['pending', 'busy-tentative'])
  const late = await client.post('Appointment/$book', parameters(named(proposal.id), patient('ravi')))
  expect(late.status).toBe(409)
  await told()

  meera = await booked(named(held.id), patient('meera'))
  expect([meera.id, await slotStatus(meera)]).toEqual([held.id, 'busy'])
  const entryOfBoth = {
    METHOD: 'REQUEST',
    STATUS: 'CONFIRMED',
    DTSTART: '20261207T033000Z',
    DTEND: '20261207T035000Z',
    LOCATION: 'Room 1',
  }
  await told(
    [MEERA.sms, 'booked', 'Meera Nair', EN('9:00 AM'), ...WHERE],
    [
      MEERA.mail,
      'booked',
      'Meera Nair',
      EN('9:00 AM'),
      ...WHERE,
      { ...entryOfBoth, SUMMARY: 'Dr Anjali Menon, Thanal Clinic' },
    ],
    [DOCTOR.sms, 'New appointment', 'Meera Nair', EN('9:00 AM')],
    [
      DOCTOR.mail,
      'New appointment',
      'Meera Nair',
      EN('9:00 AM'),
      { ...entryOfBoth, SUMMARY: 'Meera Nair, Thanal Clinic' },
    ],
  )
})

it('a patient who reads Malayalam is told in it; the doctor is not', async () => {
  rahman = await booked(named((await free()).get('09:20')!.id), patient('rahman'))
  const booking = ['അബ്ദുൽ റഹ്മാൻ', 'ബുക്ക് ചെയ്തു', ML('രാവിലെ 9:20'), ...WHERE_ML]
  await told(
    [RAHMAN.sms, ...booking],
    [RAHMAN.mail, ...booking, { DTSTART: '20261207T035000Z' }],
    [DOCTOR.sms, 'New appointment', 'Abdul Rahman', EN('9:20 AM')],
    [DOCTOR.mail, 'New appointment', 'Abdul Rahman', EN('9:20 AM'), { DTSTART: '20261207T035000Z' }],
  )
})

it('a guardian books for two children on one telephone, and is told of each', async () => {
  const times = await free()
  const child = (id: string, clock: string): Tree => {
    const { start, end, slot, participant } = times.get(clock)!
    const own = { actor: ref(`Patient/${id}`), status: 'accepted' }
    const resource = { resourceType: 'Appointment', status: 'pending', start, end, slot }
    return { name: 'appointment', resource: { ...resource, participant: [own, ...participant] } }
  }
  const answer = await done('Appointment/$book-together', child('anu', '09:40'), child('appu', '10:00'), {
    name: 'phone',
    valueString: '9847022222',
  })
  ;[anu, appu] = matches(answer) as [Tree, Tree]
  await told(
    [GUARDIAN.sms, 'booked', 'Anu Thomas', EN('9:40 AM'), ...WHERE],
    [GUARDIAN.sms, 'booked', 'Appu Thomas', EN('10:00 AM'), ...WHERE],
    [DOCTOR.sms, 'Anu Thomas', EN('9:40 AM')],
    [DOCTOR.sms, 'Appu Thomas', EN('10:00 AM')],
    [DOCTOR.mail, 'Anu Thomas', EN('9:40 AM'), { DTSTART: '20261207T041000Z' }],
    [DOCTOR.mail, 'Appu Thomas', EN('10:00 AM'), { DTSTART: '20261207T043000Z' }],
  )
})

it('an online visit has its link, and is told in the zone where the patient is', async () => {
  ravi = await booked(named((await free()).get('10:20')!.id), patient('ravi'))
  await told(
    [RAVI.sms, 'booked', 'Ravi Kumar', EN('10:20 AM'), ...WHERE],
    [DOCTOR.sms, 'Ravi Kumar', EN('10:20 AM')],
    [DOCTOR.mail, 'Ravi Kumar', EN('10:20 AM'), { DTSTART: '20261207T045000Z' }],
  )
  const { start, end, slot, participant } = (await free()).get('10:40')!
  const serviceType = [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' }] },
  ]
  const resource = {
    resourceType: 'Appointment',
    status: 'pending',
    start,
    end,
    slot,
    participant,
    serviceType,
  }
  divya = await booked({ name: 'appointment-resource', resource }, patient('divya'))
  const URL = `${MEET}${divya.id}`
  await told(
    // 10:40 in Kolkata (UTC+5:30) is 9:10 in Dubai (UTC+4).
    [DIVYA.mail, 'Divya Pillai', EN('9:10 AM'), URL, ...WHERE, { DTSTART: '20261207T051000Z', URL }],
    [DOCTOR.sms, 'Divya Pillai', EN('10:40 AM'), URL],
    [DOCTOR.mail, 'Divya Pillai', EN('10:40 AM'), URL, { DTSTART: '20261207T051000Z', URL }],
  )
})

it('one who moves his visit is told the old time and the new, one who cancels that it is off; both slots are free again', async () => {
  await server.at('2026-12-05T10:00:00+05:30')
  await told()
  await done(`Appointment/${rahman.id}/$reschedule`, { name: 'start', valueInstant: at('11:00') })
  const moved = ['അബ്ദുൽ റഹ്മാൻ', 'പുതിയ സമയം', ML('രാവിലെ 11:00'), ML('രാവിലെ 9:20'), ...WHERE_ML]
  const uid = receivers.messages.find(one => one.calendar[0]?.DTSTART === '20261207T035000Z')!.calendar[0]!
    .UID!
  const next = { METHOD: 'REQUEST', UID: uid, DTSTART: '20261207T053000Z', DTEND: '20261207T055000Z' }
  await told(
    [RAHMAN.sms, ...moved],
    [RAHMAN.mail, ...moved, next],
    [DOCTOR.sms, 'moved', 'Abdul Rahman', EN('11:00 AM'), EN('9:20 AM')],
    [DOCTOR.mail, 'moved', 'Abdul Rahman', EN('11:00 AM'), EN('9:20 AM'), next],
  )
  const versions = receivers.messages.flatMap(({ calendar }) =>
    calendar.filter(one => one.UID === uid).map(one => Number(one.SEQUENCE)),
  )
  expect([new Set(versions).size, Math.max(...versions)]).toEqual([2, versions.at(-1)])

  await done(`Appointment/${ravi.id}/$cancel`)
  await told(
    [RAVI.sms, 'cancelled', 'Ravi Kumar', EN('10:20 AM'), ...WHERE],
    [DOCTOR.sms, 'cancelled', 'Ravi Kumar', EN('10:20 AM')],
    [DOCTOR.mail, 'cancelled', 'Ravi Kumar', EN('10:20 AM'), { METHOD: 'CANCEL', STATUS: 'CANCELLED' }],
  )
  expect([...(await free()).keys()]).toEqual(['09:20', '10:20', '11:20'])
})

it('a day before everybody is reminded once, at the new time who has moved; a provider that is busy gets it again', async () => {
  await server.at('2026-12-06T08:59:59+05:30')
  await told()
  receivers.busy = 1
  await server.at('2026-12-06T09:00:00+05:30')
  await told([MEERA.mail, 'Reminder', 'Meera Nair', EN('9:00 AM'), ...WHERE])
  const [waits, ...others] = await communications('status=in-progress')
  expect([waits.id, waits.medium[0].coding[0].code, others]).toEqual([receivers.turnedAway[0], 'sms', []])
  await server.at('2026-12-06T09:01:00+05:30')
  await told([MEERA.sms, 'Reminder', 'Meera Nair', EN('9:00 AM'), ...WHERE])
  expect(receivers.messages.at(-1)!.key).toBe(waits.id)

  await server.at('2026-12-06T10:59:00+05:30')
  await told(
    [GUARDIAN.sms, 'Reminder', 'Anu Thomas', EN('9:40 AM'), ...WHERE],
    [GUARDIAN.sms, 'Reminder', 'Appu Thomas', EN('10:00 AM'), ...WHERE],
    [DIVYA.mail, 'Reminder', 'Divya Pillai', EN('9:10 AM'), `${MEET}${divya.id}`],
  )
  await server.at('2026-12-06T11:00:00+05:30')
  const reminder = ['ഓർമ്മപ്പെടുത്തൽ', 'അബ്ദുൽ റഹ്മാൻ', ML('രാവിലെ 11:00'), ...WHERE_ML]
  await told([RAHMAN.sms, ...reminder], [RAHMAN.mail, ...reminder])
  await server.at('2026-12-06T22:00:00+05:30')
  await told()
})

it('an hour before the first is reminded; the doctor is late, and each who waits is told once', async () => {
  await server.at(at('08:00'))
  const reminder = ['Reminder', 'Meera Nair', EN('9:00 AM'), ...WHERE]
  await told([MEERA.sms, ...reminder], [MEERA.mail, ...reminder])

  await server.at(at('08:30'))
  await done('Practitioner/menon/$late', { name: 'minutes', valueInteger: 20 })
  const late = ['late', 'Dr Anjali Menon', '20 minutes']
  const lateMl = ['വൈക', '20', ML('രാവിലെ 11:00'), ML('രാവിലെ 11:20')]
  await told(
    [MEERA.sms, ...late, 'Meera Nair', EN('9:00 AM'), EN('9:20 AM')],
    [MEERA.mail, ...late, 'Meera Nair', EN('9:00 AM'), EN('9:20 AM')],
    [GUARDIAN.sms, ...late, 'Anu Thomas', EN('9:40 AM'), EN('10:00 AM')],
    [GUARDIAN.sms, ...late, 'Appu Thomas', EN('10:00 AM'), EN('10:20 AM')],
    [DIVYA.mail, ...late, 'Divya Pillai', EN('9:10 AM'), EN('9:30 AM')],
    [RAHMAN.sms, ...lateMl],
    [RAHMAN.mail, ...lateMl],
  )
  await done('Practitioner/menon/$late', { name: 'minutes', valueInteger: 20 })
  await told()
  await server.at(at('08:40'))
  await told([GUARDIAN.sms, 'Reminder', 'Anu Thomas', EN('9:40 AM'), ...WHERE])
})

const arrives = async (appointment: Tree): Promise<string> => {
  const { status } = await done(`Appointment/${appointment.id}/$check-in`)
  expect(status).toBe('checked-in')
  const task = await done(`Appointment/${appointment.id}/$token`)
  return task.identifier[0].value
}

it('who arrives takes a token; the display shows it and no name; the first is told to be next', async () => {
  await server.at(at('08:55'))
  expect(await arrives(meera)).toBe('GC-1')
  expect(await arrives(meera)).toBe('GC-1')
  await told([MEERA.sms, 'GC-1', 'next'], [MEERA.mail, 'GC-1', 'next'])
  await server.at(at('09:00'))
  await told([GUARDIAN.sms, 'Reminder', 'Appu Thomas', EN('10:00 AM'), ...WHERE])
  expect(await arrives(anu)).toBe('GC-2')
  expect(await arrives(rahman)).toBe('GC-3')
  await told()
  const shown = await display()
  expect(shown).toMatch(/late by about 20 minutes.*GC-1.*GC-2.*GC-3/s)
  expect(shown).not.toMatch(/Meera|Anu|Rahman/)
})

it('who is called is told, and who is next; served and completed, the visit is over', async () => {
  await server.at(at('09:20'))
  const called = await done('Practitioner/menon/$call-next')
  expect(called.focus).toEqual(ref(`Appointment/${meera.id}`))
  await told([MEERA.sms, 'GC-1', 'called'], [MEERA.mail, 'GC-1', 'called'], [GUARDIAN.sms, 'GC-2', 'next'])
  expect(await display()).toMatch(/Please come in.*GC-1.*Next.*GC-2/s)
  await done(`Task/${called.id}/$queue-step`, { name: 'step', valueCode: 'call' })
  await done(`Task/${called.id}/$queue-step`, { name: 'step', valueCode: 'serve' })
  expect(await display()).toMatch(/Inside.*GC-1/s)

  await server.at(at('09:35'))
  expect((await done(`Appointment/${meera.id}/$complete`)).status).toBe('fulfilled')
  expect((await client.get(`Task/${called.id}`)).body.status).toBe('completed')
  const [encounter] = matches((await client.get(`Encounter?appointment=Appointment/${meera.id}`)).body)
  expect([encounter.status, encounter.subject]).toEqual(['finished', ref('Patient/meera')])
  expect(await display()).not.toContain('GC-1')
  await told()

  await server.at(at('09:36'))
  await done('Practitioner/menon/$call-next')
  const isNext = ['GC-3', 'അടുത്തത്']
  await told([GUARDIAN.sms, 'GC-2', 'called'], [RAHMAN.sms, ...isNext], [RAHMAN.mail, ...isNext])
  await server.at(at('09:40'))
  await told([DIVYA.mail, 'Reminder', 'Divya Pillai', EN('9:10 AM'), `${MEET}${divya.id}`])
  await server.at(at('09:50'))
  await done(`Appointment/${anu.id}/$complete`)
  await told()
})

it('who has come is not reminded any more; who has not come is told so', async () => {
  await server.at(at('10:00'))
  await told()
  await server.at(at('10:30'))
  await done(`Appointment/${appu.id}/$no-show`)
  await told([GUARDIAN.sms, 'did not come', 'Appu Thomas', EN('10:00 AM')])
})

it('an hour after a visit comes a word, and the question how it was, which is answered', async () => {
  await server.at('2026-12-07T10:34:59+05:30')
  await told()
  await server.at(at('10:35'))
  const thanks = ['Thank you', 'Meera Nair', 'Thanal Clinic']
  const question = ['How was', 'Meera Nair', `${FEEDBACK}${meera.id}`]
  await told(
    [MEERA.sms, ...thanks],
    [MEERA.mail, ...thanks],
    [MEERA.sms, ...question],
    [MEERA.mail, ...question],
  )
  await server.at(at('10:50'))
  await told(
    [GUARDIAN.sms, 'Thank you', 'Anu Thomas'],
    [GUARDIAN.sms, 'How was', 'Anu Thomas', `${FEEDBACK}${anu.id}`],
  )
  const [encounter] = await client.found(`Encounter?appointment=Appointment/${meera.id}`)
  const response = await client.made({
    resourceType: 'QuestionnaireResponse',
    questionnaire: 'https://thanal.example.org/Questionnaire/visit',
    status: 'completed',
    subject: ref('Patient/meera'),
    source: ref('Patient/meera'),
    encounter: ref(`Encounter/${encounter}`),
    authored: '2026-12-07T10:52:00+05:30',
    item: [{ linkId: 'rating', answer: [{ valueInteger: 5 }] }],
  })
  const answered = 'QuestionnaireResponse?patient=Patient/meera&encounter.appointment=Appointment/'
  expect(await client.found(answered + meera.id)).toEqual([response.id])
  await told()
})

it('the last visits end, by telephone and in person; then nothing more is told', async () => {
  await server.at(at('11:05'))
  await done('Practitioner/menon/$call-next')
  await told([RAHMAN.sms, 'GC-3', 'വിളിക്കുന്നു'], [RAHMAN.mail, 'GC-3', 'വിളിക്കുന്നു'])
  for (const { id } of [rahman, divya, meera])
    expect((await done(`Appointment/${id}/$complete`)).status).toBe('fulfilled')
  await told()
  await server.at(at('12:05'))
  const [thanks, question] = [
    ['അബ്ദുൽ റഹ്മാൻ', 'നന്ദി'],
    ['അബ്ദുൽ റഹ്മാൻ', `${FEEDBACK}${rahman.id}`],
  ]
  await told(
    [RAHMAN.sms, ...thanks],
    [RAHMAN.mail, ...thanks],
    [RAHMAN.sms, ...question],
    [RAHMAN.mail, ...question],
    [DIVYA.mail, 'Thank you', 'Divya Pillai'],
    [DIVYA.mail, 'How was', 'Divya Pillai', `${FEEDBACK}${divya.id}`],
  )
  for (const day of ['08', '09', '14']) await server.at(`2026-12-${day}T09:00:00+05:30`)
  await told()
})

it('what was delivered is found by search, each message once by the key that its receiver has', async () => {
  const keys = receivers.messages.map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  const all = await communications('status:not=entered-in-error')
  expect(all.map(({ id }) => id).sort()).toEqual([...keys].sort())
  for (const { to, text, language = 'of mail' } of receivers.messages) {
    expect(text).toMatch(/^\S/)
    if (language !== 'of mail') expect(language).toBe(`sms ${to}` === RAHMAN.sms ? 'ml' : 'en')
  }
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['completed']))
  const ofMeera = await communications(`${about(meera)}&recipient=Patient/meera&medium=sms&_sort=sent`)
  const happened = ofMeera.map(one => [one.category[0].coding[0].code, one.sent])
  expect([...happened.slice(0, -2), ...happened.slice(-2).sort()]).toEqual([
    ['booked', '2026-12-04T04:30:00.000Z'],
    ['reminder-24h', '2026-12-06T03:31:00.000Z'],
    ['reminder-1h', '2026-12-07T02:30:00.000Z'],
    ['doctor-late', '2026-12-07T03:00:00.000Z'],
    ['queue', '2026-12-07T03:25:00.000Z'],
    ['queue', '2026-12-07T03:50:00.000Z'],
    ...['feedback', 'follow-up'].map(event => [event, '2026-12-07T05:05:00.000Z']),
  ])
  expect(await client.found('CommunicationRequest?status=active')).toEqual([])
})

it('the log of all this holds no secret, no text, no name and no address', () => {
  const logged = server.logged()
  expect(logged).toContain('a message could not be sent yet')
  const names = [
    'Meera',
    'Nair',
    'Rahman',
    'റഹ്മാൻ',
    'Anu ',
    'Appu',
    'Thomas',
    'Ravi',
    'Divya',
    'Menon',
    'Thanal',
  ]
  const addresses = ['@', ...['543210', '11111', '22222', '33333', '00001'].map(end => end)]
  const texts = ['Reminder', 'booked for', 'GC-', MEET, FEEDBACK, '9:00 AM', 'Authorization', 'Bearer']
  for (const one of [...Object.values(SECRETS), ...names, ...addresses, ...texts])
    expect(logged.includes(one), one).toBe(false)
})
