/** Text messages, each provider judged by a peer that knows only its documentation. */
import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import type { Channel } from '../../../src/notifications/channel.ts'
import { channelsOf } from '../../../src/notifications/channels/configured.ts'
import { signed } from '../../../src/notifications/channels/sigv4.ts'
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

const NOW = Date.parse('2026-11-21T10:41:00Z')
const channel = (env: Record<string, string>): Channel =>
  channelsOf(readConfig(env).notifications, { log: silent, clock: () => NOW })[0] as Channel
const formOf = (heard: Heard | undefined) => Object.fromEntries(new URLSearchParams(heard?.body))

describe('Twilio', () => {
  const ACCOUNT = `AC${'0123456789abcdef'.repeat(2)}`
  const twilio = (from = '+15005550006') =>
    channel({
      NADI_SMS: 'twilio',
      NADI_SMS_FROM: from,
      NADI_TWILIO_ACCOUNT: ACCOUNT,
      NADI_TWILIO_TOKEN: 'token',
      NADI_TWILIO_URL: peer.url,
    })
  /** https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource */
  const judge = ({ method, path, headers, body }: Heard): Reply => {
    const form = new URLSearchParams(body)
    if (method !== 'POST' || path !== `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`) return json(404, {})
    if (headers.authorization !== `Basic ${Buffer.from(`${ACCOUNT}:token`).toString('base64')}`)
      return json(401, { code: 20003, message: 'Authenticate', status: 401 })
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return json(400, { code: 21602 })
    if (!/^\+[1-9][0-9]{1,14}$/.test(form.get('To') ?? '')) return json(400, { code: 21211 })
    if (!form.get('Body')) return json(400, { code: 21602 })
    if (form.has('From') === form.has('MessagingServiceSid')) return json(400, { code: 21603 })
    return json(201, { sid: `SM${'0'.repeat(32)}`, status: 'queued', error_code: null, to: form.get('To') })
  }

  it('gets the number, the text and the sender, and its sid is the reference', async () => {
    peer.reply = judge
    expect(await twilio().send(delivery(), never)).toEqual({
      is: 'accepted',
      reference: `SM${'0'.repeat(32)}`,
    })
    expect(formOf(peer.heard[0])).toEqual({
      To: '+919876543210',
      From: '+15005550006',
      Body: 'Meera, you are booked with Dr Nair on 23 Nov, 10:30.',
    })
    expect(peer.heard[0]?.headers['idempotency-key']).toBe(KEY)
  })

  it('gets a messaging service where the sender is one', async () => {
    peer.reply = judge
    const service = `MG${'a'.repeat(32)}`
    expect(await twilio(service).send(delivery(), never)).toMatchObject({ is: 'accepted' })
    expect(formOf(peer.heard[0])).toMatchObject({ MessagingServiceSid: service })
  })

  it.each([
    [400, 21211, 'refused'],
    [400, 21610, 'refused'],
    [401, 20003, 'failed'],
    [429, 20429, 'failed'],
    [500, 20500, 'failed'],
  ])('answers %i (%i): %s', async (status, code, is) => {
    peer.reply = () => json(status, { code, message: 'to +919876543210', status })
    expect(await twilio().send(delivery(), never)).toEqual({ is, reason: `Answered ${status} (${code}).` })
  })

  it('gets nothing for what is no telephone number', async () => {
    for (const to of ['meera@example.in', '9876543210', '+91 98765', '+919876543210,+919876543211', ''])
      expect(await twilio().send(delivery({ to }), never)).toEqual({
        is: 'refused',
        reason: 'Not a telephone number.',
      })
    expect(peer.heard).toEqual([])
  })

  it('gets at most 1600 characters, never half of one, and no control characters', async () => {
    peer.reply = judge
    await twilio().send(delivery({ text: `a\u0000\u001b\r\nb${'\u{1F600}'.repeat(900)}` }), never)
    const { Body = '' } = formOf(peer.heard[0])
    expect(Body.startsWith('a\nb\u{1F600}')).toBe(true)
    expect(Body.length).toBeLessThanOrEqual(1600)
    expect(Body.isWellFormed()).toBe(true)
    expect(Body.endsWith('...')).toBe(true)
  })
})

describe('AWS SNS', () => {
  const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
  const sns = (env: Record<string, string> = {}) =>
    channel({
      NADI_SMS: 'sns',
      NADI_SNS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      NADI_SNS_SECRET: SECRET,
      NADI_SNS_URL: peer.url,
      ...env,
    })
  /** Works out the signature of what arrived by the steps of the guide, with another library. */
  const isSigned = ({ method, path, headers, body }: Heard): boolean => {
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    const given =
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/(\d{8})\/ap-south-1\/sns\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
        headers.authorization ?? '',
      )
    if (given === null) return false
    const [, day = '', names = '', signature] = given
    if (!names.split(';').includes('host') || !names.split(';').includes('x-amz-date')) return false
    const canonical = `${method}\n${path}\n\n${names
      .split(';')
      .map(name => `${name}:${headers[name]}\n`)
      .join('')}\n${names}\n${hash(body)}`
    const text = `AWS4-HMAC-SHA256\n${headers['x-amz-date']}\n${day}/ap-south-1/sns/aws4_request\n${hash(canonical)}`
    const key = [day, 'ap-south-1', 'sns', 'aws4_request'].reduce<Buffer | string>(
      (key, part) => createHmac('sha256', key).update(part).digest(),
      `AWS4${SECRET}`,
    )
    return createHmac('sha256', key).update(text).digest('hex') === signature
  }
  const error = (status: number, code: string): Reply => ({
    status,
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>Invalid parameter: +919876543210</Message></Error></ErrorResponse>`,
  })
  const judge = (heard: Heard): Reply =>
    !isSigned(heard)
      ? error(403, 'SignatureDoesNotMatch')
      : {
          status: 200,
          body: '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult></PublishResponse>',
        }

  it('gets a signed Publish to the number, with the key as the name of the call', async () => {
    peer.reply = judge
    expect(await sns({ NADI_SMS_FROM: 'CLINIC' }).send(delivery(), never)).toEqual({
      is: 'accepted',
      reference: '567910cd-659e-55d4-8ccb-5aaf14679dc0',
    })
    expect(formOf(peer.heard[0])).toEqual({
      Action: 'Publish',
      Version: '2010-03-31',
      PhoneNumber: '+919876543210',
      Message: 'Meera, you are booked with Dr Nair on 23 Nov, 10:30.',
      'MessageAttributes.entry.1.Name': 'AWS.SNS.SMS.SMSType',
      'MessageAttributes.entry.1.Value.DataType': 'String',
      'MessageAttributes.entry.1.Value.StringValue': 'Transactional',
      'MessageAttributes.entry.2.Name': 'AWS.SNS.SMS.SenderID',
      'MessageAttributes.entry.2.Value.DataType': 'String',
      'MessageAttributes.entry.2.Value.StringValue': 'CLINIC',
    })
    expect(peer.heard[0]?.headers).toMatchObject({
      'amz-sdk-invocation-id': KEY,
      'x-amz-date': '20261121T104100Z',
    })
  })

  it('gets entity and template of a text that is registered in India', async () => {
    peer.reply = judge
    const templates = {
      booked: { en: { id: '1107160000000012345', text: 'Booked: {#var#}', values: ['start'] } },
    }
    const env = { NADI_SMS_ENTITY: '1101000000000012345', NADI_SMS_TEMPLATES: JSON.stringify(templates) }
    expect(await sns(env).send(delivery(), never)).toMatchObject({ is: 'accepted' })
    expect(formOf(peer.heard[0])).toMatchObject({
      Message: 'Booked: 23 Nov 2026, 10:30',
      'MessageAttributes.entry.2.Name': 'AWS.MM.SMS.EntityId',
      'MessageAttributes.entry.2.Value.StringValue': '1101000000000012345',
      'MessageAttributes.entry.3.Name': 'AWS.MM.SMS.TemplateId',
      'MessageAttributes.entry.3.Value.StringValue': '1107160000000012345',
    })
  })

  it.each([
    [400, 'InvalidParameter', 'refused'],
    [400, 'ParameterValueInvalid', 'refused'],
    [400, 'OptedOut', 'refused'],
    [403, 'AuthorizationError', 'failed'],
    [400, 'Throttling', 'failed'],
    [429, 'Throttled', 'failed'],
    [500, 'InternalError', 'failed'],
  ])('answers %i %s: %s', async (status, code, is) => {
    peer.reply = () => error(status, code)
    expect(await sns().send(delivery(), never)).toEqual({ is, reason: `Answered ${status} (${code}).` })
  })

  it('is signed as the example of the guide: ListUsers of IAM', async () => {
    const headers = await signed(
      {
        method: 'GET',
        url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: '',
      },
      { id: 'AKIDEXAMPLE', secret: SECRET, region: 'us-east-1', service: 'iam' },
      Date.parse('2015-08-30T12:36:00Z'),
    )
    expect(headers.Authorization).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    )
  })
})

describe("Africa's Talking", () => {
  const africasTalking = () =>
    channel({
      NADI_SMS: 'africastalking',
      NADI_SMS_FROM: 'CLINIC',
      NADI_AFRICASTALKING_USER: 'sandbox',
      NADI_AFRICASTALKING_KEY: 'atsk_1',
      NADI_AFRICASTALKING_URL: peer.url,
    })
  const sent = (statusCode: number, status: string): Reply =>
    json(201, {
      SMSMessageData: {
        Message: 'Sent to 1/1 Total Cost: KES 0.8000',
        Recipients: [
          { statusCode, number: '+254711123456', status, cost: 'KES 0.8000', messageId: 'ATXid_1' },
        ],
      },
    })

  it('gets the number of Kenya, the text and the sender under the application user', async () => {
    peer.reply = ({ method, path, headers, body }) => {
      const { username, to, message, from, ...others } = Object.fromEntries(new URLSearchParams(body))
      const fine =
        method === 'POST' &&
        path === '/version1/messaging' &&
        headers.apikey === 'atsk_1' &&
        headers.accept === 'application/json' &&
        headers['content-type'] === 'application/x-www-form-urlencoded' &&
        username === 'sandbox' &&
        to === '+254711123456' &&
        message === 'Booked' &&
        from === 'CLINIC' &&
        Object.keys(others).length === 0
      return fine ? sent(101, 'Success') : json(401, { error: 'The supplied authentication is invalid' })
    }
    expect(await africasTalking().send(delivery({ to: '+254711123456', text: 'Booked' }), never)).toEqual({
      is: 'accepted',
      reference: 'ATXid_1',
    })
  })

  it.each([
    [100, 'Processed', 'accepted'],
    [102, 'Queued', 'accepted'],
    [401, 'RiskHold', 'failed'],
    [403, 'InvalidPhoneNumber', 'refused'],
    [405, 'InsufficientBalance', 'failed'],
    [406, 'UserInBlacklist', 'refused'],
    [409, 'DoNotDisturbRejection', 'refused'],
    [501, 'GatewayError', 'failed'],
    [502, 'RejectedByGateway', 'refused'],
  ])('says %i %s of the number: %s', async (code, status, is) => {
    peer.reply = () => sent(code, status)
    expect(await africasTalking().send(delivery({ to: '+254711123456' }), never)).toMatchObject({ is })
  })

  it('says nothing of the number: tried again', async () => {
    peer.reply = () => json(201, { SMSMessageData: { Message: 'InvalidSenderId', Recipients: [] } })
    expect(await africasTalking().send(delivery({ to: '+254711123456' }), never)).toMatchObject({
      is: 'failed',
    })
  })
})

describe('a provider of registered texts', () => {
  const templates = {
    booked: {
      en: {
        id: '1107160000000012345',
        text: 'Dear {#var#}, you are booked with {#var#} on {#var#}. Join: {#var#}{#var#} -CLINIC',
        values: ['patient', 'practitioner', 'start', 'link', 'link'],
      },
      ml: { id: '1107160000000012346', text: '{#var#}: {#var#}', values: ['practitioner', 'start'] },
    },
  }
  const gateway = (env: Record<string, string>) =>
    channel({
      NADI_SMS: 'gateway',
      NADI_SMS_FROM: 'CLINIC',
      NADI_SMS_ENTITY: '1101000000000012345',
      NADI_SMS_TEMPLATES: JSON.stringify(templates),
      ...env,
    })
  const link = 'https://meet.example.in/abcdefghij/k' // 36 characters: two variables
  const values = { ...delivery().values, link }
  const TEXT =
    'Dear Meera Pillai, you are booked with Dr Nair on 23 Nov 2026, 10:30. Join: https://meet.example.in/abcdefghij/k -CLINIC'

  it('is asked by GET with everything escaped', async () => {
    peer.reply = () => ({ status: 200, body: 'OK' })
    const url = `${peer.url}/send?user=u&key={secret}&mobile={digits}&sender={sender}&pe={entity}&tid={template}&msg={text}&ref={key}`
    const one = gateway({ NADI_SMS_GATEWAY_URL: url, NADI_SMS_GATEWAY_SECRET: 'a&b=c d' })
    expect(await one.send(delivery({ values }), never)).toEqual({ is: 'accepted' })
    const { method, path } = peer.heard[0] as Heard
    expect(method).toBe('GET')
    expect(Object.fromEntries(new URL(path, peer.url).searchParams)).toEqual({
      user: 'u',
      key: 'a&b=c d',
      mobile: '919876543210',
      sender: 'CLINIC',
      pe: '1101000000000012345',
      tid: '1107160000000012345',
      msg: TEXT,
      ref: KEY,
    })
  })

  it('is asked by JSON with numbered variables, and no value gets out of its string', async () => {
    peer.reply = () => json(200, { type: 'success', message: 'x' })
    const body = {
      template_id: '{template}',
      short_url: 0,
      recipients: [{ mobiles: '{digits}', VAR1: '{var1}', VAR2: '{var2}', VAR9: '{var9}' }],
    }
    const one = gateway({
      NADI_SMS_GATEWAY_URL: `${peer.url}/api/v5/flow`,
      NADI_SMS_GATEWAY_BODY: JSON.stringify(body),
      NADI_SMS_GATEWAY_HEADERS: '{"authkey":"k1"}',
      NADI_SMS_GATEWAY_ACCEPTED: '"success"',
    })
    const patient = '"},{"mobiles":"{to}\\'
    expect(await one.send(delivery({ values: { ...values, patient } }), never)).toEqual({ is: 'accepted' })
    expect(peer.heard[0]?.headers).toMatchObject({ authkey: 'k1', 'content-type': 'application/json' })
    expect(JSON.parse(peer.heard[0]?.body ?? '')).toEqual({
      template_id: '1107160000000012345',
      short_url: 0,
      recipients: [{ mobiles: '919876543210', VAR1: patient, VAR2: 'Dr Nair', VAR9: '' }],
    })
  })

  it('is asked by a form in which no value adds a field', async () => {
    peer.reply = () => ({ status: 200 })
    const one = gateway({
      NADI_SMS_GATEWAY_URL: `${peer.url}/send`,
      NADI_SMS_GATEWAY_BODY: 'to={to}&name={var1}&route=t',
    })
    await one.send(delivery({ values: { ...values, patient: 'A&route=p\r\nX: y' } }), never)
    expect(formOf(peer.heard[0])).toEqual({ to: '+919876543210', name: 'A&route=p X: y', route: 't' })
  })

  it('gets the text of the language, that of English for one that is not registered', async () => {
    peer.reply = () => ({ status: 200 })
    const one = gateway({ NADI_SMS_GATEWAY_URL: `${peer.url}/{template}` })
    for (const language of ['ml', 'ml-IN', 'ta']) await one.send(delivery({ values, language }), never)
    expect(peer.heard.map(({ path }) => path)).toEqual([
      '/1107160000000012346',
      '/1107160000000012346',
      '/1107160000000012345',
    ])
  })

  it('gets the text of a variant and of a role before that of the event', async () => {
    peer.reply = () => ({ status: 200 })
    const one = (name: string) => ({ en: { id: name, text: 'x', values: [] } })
    const named = { queue: one('all'), 'queue.next': one('next'), 'booked/practitioner': one('doctor') }
    const gate = gateway({
      NADI_SMS_GATEWAY_URL: `${peer.url}/{template}`,
      NADI_SMS_TEMPLATES: JSON.stringify(named),
    })
    for (const template of ['queue.next', 'queue.next/patient', 'queue.fifth'])
      await gate.send(delivery({ event: 'queue', template }), never)
    await gate.send(delivery({ template: 'booked/practitioner' }), never)
    expect(await gate.send(delivery(), never)).toMatchObject({ is: 'refused' })
    expect(peer.heard.map(({ path }) => path)).toEqual(['/next', '/next', '/all', '/doctor'])
  })

  it('gets values cut to 30 characters, and nothing where a link would be cut or an event is not registered', async () => {
    peer.reply = () => ({ status: 200 })
    const one = gateway({ NADI_SMS_GATEWAY_URL: `${peer.url}/?v={var1}` })
    await one.send(
      delivery({ values: { ...values, patient: 'Lakshmi Kunjamma Varghese Puthenpurackal' } }),
      never,
    )
    expect(new URL(peer.heard[0]?.path ?? '', peer.url).searchParams.get('v')).toBe(
      'Lakshmi Kunjamma Varghese P...',
    )
    const long = `https://meet.example.in/${'a'.repeat(60)}`
    expect(await one.send(delivery({ values: { ...values, link: long } }), never)).toMatchObject({
      is: 'refused',
    })
    expect(await one.send(delivery({ event: 'feedback' }), never)).toMatchObject({ is: 'refused' })
    expect(peer.heard).toHaveLength(1)
  })

  it('is believed by what its answer holds, whatever the status', async () => {
    const one = gateway({
      NADI_SMS_GATEWAY_URL: `${peer.url}/`,
      NADI_SMS_GATEWAY_ACCEPTED: 'status=ok',
      NADI_SMS_GATEWAY_REFUSED: 'invalid number',
    })
    const answers = ['status=ok id=1', 'error: no balance', 'error: invalid number']
    const got: string[] = []
    for (const body of answers) {
      peer.reply = () => ({ status: 200, body })
      got.push((await one.send(delivery({ values }), never)).is)
    }
    expect(got).toEqual(['accepted', 'failed', 'refused'])
  })
})
