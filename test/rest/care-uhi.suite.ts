/** The behaviours that clients of the Care UHI plugin rely on, on any storage. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Clinic,
  type Consumer,
  fullContext,
  type Open,
  openWorld,
  startConsumer,
  type World,
} from './care-uhi-world.ts'
import type { Tree } from './client.ts'

/** Declares the suite; `open` gives a new store. `brief` leaves out what no storage decides. */
export function careUhiSuite(open: Open, { brief = false } = {}): void {
  const alsoIt = (name: string, run: () => Promise<void>): void => {
    if (!brief) it(name, run)
  }
  let world: World
  let consumer: Consumer
  let people = 0
  /** A clinic for those who change nothing of its calendar that another looks at. */
  let known: Promise<Clinic> | undefined
  const anyClinic = (): Promise<Clinic> => {
    known ??= world.clinic()
    return known
  }
  beforeAll(async () => {
    world = await openWorld(open)
    consumer = await startConsumer()
  }, 60_000)
  afterAll(async () => {
    await consumer.close()
    await world.close()
  })

  const context = { message_id: 'm-1', transaction_id: 't-1' }
  const someone = (name = 'Meera Nair'): Tree => ({
    name,
    phone_number: `98765${String(++people).padStart(5, '0')}`,
    gender: 'female',
  })
  const third = (action: string, message: Tree) => world.uhi(`/appointment/${action}/`, { context, message })
  const confirm = (clinic: Clinic, slot: string, patient: Tree) =>
    third('confirm', { provider_id: clinic.org, fulfillment_id: slot, patient })
  const booked = async (clinic: Clinic, slot: string, patient: Tree): Promise<Tree> => {
    const answer = await confirm(clinic, slot, patient)
    expect(answer.status, answer.text).toBe(200)
    return answer.body.message
  }
  const read = async (path: string): Promise<Tree> => (await world.fhir('GET', path)).body
  const found = async (query: string): Promise<Tree[]> =>
    ((await read(query)).entry ?? []).map((entry: Tree) => entry.resource)
  const freeIn = async (clinic: Clinic, more: Tree = { doctor_id: clinic.doctor }): Promise<string[]> => {
    const answer = await third('select', { provider_id: clinic.org, ...more })
    expect(answer.status, answer.text).toBe(200)
    return answer.body.message.providers[0].fulfillments.map((one: Tree) => one.id)
  }

  describe('search and select', () => {
    it('search, by GET and by POST, lists facilities with a live schedule, their departments and people', async () => {
      const clinic = await world.clinic()
      const closed = await world.clinic()
      for (const id of [closed.schedule, closed.otherSchedule]) {
        const schedule = await read(`Schedule/${id}`)
        await world.fhir('PUT', `Schedule/${id}`, { ...schedule, active: false })
      }
      const one = (await world.ask('GET', `/uhi/appointment/search/?provider_id=${clinic.org}`)).body
      expect(one.descriptor.name).toBe('Nadi')
      expect(one.providers).toEqual([
        {
          id: clinic.org,
          descriptor: {
            name: 'Thanal Family Clinic',
            short_desc: 'Care near the river',
            phone: '+91 00000 00001',
          },
          location: {
            id: clinic.place,
            gps: '9.944,76.349',
            address: '1 Banyan Lane, Thrippunithura, Kerala, 682301',
          },
          departments: [
            {
              id: clinic.department,
              name: 'General medicine',
              description: 'Fever and all else',
              practitioners: [
                {
                  id: clinic.doctor,
                  name: 'Dr Anjali Menon',
                  role: 'Doctor',
                  departments: [{ id: clinic.department, name: 'General medicine' }],
                },
              ],
            },
            { id: `${clinic.org}-lab`, name: 'Blood laboratory', description: '', practitioners: [] },
            {
              id: 'unassigned',
              name: 'General',
              description: '',
              practitioners: [
                { id: clinic.other, name: 'Dr Thomas Kurian', role: 'Doctor', departments: [] },
              ],
            },
          ],
        },
      ])
      const ids = (body: Tree): string[] => body.providers.map((provider: Tree) => provider.id)
      const all = (await world.ask('GET', '/uhi/appointment/search/')).body
      expect(ids(all)).toContain(clinic.org)
      expect(ids(all)).not.toContain(closed.org)
      expect((await world.uhi('/appointment/search/', {})).body).toEqual(all)
      expect((await world.ask('GET', '/uhi/appointment/search/?provider_id=nowhere')).body).toEqual({
        providers: [],
      })
    })

    it('select hides past and full slots, takes a window, and finds by doctor and by department', async () => {
      const clinic = await world.clinic()
      const { first, second, wide, other } = clinic.slots
      expect(await freeIn(clinic)).toEqual([first, second, wide])
      expect(await freeIn(clinic, { doctor_id: clinic.other })).toEqual([other])
      expect(await freeIn(clinic, { department_id: clinic.department })).toEqual([first, second, wide])
      await booked(clinic, first, someone())
      await booked(clinic, wide, someone())
      expect(await freeIn(clinic)).toEqual([second, wide])
      const time = (timestamp: string) => ({ time: { timestamp } })
      const fulfillment = {
        start: time('2026-11-23T09:30:00+05:30'),
        end: time('2026-11-23T10:00:00+05:30'),
      }
      expect(await freeIn(clinic, { doctor_id: clinic.doctor, fulfillment })).toEqual([wide])
    })
  })

  describe('booking', () => {
    alsoIt('answers with patient, agent, times, token, price and the context of the question', async () => {
      // 300 and 5 % of it, 12.50 less.
      const price = [
        { type: 'base', code: { text: 'Consultation' }, amount: { value: 300, currency: 'INR' } },
        { type: 'tax', code: { text: 'Cess' }, factor: 0.05 },
        { type: 'discount', code: { text: 'Camp' }, amount: { value: 12.5, currency: 'INR' } },
      ]
      const clinic = await world.clinic({ price })
      const patient = {
        ...someone(),
        date_of_birth: '1988-04-12',
        address: '42 Temple Pond Road',
        blood_group: 'B+',
        pincode: 682301,
        abha_number: '91-0000-0000-0018',
      }
      const answer = await confirm(clinic, clinic.slots.wide, patient)
      const { context: about, message } = answer.body
      expect(about).toEqual({
        domain: 'nic2004:85110',
        country: 'IND',
        city: '',
        action: 'confirm',
        core_version: '0.0.1',
        ...context,
      })
      expect(message.status).toBe('booked')
      expect(message.token).toBe('GC - 1')
      expect(message.patient).toEqual({
        id: expect.any(String),
        name: 'Meera Nair',
        gender: 'female',
        phone_number: `+91${patient.phone_number}`,
        date_of_birth: '1988-04-12',
        address: '42 Temple Pond Road',
      })
      expect(message.fulfillment).toMatchObject({
        id: clinic.slots.wide,
        type: 'physical',
        start: { time: { timestamp: '2026-11-23T09:40:00+05:30' } },
        end: { time: { timestamp: '2026-11-23T10:00:00+05:30' } },
      })
      expect(message.item).toEqual({
        id: clinic.schedule,
        descriptor: {
          name: 'Consultation with Dr Menon',
          code: 'CONSULTATION',
          charge_item_desc: 'Consultation fee',
          charge_item_long_desc: 'First visit of a new illness',
        },
        price: { currency: 'INR', value: '302.50' },
        fulfillment_id: clinic.slots.wide,
        slot_type: 'appointment',
        slot_duration_minutes: 20,
      })
      expect(message.quote).toEqual({
        price: { currency: 'INR', value: '302.50' },
        breakup: [
          { title: 'Consultation', price: { currency: 'INR', value: '300' } },
          { title: 'Cess', price: { currency: 'INR', value: '15' } },
          { title: 'Camp', price: { currency: 'INR', value: '-12.50' } },
        ],
      })
      const appointment = await read(`Appointment/${message.order_id}`)
      expect(appointment.status).toBe('booked')
      const order = encodeURIComponent(`urn:nadi:care-uhi:order|${message.order_id}`)
      const [invoice] = await found(`Invoice?identifier=${order}`)
      expect([invoice.status, String(invoice.totalGross.value)]).toEqual(['issued', '302.5'])
      const stored = await read(`Patient/${message.patient.id}`)
      expect(stored.extension).toEqual([{ url: 'urn:nadi:extension:blood-group', valueCode: 'B_positive' }])

      await third('cancel', { order_id: message.order_id })
      const [cancelled] = await found(`Invoice?identifier=${order}`)
      const [charge] = await found(`ChargeItem?identifier=${order}`)
      expect([cancelled.status, charge.status]).toEqual(['cancelled', 'aborted'])
    })

    alsoIt('gives tokens 1, 2, 3 in the queue of a doctor and day', async () => {
      const clinic = await world.clinic()
      const { wide } = clinic.slots
      const tokens: string[] = []
      for (const patient of [someone(), someone(), someone()])
        tokens.push((await booked(clinic, wide, patient)).token)
      expect(tokens).toEqual(['GC - 1', 'GC - 2', 'GC - 3'])
    })

    it('of many who race for the last place one wins, and all others hear that the slot is full', async () => {
      const clinic = await world.clinic()
      const answers = await Promise.all(
        Array.from({ length: brief ? 4 : 12 }, () => confirm(clinic, clinic.slots.first, someone())),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      for (const { status, body } of answers.filter(one => one.status !== 200))
        expect([status, body]).toEqual([422, { error: 'Slot is already full' }])
    })

    it('of many who race for three places three win, with the tokens 1 to 3', async () => {
      const clinic = await world.clinic()
      const answers = await Promise.all(
        Array.from({ length: brief ? 4 : 9 }, () => confirm(clinic, clinic.slots.wide, someone())),
      )
      const won = answers.filter(({ status }) => status === 200).map(({ body }) => body.message.token)
      expect(won.sort()).toEqual(['GC - 1', 'GC - 2', 'GC - 3'])
      for (const { status, body } of answers.filter(one => one.status !== 200))
        expect([status, body]).toEqual([422, { error: 'Slot is already full' }])
    })

    it('cancel frees the slot, and is refused the second time', async () => {
      const clinic = await anyClinic()
      const { order_id } = await booked(clinic, clinic.slots.first, someone())
      expect(await freeIn(clinic)).not.toContain(clinic.slots.first)
      const answer = await third('cancel', { order_id })
      expect([answer.status, answer.body.message.status]).toEqual([200, 'cancelled'])
      expect(await freeIn(clinic)).toContain(clinic.slots.first)
      const again = await third('cancel', { order_id })
      expect([again.status, again.body]).toEqual([
        422,
        { error: "Booking is already 'cancelled' and cannot be cancelled" },
      ])
      await booked(clinic, clinic.slots.first, someone())
    })

    it('reschedule makes a new order with a new token; the old one says rescheduled, and its place is free', async () => {
      const clinic = await world.clinic()
      const old = await booked(clinic, clinic.slots.first, someone())
      const answer = await third('reschedule', {
        order_id: old.order_id,
        fulfillment_id: clinic.slots.second,
      })
      const { message } = answer.body
      expect([answer.status, message.status, message.token], answer.text).toEqual([200, 'booked', 'GC - 2'])
      expect(message.order_id).not.toBe(old.order_id)
      expect(message.patient).toEqual(old.patient)
      const before = await third('status', { order_id: old.order_id })
      expect(before.body.message.status).toBe('rescheduled')
      const told = async (id: string): Promise<string[]> =>
        (await found(`Communication?identifier=urn:nadi:message-about|Appointment/${id}`))
          .filter(one => one.recipient[0].reference === `Patient/${old.patient.id}`)
          .map(one => one.category[0].coding[0].code)
          .filter(code => code !== 'queue')
      expect([await told(old.order_id), await told(message.order_id)]).toEqual([['booked'], ['rescheduled']])
      const appointment = await read(`Appointment/${old.order_id}`)
      expect([appointment.status, appointment.cancelationReason.coding[0].code]).toEqual([
        'cancelled',
        'rescheduled',
      ])
      expect(await freeIn(clinic)).toEqual([clinic.slots.first, clinic.slots.wide])
      const twice = await third('reschedule', {
        order_id: old.order_id,
        fulfillment_id: clinic.slots.first,
      })
      expect([twice.status, twice.body]).toEqual([
        422,
        { error: "Booking is already 'rescheduled' and cannot be rescheduled" },
      ])
    })

    alsoIt('status of an appointment has the name that Care has for it', async () => {
      const clinic = await world.clinic()
      for (const [status, wanted] of [
        ['arrived', 'arrived'],
        ['checked-in', 'checked_in'],
        ['fulfilled', 'fulfilled'],
        ['noshow', 'noshow'],
        ['entered-in-error', 'entered_in_error'],
      ]) {
        const { order_id } = await booked(clinic, clinic.slots.wide, someone())
        const appointment = await read(`Appointment/${order_id}`)
        await world.fhir('PUT', `Appointment/${order_id}`, { ...appointment, status })
        expect((await third('status', { order_id })).body.message.status).toBe(wanted)
        const now = await read(`Appointment/${order_id}`)
        await world.fhir('PUT', `Appointment/${order_id}`, { ...now, status: 'entered-in-error' })
      }
    })

    alsoIt('status of a patient who is with the doctor is in_consultation', async () => {
      const clinic = await world.clinic()
      const { order_id, patient } = await booked(clinic, clinic.slots.first, someone())
      const appointment = await read(`Appointment/${order_id}`)
      await world.fhir('PUT', `Appointment/${order_id}`, { ...appointment, status: 'arrived' })
      await world.fhir('POST', 'Encounter', {
        resourceType: 'Encounter',
        status: 'in-progress',
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
        subject: { reference: `Patient/${patient.id}` },
        appointment: [{ reference: `Appointment/${order_id}` }],
      })
      expect((await third('status', { order_id })).body.message.status).toBe('in_consultation')
    })

    alsoIt('shows nobody an appointment that did not come by this door', async () => {
      const clinic = await world.clinic()
      const { order_id } = await booked(clinic, clinic.slots.first, someone())
      const { identifier: _, id, meta, slot, ...rest } = await read(`Appointment/${order_id}`)
      await third('cancel', { order_id })
      const own = await world.fhir('POST', 'Appointment', rest)
      expect(own.status, own.text).toBe(201)
      for (const action of ['status', 'cancel']) {
        const answer = await third(action, { order_id: own.body.id })
        expect([answer.status, answer.body]).toEqual([422, { error: `Order ${own.body.id} not found` }])
      }
    })
  })

  describe('patients', () => {
    const patientOf = async (clinic: Clinic, patient: Tree): Promise<string> => {
      const { order_id, patient: block } = await booked(clinic, clinic.slots.wide, patient)
      await third('cancel', { order_id })
      return block.id
    }

    alsoIt('who have the same telephone, however written, and the same folded name are one', async () => {
      const clinic = await world.clinic()
      const phone = someone().phone_number
      const first = await patientOf(clinic, { name: 'Meera Nair', phone_number: phone })
      const again = { name: '  MEERA   naír ', phone_number: `+91-${phone.slice(0, 5)} ${phone.slice(5)}` }
      expect(await patientOf(clinic, again)).toBe(first)
      // As a clinic may have written it down.
      const patient = await read(`Patient/${first}`)
      const telecom = [{ system: 'phone', value: `+91 ${phone.slice(0, 5)} ${phone.slice(5)}` }]
      await world.fhir('PUT', `Patient/${first}`, { ...patient, telecom })
      expect(await patientOf(clinic, { name: 'Meera Nair', phone_number: phone })).toBe(first)
    })

    alsoIt('whose birth, gender or ABHA contradicts are two, and a Task asks the clerk', async () => {
      const clinic = await world.clinic()
      const base = { ...someone(), year_of_birth: 1988, abha_number: '91-0000-0000-0018' }
      const first = await patientOf(clinic, base)
      for (const other of [
        { ...base, year_of_birth: 1999 },
        { ...base, year_of_birth: undefined, date_of_birth: '1961-01-01' },
        { ...base, gender: 'male' },
        { ...base, abha_number: '91-0000-0000-0026' },
        { ...base, name: 'Meera Nair Menon' },
      ]) {
        const second = await patientOf(clinic, other)
        expect(second).not.toBe(first)
        const [task] = await found(
          `Task?patient=Patient/${second}&code=urn:nadi:codes:task|possible-duplicate`,
        )
        expect([task.status, task.focus.reference]).toEqual([
          'requested',
          expect.stringMatching(/^Patient\//),
        ])
      }
      expect(await patientOf(clinic, { ...base, date_of_birth: '1988-04-12' })).toBe(first)
      expect(await patientOf(clinic, { name: base.name, phone_number: base.phone_number })).toBe(first)
    })

    it('who come for the first time twice at once are made once', async () => {
      const clinic = await world.clinic()
      const patient = someone()
      const { first, other } = clinic.slots
      const answers = await Promise.all([confirm(clinic, first, patient), confirm(clinic, other, patient)])
      const ids = answers.map(({ body }) => body.message.patient.id)
      expect(ids[0]).toBe(ids[1])
    })
  })

  describe('the first generation', () => {
    const billing = () => ({ ...someone('Abdul Rahman'), gender: 'male', geo_organization: 'Ernakulam' })
    /** Sends a request of a transaction and returns what the consumer was called with. */
    const flow = (transaction_id: string) => async (action: string, message: Tree) => {
      const sent = fullContext(action, { transaction_id, consumer_uri: consumer.uri })
      const answer = await world.uhi(`/appointment/${action}/`, { context: sent, message })
      expect([answer.status, answer.body], answer.text).toEqual([
        200,
        { message: { ack: { status: 'ACK' } } },
      ])
      const before = consumer.calls.length
      await world.work()
      expect(consumer.calls.length).toBe(before + 1)
      const { path, body } = consumer.calls.at(-1)!
      expect(path).toBe(`/consumer/on_${action}`)
      expect(body.context).toEqual({
        ...sent,
        version: '1.1.0',
        action: `on_${action}`,
        provider_id: 'care-hspa',
        provider_uri: '',
      })
      return body.message
    }
    const orderFor = (clinic: Clinic, slot: string) => ({
      provider_id: clinic.org,
      item_id: clinic.schedule,
      fulfillment_id: slot,
    })

    it('acknowledges and calls back from search to cancel, and closes the transaction', async () => {
      const clinic = await world.clinic()
      const { first, second, wide } = clinic.slots
      const transaction = crypto.randomUUID()
      const ask = flow(transaction)
      const catalog = await ask('search', { intent: { provider_id: clinic.org } })
      const [provider] = catalog.providers
      expect(provider.id).toBe(clinic.org)
      expect(provider.fulfillments.map((one: Tree) => one.id)).toEqual([
        first,
        second,
        wide,
        clinic.slots.other,
      ])
      expect(await ask('search', { intent: { provider_id: 'nowhere' } })).toEqual({ providers: [] })

      const { order } = await ask('select', { order: orderFor(clinic, first) })
      expect([order.provider.id, order.items[0].id, order.fulfillments[0].id]).toEqual([
        clinic.org,
        clinic.schedule,
        first,
      ])
      expect(order.quote).toEqual({ price: { currency: 'INR', value: '0' }, breakup: [] })

      const made = await ask('init', { order: orderFor(clinic, first), billing: billing() })
      expect(made.status).toBe('initialized')
      expect(made.billing).toMatchObject({
        name: 'Abdul Rahman',
        gender: 'male',
        geo_organization: 'Ernakulam',
      })
      expect(made.terms).toEqual([
        {
          type: 'cancellation',
          descriptor: { code: 'CANCELLATION', name: expect.any(String) },
          info: 'Free cancellation up to 2 hours before the appointment. No refund for late cancellation.',
          terms_state: 'proposed',
        },
        {
          type: 'refund',
          descriptor: { code: 'REFUND', name: expect.any(String) },
          info: 'Full refund if cancelled within the allowed period. Partial refund for no-shows.',
          terms_state: 'proposed',
        },
        {
          type: 'payment',
          descriptor: { code: 'PAYMENT', name: expect.any(String) },
          info: 'Payment is collected at the facility before the consultation.',
          terms_state: 'proposed',
        },
        {
          type: 'settlement',
          descriptor: { code: 'SETTLEMENT', name: expect.any(String) },
          info: 'Settlement processed within 3 business days of consultation.',
          terms_state: 'proposed',
        },
      ])
      expect(await freeIn(clinic)).not.toContain(first)

      const terms = ['cancellation', 'refund'].map(type => ({ type, terms_state: 'agreed' }))
      const confirmed = await ask('confirm', { order_id: made.id, terms })
      expect(confirmed.status).toBe('active')
      expect(confirmed.terms.map((term: Tree) => term.terms_state)).toEqual([
        'agreed',
        'agreed',
        'proposed',
        'proposed',
      ])
      expect((await third('status', { order_id: made.id })).body.message.status).toBe('booked')
      expect(await ask('status', { order_id: made.id })).toEqual(confirmed)

      const cancelled = await ask('cancel', { order_id: made.id })
      expect(cancelled.status).toBe('cancelled')
      expect(await freeIn(clinic)).toContain(first)
      const late = await world.uhi('/appointment/select/', {
        context: fullContext('select', { transaction_id: transaction, consumer_uri: consumer.uri }),
        message: { order: orderFor(clinic, first) },
      })
      expect([late.status, late.body.error.message]).toEqual([
        422,
        `Transaction ${transaction} is already closed and cannot accept new requests`,
      ])
      expect((await ask('status', { order_id: made.id })).status).toBe('cancelled')
    })

    alsoIt('answers with the same result where consumer_uri is empty', async () => {
      const clinic = await world.clinic()
      const transaction_id = crypto.randomUUID()
      const ask = async (action: string, message: Tree, consumer_uri: string) => {
        const sent = fullContext(action, { transaction_id, consumer_uri })
        return { sent, answer: await world.uhi(`/appointment/${action}/`, { context: sent, message }) }
      }
      const message = { intent: { provider_id: clinic.org } }
      const { sent, answer } = await ask('search', message, '')
      expect(answer.body.context).toEqual({
        ...sent,
        version: '1.1.0',
        action: 'on_search',
        provider_id: 'care-hspa',
        provider_uri: '',
      })
      expect(answer.body.message).toEqual(await flow(transaction_id)('search', message))
      const calls = consumer.calls.length
      const init = await ask('init', { order: orderFor(clinic, clinic.slots.first), billing: billing() }, '')
      expect([init.answer.status, init.answer.body.message.status]).toEqual([200, 'initialized'])
      await world.work()
      expect(consumer.calls.length).toBe(calls)
    })

    it('takes a message that comes twice once, and no message_id a second time elsewhere', async () => {
      const clinic = await anyClinic()
      const sent = fullContext('init', { consumer_uri: consumer.uri })
      const body = {
        context: sent,
        message: { order: orderFor(clinic, clinic.slots.wide), billing: billing() },
      }
      const before = consumer.calls.length
      const answers = await Promise.all([1, 2, 3].map(() => world.uhi('/appointment/init/', body)))
      for (const answer of answers) expect(answer.body).toEqual({ message: { ack: { status: 'ACK' } } })
      await world.work()
      await world.uhi('/appointment/init/', body)
      await world.work()
      expect(consumer.calls.length).toBe(before + 1)
      const slot = `slot=Slot/${clinic.slots.wide}`
      expect(await found(`Appointment?${slot}`)).toHaveLength(1)
      const elsewhere = await world.uhi('/appointment/search/', {
        context: { ...fullContext('search', { consumer_uri: consumer.uri }), message_id: sent.message_id },
        message: { intent: {} },
      })
      expect([elsewhere.status, elsewhere.body.error.message]).toEqual([
        400,
        'context → message_id: The message_id was used before',
      ])
    })

    alsoIt('a second init of a transaction lets go of what the first held', async () => {
      const clinic = await world.clinic()
      const ask = flow(crypto.randomUUID())
      const person = billing()
      const first = await ask('init', { order: orderFor(clinic, clinic.slots.first), billing: person })
      const second = await ask('init', { order: orderFor(clinic, clinic.slots.second), billing: person })
      expect(second.id).not.toBe(first.id)
      expect(await freeIn(clinic)).toEqual([clinic.slots.first, clinic.slots.wide])
    })

    it('calls back again, three times ten seconds apart, and then no more', async () => {
      const clinic = await anyClinic()
      const context = fullContext('search', { consumer_uri: consumer.uri })
      const message = { intent: { provider_id: clinic.org } }
      consumer.answers.push(500, 503, { status: 302, location: `${consumer.uri}/elsewhere` }, 404)
      const before = consumer.calls.length
      await world.uhi('/appointment/search/', { context, message })
      const seen: number[] = []
      const start = world.now
      for (const seconds of [0, 9.9, 10, 19.9, 20, 29.9, 30, 120]) {
        world.now = start + seconds * 1000
        await world.work()
        seen.push(consumer.calls.length - before)
      }
      consumer.answers.length = 0
      expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4])
      expect(consumer.calls.slice(before).every(({ path }) => path === '/consumer/on_search')).toBe(true)
      const task = await read(`Task/${context.transaction_id}-search`)
      expect([task.businessStatus.coding[0].code, task.businessStatus.text]).toEqual([
        'undelivered',
        'The consumer answered 404',
      ])
    })

    alsoIt('does the work once though the callback is lost and tried again', async () => {
      const clinic = await world.clinic()
      const transaction_id = crypto.randomUUID()
      const context = fullContext('init', { transaction_id, consumer_uri: consumer.uri })
      consumer.answers.push(500)
      await world.uhi('/appointment/init/', {
        context,
        message: { order: orderFor(clinic, clinic.slots.wide), billing: billing() },
      })
      await world.work()
      world.now += 10_000
      await world.work()
      const [lost, second] = consumer.calls.slice(-2)
      expect(second!.body).toEqual(lost!.body)
      expect(await found(`Appointment?slot=Slot/${clinic.slots.wide}`)).toHaveLength(1)
    })
  })

  describe('emergencies', () => {
    const send = (clinic: Clinic, patient: Tree, more: Tree = {}) =>
      world.uhi('/emergency_request/', { provider_id: clinic.org, patient, ambulance: {}, ...more })

    alsoIt('tells the staff at once, and answers with the reason line by line', async () => {
      const clinic = await anyClinic()
      const patient = someone()
      const ambulance = {
        vehicle_number: 'KL 07 AB 1234',
        driver_name: 'Ravi',
        driver_phone: '+91 00000 00009',
        eta_minutes: 12,
        notes: 'Chest pain',
      }
      const answer = await send(clinic, patient, { ambulance, title: 'Heart' })
      expect([answer.status, answer.body], answer.text).toEqual([
        200,
        {
          resource_request: {
            id: expect.any(String),
            title: 'Heart',
            status: 'transfer_in_progress',
            emergency: true,
            reason:
              'Emergency ambulance incoming.\nVehicle: KL 07 AB 1234\nDriver: Ravi\nDriver Phone: +91 00000 00009\nETA: 12 minutes\nNotes: Chest pain',
            category: 'patient_care',
            priority: 1,
          },
          facility: { id: clinic.org, name: 'Thanal Family Clinic' },
          patient: { id: expect.any(String), name: 'Meera Nair', phone_number: `+91${patient.phone_number}` },
          ambulance,
        },
      ])
      const { id } = answer.body.resource_request
      const told = await found(
        `Communication?category=urn:nadi:codes:message-event|emergency&subject=Patient/${answer.body.patient.id}`,
      )
      expect(told.map(one => one.recipient[0].reference).sort()).toEqual(
        [
          `Organization/${clinic.org}`,
          `Practitioner/${clinic.doctor}`,
          `Practitioner/${clinic.other}`,
        ].sort(),
      )
      expect(told[0].payload[0].contentString).toContain('KL 07 AB 1234')
      const task = await read(`Task/${id}`)
      expect([task.status, task.priority, task.owner.reference]).toEqual([
        'requested',
        'stat',
        `Organization/${clinic.org}`,
      ])
    })

    it('is one for a patient until a clerk has closed it', async () => {
      const clinic = await anyClinic()
      const elsewhere = await world.clinic()
      const patient = someone()
      const active = { error: 'An active emergency request already exists for this patient' }
      const first = await send(clinic, patient)
      expect(first.status, first.text).toBe(200)
      expect((await send(elsewhere, patient)).body).toEqual(active)
      const path = `Task/${first.body.resource_request.id}`
      for (const status of ['accepted', 'in-progress']) {
        await world.fhir('PUT', path, { ...(await read(path)), status })
        const again = await send(clinic, patient)
        expect([again.status, again.body]).toEqual([400, active])
      }
      await world.fhir('PUT', path, { ...(await read(path)), status: 'completed' })
      expect((await send(clinic, patient)).status).toBe(200)
    })

    alsoIt(
      'knows a patient by ABHA whatever the telephone, and tells two ABHAs of one telephone and name apart',
      async () => {
        const clinic = await anyClinic()
        const patient = { ...someone(), abha_number: '91-1111-2222-3333' }
        expect((await send(clinic, patient)).status).toBe(200)
        const moved = { ...patient, phone_number: someone().phone_number }
        expect((await send(clinic, moved)).status).toBe(400)
        expect((await send(clinic, { ...patient, abha_number: '91-1111-2222-4444' })).status).toBe(200)
        expect((await send(clinic, { name: patient.name, phone_number: patient.phone_number })).status).toBe(
          400,
        )
      },
    )

    const CROWD = brief ? 12 : 50
    const race = async (clinic: Clinic, patient: Tree, requests: number): Promise<void> => {
      const answers = await Promise.all(Array.from({ length: requests }, () => send(clinic, patient)))
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, ...new Array(requests - 1).fill(400)])
      const phone = encodeURIComponent(`+91${patient.phone_number}`)
      const [only, ...others] = await found(`Patient?phone=${phone}`)
      expect(others).toEqual([])
      expect(await found(`Task?patient=Patient/${only.id}&code=urn:nadi:codes:task|emergency`)).toHaveLength(
        1,
      )
    }

    it(`of ${CROWD} requests for one patient at once one is taken, and one Task is made`, async () => {
      const clinic = await anyClinic()
      const patient = someone('Abdul Rahman')
      await booked(clinic, clinic.slots.wide, patient)
      await race(clinic, patient, CROWD)
    })

    alsoIt('of 10 for a patient who was never here one is taken, and one Patient is made', async () => {
      await race(await world.clinic(), someone('Abdul Rahman'), 10)
    })
  })

  alsoIt(
    'service_availability finds by part of a name, all names at once, pincode and facility',
    async () => {
      const clinic = await world.clinic()
      const names = async (body: Tree): Promise<string[]> => {
        const answer = await world.uhi('/service_availability/', { provider_id: clinic.org, ...body })
        return answer.body.providers.flatMap((one: Tree) => one.services.map((service: Tree) => service.name))
      }
      expect(await names({ services: 'LABOR' })).toEqual(['Blood laboratory'])
      expect(await names({ services: ['blood', 'general'] })).toEqual([
        'General medicine',
        'Blood laboratory',
      ])
      expect(await names({ services: ['blood', 'dental'] })).toEqual([])
      expect(await names({ pincode: 682301 })).toHaveLength(2)
      expect(await names({ pincode: '682301', services: [] })).toHaveLength(2)
      expect(await names({ pincode: 682302 })).toEqual([])
      const { body } = await world.uhi('/service_availability/', { services: 'blood lab' })
      const found = body.providers.find((one: Tree) => one.id === clinic.org)
      expect(found.services).toEqual([
        {
          id: `${clinic.org}-lab`,
          name: 'Blood laboratory',
          managing_department: { id: `${clinic.org}-dept`, name: 'Thanal Laboratory' },
        },
      ])
    },
  )
}
