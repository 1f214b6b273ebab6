/**
 * Location's `near`: places within a distance of a point.
 * https://hl7.org/fhir/R4/location.html#search
 */
import { isObject, type Json, NumberText } from '../../fhir/json.ts'
import { canonicalUnit } from '../../fhir/ucum.ts'
import { isDecimal } from '../../lib/decimal.ts'
import { type Ask, anyOf, type Planner, refusal } from '../ask.ts'
import { shown, splitEscaped, unescapeValue } from '../parse.ts'
import type { Node } from '../plan-node.ts'
import { addRow, begin, type Sink } from '../sink.ts'

/** What is near where the client names no distance: R4 leaves it to the server. */
export const DEFAULT_METRES = 50_000

/** Each value is a distance to every place in its box. */
export const MOST_PLACES = 20

export const NEAR = 'Location.near'

/** Adds the row of a Location's position, where it has one on Earth. */
export function writePosition(value: Json, sink: Sink): void {
  const position = isObject(value) ? value.position : undefined
  if (!isObject(position)) return
  const latitude = degrees(position.latitude, 90)
  const longitude = degrees(position.longitude, 180)
  if (latitude === undefined || longitude === undefined) return
  begin(sink)
  addRow(sink, { kind: 'position', param: NEAR, latitude, longitude })
}

function degrees(value: Json | undefined, most: number): number | undefined {
  const number = value instanceof NumberText ? Number(value.text) : Number.NaN
  return Math.abs(number) <= most ? number : undefined
}

/** A point, and how far around it. */
export interface Place {
  /** Degrees of WGS84. */
  latitude: number
  longitude: number
  metres: number
}

/**
 * Returns what a value of `near` asks for: `latitude|longitude`, `latitude|longitude|distance` or `latitude|longitude|distance|units`.
 *
 * Throws `invalid` for anything else: latitudes go from -90 to 90, longitudes from -180 to 180, distances begin at 0, units are lengths of
 * UCUM, `km` where none is named.
 */
export function placeOf({ criterion, value }: Pick<Ask, 'criterion' | 'value'>): Place {
  const parts = splitEscaped(value, '|', criterion.name).map(unescapeValue)
  const [latitudeText = '', longitudeText = '', distanceText = '', unit = ''] = parts
  const latitude = numberOf(latitudeText)
  const longitude = numberOf(longitudeText)
  if (parts.length < 2 || parts.length > 4 || latitude === undefined || longitude === undefined)
    throw refusal(
      criterion,
      `A value of "${criterion.code}" is latitude|longitude|distance|units in degrees and units of length, such as 9.9312|76.2673|5|km.`,
    )
  if (Math.abs(latitude) > 90) throw refusal(criterion, 'A latitude lies between -90 and 90 degrees.')
  if (Math.abs(longitude) > 180) throw refusal(criterion, 'A longitude lies between -180 and 180 degrees.')
  if (distanceText === '') return { latitude, longitude, metres: DEFAULT_METRES }
  const distance = numberOf(distanceText)
  if (distance === undefined || distance < 0)
    throw refusal(criterion, `A distance of "${criterion.code}" is a number that is not below 0.`)
  return { latitude, longitude, metres: distance * metresOf(unit === '' ? 'km' : unit, criterion) }
}

const MAX_LENGTH = 100

function numberOf(text: string): number | undefined {
  if (text.length > MAX_LENGTH || !isDecimal(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}

function metresOf(unit: string, criterion: Ask['criterion']): number {
  const canonical = canonicalUnit(unit)
  const { n, d, e } = canonical?.factor ?? { n: 0n, d: 1n, e: 0 }
  const metres = Number(`${n}e${e}`) / Number(d)
  if (canonical?.dimension !== 'm' || !Number.isFinite(metres))
    throw refusal(
      criterion,
      `"${shown(unit)}" is no unit of length in UCUM; there are km, m, [mi_us], [mi_i], [nmi_i] and others.`,
    )
  return metres
}

export const planNear: Planner = ask => {
  if (ask.criterion.values.length > MOST_PLACES)
    throw refusal(
      ask.criterion,
      `"${ask.criterion.code}" takes ${MOST_PLACES} places at most: ask for fewer, or in several searches.`,
      'too-costly',
    )
  // Farther than that is nowhere; and infinity has no place in a plan.
  const { latitude, longitude, metres } = placeOf(ask)
  const bounded = Math.min(metres, HALF_WAY_ROUND)
  return anyOf(
    ask.param.rows.map((param): Node => ({ kind: 'near', param, latitude, longitude, metres: bounded })),
  )
}

const HALF_WAY_ROUND = 21_000_000
