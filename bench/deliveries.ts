/**
 * What it costs to deliver a message: the outbox is filled by bookings, then emptied by one process against peers in another.
 *
 * node --max-semi-space-size=6 --heap-growing-percent=100 bench/deliveries.ts [messages], the flags being those of `npm start`
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { createSmtpChannel } from '../src/cli/smtp-channel.ts'
import { readConfig, settingsOf } from '../src/config.ts'
import { systemContext } from '../src/context.ts'
import { parseJson, type Resource } from '../src/fhir/json.ts'
import { update } from '../src/interactions/update.ts'
import { channelsOf } from '../src/notifications/channels/configured.ts'
import { createDeliver } from '../src/notifications/deliver.ts'
import { dispatch, dispatchOptions } from '../src/notifications/dispatch.ts'
import { createMessageRule } from '../src/notifications/message-rule.ts'
import { bookingRule } from '../src/scheduling/booking-rule.ts'
import { openSqlite } from '../src/storage/sqlite/node.ts'

interface Ports {
  http: number
  smtp: number
}

/** Both peers, in a process of their own; asked, it says how many messages they have. */
async function serve(): Promise<void> {
  let got = 0
  const http = createServer((request, response) => {
    request.resume().on('end', () => {
      got++
      response.end('sent')
    })
  }).listen(0, '127.0.0.1')
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      stream.resume().on('end', () => {
        got++
        done()
      })
    },
  })
  smtp.listen(0, '127.0.0.1')
  await Promise.all([once(http, 'listening'), once(smtp.server, 'listening')])
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port
  process.send!({ http: port(http), smtp: port(smtp.server) } satisfies Ports)
  process.on('message', () => process.send!(got))
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Returns the figures of one channel as a row of a table. */
async function measure(name: string, env: Record<string, string>, count: number, peers: ChildProcess) {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-bench-'))
  const settings = settingsOf(readConfig(env), 8080)
  const storage = await openSqlite({
    path: join(folder, 'nadi.db'),
    sync: 'full',
    clock: Date.now,
    log: silent,
  })
  const { mail } = settings.notifications.channels
  const smtp = createSmtpChannel(mail, { timeoutMs: settings.messages.sendMs })
  const channels = channelsOf(settings.notifications, { log: silent, clock: Date.now, smtp })
  const bare = systemContext({ storage, settings, log: silent, version: 'bench' })
  const ctx = { ...bare, rules: [bookingRule, createMessageRule(channels)] }
  const put = (json: { resourceType: string; id: string }) =>
    update(ctx, json.resourceType, json.id, parseJson(JSON.stringify(json)) as Resource)
  await put({ resourceType: 'Practitioner', id: 'menon', name: [{ text: 'Dr Menon' }] } as never)
  for (let n = 0; n < count; n++) {
    const start = Date.UTC(2036, 0, 1) + n * 1_800_000
    await put({
      resourceType: 'Patient',
      id: `p${n}`,
      name: [{ text: `Patient ${n}` }],
      telecom: [
        { system: 'phone', value: `9${String(876_000_000 + n)}` },
        { system: 'email', value: `p${n}@example.in` },
      ],
    } as never)
    await put({
      resourceType: 'Appointment',
      id: `a${n}`,
      status: 'booked',
      start: new Date(start).toISOString(),
      end: new Date(start + 1_200_000).toISOString(),
      participant: [`Patient/p${n}`, 'Practitioner/menon'].map(reference => ({
        actor: { reference },
        status: 'accepted',
      })),
    } as never)
  }
  const heard = async (): Promise<number> => {
    peers.send('count')
    return (await once(peers, 'message'))[0] as number
  }
  const handlers = { message: createDeliver(channels, { random: Math.random }) }
  const before = await heard()
  const cpu = process.cpuUsage()
  const began = performance.now()
  let taken = 0
  for (;;) {
    const done = await dispatch(ctx, handlers, dispatchOptions(ctx))
    if (done.taken === 0) break
    taken += done.taken
  }
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  const arrived = name === 'log' ? taken : (await heard()) - before
  smtp.close()
  await storage.close()
  rmSync(folder, { recursive: true })
  if (arrived !== taken) throw new Error(`${name}: ${taken} messages were sent, ${arrived} arrived`)
  return `| ${name} | ${taken} | ${((taken / ms) * 1000).toFixed(0)} | ${((user + system) / 1000 / taken).toFixed(2)} |`
}

if (process.argv[2] === 'peers') await serve()
else {
  const count = Number(process.argv[2] ?? 1000)
  const peers = fork(import.meta.filename, ['peers'])
  const [{ http, smtp }] = (await once(peers, 'message')) as [Ports]
  const SMS = { NADI_SMS: 'gateway', NADI_SMS_GATEWAY_URL: `http://127.0.0.1:${http}/?to={to}&text={text}` }
  const MAIL = {
    NADI_MAIL: 'smtp',
    NADI_MAIL_FROM: 'noreply@clinic.example.in',
    NADI_SMTP_HOST: '127.0.0.1',
    NADI_SMTP_PORT: String(smtp),
    NADI_SMTP_TLS: 'none',
    NADI_SMTP_CONNECTIONS: '10',
  }
  console.log('| channel | messages | deliveries/s | CPU-ms each |\n|---|---|---|---|')
  for (const [name, env] of Object.entries({ log: {}, sms: SMS, email: MAIL }))
    console.log(await measure(name, env, count, peers))
  peers.kill()
}
