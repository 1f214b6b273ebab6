/**
 * The PIN that a patient shows at the desk. It is made of a secret of the server and the appointment, and stored nowhere: who reads the
 * database, its history or its backups cannot tell it. The appointment holds what has become of it.
 */
import type { Settings } from '../config.ts'
import type { Context } from '../context.ts'
import { isObject, NumberText, type Resource } from '../fhir/json.ts'
import { extensionOf, withExtension } from './hold.ts'

/** Appointment: the PIN of the visit, without the PIN. */
export const AUTHORIZATION = 'urn:nadi:extension:visit-authorization'

/** Wrong PINs after which only an override opens the visit. */
export const PIN_ATTEMPTS = 5

/** Why a visit begins without its PIN: codes of UHI, chapter 8.3. The last needs a text. */
export const OVERRIDES = [
  'OVERRIDE_EMERGENCY_CONSULTATION',
  'OVERRIDE_PIN_TECH_FAILURE',
  'OVERRIDE_PIN_DELIVERY_FAILURE',
  'OVERRIDE_VULNERABLE_PATIENT',
  'OVERRIDE_EUA_OUTAGE',
  'OVERRIDE_MISMATCH',
  'OVERRIDE_OTHER',
] as const

export interface Authorization {
  status: string
  /** dateTimes. */
  validFrom?: string
  validTo?: string
  /** PINs that were tried. */
  attempts?: number
  override?: string
  reason?: string
}

/** Returns the four digits of an appointment's PIN. `name` is its order id: the same name always has the same PIN under one secret. */
export async function pinOf(secret: string, name: string): Promise<string> {
  const utf8 = (text: string) => new TextEncoder().encode(text)
  const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, utf8(`nadi visit pin ${name}`)))
  // 48 bits, so that no PIN is likelier than another by more than one in 2^34.
  const number = mac.getUint16(0) * 2 ** 32 + mac.getUint32(2)
  return String(number % 10_000).padStart(4, '0')
}

/** Appointment.identifier: the order of UHI that an appointment is. */
export const ORDER_SYSTEM = 'urn:nadi:uhi:order'

/** Returns what the PIN of an appointment is made for: its order, where there is none its id. */
export function nameOfPin(appointment: Resource): string {
  const identifiers = Array.isArray(appointment.identifier) ? appointment.identifier.filter(isObject) : []
  const order = identifiers.find(one => one.system === ORDER_SYSTEM)?.value
  return typeof order === 'string' ? order : String(appointment.id)
}

/** Returns what PINs are made of; undefined where nothing is set. */
export const pinSecretOf = ({ uhi }: Settings): string | undefined => uhi.pinSecret ?? uhi.privateKey

/** Returns whether a PIN is the right one; it takes as long for each. */
export function isPin(tried: string, right: string): boolean {
  let differs = tried.length === right.length ? 0 : 1
  for (let i = 0; i < right.length; i++) differs |= right.charCodeAt(i) ^ (tried.charCodeAt(i) || 0)
  return differs === 0
}

/** Returns what an appointment says of its PIN, undefined where it has none. */
export function authorizationOf(appointment: Resource): Authorization | undefined {
  const parts = extensionOf(appointment, AUTHORIZATION)?.extension
  if (!Array.isArray(parts)) return undefined
  const value = (url: string, name: string): string | undefined => {
    const found = parts.find(part => isObject(part) && part.url === url)
    const is = isObject(found) ? found[name] : undefined
    return typeof is === 'string' ? is : is instanceof NumberText ? is.text : undefined
  }
  const status = value('status', 'valueCode')
  if (status === undefined) return undefined
  const authorization: Authorization = { status }
  const validFrom = value('validFrom', 'valueDateTime')
  const validTo = value('validTo', 'valueDateTime')
  const attempts = value('attempts', 'valueUnsignedInt')
  const override = value('override', 'valueCode')
  const reason = value('reason', 'valueString')
  if (validFrom !== undefined) authorization.validFrom = validFrom
  if (validTo !== undefined) authorization.validTo = validTo
  if (attempts !== undefined) authorization.attempts = Number(attempts)
  if (override !== undefined) authorization.override = override
  if (reason !== undefined) authorization.reason = reason
  return authorization
}

/** Returns the appointment with this to say of its PIN. */
export const withAuthorization = (appointment: Resource, is: Authorization): Resource =>
  withExtension(appointment, AUTHORIZATION, {
    extension: [
      { url: 'status', valueCode: is.status },
      ...(is.validFrom === undefined ? [] : [{ url: 'validFrom', valueDateTime: is.validFrom }]),
      ...(is.validTo === undefined ? [] : [{ url: 'validTo', valueDateTime: is.validTo }]),
      ...(is.attempts === undefined
        ? []
        : [{ url: 'attempts', valueUnsignedInt: new NumberText(String(is.attempts)) }]),
      ...(is.override === undefined ? [] : [{ url: 'override', valueCode: is.override }]),
      ...(is.reason === undefined ? [] : [{ url: 'reason', valueString: is.reason }]),
    ],
  })

/** The name of the secret under which `$verify-pin` may write what has become of a PIN. */
const WRITER = 'visit-authorization'

/** Returns the context that may write what has become of the PIN of this appointment: `Appointment/1`. */
export const asPinWriter = (ctx: Context, key: string): Context => ({
  ...ctx,
  secrets: { ...ctx.secrets, [WRITER]: key },
})

export const mayWriteAuthorization = (ctx: Context, key: string): boolean => ctx.secrets?.[WRITER] === key
