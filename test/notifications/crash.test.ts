/**
 * Instances that are killed at each named step of a delivery, again and again, while another goes on; mail server and provider fail, hang,
 * are slow and answer garbage meanwhile. The peers count what they accepted, and from whom.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Step } from '../../src/notifications/dispatch.ts'
import { openSqlite } from '../../src/storage/sqlite/node.ts'
import { silent } from '../storage/silent-log.ts'
import type { CrashOptions } from './crash-child.ts'
import { type Peer, type Reply, startPeer } from './peer.ts'

const KILLS = 20
const STEPS: readonly Step[] = ['after-commit', 'after-lease', 'after-send', 'before-record']
/** Processes that are on their way to their end at a time; one more lives on. */
const AT_ONCE = 2

/** Who delivered what, by channel and key, in order. */
const accepted = new Map<string, string[]>()
const seen = new Map<string, number>()

/** Returns how a message is answered: well, but for the first attempt of some. */
function mood(message: string): 'fine' | 'fails' | 'hangs' | 'slow' | 'garbage' {
  const first = !seen.has(message)
  if (first) seen.set(message, seen.size)
  if (!first) return 'fine'
  const n = seen.get(message)!
  if (n % 80 === 3) return 'hangs'
  return ({ 5: 'fails', 10: 'garbage', 15: 'slow' } as const)[n % 20] ?? 'fine'
}

function accept(message: string, by: string): void {
  accepted.set(message, [...(accepted.get(message) ?? []), by])
}

let folder: string
let path: string
let provider: Peer
let mails: SMTPServer
const sockets = new Map<number, Socket>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nadi-deliveries-'))
  path = join(folder, 'nadi.db')
  provider = await startPeer(async ({ path }): Promise<Reply> => {
    const asked = new URL(path, 'http://x').searchParams
    const message = `sms ${asked.get('key')}`
    const how = mood(message)
    if (how === 'hangs') return 'hang'
    if (how === 'garbage') return 'garbage'
    if (how === 'fails') return { status: 503 }
    if (how === 'slow') await new Promise(resolve => setTimeout(resolve, 200))
    accept(message, asked.get('by')!)
    return { status: 200, body: 'sent' }
  })
  mails = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    async onData(stream, session, done) {
      const message = `email ${/^Message-ID: <([^@>]+)@/m.exec(await text(stream))?.[1]}`
      const how = mood(message)
      if (how === 'hangs') return
      if (how === 'garbage') return void sockets.get(session.remotePort)?.end('\u0000\u0001 no SMTP \r\n')
      if (how === 'fails') return done(Object.assign(new Error('later'), { responseCode: 451 }))
      if (how === 'slow') await new Promise(resolve => setTimeout(resolve, 200))
      const { mailFrom } = session.envelope
      accept(message, mailFrom === false ? '' : mailFrom.address.split('@')[0]!)
      done(null, 'queued')
    },
  })
  // Peers of processes that were killed.
  mails.on('error', () => {})
  mails.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort!, socket))
  mails.listen(0, '127.0.0.1')
  await once(mails.server, 'listening')
})
afterAll(async () => {
  for (const socket of sockets.values()) socket.destroy()
  mails.close()
  await provider.close()
  rmSync(folder, { recursive: true })
})

/** Starts an instance; `name` is by which the peers know it. */
function start(name: string, step?: Step) {
  const options: CrashOptions = {
    path,
    ...(step !== undefined && { step }),
    leaseMs: 4500,
    // Who is to be killed is to have the message.
    lookMs: step === undefined ? 300 : 5,
    env: {
      NADI_VALIDATE: 'off',
      NADI_SEND_TIMEOUT_MS: '3000',
      NADI_SEND_WAIT_MS: '50',
      NADI_SMS: 'gateway',
      NADI_SMS_GATEWAY_URL: `${provider.url}/send?to={to}&key={key}&by=${name}`,
      NADI_MAIL: 'smtp',
      NADI_MAIL_FROM: `${name}@clinic.example.in`,
      NADI_SMTP_HOST: '127.0.0.1',
      NADI_SMTP_PORT: String((mails.server.address() as AddressInfo).port),
      NADI_SMTP_TLS: 'none',
    },
  }
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), JSON.stringify(options)],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = once(child, 'close').then(([code, signal]) => ({ code, signal }) as const)
  return {
    gone,
    kill: () => child.kill('SIGKILL'),
    /** Returns the next line; undefined where it has ended. */
    next: async () =>
      ((await lines.next()).value as string | undefined) ?? (errors ? `ended: ${errors}` : undefined),
    write: (resource: object) => child.stdin.write(`${JSON.stringify(resource)}\n`),
  }
}

const booking = (n: number): object => ({
  resourceType: 'Appointment',
  id: `a${n}`,
  status: 'booked',
  start: new Date(Date.UTC(2036, 0, 1) + n * 3_600_000).toISOString(),
  end: new Date(Date.UTC(2036, 0, 1) + n * 3_600_000 + 1_200_000).toISOString(),
  participant: [
    { actor: { reference: 'Patient/meera' }, status: 'accepted' },
    { actor: { reference: 'Practitioner/menon' }, status: 'accepted' },
  ],
})

it('kill -9 at each step of a delivery loses no message, and repeats one at most once a kill, with the same key', async () => {
  const survivor = start('survivor')
  expect(await survivor.next()).toBe('ready')
  const people = [
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
  for (const one of people) {
    survivor.write(one)
    expect(await survivor.next()).toBe('written')
  }

  const victims = STEPS.flatMap(step =>
    Array.from({ length: KILLS }, (_, n) => ({ step, name: `${step}-${n}` })),
  )
  const left = [...victims]
  let booked = 0
  const run = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const victim = start(one.name, one.step)
      // It may meet its end at once over a message that another has left.
      expect([undefined, 'ready']).toContain(await victim.next())
      let ended: Awaited<typeof victim.gone> | undefined
      // The survivor may be quicker now and then.
      for (let tries = 0; ended === undefined && tries < 10; tries++) {
        const by = one.step === 'after-commit' ? victim : survivor
        by.write(booking(booked++))
        ended = await Promise.race([
          victim.gone,
          new Promise<undefined>(resolve => setTimeout(resolve, 1500, undefined)),
        ])
      }
      if (ended === undefined) victim.kill()
      expect({ ...one, ...ended }).toEqual({ ...one, code: null, signal: 'SIGKILL' })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))

  const db = new DatabaseSync(path, { readOnly: true })
  const waiting = () => db.prepare('SELECT count(*) AS n FROM outbox').get()!.n as number
  for (const deadline = Date.now() + 30_000; waiting() > 0 && Date.now() < deadline; )
    await new Promise(resolve => setTimeout(resolve, 50))
  survivor.kill()
  await survivor.gone
  expect(waiting()).toBe(0)
  db.close()
  const storage = await openSqlite({ path, sync: 'normal', clock: Date.now, log: silent })
  const texts = async (type: string) =>
    (await storage.scan(undefined, 10_000, [type])).rows.map(({ text }) => JSON.parse(text ?? ''))
  const appointments = await texts('Appointment')
  const communications = await texts('Communication')
  await storage.close()

  // Nothing is lost: whatever was booked is told by both channels, as far as our own record goes and at the receiving end.
  expect(appointments.length).toBeGreaterThanOrEqual(STEPS.length * KILLS - KILLS)
  expect(communications).toHaveLength(2 * appointments.length)
  expect(communications.filter(({ status }) => status !== 'completed')).toEqual([])
  const keys = communications.map(({ id, medium }) => `${medium[0].coding[0].code} ${id}`)
  expect([...accepted.keys()].sort()).toEqual(keys.sort())

  // Whoever delivered before another did was killed before it wrote that down; nobody delivers twice.
  const repeats = [...accepted.values()].flatMap(by => by.slice(0, -1))
  for (const by of accepted.values()) expect(new Set(by).size).toBe(by.length)
  const early = [/^after-commit/, /^after-lease/]
  expect([...accepted.values()].flat().filter(by => early.some(step => step.test(by)))).toEqual([])
  expect(repeats).not.toContain('survivor')
  // The kills did fall between acceptance and record.
  expect(new Set(repeats).size).toBeGreaterThan(KILLS)
}, 120_000)
