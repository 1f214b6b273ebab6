/** The receiving ends of messages: a mail server and a provider of text messages in this process that keep what they accept. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { startPeer } from '../notifications/peer.ts'

export const SECRETS = { mail: 'mail-server-secret', sms: 'sms-gateway-secret' }

/** A message as its receiver sees it. */
export interface Message {
  by: 'mail' | 'sms'
  to: string
  /** What the sender calls it: equal where it is sent again. */
  key: string
  /** All that a person reads of it; of a mail the subject in the first line. */
  text: string
  /** Of text messages alone, beside the text. */
  language?: string
  /** Calendar entries: their properties, without parameters. */
  calendar: Record<string, string>[]
}

export interface Receivers {
  messages: Message[]
  /** How often the provider of text messages says that it is busy, from now on. */
  busy: number
  /** Keys of what was turned away. */
  turnedAway: string[]
  /** Settings of a server that sends here. */
  env: Record<string, string>
  close(): Promise<void>
}

/** Starts both. */
export async function startReceivers(): Promise<Receivers> {
  const messages: Message[] = []
  const provider = await startPeer(({ body, headers }) => {
    const { to, key, text, language } = JSON.parse(body) as Record<'to' | 'key' | 'text' | 'language', string>
    if (headers.authorization !== `Bearer ${SECRETS.sms}`) return { status: 401 }
    if (receivers.busy > 0) {
      receivers.busy--
      receivers.turnedAway.push(key)
      return { status: 503 }
    }
    messages.push({ by: 'sms', to, key, text, language, calendar: [] })
    return { status: 200 }
  })
  const sockets = new Set<Socket>()
  const mails = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'clinic' && password === SECRETS.mail
        ? done(null, { user: username })
        : done(new Error('no')),
    async onData(stream, { envelope }, done) {
      const raw = await text(stream)
      for (const { address } of envelope.rcptTo) messages.push(mailOf(raw, address))
      done(null, 'queued')
    },
  })
  mails.server.on('connection', (socket: Socket) => sockets.add(socket))
  mails.listen(0, '127.0.0.1')
  await once(mails.server, 'listening')
  const receivers: Receivers = {
    messages,
    busy: 0,
    turnedAway: [],
    env: {
      NADI_SMS: 'gateway',
      NADI_SMS_GATEWAY_URL: `${provider.url}/send`,
      NADI_SMS_GATEWAY_BODY: '{"to":"{to}","text":"{text}","key":"{key}","language":"{language}"}',
      NADI_SMS_GATEWAY_HEADERS: `{"Authorization":"Bearer ${SECRETS.sms}"}`,
      NADI_MAIL: 'smtp',
      NADI_MAIL_FROM: 'Thanal Clinic <desk@thanal.example.org>',
      NADI_SMTP_HOST: '127.0.0.1',
      NADI_SMTP_PORT: String((mails.server.address() as AddressInfo).port),
      NADI_SMTP_TLS: 'none',
      NADI_SMTP_USER: 'clinic',
      NADI_SMTP_PASSWORD: SECRETS.mail,
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      mails.close()
      await provider.close()
    },
  }
  return receivers
}

/** Reads a mail. RFC 5322, 2045 to 2047. */
function mailOf(raw: string, to: string): Message {
  const parts = partsOf(raw)
  const words = parts.filter(({ type }) => type.startsWith('text/plain')).map(({ body }) => body)
  const [head = ''] = raw.split('\r\n\r\n', 1)
  return {
    by: 'mail',
    to,
    key: /^<([^@>]+)@/.exec(field(head, 'Message-ID'))?.[1] ?? '',
    text: [decodedWords(field(head, 'Subject')), ...words].join('\n'),
    calendar: parts.filter(({ type }) => type.startsWith('text/calendar')).map(({ body }) => entryOf(body)),
  }
}

const unfolded = (head: string): string => head.replace(/\r\n[ \t]+/g, ' ')

const field = (head: string, name: string): string =>
  new RegExp(`^${name}: *(.*)$`, 'im').exec(unfolded(head))?.[1] ?? ''

function partsOf(raw: string): { type: string; body: string }[] {
  const at = raw.indexOf('\r\n\r\n')
  const [head, body] = [raw.slice(0, at), raw.slice(at + 4)]
  const type = field(head, 'Content-Type')
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary !== undefined)
    return body
      .split(`--${boundary}`)
      .slice(1, -1)
      .flatMap(part => partsOf(part.replace(/^\r\n/, '')))
  const coding = field(head, 'Content-Transfer-Encoding').toLowerCase()
  if (coding === 'base64') return [{ type, body: Buffer.from(body, 'base64').toString() }]
  return [{ type, body: coding === 'quoted-printable' ? unquoted(body.replace(/=\r\n/g, '')) : body }]
}

const unquoted = (printable: string): string =>
  Buffer.from(
    printable.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()

/** A letter may be spread over two words, which stand side by side then. */
function decodedWords(value: string): string {
  return value.replace(/(?:=\?utf-8\?[bq]\?[^?]*\?=\s*)+/gi, words => {
    const bytes = [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, coding, one]) =>
      coding!.toLowerCase() === 'b'
        ? Buffer.from(one!, 'base64')
        : Buffer.from(unquotedBytes(one!.replaceAll('_', ' ')), 'latin1'),
    )
    return Buffer.concat(bytes).toString()
  })
}

const unquotedBytes = (word: string): string =>
  word.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Reads the first of each property of a calendar with one event. RFC 5545. */
function entryOf(calendar: string): Record<string, string> {
  const properties: Record<string, string> = {}
  for (const line of calendar.replace(/\r\n[ \t]/g, '').split('\r\n')) {
    const [, name = '', value = ''] = /^([A-Z-]+)(?:;(?:[^":]|"[^"]*")*)?:(.*)$/.exec(line) ?? []
    properties[name] ??= value.replace(/\\([,;\\])/g, '$1')
  }
  return properties
}
