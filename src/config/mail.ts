/** Settings of e-mail: by SMTP on Node, or by the API of SendGrid anywhere. */
import { baseUrl, choice, integer, type Setting, text } from './setting.ts'

export interface MailSettings {
  by: 'off' | 'smtp' | 'sendgrid'
  /** `name` is empty where there is none. */
  from: { name: string; address: string } | undefined
  smtp: {
    host: string | undefined
    port: number
    tls: 'starttls' | 'tls' | 'none'
    user: string | undefined
    password: string | undefined
    connections: number
  }
  sendgrid: { url: string; key: string | undefined }
}

export const MAIL_SETTINGS = [
  {
    env: 'NADI_MAIL',
    values: 'off, smtp or sendgrid',
    default: 'off',
    meaning: 'How e-mail leaves. `smtp` needs Node; Workers send by `sendgrid`.',
    read: choice('off', 'smtp', 'sendgrid'),
  },
  {
    env: 'NADI_MAIL_FROM',
    values: 'address, or Name <address>',
    default: '',
    meaning: 'Sender of e-mail.',
    read: mailbox,
  },
  {
    env: 'NADI_SMTP_HOST',
    values: 'address or name',
    default: '',
    meaning: 'The mail server that takes our e-mail.',
    read: value => (/^[A-Za-z0-9.:_-]+$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_SMTP_PORT',
    values: '1 to 65535',
    default: '587',
    meaning: 'Its port: 587 for `starttls`, 465 for `tls`.',
    read: integer(1, 65535),
  },
  {
    env: 'NADI_SMTP_TLS',
    values: 'starttls, tls or none',
    default: 'starttls',
    meaning:
      '`starttls` and `tls` refuse to go on without TLS and a valid certificate (NODE_EXTRA_CA_CERTS adds an authority); `none` speaks plain text, for a mail server on this machine.',
    read: choice('starttls', 'tls', 'none'),
  },
  {
    env: 'NADI_SMTP_USER',
    values: 'text',
    default: '',
    meaning: 'User name at the mail server; without it nobody signs in.',
    read: text,
  },
  {
    env: 'NADI_SMTP_PASSWORD',
    values: 'text',
    default: '',
    meaning: 'Password at the mail server.',
    secret: true,
    read: text,
  },
  {
    env: 'NADI_SMTP_CONNECTIONS',
    values: '1 to 100',
    default: '3',
    meaning: 'Most connections to the mail server at once; each is kept for the next message.',
    read: integer(1, 100),
  },
  {
    env: 'NADI_SENDGRID_KEY',
    values: 'text without white space',
    default: '',
    meaning: 'API key of SendGrid with the permission `mail.send`.',
    secret: true,
    read: token,
  },
  {
    env: 'NADI_SENDGRID_URL',
    values: 'http(s) URL',
    default: 'https://api.sendgrid.com',
    meaning: 'Address of the API; `https://api.eu.sendgrid.com` for accounts in the EU.',
    read: baseUrl,
  },
] as const satisfies readonly Setting[]

type Name = (typeof MAIL_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const mailOf = (value: <T>(name: Name) => T): MailSettings => ({
  by: value('NADI_MAIL'),
  from: value('NADI_MAIL_FROM'),
  smtp: {
    host: value('NADI_SMTP_HOST'),
    port: value('NADI_SMTP_PORT'),
    tls: value('NADI_SMTP_TLS'),
    user: value('NADI_SMTP_USER'),
    password: value('NADI_SMTP_PASSWORD'),
    connections: value('NADI_SMTP_CONNECTIONS'),
  },
  sendgrid: { url: value('NADI_SENDGRID_URL'), key: value('NADI_SENDGRID_KEY') },
})

/** Returns the settings that are missing for what was chosen. */
export function missingMail({ by, from, smtp, sendgrid }: MailSettings): string[] {
  const missing: string[] = []
  if (by !== 'off' && from === undefined) missing.push('NADI_MAIL_FROM')
  if (by === 'smtp' && smtp.host === undefined) missing.push('NADI_SMTP_HOST')
  if (by === 'smtp' && smtp.user !== undefined && smtp.password === undefined)
    missing.push('NADI_SMTP_PASSWORD')
  if (by === 'sendgrid' && sendgrid.key === undefined) missing.push('NADI_SENDGRID_KEY')
  return missing.map(name => `NADI_MAIL is ${by}, which needs ${name}.`)
}

/** Returns what may stand in a header field as it is. */
export function token(value: string): string | undefined {
  return /^[\x21-\x7e]{1,2000}$/.test(value) ? value : undefined
}

function mailbox(value: string): { name: string; address: string } | undefined {
  const { name = '', address } = /^(?:"?(?<name>[^"<>\r\n]*?)"? *<(?<address>[^<>]*)>)$/.exec(value)
    ?.groups ?? {
    address: value,
  }
  return address !== undefined && /^[^\s@<>,;:"()]{1,64}@[A-Za-z0-9.-]{1,255}$/.test(address)
    ? { name, address }
    : undefined
}
