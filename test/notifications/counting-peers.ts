/** A mail server and a provider of text messages that count what they accept, and fail, hang, are slow and answer garbage now and then. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { type Reply, startPeer } from './peer.ts'

export interface CountingPeers {
  /** Who delivered what: `email KEY` or `sms KEY`, and the names of the processes in the order of acceptance. */
  accepted: ReadonlyMap<string, readonly string[]>
  /** Settings of a process by which the peers know it. */
  env(name: string): Record<string, string>
  close(): Promise<void>
}

const SLOW_MS = 200

/** Starts both. Of the first attempts every fifth goes wrong in one way or another; `hangEvery` of them get no answer at all. */
export async function startCountingPeers({ hangEvery }: { hangEvery: number }): Promise<CountingPeers> {
  const accepted = new Map<string, string[]>()
  const seen = new Set<string>()
  const mood = (message: string): 'fine' | 'fails' | 'hangs' | 'slow' | 'garbage' => {
    const n = seen.size
    if (seen.has(message)) return 'fine'
    seen.add(message)
    if (n % hangEvery === 3) return 'hangs'
    return ({ 5: 'fails', 10: 'garbage', 15: 'slow' } as const)[n % 20] ?? 'fine'
  }
  const accept = (message: string, by: string): void => {
    accepted.set(message, [...(accepted.get(message) ?? []), by])
  }

  const provider = await startPeer(async ({ path }): Promise<Reply> => {
    const asked = new URL(path, 'http://x').searchParams
    const message = `sms ${asked.get('key')}`
    const how = mood(message)
    if (how === 'hangs') return 'hang'
    if (how === 'garbage') return 'garbage'
    if (how === 'fails') return { status: 503 }
    if (how === 'slow') await new Promise(resolve => setTimeout(resolve, SLOW_MS))
    accept(message, asked.get('by') ?? '')
    return { status: 200, body: 'sent' }
  })

  const sockets = new Map<number, Socket>()
  const mails = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    async onData(stream, session, done) {
      // Whoever sends may be killed in the middle of it.
      const mail = await text(stream).catch(() => undefined)
      if (mail === undefined) return done(new Error('not all of it came'))
      const message = `email ${/^Message-ID: <([^@>]+)@/m.exec(mail)?.[1]}`
      const how = mood(message)
      if (how === 'hangs') return
      if (how === 'garbage') return void sockets.get(session.remotePort)?.end('\u0000\u0001 no SMTP \r\n')
      if (how === 'fails') return done(Object.assign(new Error('later'), { responseCode: 451 }))
      if (how === 'slow') await new Promise(resolve => setTimeout(resolve, SLOW_MS))
      const { mailFrom } = session.envelope
      accept(message, mailFrom === false ? '' : mailFrom.address.split('@')[0]!)
      done(null, 'queued')
    },
  })
  // Of processes that were killed.
  mails.on('error', () => {})
  mails.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort!, socket))
  mails.listen(0, '127.0.0.1')
  await once(mails.server, 'listening')

  return {
    accepted,
    env: name => ({
      NADI_SMS: 'gateway',
      NADI_SMS_GATEWAY_URL: `${provider.url}/send?to={to}&key={key}&by=${name}`,
      NADI_MAIL: 'smtp',
      NADI_MAIL_FROM: `${name}@clinic.example.in`,
      NADI_SMTP_HOST: '127.0.0.1',
      NADI_SMTP_PORT: String((mails.server.address() as AddressInfo).port),
      NADI_SMTP_TLS: 'none',
      NADI_SEND_TIMEOUT_MS: '3000',
      NADI_SEND_WAIT_MS: '50',
    }),
    async close() {
      for (const socket of sockets.values()) socket.destroy()
      mails.close()
      await provider.close()
    },
  }
}

/** A patient with both addresses and a practitioner with none. */
export const PEOPLE = [
  {
    resourceType: 'Patient',
    id: 'meera',
    name: [{ text: 'Meera Pillai' }],
    telecom: [
      { system: 'phone', value: '98765 43210' },
      { system: 'email', value: 'meera@example.in' },
    ],
  },
  { resourceType: 'Practitioner', id: 'menon', name: [{ text: 'Dr Menon' }] },
]

/** Returns the booking of an hour of its own. The keys of its messages are made of its id, so each store has ids of its own. */
export function booking(n: number, store = '') {
  const start = Date.UTC(2036, 0, 1) + n * 3_600_000
  return {
    resourceType: 'Appointment',
    id: `${store}${n}`,
    status: 'booked',
    start: new Date(start).toISOString(),
    end: new Date(start + 1_200_000).toISOString(),
    participant: ['Patient/meera', 'Practitioner/menon'].map(reference => ({
      actor: { reference },
      status: 'accepted',
    })),
  }
}
