/** Values of resources in the words that a person reads. */

import { wallTime } from '../fhir/instant.ts'
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'
import { at, choice, object, objects, text, texts } from '../fhir/tree.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Returns a FHIR date as people write it in India, to the minute: `16 Nov 2026, 09:22`, the wall time of the zone. */
export function dateWords(date: string | undefined, zone: string): string {
  const local = date === undefined ? undefined : wallTime(date, zone)
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d))?)?)?/.exec(local ?? date ?? '')
  if (parts === null) return date ?? ''
  const [, year, month, day, time] = parts
  if (month === undefined) return year!
  const name = MONTHS[Number(month) - 1] ?? month
  const words = day === undefined ? `${name} ${year}` : `${Number(day)} ${name} ${year}`
  return time === undefined ? words : `${words}, ${time}`
}

/** Returns text, or the display or code of the first coding. */
export function conceptWords(value: Json | undefined): string {
  return objects(value)
    .map(one => {
      const coding = objects(one.coding)
      return (
        text(one.text) ??
        text(coding.find(of => of.display !== undefined)?.display) ??
        text(coding[0]?.code) ??
        ''
      )
    })
    .filter(word => word !== '')
    .join(', ')
}

/** Returns a Quantity, Money or Duration: `38.9 Cel`, `INR 300.0`. */
export function quantityWords(value: Json | undefined): string {
  const of = object(value)
  if (of === undefined) return ''
  const number = text(of.value) ?? ''
  if (of.currency !== undefined) return `${text(of.currency)} ${number}`
  const unit = text(of.unit) ?? text(of.code) ?? ''
  return `${text(of.comparator) ?? ''}${number} ${unit}`.trim()
}

export function periodWords(value: Json | undefined, zone: string): string {
  const of = object(value)
  if (of === undefined) return ''
  const [start, end] = [text(of.start), text(of.end)]
  if (end === undefined) return start === undefined ? '' : `from ${dateWords(start, zone)}`
  return start === undefined
    ? `until ${dateWords(end, zone)}`
    : `${dateWords(start, zone)} to ${dateWords(end, zone)}`
}

/** Returns the display of a Reference, or of each of a list. */
export const referenceWords = (value: Json | undefined): string =>
  objects(value)
    .map(one => text(one.display) ?? '')
    .filter(word => word !== '')
    .join(', ')

/** Returns the first name of a person, or the name of an organization. */
export function nameWords(resource: JsonObject): string {
  if (typeof resource.name === 'string') return resource.name
  const names = objects(resource.name)
  const name = names.find(one => one.use === 'official') ?? names[0]
  if (name === undefined) return ''
  return text(name.text) ?? [...texts(name.prefix), ...texts(name.given), ...texts(name.family)].join(' ')
}

/** Returns the value of an element that has several types, such as `value` or `onset`. */
export function choiceWords(parent: JsonObject, name: string, zone: string): string {
  const found = choice(parent, name)
  if (found === undefined) return ''
  const { type, value } = found
  if (type === 'CodeableConcept') return conceptWords(value)
  if (type === 'Period') return periodWords(value, zone)
  if (type === 'Reference') return referenceWords(value)
  if (type === 'Range') {
    const range = object(value)
    return [quantityWords(range?.low), quantityWords(range?.high)].filter(word => word !== '').join(' to ')
  }
  if (type === 'Ratio') {
    const ratio = object(value)
    return `${quantityWords(ratio?.numerator)} / ${quantityWords(ratio?.denominator)}`
  }
  if (isObject(value)) return quantityWords(value)
  const plain = text(value) ?? ''
  return /^(?:DateTime|Date|Instant)$/.test(type) ? dateWords(plain, zone) : plain
}

/** Returns the value of an Observation or one of its components; of a panel the values of its components. */
export function valueWords(observation: JsonObject, zone: string): string {
  const own = choiceWords(observation, 'value', zone)
  if (own !== '') return own
  const parts = objects(observation.component).map(
    one => `${conceptWords(one.code)}: ${valueWords(one, zone)}`,
  )
  return parts.length > 0 ? parts.join('; ') : conceptWords(observation.dataAbsentReason)
}

export const textAt = (tree: JsonObject, way: string): string =>
  at(tree, way)
    .map(one => text(one) ?? '')
    .filter(word => word !== '')
    .join(', ')
