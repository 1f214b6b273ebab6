/** Settings of channels, and the channel that only logs. */
import { describe, expect, it } from 'vitest'
import { readConfig, SettingsError } from '../../../src/config.ts'
import type { Log } from '../../../src/lib/log.ts'
import { channelsOf } from '../../../src/notifications/channels/configured.ts'
import { clip } from '../../../src/notifications/channels/line.ts'
import { createLogChannel } from '../../../src/notifications/channels/log.ts'
import { silent } from '../../storage/silent-log.ts'
import { delivery, KEY, never } from '../peer.ts'

const names = (env: Record<string, string>): string[] =>
  channelsOf(readConfig(env).notifications, { log: silent, clock: Date.now }).map(({ name }) => name)
const problems = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('channels', () => {
  it('are the log alone until another is set up', () => {
    expect(names({})).toEqual(['log'])
  })

  it('are those that are set up, without the log', () => {
    const env = {
      NADI_MAIL: 'sendgrid',
      NADI_MAIL_FROM: 'noreply@clinic.example.in',
      NADI_SENDGRID_KEY: 'SG.key',
      NADI_SMS: 'gateway',
      NADI_SMS_GATEWAY_URL: 'https://sms.example.in/send?to={to}',
      NADI_WHATSAPP: 'on',
      NADI_WHATSAPP_PHONE_ID: '106540352242922',
      NADI_WHATSAPP_TOKEN: 'EAAJ',
      NADI_WHATSAPP_TEMPLATES: '{"booked":{"name":"booked","values":[],"languages":{"en":"en"}}}',
      NADI_WEBHOOK_URL: 'https://hook.example.in/nadi',
      CCM_UHI_NOTIFICATION_ENDPOINT: 'https://gateway.example.in/send',
    }
    expect(names(env)).toEqual(['email', 'sms', 'whatsapp', 'webhook', 'care-gateway'])
  })

  it('do not start by SMTP where there are no sockets', () => {
    const env = { NADI_MAIL: 'smtp', NADI_MAIL_FROM: 'a@example.in', NADI_SMTP_HOST: 'mail.example.in' }
    expect(() => names(env)).toThrow('NADI_MAIL is smtp, which needs Node: choose sendgrid.')
  })

  it('name each setting that they miss', () => {
    expect(problems({ NADI_MAIL: 'smtp' })).toEqual([
      'NADI_MAIL is smtp, which needs NADI_MAIL_FROM.',
      'NADI_MAIL is smtp, which needs NADI_SMTP_HOST.',
    ])
    expect(problems({ NADI_SMS: 'twilio', NADI_SMS_FROM: '+15005550006' })).toEqual([
      'NADI_SMS is twilio, which needs NADI_TWILIO_ACCOUNT.',
      'NADI_SMS is twilio, which needs NADI_TWILIO_TOKEN.',
    ])
    expect(problems({ NADI_WHATSAPP: 'on' })).toHaveLength(3)
  })

  it('show no secret that is wrong', () => {
    for (const env of [
      'NADI_SENDGRID_KEY',
      'NADI_TWILIO_TOKEN',
      'NADI_WHATSAPP_TOKEN',
      'NADI_SMS_GATEWAY_HEADERS',
    ])
      expect(problems({ [env]: 'geheim\r\nX-Evil: 1' }).join()).not.toContain('geheim')
    expect(problems({ NADI_WEBHOOK_SECRET: 'short' }).join()).not.toContain('short')
  })

  it.each([
    ['NADI_MAIL_FROM', 'Clinic <a@example.in>\r\nBcc: b@example.in'],
    ['NADI_MAIL_FROM', 'a@example.in, b@example.in'],
    ['NADI_SMS_GATEWAY_URL', 'https://{to}.example.in/'],
    ['NADI_SMS_GATEWAY_URL', 'https://sms.example.in/?to={unknown}'],
    ['NADI_SMS_GATEWAY_URL', 'https://user:password@sms.example.in/?to={to}'],
    ['NADI_SMS_GATEWAY_URL', 'file:///etc/passwd'],
    ['NADI_SMS_GATEWAY_BODY', '{"to":"{to}"'],
    ['NADI_SMS_GATEWAY_BODY', '{"to":"{nobody}"}'],
    ['NADI_SMS_GATEWAY_HEADERS', '{"a":"b\\r\\nc: d"}'],
    ['NADI_SMS_TEMPLATES', '{"booked":{"en":{"id":"1","text":"{#var#} {#var#}","values":["a"]}}}'],
    ['NADI_SMS_TEMPLATES', '{"booked":{"en":null}}'],
    ['NADI_SMS_TEMPLATES', '[1]'],
    ['NADI_WHATSAPP_TEMPLATES', '{"booked":{"name":"Not Approved","values":[],"languages":{}}}'],
    ['NADI_WHATSAPP_TEMPLATES', '{"booked":null}'],
    ['NADI_WEBHOOK_URL', 'ftp://hook.example.in'],
    ['NADI_WEBHOOK_SECRET', 'whsec_c2hvcnQ='],
    ['CCM_UHI_NOTIFICATION_ENDPOINT', 'gateway'],
    ['CCM_UHI_NOTIFICATION_TIMEOUT', '0'],
  ])('refuse %s %j', (env, value) => {
    expect(problems({ [env]: value })).toHaveLength(1)
  })
})

it('a text is cut without half a character', () => {
  expect(clip('abcdef', 6)).toBe('abcdef')
  expect(clip('abcdefg', 6)).toBe('abc...')
  expect(clip('ab\u{1F600}\u{1F600}\u{1F600}', 6)).toBe('ab...')
})

it('the log says ids, event and channel, and nothing of the message', async () => {
  const lines: Record<string, unknown>[] = []
  const log: Log = { ...silent, info: (message, fields) => lines.push({ message, ...fields }) }
  expect(await createLogChannel(log).send(delivery(), never)).toEqual({ is: 'accepted' })
  expect(lines).toEqual([
    { message: 'message logged, not sent', key: KEY, event: 'booked', channel: 'log', language: 'en' },
  ])
})
