/** A booking and its reminder as a provider of text messages gets them, from a server whose ticks come from outside. */
import { expect, it } from 'vitest'
import { type Peer, startPeer } from '../notifications/peer.ts'
import { api, type Server, type Tree } from './client.ts'

export interface TextPeer {
  peer: Peer
  /** Settings of a server that sends to it. */
  vars: Record<string, string>
}

/** Starts a provider of text messages in this process. */
export async function textPeer(): Promise<TextPeer> {
  const peer = await startPeer()
  const url = `${peer.url}/send?to={to}&event={event}&key={key}&text={text}`
  return { peer, vars: { NADI_SMS: 'gateway', NADI_SMS_GATEWAY_URL: url } }
}

const HOUR = 3_600_000
const PATIENCE = 100

export function reminderSuite(server: () => Server, { peer }: TextPeer): void {
  it('a tick sends a reminder that is due, once, to the provider; the booking was sent without one', async () => {
    const client = api(server().base)
    const patient = await client.made({
      resourceType: 'Patient',
      name: [{ text: 'Meera Nair' }],
      telecom: [{ system: 'phone', value: '98765 43210' }],
    })
    const practitioner = await client.made({
      resourceType: 'Practitioner',
      name: [{ text: 'Dr Anjali Menon' }],
    })
    // Its reminder of the day before is past; that of the hour before is due in a moment.
    const due = Date.now() + 1500
    const appointment = await client.made({
      resourceType: 'Appointment',
      status: 'booked',
      start: new Date(due + HOUR).toISOString(),
      end: new Date(due + 2 * HOUR).toISOString(),
      participant: [`Patient/${patient.id}`, `Practitioner/${practitioner.id}`].map(reference => ({
        actor: { reference },
        status: 'accepted',
      })),
    })
    const heard = (): URLSearchParams[] =>
      peer.heard
        .map(({ path }) => new URL(path, peer.url).searchParams)
        .filter(asked => asked.get('to') === '+919876543210')
    const events = (): (string | null)[] => heard().map(asked => asked.get('event'))
    const until = async (count: number, act = async (): Promise<void> => {}): Promise<void> => {
      for (let i = 0; i < PATIENCE && heard().length < count; i++) {
        await act()
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
    await until(1)
    if (Date.now() < due) await server().tick?.()
    expect(events()).toEqual(['booked'])
    await new Promise(resolve => setTimeout(resolve, Math.max(0, due - Date.now())))
    await until(2, async () => server().tick?.())
    await Promise.all([0, 1].map(() => server().tick?.()))
    expect(events()).toEqual(['booked', 'reminder-1h'])
    expect(heard()[1]!.get('text')).toMatch(/^Reminder: Meera Nair .*Dr Anjali Menon/)

    const about = `identifier=urn:nadi:message-about|Appointment/${appointment.id}`
    const { body } = await client.get(`Communication?${about}`)
    expect(body.entry.map(({ resource }: Tree) => [resource.id, resource.status]).sort()).toEqual(
      heard()
        .map(asked => [asked.get('key'), 'completed'])
        .sort(),
    )
  })
}
