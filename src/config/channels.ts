/** Settings of the ways in which messages leave. */
import { CARE_GATEWAY_SETTINGS, type CareGatewaySettings, careGatewayOf } from './care-gateway.ts'
import { MAIL_SETTINGS, type MailSettings, mailOf, missingMail } from './mail.ts'
import { limit, type Setting } from './setting.ts'
import { missingSms, SMS_SETTINGS, type SmsSettings, smsOf } from './sms.ts'
import { WEBHOOK_SETTINGS, type WebhookSettings, webhookOf } from './webhook.ts'
import { missingWhatsApp, WHATSAPP_SETTINGS, type WhatsAppSettings, whatsAppOf } from './whatsapp.ts'

export interface ChannelSettings {
  /** Milliseconds that a peer has for its answer. */
  timeoutMs: number
  /** Country calling code of telephone numbers without one. */
  callingCode: string
  mail: MailSettings
  sms: SmsSettings
  whatsApp: WhatsAppSettings
  webhook: WebhookSettings
  careGateway: CareGatewaySettings
}

export const CHANNEL_SETTINGS = [
  limit(
    'NADI_CHANNEL_TIMEOUT_MS',
    'milliseconds',
    10_000,
    'Time that a mail server or provider has for one message.',
    100,
    60_000,
  ) as Setting & { env: 'NADI_CHANNEL_TIMEOUT_MS' },
  {
    env: 'NADI_CALLING_CODE',
    values: '1 to 3 digits',
    default: '91',
    meaning: 'Country calling code of telephone numbers that are stored without one.',
    read: value => (/^[1-9][0-9]{0,2}$/.test(value) ? value : undefined),
  },
  ...MAIL_SETTINGS,
  ...SMS_SETTINGS,
  ...WHATSAPP_SETTINGS,
  ...WEBHOOK_SETTINGS,
  ...CARE_GATEWAY_SETTINGS,
] as const satisfies readonly Setting[]

type Name = (typeof CHANNEL_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const channelSettingsOf = (value: <T>(name: Name) => T): ChannelSettings => ({
  timeoutMs: value('NADI_CHANNEL_TIMEOUT_MS'),
  callingCode: value('NADI_CALLING_CODE'),
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
