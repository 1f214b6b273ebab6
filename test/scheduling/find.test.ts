/** `Appointment/$find` (ITI-115) on a small clinic: two doctors in two places. START is Saturday 21 November 2026, 10:41 in India. */
import { beforeEach, describe, expect, it } from 'vitest'
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { remove } from '../../src/interactions/delete.ts'
import { update } from '../../src/interactions/update.ts'
import type { Given } from '../../src/operations/parameters.ts'
import { refusal, START, type TestContext, testContext } from '../interactions/context.ts'
import { call, givenOf, storeAll, tree } from '../operations/context.ts'

let test: TestContext
let ctx: Context

// biome-ignore lint/suspicious/noExplicitAny: resources are written as their members
type Members = Record<string, any>

const put = (type: string, id: string, members: Members = {}): Promise<unknown> =>
  update(ctx, type, id, tree({ resourceType: type, id, ...members }))

const SCT = 'http://snomed.info/sct'
const concept = (system: string, code: string) => [{ coding: [{ system, code }] }]
const GENERAL = concept(SCT, '394802001')
const CARDIOLOGY = concept(SCT, '394579002')
const to = (reference: string) => ({ reference })
const price = (id: string) => [
  { url: 'urn:nadi:extension:price', valueReference: to(`ChargeItemDefinition/${id}`) },
]
const charge = (id: string, value: number, tax: number) => ({
  resourceType: 'ChargeItemDefinition',
  id,
  url: `urn:test:${id}`,
  status: 'active',
  propertyGroup: [
    {
      priceComponent: [
        { type: 'base', amount: { value, currency: 'INR' } },
        { type: 'tax', factor: tax },
      ],
    },
  ],
})

/** Anjali in a room of the main building on Monday at 9:00 and 9:30, Thomas in Aluva, 18.1 km to the north, at 9:15. */
const CLINIC = [
  { resourceType: 'Organization', id: 'thanal', name: 'Thanal' },
  { resourceType: 'Organization', id: 'other', name: 'Another' },
  {
    resourceType: 'Location',
    id: 'main',
    managingOrganization: to('Organization/thanal'),
    address: { city: 'Thrippunithura', postalCode: '682301' },
    position: { latitude: 9.944, longitude: 76.349 },
  },
  { resourceType: 'Location', id: 'room', partOf: to('Location/main') },
  {
    resourceType: 'Location',
    id: 'aluva',
    managingOrganization: to('Organization/other'),
    address: { city: 'Aluva', postalCode: '683101' },
    position: { latitude: 10.107, longitude: 76.352 },
  },
  {
    resourceType: 'HealthcareService',
    id: 'medicine',
    extension: price('visit'),
    providedBy: to('Organization/thanal'),
  },
  {
    resourceType: 'HealthcareService',
    id: 'heart',
    providedBy: to('Organization/other'),
    specialty: CARDIOLOGY,
  },
  { resourceType: 'Practitioner', id: 'anjali', identifier: [{ system: 'urn:oid:1.2.3', value: 'A1' }] },
  { resourceType: 'Practitioner', id: 'thomas' },
  {
    resourceType: 'PractitionerRole',
    id: 'anjali',
    practitioner: to('Practitioner/anjali'),
    organization: to('Organization/thanal'),
    healthcareService: [to('HealthcareService/medicine')],
  },
  {
    resourceType: 'PractitionerRole',
    id: 'thomas',
    practitioner: to('Practitioner/thomas'),
    organization: to('Organization/other'),
  },
  {
    resourceType: 'Schedule',
    id: 'anjali',
    specialty: GENERAL,
    serviceType: concept('http://terminology.hl7.org/CodeSystem/service-type', '124'),
    actor: [
      to('PractitionerRole/anjali'),
      to('Practitioner/anjali'),
      to('Location/room'),
      to('HealthcareService/medicine'),
    ],
  },
  {
    resourceType: 'Schedule',
    id: 'thomas',
    extension: price('heart'),
    actor: [
      to('PractitionerRole/thomas'),
      to('Practitioner/thomas'),
      to('Location/aluva'),
      to('HealthcareService/heart'),
    ],
  },
  charge('visit', 300, 0.18),
  charge('heart', 700, 0),
  { resourceType: 'Patient', id: 'meera' },
]

const MONDAY = '2026-11-23'

const slot = (id: string, schedule: string, start: string, end: string, members: Members = {}) => ({
  resourceType: 'Slot',
  id,
  schedule: to(`Schedule/${schedule}`),
  status: 'free',
  start: `${MONDAY}T${start}:00+05:30`,
  end: `${MONDAY}T${end}:00+05:30`,
  ...members,
})

beforeEach(async () => {
  test = await testContext()
  ctx = underRules(test)
  await storeAll(ctx, [
    ...CLINIC,
    slot('a1', 'anjali', '09:00', '09:30'),
    slot('a2', 'anjali', '09:30', '10:00'),
    slot('t1', 'thomas', '09:15', '09:45'),
  ])
})

const given = (pairs: Record<string, string | string[]>): Given[] =>
  Object.entries({ start: MONDAY, end: MONDAY, ...pairs }).flatMap(([name, value]) =>
    [value].flat().map(one => ({ name, value: one })),
  )

const find = (pairs: Record<string, string | string[]> = {}) =>
  call(ctx, 'find', { type: 'Appointment' }, given(pairs))

/** Returns the ids of the slots that are found, in their order. */
async function found(pairs: Record<string, string | string[]> = {}): Promise<string[]> {
  const { total, entry = [] } = await find(pairs)
  expect(total).toBe(entry.length)
  return entry.map((one: Members) => one.resource.slot[0].reference.slice(5))
}

const book = (id: string, members: Members) =>
  put('Appointment', id, {
    status: 'booked',
    start: `${MONDAY}T09:00:00+05:30`,
    end: `${MONDAY}T09:30:00+05:30`,
    participant: [
      { actor: to('Patient/meera'), status: 'accepted' },
      { actor: to('Practitioner/anjali'), status: 'accepted' },
    ],
    ...members,
  })

describe('Appointment/$find', () => {
  it('answers with proposed Appointments of free slots, soonest first, with their fee and all who take part', async () => {
    const bundle = await find({ 'patient-reference': 'Patient/meera' })
    expect(validateStructure(tree(bundle), 'Bundle')).toEqual([])
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 3 })
    expect(bundle.entry.map((one: Members) => one.search)).toEqual(Array(3).fill({ mode: 'match' }))
    expect(bundle.entry[0].resource).toMatchObject({
      resourceType: 'Appointment',
      status: 'proposed',
      specialty: GENERAL,
      serviceType: [{ coding: [{ code: '124' }] }],
      start: '2026-11-23T09:00:00+05:30',
      end: '2026-11-23T09:30:00+05:30',
      minutesDuration: 30,
      slot: [to('Slot/a1')],
      // 300 and a tax of 18 %.
      extension: [{ url: 'urn:nadi:extension:fee', valueMoney: { value: 354, currency: 'INR' } }],
      requestedPeriod: [{ start: '2026-11-23T00:00:00+05:30', end: '2026-11-24T00:00:00+05:30' }],
    })
    expect(bundle.entry[0].resource.participant.map((one: Members) => one.actor.reference)).toEqual([
      'Patient/meera',
      'PractitionerRole/anjali',
      'Practitioner/anjali',
      'Location/room',
      'HealthcareService/medicine',
    ])
    expect(bundle.entry.map((one: Members) => one.resource.slot[0].reference)).toEqual([
      'Slot/a1',
      'Slot/t1',
      'Slot/a2',
    ])
  })

  const BY: [string, Record<string, string | string[]>, string[]][] = [
    ['a practitioner', { practitioner: 'Practitioner/anjali' }, ['a1', 'a2']],
    ['a role', { practitioner: 'PractitionerRole/thomas' }, ['t1']],
    [
      'one practitioner or another',
      { practitioner: ['Practitioner/thomas', 'Practitioner/anjali'] },
      ['a1', 't1', 'a2'],
    ],
    ['a practitioner who is nowhere', { practitioner: 'Practitioner/nobody' }, []],
    ['a speciality of the Schedule', { specialty: `${SCT}|394802001` }, ['a1', 'a2']],
    ['a speciality of the department', { specialty: `${SCT}|394579002` }, ['t1']],
    ['a speciality of another system', { specialty: 'urn:x|394802001' }, []],
    [
      'a kind of visit',
      { 'visit-type': 'http://terminology.hl7.org/CodeSystem/service-type|124' },
      ['a1', 'a2'],
    ],
    ['a place, with the rooms that are part of it', { 'location-reference': 'Location/main' }, ['a1', 'a2']],
    ['a city', { 'location-string': 'thrip' }, ['a1', 'a2']],
    ['a postal code', { 'location-string': '683101' }, ['t1']],
    ['a text with signs of searches in it', { 'location-string': 'Aluva,Thrippunithura' }, []],
    ['5 km around', { near: '9.944|76.349|5|km' }, ['a1', 'a2']],
    ['18.0 km around', { near: '9.944|76.349|18.0|km' }, ['a1', 'a2']],
    ['18.2 km around', { near: '9.944|76.349|18.2|km' }, ['a1', 't1', 'a2']],
    ['an organization', { organization: 'Organization/other' }, ['t1']],
    ['a department', { 'healthcare-service': 'HealthcareService/heart' }, ['t1']],
    ['a fee of 354 at most', { 'max-fee': '354' }, ['a1', 'a2']],
    ['a fee of 353.99 at most', { 'max-fee': '353.99' }, []],
    ['a fee of 700 at most', { 'max-fee': '7e2' }, ['a1', 't1', 'a2']],
    [
      'a practitioner and a place that do not meet',
      { practitioner: 'Practitioner/thomas', 'location-reference': 'Location/main' },
      [],
    ],
    [
      'a time, to which slots belong that lie within it',
      { start: `${MONDAY}T09:15:00+05:30`, end: `${MONDAY}T09:59:59+05:30` },
      ['t1'],
    ],
    ['an escaped plus sign that came as a space', { start: `${MONDAY}T09:30:00 05:30` }, ['a2']],
    ['a time in another zone', { start: `${MONDAY}T03:45:00Z`, end: `${MONDAY}T04:30:00Z` }, ['t1', 'a2']],
    ['another day', { start: '2026-11-24', end: '2026-11-24' }, []],
    ['a day that is past', { start: '2026-11-20', end: '2026-11-20' }, []],
  ]

  it.each(BY)('finds by %s', async (_, pairs, expected) => {
    expect(await found(pairs)).toEqual(expected)
  })

  it('shows the practitioner first whom the client wants more, where the time is the same', async () => {
    await put('Slot', 't0', slot('t0', 'thomas', '09:00', '09:15'))
    const order = (...names: string[]) => found({ practitioner: names.map(name => `Practitioner/${name}`) })
    expect((await order('anjali', 'thomas')).slice(0, 2)).toEqual(['a1', 't0'])
    expect((await order('thomas', 'anjali')).slice(0, 2)).toEqual(['t0', 'a1'])
  })

  it('takes references by identifier in a Parameters resource, as the example of ITI-115 does', async () => {
    const by = (identifier: Members) =>
      call(ctx, 'find', { type: 'Appointment' }, [
        ...given({}),
        { name: 'practitioner', value: tree({ identifier }) },
      ])
    expect((await by({ system: 'urn:oid:1.2.3', value: 'A1' })).total).toBe(2)
    expect((await by({ system: 'urn:oid:1.2.3', value: 'A2' })).total).toBe(0)
    expect((await by({ system: 'urn:oid:1.2.3', value: 'A1,A2' })).total).toBe(0)
  })

  it('leaves out what is full, and offers the other places of a slot', async () => {
    await put(
      'Slot',
      'a1',
      slot('a1', 'anjali', '09:00', '09:30', {
        extension: [{ url: 'urn:nadi:extension:slot-capacity', valuePositiveInt: 2 }],
      }),
    )
    await book('one', { slot: [to('Slot/a1')] })
    expect(await found()).toEqual(['a1', 't1', 'a2'])
    await book('two', {
      slot: [to('Slot/a1')],
      participant: [
        { actor: to('Patient/ravi'), status: 'accepted' },
        { actor: to('Practitioner/anjali'), status: 'accepted' },
      ],
    })
    expect(await found()).toEqual(['t1', 'a2'])
  })

  it('leaves out a held slot until the hold runs out by the clock', async () => {
    await book('held', { status: 'pending', slot: [to('Slot/a1')] })
    expect(await found()).toEqual(['t1', 'a2'])
    test.pass(15 * 60_000 - 1)
    expect(await found()).toEqual(['t1', 'a2'])
    test.pass(1)
    expect(await found()).toEqual(['a1', 't1', 'a2'])
  })

  it('offers slots again beside which a hold without a slot has run out, and they can be booked', async () => {
    const times = { start: `${MONDAY}T09:10:00+05:30`, end: `${MONDAY}T09:40:00+05:30` }
    await book('held', { status: 'pending', ...times })
    expect(await found()).toEqual(['t1'])
    test.pass(15 * 60_000)
    expect(await found()).toEqual(['a1', 't1', 'a2'])
    await book('after', { slot: [to('Slot/a1')] })
    expect(await found()).toEqual(['t1', 'a2'])
  })

  it('leaves out time that is taken without a slot, set aside or marked as a mistake', async () => {
    await book('walk-in', { start: `${MONDAY}T09:10:00+05:30`, end: `${MONDAY}T09:20:00+05:30` })
    expect(await found()).toEqual(['t1', 'a2'])
    await put('Slot', 'a2', slot('a2', 'anjali', '09:30', '10:00', { status: 'busy-unavailable' }))
    await put('Slot', 't1', slot('t1', 'thomas', '09:15', '09:45', { status: 'entered-in-error' }))
    expect(await found()).toEqual([])
  })

  it('leaves out times at which the patient is elsewhere already', async () => {
    await book('elsewhere', {
      participant: [{ actor: to('Patient/meera'), status: 'accepted' }],
      start: `${MONDAY}T09:40:00+05:30`,
      end: `${MONDAY}T09:50:00+05:30`,
    })
    expect(await found({ 'patient-reference': 'Patient/meera' })).toEqual(['a1'])
    expect(await found({ 'patient-reference': 'Patient/ravi' })).toEqual(['a1', 't1', 'a2'])
  })

  it('leaves out slots that have begun', async () => {
    test.pass(Date.parse(`${MONDAY}T09:15:00+05:30`) - START)
    expect(await found()).toEqual(['t1', 'a2'])
    test.pass(1)
    expect(await found()).toEqual(['a2'])
  })

  it('leaves out Schedules, roles, departments and places that are not active', async () => {
    await put('HealthcareService', 'heart', { active: false, specialty: CARDIOLOGY })
    expect(await found()).toEqual(['a1', 'a2'])
    await put('Schedule', 'anjali', { active: false, actor: [to('Practitioner/anjali')] })
    expect(await found()).toEqual([])
  })

  it('finds a Schedule that names a practitioner alone by the place and organization of his role', async () => {
    await put('PractitionerRole', 'thomas', {
      practitioner: to('Practitioner/thomas'),
      organization: to('Organization/other'),
      location: [to('Location/aluva')],
    })
    await put('Schedule', 'thomas', { actor: [to('Practitioner/thomas')] })
    expect(await found({ near: '10.107|76.352|1|km' })).toEqual(['t1'])
    expect(await found({ organization: 'Organization/other' })).toEqual(['t1'])
  })

  it('shows as many as _count says, the number of all, and links to the rest', async () => {
    const pages: string[][] = []
    let bundle = await find({ _count: '2' })
    for (;;) {
      expect(bundle.total).toBe(3)
      pages.push(bundle.entry.map((one: Members) => one.resource.slot[0].reference.slice(5)))
      const next = bundle.link.find((one: Members) => one.relation === 'next')
      if (next === undefined) break
      bundle = await call(ctx, 'find', { type: 'Appointment' }, givenOf(next.url))
    }
    expect(pages).toEqual([['a1', 't1'], ['a2']])
    expect(await find({ _count: '0' })).toMatchObject({ total: 3 })
  })

  it('says which parameters of ITI-115 have no say', async () => {
    const bundle = await call(ctx, 'find', { type: 'Appointment' }, [
      ...given({ reason: `${SCT}|386661006`, practitioner: 'Practitioner/nobody' }),
      { name: 'timing', value: tree({ repeat: { dayOfWeek: ['mon'] } }) },
    ])
    expect(bundle.total).toBe(0)
    expect(bundle.entry).toMatchObject([
      {
        search: { mode: 'outcome' },
        resource: {
          resourceType: 'OperationOutcome',
          issue: [
            { severity: 'information', expression: ['http.reason'] },
            { severity: 'information', expression: ['http.timing'] },
          ],
        },
      },
    ])
  })

  it('gives a fee only where a definition with a base price is in force', async () => {
    await put('ChargeItemDefinition', 'visit', { ...charge('visit', 300, 0), status: 'retired' })
    await remove(ctx, 'ChargeItemDefinition', 'heart')
    const bundle = await find()
    expect(bundle.entry.map((one: Members) => one.resource.extension)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(await found({ 'max-fee': '9999' })).toEqual([])
  })

  const REFUSED: [string, Record<string, string | string[]>, string][] = [
    ['a start that is no time', { start: 'tomorrow' }, 'invalid'],
    ['a day that is not in the calendar', { start: '2026-02-30' }, 'invalid'],
    ['an end before the start', { end: '2026-11-22' }, 'invalid'],
    ['a century', { end: '2126-11-22' }, 'too-costly'],
    ['a reference to another server', { practitioner: 'https://example.org/Practitioner/1' }, 'invalid'],
    ['a reference to something else', { practitioner: 'Patient/meera' }, 'invalid'],
    ['a place that is no point', { near: 'here' }, 'invalid'],
    ['a pole beyond the pole', { near: '91|0|1|km' }, 'invalid'],
    ['a fee that is no number', { 'max-fee': 'cheap' }, 'invalid'],
    ['a fee of a thousand digits', { 'max-fee': '9'.repeat(1000) }, 'invalid'],
    ['a count that is none', { _count: '-1' }, 'invalid'],
    ['a parameter that there is not', { doctor: 'anjali' }, 'not-supported'],
    ['a cursor of its own making', { _cursor: 'AAAA' }, 'invalid'],
    ['more places than are looked for', { near: Array(51).fill('1|1|1|km') }, 'too-costly'],
  ]

  it.each(REFUSED)('refuses %s', async (_, pairs, code) => {
    const { status, code: why } = await refusal(find(pairs))
    expect([status, why]).toEqual([400, code])
  })

  it('lets a limited caller see nothing of types that it may not read', async () => {
    ctx = {
      ...ctx,
      principal: { id: 'x', grants: { read: new Set(['Appointment', 'Schedule']), write: new Set() } },
    }
    expect((await refusal(find())).status).toBe(403)
  })

  it('reads slots of the window alone, however many there are beside it, and no more than it can look at', async () => {
    const others = Array.from({ length: 5001 }, (_, i) => {
      const at = Date.parse('2027-01-01T00:00:00Z') + i * 900_000
      const [start, end] = [at, at + 900_000].map(one => new Date(one).toISOString())
      return {
        resourceType: 'Slot',
        id: `x${i}`,
        schedule: to('Schedule/anjali'),
        status: 'free',
        start,
        end,
      }
    })
    await storeAll(ctx, others)
    let slots = 0
    const { storage } = ctx
    const search: typeof storage.search = async (plan, options) => {
      const page = await storage.search(plan, options)
      if (plan.types.includes('Slot')) slots += page.rows.length
      return page
    }
    ctx = { ...ctx, storage: Object.assign(Object.create(storage), { search }) }
    expect(await found()).toEqual(['a1', 't1', 'a2'])
    expect(slots).toBe(3)
    const tooMany = await refusal(find({ start: '2027-01-01', end: '2027-03-31' }))
    expect([tooMany.status, tooMany.code]).toEqual([400, 'too-costly'])
  })
})
