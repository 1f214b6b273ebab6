/** From a booking to people who were told, whatever the home and the storage. docs/notifications.md */
import { expect, it } from 'vitest'
import type { Api, Tree } from './client.ts'

const DAY = 86_400_000

/** `tick` does what is due now, where the server does not look each second. */
export function messagesSuite(current: () => readonly Api[], tick?: () => Promise<void>): void {
  it('a booking is told once to patient and practitioner, its reminders wait, and go with it', async () => {
    const [client, other = client!] = current() as [Api, Api?]
    const patient = await client.made({ resourceType: 'Patient', name: [{ text: 'Meera Nair' }] })
    const practitioner = await client.made({
      resourceType: 'Practitioner',
      name: [{ text: 'Dr Anjali Menon' }],
    })
    const start = Math.ceil(Date.now() / DAY) * DAY + 3 * DAY
    const participant = [`Patient/${patient.id}`, `Practitioner/${practitioner.id}`].map(reference => ({
      actor: { reference },
      status: 'accepted',
    }))
    const at = (ms: number): string => new Date(ms).toISOString()
    const appointment = await client.made({
      resourceType: 'Appointment',
      status: 'booked',
      start: at(start),
      end: at(start + 1_200_000),
      participant,
    })
    const about = `identifier=urn:nadi:message-about|Appointment/${appointment.id}`
    const found = async (query: string): Promise<Tree[]> =>
      ((await other.get(`${query}&_count=50`)).body.entry ?? []).map(({ resource }: Tree) => resource)
    const delivered = async (count: number): Promise<Tree[]> => {
      for (let i = 0; ; i++) {
        const done = await found(`Communication?${about}&status=completed`)
        if (done.length >= count || i === 100) return done
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
    const told = (all: Tree[]) =>
      all.map(one => `${one.category[0].coding[0].code} ${one.recipient[0].reference}`).sort()
    expect(told(await delivered(2))).toEqual(
      [`booked Patient/${patient.id}`, `booked Practitioner/${practitioner.id}`].sort(),
    )
    const reminders = await found(`CommunicationRequest?${about}&status=active`)
    expect(reminders.map(one => one.occurrenceDateTime).sort()).toEqual([
      at(start - DAY),
      at(start - DAY / 24),
    ])

    await other.put(`Appointment/${appointment.id}`, { ...appointment, status: 'cancelled' })
    expect(told(await delivered(4))).toHaveLength(4)
    expect(await found(`CommunicationRequest?${about}&status=active`)).toEqual([])
    expect(await found(`Communication?${about}`)).toHaveLength(4)
  })

  it('a request for later is told when its time has come', async () => {
    const [client] = current() as [Api]
    const patient = await client.made({ resourceType: 'Patient', name: [{ text: 'Meera Nair' }] })
    const request = await client.made({
      resourceType: 'CommunicationRequest',
      status: 'active',
      category: [{ coding: [{ system: 'urn:nadi:codes:message-event', code: 'note' }] }],
      subject: { reference: `Patient/${patient.id}` },
      occurrenceDateTime: new Date(Date.now() + 700).toISOString(),
      payload: [{ contentString: 'Please bring the report.' }],
    })
    expect(await client.found(`Communication?based-on=CommunicationRequest/${request.id}`)).toEqual([])
    for (let i = 0; i < 100; i++) {
      await tick?.()
      if ((await client.get(`CommunicationRequest/${request.id}`)).body.status === 'completed') break
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(await client.found(`Communication?based-on=CommunicationRequest/${request.id}`)).toHaveLength(1)
  })
}
