/**
 * The clock, and the precision of numbers and dates.
 * http://hl7.org/fhirpath/N1/#utility-functions, http://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer--decimal--date--datetime--time
 */
import { NumberText } from '../../json.ts'
import { type Functions, integerOf, onAll, type PathFunction, single } from '../compiled.ts'
import { pathFault } from '../fault.ts'
import { decimalsOf, roundTo, scaled, written } from '../number.ts'
import { comparable, quantity, quantityOf } from '../quantity.ts'
import { boundary, readTemporal, temporalDigits, writeTemporal } from '../temporal.ts'
import { decimal, EMPTY, integer, kindOf, logical, type PathValue, system, type Values } from '../value.ts'

/** More decimals than any engine has to have. */
const MOST_PLACES = 28
const DEFAULT_PLACES = 8

/** Half of the last digit to one side, written with so many decimals, toward that side. */
function numberBoundary(text: string, places: number, high: boolean): string | undefined {
  const number = scaled(text)
  if (number === undefined || places < 0 || places > MOST_PLACES) return undefined
  const half = { coefficient: number.coefficient * 10n + (high ? 5n : -5n), exponent: number.exponent - 1 }
  return boundedTo(written(half), text, places, high)
}

function boundedTo(half: string, text: string, places: number, high: boolean): string | undefined {
  if (places > decimalsOf(text)) return roundTo(half, places, 'zero')
  // A boundary cut to less than the number has would be on the wrong side of it.
  const result = roundTo(half, places, high ? 'up' : 'down')
  return result
}

function ofValue(value: PathValue, places: number | undefined, high: boolean): Values {
  const kind = kindOf(value)
  if (kind === 'Integer' || kind === 'Decimal') {
    const result = numberBoundary((value.value as NumberText).text, places ?? DEFAULT_PLACES, high)
    return result === undefined ? EMPTY : decimal(result)
  }
  if (kind === 'Quantity') {
    const amount = quantityOf(value)
    const result = amount && numberBoundary(amount.value, places ?? DEFAULT_PLACES, high)
    return result === undefined ? EMPTY : quantity({ ...amount!, value: result })
  }
  if (kind !== 'Date' && kind !== 'DateTime' && kind !== 'Time') return EMPTY
  const isTime = kind === 'Time'
  const temporal = readTemporal(value.value as string, isTime)
  const digits = places ?? (isTime ? 9 : kind === 'Date' && value.type !== 'dateTime' ? 8 : 17)
  const result = temporal && boundary(temporal, digits, high, isTime)
  if (result === undefined) return EMPTY
  return system(isTime ? 'Time' : result.fields.length > 3 ? 'DateTime' : kind, writeTemporal(result, isTime))
}

const boundaryFunction = (high: boolean): PathFunction =>
  onAll(0, 1, (input, [precision]) => {
    const value = single(input)
    const places = precision === undefined ? undefined : integerOf(precision)
    if (value === undefined || value.value === null || (precision !== undefined && places === undefined))
      return EMPTY
    return ofValue(value, places, high)
  })

function precisionOf(value: PathValue): Values {
  const kind = kindOf(value)
  if (value.value instanceof NumberText) return integer(decimalsOf(value.value.text))
  if (kind !== 'Date' && kind !== 'DateTime' && kind !== 'Time') return EMPTY
  const temporal = readTemporal(value.value as string, kind === 'Time')
  return temporal === undefined ? EMPTY : integer(temporalDigits(temporal, kind === 'Time'))
}

const clock = (kind: 'DateTime' | 'Date' | 'Time', from: number, to?: number): PathFunction =>
  onAll(0, 0, (_, __, env) => {
    if (env.now === undefined) throw pathFault('the clock is not given')
    return system(kind, env.now.slice(from, to))
  })

export const PRECISION_FUNCTIONS: Functions = [
  ['now', clock('DateTime', 0)],
  ['today', clock('Date', 0, 10)],
  ['timeOfDay', clock('Time', 11, 23)],
  ['lowBoundary', boundaryFunction(false)],
  ['highBoundary', boundaryFunction(true)],
  [
    'precision',
    onAll(0, 0, input => {
      const value = single(input)
      return value === undefined ? EMPTY : precisionOf(value)
    }),
  ],
  [
    'comparable',
    onAll(1, 1, (input, [other]) => {
      const [a, b] = [single(input), single(other!)]
      const [left, right] = [a && quantityOf(a), b && quantityOf(b)]
      return left === undefined || right === undefined ? EMPTY : logical(comparable(left, right))
    }),
  ],
]
