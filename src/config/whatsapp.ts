/** Settings of WhatsApp by the Cloud API. */
import { token } from './mail.ts'
import { baseUrl, choice, type Setting, text } from './setting.ts'

/** A template as WhatsApp has approved it. */
export interface WhatsAppTemplate {
  name: string
  /** The values of its body's variables in their order, by name. */
  values: readonly string[]
  /** Ours -> the code under which the template is approved: `ml` -> `ml`, `en` -> `en_US`. */
  languages: Readonly<Record<string, string>>
}

export interface WhatsAppSettings {
  on: boolean
  /** With the version of the API. */
  url: string
  phoneId: string | undefined
  token: string | undefined
  /** By event. */
  templates: Readonly<Record<string, WhatsAppTemplate>>
}

export const WHATSAPP_SETTINGS = [
  {
    env: 'NADI_WHATSAPP',
    values: 'on or off',
    default: 'off',
    meaning: '`on` sends messages by the WhatsApp Cloud API.',
    read: choice('on', 'off'),
  },
  {
    env: 'NADI_WHATSAPP_PHONE_ID',
    values: 'digits',
    default: '',
    meaning: 'Phone number id (not the number) that messages come from.',
    read: value => (/^[0-9]{5,30}$/.test(value) ? text(value) : undefined),
  },
  {
    env: 'NADI_WHATSAPP_TOKEN',
    values: 'text without white space',
    default: '',
    meaning: 'Access token of a system user with `whatsapp_business_messaging`.',
    secret: true,
    read: token,
  },
  {
    env: 'NADI_WHATSAPP_TEMPLATES',
    values: 'JSON: {event: {name, values, languages}}',
    default: '',
    meaning:
      'Approved templates by event: `values` names the variables of the body in order, `languages` the code of each language. Events without one are not told by WhatsApp. See docs/channels.md.',
    read: templates,
  },
  {
    env: 'NADI_WHATSAPP_URL',
    values: 'http(s) URL',
    default: 'https://graph.facebook.com/v23.0',
    meaning: 'Address and version of the Graph API.',
    read: baseUrl,
  },
] as const satisfies readonly Setting[]

type Name = (typeof WHATSAPP_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const whatsAppOf = (value: <T>(name: Name) => T): WhatsAppSettings => ({
  on: value<string>('NADI_WHATSAPP') === 'on',
  url: value('NADI_WHATSAPP_URL'),
  phoneId: value('NADI_WHATSAPP_PHONE_ID'),
  token: value('NADI_WHATSAPP_TOKEN'),
  templates: value('NADI_WHATSAPP_TEMPLATES') ?? {},
})

/** Returns the settings that are missing for what was chosen. */
export function missingWhatsApp({ on, phoneId, token, templates }: WhatsAppSettings): string[] {
  if (!on) return []
  const missing: string[] = []
  if (phoneId === undefined) missing.push('NADI_WHATSAPP_PHONE_ID')
  if (token === undefined) missing.push('NADI_WHATSAPP_TOKEN')
  if (Object.keys(templates).length === 0) missing.push('NADI_WHATSAPP_TEMPLATES')
  return missing.map(name => `NADI_WHATSAPP is on, which needs ${name}.`)
}

function templates(value: string): Record<string, WhatsAppTemplate> | undefined {
  try {
    const tree: unknown = JSON.parse(value)
    if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return undefined
    return Object.values(tree).every(fits) ? (tree as Record<string, WhatsAppTemplate>) : undefined
  } catch {
    return undefined
  }
}

function fits(one: unknown): boolean {
  const { name, values, languages } = (one ?? {}) as Record<string, unknown>
  return (
    typeof name === 'string' &&
    /^[a-z0-9_]{1,512}$/.test(name) &&
    Array.isArray(values) &&
    values.every(value => typeof value === 'string') &&
    typeof languages === 'object' &&
    languages !== null &&
    Object.values(languages).every(code => typeof code === 'string' && /^[A-Za-z_]{2,10}$/.test(code))
  )
}
