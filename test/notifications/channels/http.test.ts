/** E-mail by SendGrid, WhatsApp, the webhook and the Care gateway; what is the same for every peer on HTTP. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import type { Log } from '../../../src/lib/log.ts'
import type { Channel } from '../../../src/notifications/channel.ts'
import { channelsOf } from '../../../src/notifications/channels/configured.ts'
import { signature } from '../../../src/notifications/channels/webhook.ts'
import { silent } from '../../storage/silent-log.ts'
import { delivery, type Heard, json, KEY, never, type Peer, type Reply, startPeer } from '../peer.ts'

let peer: Peer
beforeAll(async () => {
  peer = await startPeer()
})
afterAll(() => peer.close())
beforeEach(() => {
  peer.heard.length = 0
})

const NOW = Date.parse('2026-11-21T10:41:00.900Z')
const channel = (env: Record<string, string>, log: Log = silent): Channel =>
  channelsOf(readConfig(env).notifications, { log, clock: () => NOW })[0] as Channel

const sendgrid = (env: Record<string, string> = {}) =>
  channel({
    NADI_MAIL: 'sendgrid',
    NADI_MAIL_FROM: 'Clinic <noreply@clinic.example.in>',
    NADI_SENDGRID_KEY: 'SG.key',
    NADI_SENDGRID_URL: peer.url,
    ...env,
  })
const whatsApp = (env: Record<string, string> = {}) =>
  channel({
    NADI_WHATSAPP: 'on',
    NADI_WHATSAPP_PHONE_ID: '106540352242922',
    NADI_WHATSAPP_TOKEN: 'EAAJ',
    NADI_WHATSAPP_URL: `${peer.url}/v23.0`,
    NADI_WHATSAPP_TEMPLATES: JSON.stringify({
      booked: {
        name: 'appointment_booked',
        values: ['patient', 'start', 'unknown'],
        languages: { en: 'en_US', ml: 'ml' },
      },
      queue: { name: 'queue', values: [], languages: { en: 'en' } },
    }),
    ...env,
  })
const webhook = (env: Record<string, string> = {}) =>
  channel({ NADI_WEBHOOK_URL: `${peer.url}/hook?a=1`, ...env })
const careGateway = (env: Record<string, string> = {}, log?: Log) =>
  channel(
    {
      CCM_UHI_NOTIFICATION_ENDPOINT: `${peer.url}/push-notification/send`,
      CCM_UHI_NOTIFICATION_USE_SMS: 'true',
      ...env,
    },
    log,
  )

describe('SendGrid', () => {
  const mail = delivery({ to: 'meera@example.in' })
  /** https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, and its page of limitations. */
  const judge = ({ method, path, headers, body }: Heard): Reply => {
    const tree = JSON.parse(body)
    if (headers.authorization !== 'Bearer SG.key')
      return json(401, { errors: [{ message: 'The provided authorization grant is invalid' }] })
    const reserved =
      /^(x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding|to|from|subject|reply-to|cc|bcc)$/i
    const fine =
      method === 'POST' &&
      path === '/v3/mail/send' &&
      headers['content-type'] === 'application/json' &&
      tree.personalizations.length === 1 &&
      /^[^@\s;,]+@[^@\s;,]+$/.test(tree.personalizations[0].to[0].email) &&
      /^[^@\s;,]+@[^@\s;,]+$/.test(tree.from.email) &&
      tree.subject !== '' &&
      tree.content.every((one: { type: string; value: string }) => one.value !== '') &&
      JSON.stringify(tree.personalizations[0].custom_args).length < 10_000 &&
      Object.keys(tree.headers).every(name => !reserved.test(name))
    return fine ? { status: 202 } : json(400, { errors: [{ message: 'Bad Request', field: 'x' }] })
  }

  it('gets one receiver, the text, and the key as Message-ID and custom argument', async () => {
    peer.reply = judge
    expect(await sendgrid().send(mail, never)).toEqual({ is: 'accepted' })
    expect(JSON.parse(peer.heard[0]?.body ?? '')).toEqual({
      personalizations: [
        { to: [{ email: 'meera@example.in' }], custom_args: { nadi_key: KEY, nadi_event: 'booked' } },
      ],
      from: { email: 'noreply@clinic.example.in', name: 'Clinic' },
      subject: 'Your appointment',
      content: [{ type: 'text/plain', value: 'Meera, you are booked with Dr Nair on 23 Nov, 10:30.' }],
      headers: { 'Message-ID': `<${KEY}@clinic.example.in>`, 'Auto-Submitted': 'auto-generated' },
    })
  })

  it('gets attachments in base64 with a harmless name, and a subject of one line', async () => {
    peer.reply = judge
    const attachments = [
      { name: '../../visit"\r\n.ics', type: 'text/calendar; method=REQUEST', text: 'BEGIN:VCALENDAR മീര' },
    ]
    await sendgrid().send({ ...mail, attachments, subject: 'Visit\r\nBcc: all@example.in' }, never)
    const tree = JSON.parse(peer.heard[0]?.body ?? '')
    expect(tree.subject).toBe('Visit Bcc: all@example.in')
    expect(tree.attachments).toEqual([
      {
        filename: '..-..-visit-.ics',
        type: 'text/calendar',
        content: Buffer.from('BEGIN:VCALENDAR മീര').toString('base64'),
        disposition: 'attachment',
      },
    ])
  })

  it.each([
    [400, 'refused'],
    [401, 'failed'],
    [403, 'failed'],
    [413, 'refused'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('answers %i: %s', async (status, is) => {
    peer.reply = () => json(status, { errors: [{ message: 'to meera@example.in', field: null }] })
    expect(await sendgrid().send(mail, never)).toEqual({ is, reason: `Answered ${status}.` })
  })

  it.each([
    'a@example.in, b@example.in',
    'Meera <a@example.in>',
    'a@example.in\r\nBcc: b@example.in',
    '"a b"@example.in',
    'a@b@example.in',
    '@example.in',
    'a@',
    'a@-example.in',
    '-oQ@example.in',
    '',
  ])('gets nothing for the address %j', async to => {
    expect(await sendgrid().send({ ...mail, to }, never)).toEqual({
      is: 'refused',
      reason: 'Not an e-mail address.',
    })
    expect(peer.heard).toEqual([])
  })
})

describe('WhatsApp', () => {
  /** https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates */
  const judge = ({ method, path, headers, body }: Heard): Reply => {
    const { messaging_product, recipient_type, to, type, template, biz_opaque_callback_data, ...others } =
      JSON.parse(body)
    if (headers.authorization !== 'Bearer EAAJ')
      return json(401, { error: { code: 190, type: 'OAuthException' } })
    const fine =
      method === 'POST' &&
      path === '/v23.0/106540352242922/messages' &&
      messaging_product === 'whatsapp' &&
      recipient_type === 'individual' &&
      /^[1-9][0-9]{7,14}$/.test(to) &&
      type === 'template' &&
      /^[a-z0-9_]+$/.test(template.name) &&
      biz_opaque_callback_data.length <= 512 &&
      Object.keys(others).length === 0 &&
      (template.components ?? []).every(
        (one: { type: string; parameters: { type: string; text: string }[] }) =>
          one.parameters.every(({ type, text }) => type === 'text' && /^(?!.* {4})[^\n\t]+$/.test(text)),
      )
    return fine
      ? json(200, {
          messaging_product: 'whatsapp',
          contacts: [{ wa_id: to }],
          messages: [{ id: 'wamid.HBgL' }],
        })
      : json(400, { error: { code: 100, message: 'Invalid parameter' } })
  }

  it('gets the approved template with its parameters in order, in one line each', async () => {
    peer.reply = judge
    const values = { ...delivery().values, patient: 'Meera\n\tPillai     x' }
    expect(await whatsApp().send(delivery({ values }), never)).toEqual({
      is: 'accepted',
      reference: 'wamid.HBgL',
    })
    expect(JSON.parse(peer.heard[0]?.body ?? '')).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: '919876543210',
      type: 'template',
      template: {
        name: 'appointment_booked',
        language: { code: 'en_US' },
        components: [
          {
            type: 'body',
            parameters: [
              { type: 'text', text: 'Meera Pillai x' },
              { type: 'text', text: '23 Nov 2026, 10:30' },
              { type: 'text', text: '-' },
            ],
          },
        ],
      },
      biz_opaque_callback_data: KEY,
    })
  })

  it('gets the language under its code, English where there is no such', async () => {
    peer.reply = judge
    for (const language of ['ml', 'ta']) await whatsApp().send(delivery({ language }), never)
    await whatsApp().send(delivery({ event: 'queue' }), never)
    expect(peer.heard.map(({ body }) => JSON.parse(body).template.language.code)).toEqual([
      'ml',
      'en_US',
      'en',
    ])
    expect(JSON.parse(peer.heard[2]?.body ?? '').template).not.toHaveProperty('components')
  })

  it('is only asked to tell of events with a template', () => {
    expect([...(whatsApp().events ?? [])]).toEqual(['booked', 'queue'])
  })

  it.each([
    [400, 132000, 'refused'],
    [404, 132001, 'refused'],
    [400, 131026, 'refused'],
    [400, 131047, 'refused'],
    [400, 131056, 'failed'],
    [400, 130429, 'failed'],
    [400, 80007, 'failed'],
    [500, 131000, 'failed'],
    [500, 131016, 'failed'],
    [401, 190, 'failed'],
    [403, 10, 'failed'],
  ])('answers %i (%i): %s', async (status, code, is) => {
    peer.reply = () =>
      json(status, { error: { code, message: '(#1) to 919876543210', type: 'OAuthException' } })
    expect(await whatsApp().send(delivery(), never)).toEqual({ is, reason: `Answered ${status} (${code}).` })
  })
})

describe('the webhook', () => {
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const communication =
    '{"resourceType":"Communication","id":"c1","meta":{"versionId":"1"},"status":"in-progress","payload":[{"contentString":"Your PIN: ******"}],"extension":[{"url":"urn:x","valueDecimal":1.00}]}'
  const told = delivery({ communication, text: 'Your PIN: 482913', to: '' })

  it('gets the Communication as it is stored, its key and its event', async () => {
    peer.reply = () => ({ status: 204 })
    expect(await webhook().send(told, never)).toEqual({ is: 'accepted' })
    const { path, headers, body } = peer.heard[0] as Heard
    expect(path).toBe('/hook?a=1')
    expect(body).toBe(communication)
    expect(headers).toMatchObject({
      'content-type': 'application/fhir+json; charset=utf-8',
      'idempotency-key': KEY,
      'webhook-id': KEY,
      'webhook-timestamp': '1795257660',
      'nadi-event': 'booked',
    })
    expect(headers).not.toHaveProperty('webhook-signature')
  })

  it('is signed over id, time and body', async () => {
    await webhook({ NADI_WEBHOOK_SECRET: SECRET }).send(told, never)
    const { headers, body } = peer.heard[0] as Heard
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const key = Buffer.from(SECRET.slice(6), 'base64')
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(content).digest('base64')}`,
    )
  })

  it('is signed as the example of Standard Webhooks', async () => {
    expect(await signature(SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')).toBe(
      'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    )
  })

  it('gets the secrets of a message only where it is set up to', async () => {
    await webhook({ NADI_WEBHOOK_SECRETS: 'on' }).send(told, never)
    const tree = JSON.parse(peer.heard[0]?.body ?? '')
    expect(tree).toMatchObject({ id: 'c1', payload: [{ contentString: 'Your PIN: 482913' }] })
  })

  it.each([
    [200, 'accepted'],
    [410, 'refused'],
    [400, 'failed'],
    [404, 'failed'],
    [429, 'failed'],
    [503, 'failed'],
    [301, 'failed'],
  ])('answers %i: %s', async (status, is) => {
    peer.reply = () => ({ status, headers: { Location: `${peer.url}/elsewhere` } })
    expect(await webhook().send(told, never)).toMatchObject({ is })
    expect(peer.heard).toHaveLength(1)
  })
})

describe('the Care gateway', () => {
  const told = delivery({ to: '91-1234-5678-9012', text: 'Your appointment has been cancelled.' })

  it.each([
    ['booked', 'Booking'],
    ['rescheduled', 'Booking'],
    ['cancelled', 'Cancellation'],
    ['reminder-1h', 'Reminder'],
    ['queue', 'QueueManagement'],
  ])('is told of %s as %s', async (event, fortype) => {
    peer.reply = () => json(200, { status: 'ok' })
    expect(await careGateway().send({ ...told, event }, never)).toEqual({ is: 'accepted' })
    const { method, path, headers, body } = peer.heard[0] as Heard
    expect([method, path, headers['content-type']]).toEqual([
      'POST',
      '/push-notification/send',
      'application/json',
    ])
    expect(JSON.parse(body)).toEqual({
      requestid: '0B9F2C1E-5D3A-4E86-9B57-2F4A6C8D1E30',
      fortype,
      patientid: '91-1234-5678-9012',
      notificationmessage: 'Your appointment has been cancelled.',
    })
  })

  it('needs an ABHA, is asked for its own events, and is tried as often as its plugin does', () => {
    const { reaches, events, tries, waitMs, templates, name } = careGateway()
    expect({ reaches, waitMs, templates, name, events: [...(events ?? [])].sort() }).toEqual({
      name: 'care-gateway',
      reaches: 'abha',
      waitMs: 5000,
      templates: 'care-gateway',
      events: ['booked', 'cancelled', 'queue', 'reminder-1h', 'rescheduled'],
    })
    expect(
      ['booked', 'rescheduled', 'cancelled', 'reminder-1h', 'queue'].map(event => tries?.(event)),
    ).toEqual([3, 3, 3, 3, 2])
  })

  it('fails in 400 as in 500, for its plugin tries either again', async () => {
    for (const status of [400, 500]) {
      peer.reply = () => ({ status })
      expect(await careGateway().send(told, never)).toEqual({ is: 'failed', reason: `Answered ${status}.` })
    }
  })

  it('has its own time to answer', async () => {
    peer.reply = () => 'hang'
    const began = performance.now()
    const one = careGateway({ CCM_UHI_NOTIFICATION_TIMEOUT: '1' })
    expect(await one.send(told, never)).toEqual({ is: 'failed', reason: 'No answer in time.' })
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('is off without an endpoint or where it is disabled, and only logs unless it is to send', async () => {
    const lines: string[] = []
    const log: Log = {
      ...silent,
      info: (message, fields) => lines.push(JSON.stringify({ message, ...fields })),
    }
    const ENABLED = { CCM_UHI_NOTIFICATION_ENABLED: 'False' }
    expect([channel({}).name, careGateway(ENABLED).name]).toEqual(['log', 'log'])
    const one = careGateway({ CCM_UHI_NOTIFICATION_USE_SMS: 'false' }, log)
    expect([one.name, one.reaches, await one.send(told, never)]).toEqual([
      'care-gateway',
      'abha',
      { is: 'accepted' },
    ])
    expect(peer.heard).toEqual([])
    expect(lines).toEqual([
      JSON.stringify({
        message: 'message logged, not sent',
        key: KEY,
        event: 'booked',
        channel: 'care-gateway',
        language: 'en',
      }),
    ])
  })
})

describe('a peer that misbehaves', () => {
  const all = (): [Channel, Partial<Parameters<typeof delivery>[0]>][] => [
    [sendgrid(), { to: 'meera@example.in' }],
    [whatsApp(), {}],
    [webhook(), {}],
    [channel({ NADI_SMS: 'gateway', NADI_SMS_GATEWAY_URL: `${peer.url}/` }), {}],
    [
      channel({
        NADI_SMS: 'sns',
        NADI_SNS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        NADI_SNS_SECRET: 's',
        NADI_SNS_URL: peer.url,
      }),
      {},
    ],
  ]

  it.each([
    ['hang', 'No answer in time.'],
    ['trickle', 'No answer in time.'],
    ['reset', 'No connection.'],
    ['garbage', 'No connection.'],
  ] as const)('by a %s: tried again, within its time', async (reply, reason) => {
    peer.reply = () => reply
    const began = performance.now()
    const within = AbortSignal.timeout(150)
    for (const got of await Promise.all(all().map(([one, changes]) => one.send(delivery(changes), within))))
      expect(got).toEqual({ is: 'failed', reason })
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('by an endless answer: a beginning of it is read', async () => {
    peer.reply = () => 'flood'
    expect(await whatsApp().send(delivery(), never)).toEqual({
      is: 'failed',
      reason: 'An answer that cannot be understood.',
    })
    expect(peer.flooded()).toBeLessThan(10_000_000)
  })

  it.each(['', 'null', '[]', '"x"', '{"messages":{}}', '{"messages":[{"id":"a\\r\\nb"}]}', '{"error":null}'])(
    'by a success that says %j: not believed',
    async body => {
      peer.reply = () => ({ status: 200, body })
      expect(await whatsApp().send(delivery(), never)).toMatchObject({ is: 'failed' })
    },
  )

  it('by a redirect: not followed, so that no key is sent elsewhere', async () => {
    peer.reply = ({ path }) => ({
      status: path === '/other' ? 200 : 307,
      headers: { Location: `${peer.url}/other` },
    })
    for (const [one, changes] of all())
      expect(await one.send(delivery(changes), never)).toEqual({ is: 'failed', reason: 'Answered 307.' })
    expect(peer.heard.map(({ path }) => path)).not.toContain('/other')
  })

  it('by not being there: no connection', async () => {
    const gone = await startPeer()
    await gone.close()
    const one = channel({ NADI_WEBHOOK_URL: gone.url })
    expect(await one.send(delivery(), never)).toEqual({ is: 'failed', reason: 'No connection.' })
  })

  it('is left at once when the server wants to stop', async () => {
    peer.reply = () => 'hang'
    const stop = new AbortController()
    const sending = webhook().send(delivery(), stop.signal)
    stop.abort()
    expect(await sending).toEqual({ is: 'failed', reason: 'No answer in time.' })
  })
})
