/** Data types of FHIR in words. https://hl7.org/fhir/R4/datatypes.html */
import { isObject, type Json, type JsonObject, NumberText } from '../../fhir/json.ts'
import { all, isTrue, joined, known, one, text, texts } from './tree.ts'
import { dateText, periodText, timeText } from './when.ts'

/** Returns the text of a CodeableConcept: as it was said, else the display that was chosen, else a code. */
export function conceptText(concept: JsonObject | undefined): string | undefined {
  const codings = all(concept, 'coding')
  const chosen =
    codings.find(coding => isTrue(coding, 'userSelected')) ?? codings.find(c => text(c, 'display'))
  return text(concept, 'text') ?? text(chosen, 'display') ?? text(codings[0], 'code')
}

/** Returns the texts of several CodeableConcepts, joined. */
export const conceptsText = (of: JsonObject | undefined, name: string): string | undefined =>
  joined(all(of, name).map(conceptText))

/** Returns whether a CodeableConcept has one of the codes, whatever the system. */
export const hasCode = (concept: JsonObject | undefined, codes: readonly string[]): boolean =>
  all(concept, 'coding').some(coding => codes.includes(text(coding, 'code') ?? ''))

export function nameText(name: JsonObject | undefined): string | undefined {
  return (
    text(name, 'text') ??
    joined(
      [...texts(name, 'prefix'), ...texts(name, 'given'), text(name, 'family'), ...texts(name, 'suffix')],
      ' ',
    )
  )
}

/** Returns the name that a person goes by: the official one, else the usual, else the first that is in use. */
export function personName(of: JsonObject | undefined): string | undefined {
  const names = all(of, 'name').filter(name => text(name, 'use') !== 'old')
  const chosen =
    names.find(name => text(name, 'use') === 'official') ??
    names.find(name => text(name, 'use') === 'usual') ??
    names[0]
  return nameText(chosen)
}

export const addressText = (address: JsonObject | undefined): string | undefined =>
  joined([
    ...texts(address, 'line'),
    text(address, 'city'),
    text(address, 'district') === text(address, 'city') ? undefined : text(address, 'district'),
    joined([text(address, 'state'), text(address, 'postalCode')], ' '),
  ]) ?? text(address, 'text')

const UNITS: Record<string, string> = {
  s: 'second',
  min: 'minute',
  h: 'hour',
  d: 'day',
  wk: 'week',
  mo: 'month',
  a: 'year',
}

/** Returns `5 days` for a Duration or Age, or for a number and a UCUM unit of time. */
export function durationText(value: string | undefined, unit: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const name = known(UNITS, unit)
  if (name === undefined) return joined([value, unit], ' ')
  return `${value} ${name}${value === '1' ? '' : 's'}`
}

/** UCUM as it is written for people; units are replaced where they stand alone or between `/`, `.` and numbers. */
const SIGNS: readonly [RegExp, string][] = [
  [/\[degF\]/g, '\u00b0F'],
  [/\bCel\b/g, '\u00b0C'],
  [/mm\[Hg\]/g, 'mmHg'],
  [/\[IU\]|\[iU\]/g, 'IU'],
  [/10[*^](\d)/g, '\u00d710^$1'],
  [/\bu(?=(?:g|L|l|mol|m|U|IU|kat)\b)/g, '\u00b5'],
  [/\{[^{}]*\}/g, ''],
]
const RAISED = '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'

/** Returns a UCUM unit as it is written: `10*3/uL` is `\u00d710\u00b3/\u00b5L`. */
export function unitText(unit: string): string {
  const written = SIGNS.reduce((text, [from, to]) => text.replace(from, to), unit)
  return written.replace(/\^(\d)/g, (_, digit) => RAISED[Number(digit)]!).trim()
}

/** Returns value and unit, with the sign that it is less or more than the value. */
export function quantityText(quantity: JsonObject | undefined): string | undefined {
  const value = text(quantity, 'value')
  if (value === undefined) return undefined
  const code = text(quantity, 'code')
  const unit = text(quantity, 'unit') ?? code
  const ucum = unit === code || UCUM_LIKE.test(unit ?? '')
  const comparator = text(quantity, 'comparator')
  const sign = known({ '<=': '\u2264', '>=': '\u2265' }, comparator) ?? comparator
  const shown = unit === '1' || unit === undefined ? undefined : ucum ? unitText(unit) : unit
  const amount =
    ucum && known(UNITS, unit) !== undefined
      ? durationText(value, unit)!
      : joined([value, shown], shown === '%' ? '' : ' ')!
  return sign === undefined ? amount : `${sign} ${amount}`
}

/** Codes that were put where the unit is to be read. */
const UCUM_LIKE = /[*[\]{}^]|^Cel$/

export function rangeText(range: JsonObject | undefined): string | undefined {
  const low = one(range, 'low')
  const high = one(range, 'high')
  if (low === undefined) return high === undefined ? undefined : `up to ${quantityText(high)}`
  if (high === undefined) return `from ${quantityText(low)}`
  const of = (quantity: JsonObject): string | undefined => text(quantity, 'unit') ?? text(quantity, 'code')
  const same = of(high) === of(low)
  return `${same ? text(low, 'value') : quantityText(low)} \u2013 ${quantityText(high)}`
}

export const ratioText = (ratio: JsonObject | undefined): string | undefined =>
  joined([quantityText(one(ratio, 'numerator')), quantityText(one(ratio, 'denominator'))], ' / ')

/** Returns a decimal with its digits in Indian groups and at least two after the point: `1,23,456.00`. What is no decimal stays. */
export function grouped(decimal: string): string {
  const plain = /[eE]/.test(decimal) ? String(Number(decimal)) : decimal
  const found = /^(-?)(\d+)(?:\.(\d*))?$/.exec(plain)
  if (found === null) return decimal
  const [, sign, whole, fraction = ''] = found
  const end = whole!.slice(-3)
  const rest = whole!.slice(0, -3).replace(/\B(?=(\d{2})+$)/g, ',')
  return `${sign === '-' ? '\u2212' : ''}${rest === '' ? '' : `${rest},`}${end}.${fraction.padEnd(2, '0')}`
}

/** Returns an amount with its currency; rupees where none is named are not guessed. */
export function moneyText(money: JsonObject | undefined): string | undefined {
  const value = text(money, 'value')
  if (value === undefined) return undefined
  const currency = text(money, 'currency')
  return currency === 'INR' ? `\u20b9${grouped(value)}` : joined([currency, grouped(value)], ' ')
}

export const identifierLabel = (identifier: JsonObject): string =>
  conceptText(one(identifier, 'type')) ?? 'Identifier'

/** Returns any value of a choice element in words; undefined for types that are not read by people. */
export function valueText(member: string, value: Json | undefined, zone: string): string | undefined {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (value instanceof NumberText) return value.text
  if (typeof value === 'string')
    return /(DateTime|Instant)$/.test(member)
      ? timeText(value, zone)
      : /Date$/.test(member)
        ? dateText(value, zone)
        : value
  if (!isObject(value)) return undefined
  if (member.endsWith('CodeableConcept')) return conceptText(value)
  if (member.endsWith('Coding')) return text(value, 'display') ?? text(value, 'code')
  if (member.endsWith('Range')) return rangeText(value)
  if (member.endsWith('Ratio')) return ratioText(value)
  if (member.endsWith('Period')) return periodText(value, zone)
  if (member.endsWith('Money')) return moneyText(value)
  if (/(Quantity|Age|Duration)$/.test(member)) return quantityText(value)
  if (member.endsWith('Annotation')) return text(value, 'text')
  return undefined
}

/** Returns the texts of notes. */
export const notesText = (of: JsonObject): string | undefined =>
  joined(
    all(of, 'note').map(note => text(note, 'text')),
    '\n',
  )

/** Returns a code as words: `in-progress` is `In progress`. */
export function codeWords(code: string | undefined): string | undefined {
  if (code === undefined) return undefined
  const words = code.replace(/[-_]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Returns words with a capital at their beginning. */
export const capital = (words: string | undefined): string | undefined =>
  words === undefined ? undefined : words.charAt(0).toUpperCase() + words.slice(1)
