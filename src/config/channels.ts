/** Settings of the ways in which messages leave. */
import { CARE_GATEWAY_SETTINGS, type CareGatewaySettings, careGatewayOf } from './care-gateway.ts'
import { MAIL_SETTINGS, type MailSettings, mailOf, missingMail } from './mail.ts'
import type { Setting } from './setting.ts'
import { missingSms, SMS_SETTINGS, type SmsSettings, smsOf } from './sms.ts'
import { WEBHOOK_SETTINGS, type WebhookSettings, webhookOf } from './webhook.ts'
import { missingWhatsApp, WHATSAPP_SETTINGS, type WhatsAppSettings, whatsAppOf } from './whatsapp.ts'

export interface ChannelSettings {
  mail: MailSettings
  sms: SmsSettings
  whatsApp: WhatsAppSettings
  webhook: WebhookSettings
  careGateway: CareGatewaySettings
}

export const CHANNEL_SETTINGS = [
  ...MAIL_SETTINGS,
  ...SMS_SETTINGS,
  ...WHATSAPP_SETTINGS,
  ...WEBHOOK_SETTINGS,
  ...CARE_GATEWAY_SETTINGS,
] as const satisfies readonly Setting[]

type Name = (typeof CHANNEL_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const channelSettingsOf = (value: <T>(name: Name) => T): ChannelSettings => ({
  mail: mailOf(value),
  sms: smsOf(value),
  whatsApp: whatsAppOf(value),
  webhook: webhookOf(value),
  careGateway: careGatewayOf(value),
})

/** Returns a sentence for each setting that is missing for what was chosen. */
export const missingForChannels = ({ mail, sms, whatsApp }: ChannelSettings): string[] => [
  ...missingMail(mail),
  ...missingSms(sms),
  ...missingWhatsApp(whatsApp),
]
