/** E-mail by SMTP, to a real mail server in this process: TLS, sign-in, refusals, and servers that misbehave. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSmtpChannel, type SmtpChannel } from '../../src/cli/smtp-channel.ts'
import { readConfig } from '../../src/config.ts'
import { delivery, KEY, never } from '../notifications/peer.ts'

interface Mail {
  from: string
  to: string[]
  raw: string
  secure: boolean
  user: unknown
  /** Which connection it came by. */
  session: string
}

const dir = mkdtempSync(join(tmpdir(), 'nadi-smtp-'))
let cert = ''
let key = ''
beforeAll(() => {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${dir}/key.pem -out ${dir}/cert.pem`
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' })
  cert = readFileSync(`${dir}/cert.pem`, 'utf8')
  key = readFileSync(`${dir}/key.pem`, 'utf8')
})
afterAll(() => rmSync(dir, { recursive: true }))

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** Starts a mail server; `told` what came. */
async function mailServer(options: SMTPServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'clinic' && password === 'geheim'
        ? done(null, { user: username })
        : done(Object.assign(new Error('bad sign-in'), { responseCode: 535 })),
    onData: async (stream, { envelope, secure, user, id }, done) => {
      const raw = await text(stream)
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
      mails.push({ from, to: envelope.rcptTo.map(one => one.address), raw, secure, user, session: id })
      done(null, 'OK: message queued as 4Bxyz12')
    },
    ...options,
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  open.push(() => new Promise<void>(resolve => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, mails }
}

/** Starts a server that speaks its own mind. */
async function bareServer(speak: Parameters<typeof createServer>[1]): Promise<number> {
  const sockets = new Set<import('node:net').Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    ;(speak as (socket: import('node:net').Socket) => void)(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function channel(port: number, env: Record<string, string> = {}, trusted = true): SmtpChannel {
  const { mail } = readConfig({
    NADI_MAIL: 'smtp',
    NADI_MAIL_FROM: 'Clinic <noreply@clinic.example.in>',
    NADI_SMTP_HOST: 'localhost',
    NADI_SMTP_PORT: String(port),
    ...env,
  }).notifications.channels
  const made = createSmtpChannel(mail, { timeoutMs: 60_000, ...(trusted && { ca: cert }) })
  open.unshift(() => made.close())
  return made
}
const PLAIN = { NADI_SMTP_TLS: 'none' }
const mail = delivery({ to: 'meera@example.in' })

describe('a mail', () => {
  it('goes by STARTTLS after sign-in, its Message-ID made of the key', async () => {
    const { port, mails } = await mailServer()
    const one = channel(port, { NADI_SMTP_USER: 'clinic', NADI_SMTP_PASSWORD: 'geheim' })
    expect(await one.send(mail, never)).toEqual({ is: 'accepted', reference: '4Bxyz12' })
    expect(mails).toMatchObject([
      { from: 'noreply@clinic.example.in', to: ['meera@example.in'], secure: true, user: 'clinic' },
    ])
    const raw = mails[0]?.raw ?? ''
    expect(raw).toContain(`\r\nMessage-ID: <${KEY}@clinic.example.in>\r\n`)
    expect(raw).toContain('From: Clinic <noreply@clinic.example.in>\r\n')
    expect(raw).toContain('To: meera@example.in\r\n')
    expect(raw).toContain('Subject: Your appointment\r\n')
    expect(raw).toContain('Auto-Submitted: auto-generated\r\n')
    expect(raw).toContain('Meera, you are booked with Dr Nair on 23 Nov, 10:30.')
  })

  it('goes by TLS from the start', async () => {
    const { port, mails } = await mailServer({ secure: true })
    expect(await channel(port, { NADI_SMTP_TLS: 'tls' }).send(mail, never)).toMatchObject({ is: 'accepted' })
    expect(mails[0]?.secure).toBe(true)
  })

  it('carries attachments and letters of India, and no line of ours becomes a header', async () => {
    const { port, mails } = await mailServer()
    const attachments = [
      {
        name: 'visit\r\nX-Evil: 1.ics',
        type: 'text/calendar; charset=utf-8; method=REQUEST',
        text: 'BEGIN:VCALENDAR',
      },
    ]
    const subject = 'മീര\r\nBcc: all@example.in\u2028X-Evil: 1'
    const got = await channel(port, PLAIN).send(
      { ...mail, subject, attachments, text: 'മീര\r\n.\r\nMAIL FROM:<x@y>' },
      never,
    )
    expect(got).toMatchObject({ is: 'accepted' })
    expect(mails).toHaveLength(1)
    expect(mails[0]?.to).toEqual(['meera@example.in'])
    const raw = mails[0]?.raw ?? ''
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'))
    expect(head).not.toMatch(/^(Bcc|X-Evil)/im)
    expect(raw).not.toMatch(/^X-Evil/m)
    expect(raw).toMatch(/Content-Type: text\/calendar; charset=utf-8; method=REQUEST/)
    expect(raw).toContain(Buffer.from('BEGIN:VCALENDAR').toString('base64'))
  })

  it('goes to one address only', async () => {
    const { port, mails } = await mailServer()
    for (const to of [
      'a@example.in, b@example.in',
      'A <a@example.in>',
      'a@example.in\r\nRCPT TO:<b@example.in>',
    ])
      expect(await channel(port, PLAIN).send({ ...mail, to }, never)).toMatchObject({ is: 'refused' })
    expect(mails).toEqual([])
  })

  it('takes the connection of the one before, and at most so many at once', async () => {
    const { port, mails } = await mailServer()
    const one = channel(port, { ...PLAIN, NADI_SMTP_CONNECTIONS: '2' })
    const sent = await Promise.all(Array.from({ length: 12 }, () => one.send(mail, never)))
    expect(sent.every(({ is }) => is === 'accepted')).toBe(true)
    expect(mails).toHaveLength(12)
    expect(new Set(mails.map(({ session }) => session)).size).toBeLessThanOrEqual(2)
  })
})

describe('a mail is not sent', () => {
  it('in plain text where TLS is asked for, nor to a server that nobody vouches for', async () => {
    const bare = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    expect(await channel(bare.port).send(mail, never)).toMatchObject({ is: 'failed' })
    const unknown = await mailServer()
    expect(await channel(unknown.port, {}, false).send(mail, never)).toEqual({
      is: 'failed',
      reason: 'No trusted TLS connection.',
    })
    expect([...bare.mails, ...unknown.mails]).toEqual([])
  })

  it('with a wrong password: tried again, for that can be put right', async () => {
    const { port } = await mailServer()
    const one = channel(port, { NADI_SMTP_USER: 'clinic', NADI_SMTP_PASSWORD: 'falsch' })
    expect(await one.send(mail, never)).toMatchObject({
      is: 'failed',
      reason: expect.stringContaining('535'),
    })
  })

  it.each([
    ['onRcptTo', 550, 'refused'],
    ['onRcptTo', 450, 'failed'],
    ['onMailFrom', 550, 'failed'],
    ['onData', 554, 'refused'],
    ['onData', 452, 'failed'],
  ] as const)('by %s with %i: %s', async (step, responseCode, is) => {
    const error = Object.assign(new Error('no <meera@example.in>'), { responseCode })
    const { port } = await mailServer({
      [step]: async (what: unknown, _session: unknown, done: (error: Error) => void) => {
        if (step === 'onData') await text(what as AsyncIterable<Buffer>)
        done(error)
      },
    })
    const got = await channel(port, PLAIN).send(mail, never)
    expect(got).toMatchObject({ is, reason: expect.stringMatching(`^Answered ${responseCode} to`) })
    expect(JSON.stringify(got)).not.toContain('meera')
  })
})

describe('a mail server', () => {
  it('that hangs, trickles or floods costs no more than its time', async () => {
    const hang = await bareServer(() => {})
    const trickle = await bareServer(socket => {
      const timer = setInterval(() => socket.write('220-\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const flood = await bareServer(socket => {
      const pour = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x')));
      }
      socket.on('drain', pour)
      pour()
    })
    const garbage = await bareServer(socket => socket.end('\u0000\u0001\u0002\r\n\r\n'))
    const gone = await bareServer(socket => socket.destroy())
    const began = performance.now()
    const got = await Promise.all(
      [hang, trickle, flood, garbage, gone].map(port =>
        channel(port, PLAIN).send(mail, AbortSignal.timeout(400)),
      ),
    )
    expect(got.map(({ is }) => is)).toEqual(Array(5).fill('failed'))
    expect(got[0]).toEqual({ is: 'failed', reason: 'No answer in time.' })
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('that closes without a word is asked once an attempt, not again and again', async () => {
    let mails = 0
    const late = await bareServer(socket => {
      socket.write('220 x ESMTP\r\n')
      let inData = false
      socket.on('data', chunk => {
        const said = chunk.toString()
        if (inData && said.includes('\r\n.\r\n')) {
          mails++
          socket.destroy()
        } else if (!inData) {
          inData = said.startsWith('DATA')
          socket.write(inData ? '354 go on\r\n' : '250 x\r\n')
        }
      })
    })
    let connections = 0
    const early = await bareServer(socket => {
      connections++
      socket.end()
    })
    for (const port of [late, early])
      expect(await channel(port, PLAIN).send(mail, never)).toMatchObject({ is: 'failed' })
    expect([mails, connections]).toEqual([1, 1])
  })

  it('that is not there: no connection', async () => {
    const { port } = await mailServer()
    for (const close of open.splice(0)) await close()
    expect(await channel(port, PLAIN).send(mail, never)).toEqual({ is: 'failed', reason: 'No connection.' })
  })

  it('is left at once when the server wants to stop', async () => {
    const port = await bareServer(() => {})
    const stop = new AbortController()
    const sending = channel(port, PLAIN).send(mail, stop.signal)
    setTimeout(() => stop.abort(), 50)
    expect(await sending).toEqual({ is: 'failed', reason: 'No answer in time.' })
  })
})
