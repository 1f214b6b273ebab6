/** Small pieces of FHIR that translations to and from UHI share. */
import { isObject, type Json, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { extensionOf, extensionsOf } from '../scheduling/hold.ts'
import type { Order } from './order.ts'

export const reference = (to: string): JsonObject => ({ reference: to })
export const number = (text: string): NumberText => new NumberText(text)

/** Returns the members whose values are there. */
export function present<T extends Record<string, unknown>>(
  members: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}

/** Returns the object, undefined where it has no members. */
export const some = <T extends object>(object: T): T | undefined =>
  Object.keys(object).length === 0 ? undefined : object

export const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : [])
export const objects = (value: Json | undefined): JsonObject[] => list(value).filter(isObject)
export const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
export const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : value instanceof NumberText ? value.text : undefined

/** Returns the value of the first identifier of a system, and of a kind where one is named. */
export const identifierOf = (
  resource: JsonObject | undefined,
  system: string,
  is: (value: string) => boolean = () => true,
): string | undefined =>
  objects(resource?.identifier)
    .filter(one => one.system === system)
    .map(one => text(one.value))
    .find(value => value !== undefined && is(value))

/** Returns the first coding of a system. */
export const codingOf = (concept: Json | undefined, system: string): JsonObject | undefined =>
  objects(object(concept).coding).find(coding => coding.system === system)

/** Returns an extension whose parts are `url` and one value, those that are there; undefined for none. */
export function complex(url: string, parts: Record<string, JsonObject | undefined>): JsonObject[] {
  const extension = Object.entries(parts).flatMap(([name, value]) =>
    value === undefined ? [] : [{ url: name, ...value }],
  )
  return extension.length === 0 ? [] : [{ url, extension }]
}

/** Returns the text of the value of a part of a complex extension. */
export function partOf(extension: JsonObject | undefined, name: string): string | undefined {
  const part = extension === undefined ? undefined : extensionsOf(extension).find(one => one.url === name)
  const value = part && Object.entries(part).find(([key]) => key.startsWith('value'))?.[1]
  return typeof value === 'boolean' ? String(value) : text(value)
}

export const extension = (element: JsonObject | undefined, url: string): JsonObject | undefined =>
  element && extensionOf(element, url)

/** Returns `value...` of a text that may be missing. */
export const valued = (type: string, value: string | undefined): JsonObject | undefined =>
  value === undefined ? undefined : { [`value${type}`]: value }

type Gender = NonNullable<NonNullable<NonNullable<Order['customer']>['person']>['gender']>
const GENDERS = { M: 'male', F: 'female', O: 'other', U: 'unknown' } as const

export const genderOf = (gender: Gender): string => GENDERS[gender]

/** Returns UHI's letter for a gender of FHIR. */
export const letterOf = (gender: Json | undefined): Gender | undefined =>
  (Object.keys(GENDERS) as Gender[]).find(letter => GENDERS[letter] === gender)

export const money = (price: { currency?: string; value?: string }): JsonObject =>
  present({
    value: price.value === undefined ? undefined : number(price.value),
    currency: price.currency,
  }) as JsonObject

/** Returns a price of Money. */
export const priceOf = (value: Json | undefined): { currency?: string; value?: string } | undefined =>
  some(present({ currency: text(object(value).currency), value: text(object(value).value) }))

/** Returns the key that a reference names: `Patient/1`; undefined where it names none. */
export const keyIn = (value: Json | undefined): string | undefined => text(object(value).reference)

export const idIn = (value: Json | undefined): string | undefined => keyIn(value)?.split('/')[1]

export const idOfResource = (resource: Resource): string => String(resource.id)

/** Returns a picture that comes as a URL or as base64. */
export const photoOf = (image: string): JsonObject =>
  /^https?:/.test(image) ? { url: image } : { contentType: imageType(image), data: image }

/** Returns the media type by the first bytes in base64. */
const imageType = (base64: string): string =>
  base64.startsWith('/9j/')
    ? 'image/jpeg'
    : base64.startsWith('iVBORw0KGgo')
      ? 'image/png'
      : 'application/octet-stream'
