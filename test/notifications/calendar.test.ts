import { expect, it } from 'vitest'
import { createApp, underRules } from '../../src/app.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { createDeliver } from '../../src/notifications/deliver.ts'
import { dispatch, dispatchOptions } from '../../src/notifications/dispatch.ts'
import { accepting, type Clinic, openClinic, plain, visit } from './clinic.ts'

const HOST = '127.0.0.1:8080'

/** The properties of the first VEVENT and of the calendar, unfolded (RFC 5545 3.1), by name without parameters. */
function parsed(text: string): Record<string, string> {
  expect(text.split('\r\n').every(line => new TextEncoder().encode(line).length <= 75)).toBe(true)
  const lines = text.replace(/\r\n[ \t]/g, '').split('\r\n')
  const properties: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.search(/:(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    const name = line.slice(0, colon).split(';')[0]!
    properties[name] ??= line.slice(colon + 1)
  }
  return properties
}

async function mails(clinic: Clinic, mail: ReturnType<typeof accepting>) {
  await dispatch(clinic.ctx, { message: createDeliver([mail]) }, dispatchOptions(clinic.ctx))
  return mail.sent.splice(0).filter(one => one.to === 'meera@example.org')
}

it('a booking, its new time and its cancellation bring one calendar entry, by one UID and a growing SEQUENCE', async () => {
  const mail = accepting('email', 'email')
  const clinic = await openClinic([mail])
  await clinic.put(visit('one', '2026-11-23T10:00:00+05:30'))
  const [booked] = await mails(clinic, mail)
  expect(booked!.attachments.map(({ name, type }) => [name, type])).toEqual([
    ['appointment.ics', 'text/calendar; charset=utf-8; method=REQUEST'],
  ])
  const first = parsed(booked!.attachments[0]!.text)
  expect(first).toMatchObject({
    METHOD: 'REQUEST',
    PRODID: '-//Nadi//Appointments//EN',
    DTSTAMP: '20261121T051100Z',
    DTSTART: '20261123T043000Z',
    DTEND: '20261123T045000Z',
    SUMMARY: 'Dr Anjali Menon\\, Thanal Clinic',
    LOCATION: 'Room 1',
    STATUS: 'CONFIRMED',
    SEQUENCE: '0',
  })
  expect(first.ATTENDEE?.toLowerCase()).toContain('mailto:meera@example.org')
  expect(first.ORGANIZER?.toLowerCase()).toMatch(/^mailto:.+@.+/)

  await clinic.put(visit('one', '2026-11-23T11:00:00+05:30'))
  const [moved] = await mails(clinic, mail)
  const second = parsed(moved!.attachments[0]!.text)
  expect(second).toMatchObject({ METHOD: 'REQUEST', UID: first.UID, DTSTART: '20261123T053000Z' })
  expect(Number(second.SEQUENCE)).toBeGreaterThan(Number(first.SEQUENCE))

  await clinic.put(visit('one', '2026-11-23T11:00:00+05:30', { status: 'cancelled' }))
  const [cancelled] = await mails(clinic, mail)
  const third = parsed(cancelled!.attachments[0]!.text)
  expect(third).toMatchObject({ METHOD: 'CANCEL', UID: first.UID, STATUS: 'CANCELLED' })
  expect(Number(third.SEQUENCE)).toBeGreaterThan(Number(second.SEQUENCE))
})

it('an appointment in the place of another takes the entry of that one out of the calendar', async () => {
  const mail = accepting('email', 'email')
  const clinic = await openClinic([mail])
  await clinic.put(visit('old', '2026-11-23T10:00:00+05:30'))
  const [booked] = await mails(clinic, mail)
  await clinic.post(
    visit('old', '2026-11-23T10:00:00+05:30', {
      status: 'cancelled',
      cancelationReason: { coding: [{ system: 'urn:nadi:codes:cancellation-reason', code: 'rescheduled' }] },
    }),
    visit('new', '2026-11-24T10:00:00+05:30'),
  )
  const all = await mails(clinic, mail)
  expect(all.map(({ event }) => event)).toEqual(['rescheduled'])
  const [entry, gone] = all[0]!.attachments.map(({ text }) => parsed(text))
  expect(entry).toMatchObject({ METHOD: 'REQUEST', DTSTART: '20261124T043000Z' })
  expect(gone).toMatchObject({ METHOD: 'CANCEL', UID: parsed(booked!.attachments[0]!.text).UID })
})

it('a private feed shows the appointments of one person, under an address that can be revoked', async () => {
  const clinic = await openClinic()
  await clinic.put(visit('one', '2026-11-23T10:00:00+05:30'))
  await clinic.put(visit('gone', '2026-11-24T10:00:00+05:30'))
  await clinic.put(visit('gone', '2026-11-24T10:00:00+05:30', { status: 'cancelled' }))
  await clinic.put({ resourceType: 'Patient', id: 'other', name: [{ text: 'Somebody Else' }] })
  const app = createApp({ ctx: underRules(clinic.ctx), metrics: createMetrics('0'), urlLimit: 8000 })
  const ask = async (key: string, ...parameter: object[]): Promise<string> => {
    const response = await app.request(`http://${HOST}/fhir/${key}/$calendar-feed`, {
      method: 'POST',
      headers: { Host: HOST, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Parameters',
        parameter: [{ name: 'renew', valueBoolean: false }, ...parameter].slice(-1),
      }),
    })
    if (!response.ok) throw new Error(await response.text())
    const answer = (await response.json()) as { parameter: { valueUrl: string }[] }
    return answer.parameter[0]!.valueUrl
  }
  const address = await ask('Patient/meera')
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:8080\/console\/calendar\/Patient\/meera\/[\w-]{43}\.ics$/)
  expect(await ask('Patient/meera')).toBe(address)
  const read = (url: string) => app.request(url, { headers: { Host: HOST } })
  const feed = await read(address)
  expect([feed.status, feed.headers.get('content-type')]).toEqual([200, 'text/calendar; charset=utf-8'])
  const text = await feed.text()
  expect(text.match(/^BEGIN:VEVENT/gm)).toHaveLength(2)
  expect(text).toContain('SUMMARY:Dr Anjali Menon')
  expect(text).toContain('STATUS:CANCELLED')
  expect(await (await read(await ask('Practitioner/menon'))).text()).toContain('SUMMARY:Meera Nair')

  const wrong = address.replace(/.(?=\.ics$)/, last => (last === 'A' ? 'B' : 'A'))
  expect((await read(wrong)).status).toBe(404)
  expect((await read(address.replace('meera', 'other'))).status).toBe(404)
  const renewed = await ask('Patient/meera', { name: 'renew', valueBoolean: true })
  expect((await read(address)).status).toBe(404)
  expect((await read(renewed)).status).toBe(200)
  expect(plain(await clinic.all('Patient'))).not.toContain(new URL(renewed).pathname.split('/').at(-1))
})
