/**
 * Mathematics: exact for rounding, floating point of 15 digits for roots, powers and logarithms.
 * http://hl7.org/fhirpath/N1/#math
 */
import { type Functions, integerOf, numberOf, onAll, type PathFunction, single } from '../compiled.ts'
import { spend } from '../environment.ts'
import { calculate, ofFloat, type Rounding, roundTo, scaled } from '../number.ts'
import { negated } from '../operators.ts'
import { quantityOf } from '../quantity.ts'
import { decimal, EMPTY, integer, kindOf, type Values } from '../value.ts'

const float = (least: number, result: (value: number, other: number) => number): PathFunction =>
  onAll(least, least, (input, [argument]) => {
    const value = numberOf(input)
    const other = argument === undefined ? '0' : numberOf(argument)
    if (value === undefined || other === undefined) return EMPTY
    const number = ofFloat(result(Number(value), Number(other)))
    return number === undefined ? EMPTY : decimal(number)
  })

const whole = (rounding: Rounding): PathFunction =>
  onAll(0, 0, input => {
    const value = numberOf(input)
    const result = value === undefined ? undefined : roundTo(value, 0, rounding)
    if (result === undefined) return EMPTY
    const number = Number(result)
    return Math.abs(number) <= 2_147_483_648 ? integer(number === 0 ? 0 : number) : EMPTY
  })

/** Digits after the point that rounding may ask for. */
const MOST_PLACES = 100

function rounded(input: Values, precision: Values | undefined): Values {
  const value = numberOf(input)
  const places = precision === undefined ? 0 : integerOf(precision)
  if (value === undefined || places === undefined || places < 0 || places > MOST_PLACES) return EMPTY
  const result = roundTo(value, places, 'nearest')
  return result === undefined ? EMPTY : decimal(result)
}

function absolute(input: Values): Values {
  const one = single(input)
  if (one === undefined || one.value === null) return EMPTY
  const amount = kindOf(one) === 'Quantity' ? quantityOf(one)?.value : numberOf(input)
  if (amount === undefined) return EMPTY
  return amount.startsWith('-') ? negated(input) : input
}

function logarithm(value: number, base: number): number {
  if (base === 10) return Math.log10(value)
  return base === 2 ? Math.log2(value) : Math.log(value) / Math.log(base)
}

/** Whole powers are exact up to this one. */
const EXACT_POWER = 64

function power(input: Values, argument: Values): Values {
  const [value, exponent] = [numberOf(input), numberOf(argument)]
  if (value === undefined || exponent === undefined) return EMPTY
  const isInteger = kindOf(input[0]!) === 'Integer' && kindOf(argument[0]!) === 'Integer'
  const times = Number(exponent)
  let result: string | undefined
  if (Number.isInteger(times) && times >= 0 && times <= EXACT_POWER && scaled(value) !== undefined) {
    result = '1'
    for (let i = 0; i < times && result !== undefined; i++) result = calculate('*', result, value)
  } else result = ofFloat(Number(value) ** times)
  if (result === undefined) return EMPTY
  return isInteger && /^-?[0-9]{1,9}$/.test(result) ? integer(Number(result)) : decimal(result)
}

export const MATH_FUNCTIONS: Functions = [
  ['abs', onAll(0, 0, input => absolute(input))],
  ['ceiling', whole('up')],
  ['floor', whole('down')],
  ['truncate', whole('zero')],
  ['round', onAll(0, 1, (input, [precision]) => rounded(input, precision))],
  ['sqrt', float(0, Math.sqrt)],
  ['exp', float(0, Math.exp)],
  ['ln', float(0, Math.log)],
  ['log', float(1, logarithm)],
  [
    'power',
    onAll(1, 1, (input, [exponent], env) => {
      spend(env, EXACT_POWER)
      return power(input, exponent!)
    }),
  ],
]
