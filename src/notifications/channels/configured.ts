/** The channels that the settings turn on. */
import type { NotificationSettings } from '../../config/notifications.ts'
import type { Log } from '../../lib/log.ts'
import type { Channel } from '../channel.ts'
import { createAfricasTalkingChannel } from './africastalking.ts'
import { createCareGatewayChannel } from './care-gateway.ts'
import { createLogChannel } from './log.ts'
import { createSendGridChannel } from './sendgrid.ts'
import { createSmsGatewayChannel } from './sms-gateway.ts'
import { createSnsChannel } from './sns.ts'
import { createTwilioChannel } from './twilio.ts'
import { createWebhookChannel } from './webhook.ts'
import { createWhatsAppChannel } from './whatsapp.ts'

export interface ChannelDeps {
  log: Log
  /** ms since 1970 UTC, for signatures. */
  clock(): number
  /** E-mail by SMTP, which needs sockets: absent where there are none. */
  smtp?: Channel
}

const SMS = {
  twilio: createTwilioChannel,
  sns: createSnsChannel,
  africastalking: createAfricasTalkingChannel,
  gateway: createSmsGatewayChannel,
} as const

/**
 * Returns the channels, `log` alone where none is set up.
 *
 * Throws an Error where the settings want SMTP of a runtime that has it not.
 */
export function channelsOf({ channels }: NotificationSettings, { log, clock, smtp }: ChannelDeps): Channel[] {
  const { mail, sms, whatsApp, webhook, careGateway } = channels
  const deps = { log, clock }
  const found: Channel[] = []
  if (mail.by === 'smtp') {
    if (smtp === undefined) throw new Error('NADI_MAIL is smtp, which needs Node: choose sendgrid.')
    found.push(smtp)
  }
  if (mail.by === 'sendgrid') found.push(createSendGridChannel(mail))
  if (sms.by !== 'off') found.push(SMS[sms.by](sms, deps))
  if (whatsApp.on) found.push(createWhatsAppChannel(whatsApp))
  if (webhook.url !== undefined) found.push(createWebhookChannel(webhook, deps))
  if (careGateway.url !== undefined && careGateway.enabled)
    found.push(createCareGatewayChannel(careGateway, deps))
  return found.length > 0 ? found : [createLogChannel(log)]
}
