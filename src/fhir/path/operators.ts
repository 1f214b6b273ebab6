/**
 * The operators other than those of logic, on collections that are already there.
 * http://hl7.org/fhirpath/N1/#operations
 */
import type { NumberText } from '../json.ts'
import { single } from './compiled.ts'
import { type Environment, spend, spendOn } from './environment.ts'
import { compareDates, distinct, equalValues } from './equality.ts'
import { pathFault } from './fault.ts'
import { calculate, compareNumbers, type Operator } from './number.ts'
import {
  addQuantities,
  calculateQuantities,
  calendarUnit,
  compareQuantities,
  quantity,
  quantityOf,
} from './quantity.ts'
import { addTo, readTemporal, writeTemporal } from './temporal.ts'
import { decimal, EMPTY, integer, kindOf, type PathValue, system, text, type Values } from './value.ts'

const describe = (value: PathValue): string => kindOf(value) ?? (value.type || 'complex value')

/** Returns the order of two values; undefined where it cannot be told. Throws for types that have none in common. */
export function compareValues(a: PathValue, b: PathValue): number | undefined {
  // Extensions may stand for a value; there is nothing to compare then.
  if (a.value === null || b.value === null) return undefined
  const [left, right] = [kindOf(a), kindOf(b)]
  const [x, y] = [a.value, b.value]
  if (left === 'String' && right === 'String') return x! < y! ? -1 : x! > y! ? 1 : 0
  if ((left === 'Integer' || left === 'Decimal') && (right === 'Integer' || right === 'Decimal'))
    return compareNumbers((x as NumberText).text, (y as NumberText).text)
  if (left === 'Time' && right === 'Time') return compareDates(a, b, true)
  if ((left === 'Date' || left === 'DateTime') && (right === 'Date' || right === 'DateTime'))
    return compareDates(a, b, false)
  if (left === 'Quantity' && right === 'Quantity') {
    const [m, n] = [quantityOf(a), quantityOf(b)]
    return m === undefined || n === undefined ? undefined : compareQuantities(m, n)
  }
  throw pathFault(`a ${describe(a)} has no order with a ${describe(b)}`)
}

/** Returns the result of <, <=, > or >=; undefined where a side is empty or the order cannot be told. */
export function compareCollections(
  operator: string,
  a: Values,
  b: Values,
  env: Environment,
): boolean | undefined {
  const [left, right] = [single(a), single(b)]
  if (left === undefined || right === undefined) return undefined
  spend(env, 1)
  spendOn(left, env)
  spendOn(right, env)
  const order = compareValues(left, right)
  if (order === undefined) return undefined
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  return operator === '>' ? order > 0 : order >= 0
}

/** Returns both collections as one, without values that equal an earlier one. */
export const union = (a: Values, b: Values, env: Environment): Values =>
  b.length === 0 ? distinct(a, env) : distinct(a.length === 0 ? b : [...a, ...b], env)

/** Returns whether the only value on the left is in the right; undefined where there is none on the left. */
export function isIn(a: Values, b: Values, env: Environment): boolean | undefined {
  const value = single(a)
  if (value === undefined) return undefined
  spend(env, b.length)
  return b.some(other => equalValues(value, other, env) === true)
}

/** Longer texts than any sum of strings needs. */
const LONGEST = 1_048_576

/** Returns the sum of two strings. Throws for what is longer than a megabyte. */
export function joined(a: string, b: string, env: Environment): Values {
  spend(env, (a.length + b.length) >> 6)
  if (a.length + b.length > LONGEST) throw pathFault('a string grows over a megabyte')
  return text(a + b)
}

/** Returns the result of an operator of arithmetic; empty where a side is. Throws for types that it does not take. */
export function arithmetic(operator: Operator, a: Values, b: Values, env: Environment): Values {
  const [left, right] = [single(a), single(b)]
  if (left === undefined || right === undefined || left.value === null || right.value === null) return EMPTY
  const [m, n] = [kindOf(left), kindOf(right)]
  const isNumber = (kind: string | undefined): boolean => kind === 'Integer' || kind === 'Decimal'
  spend(env, 1)
  if (isNumber(m) && isNumber(n)) {
    const result = calculate(operator, (left.value as NumberText).text, (right.value as NumberText).text)
    if (result === undefined) return EMPTY
    const whole = operator === 'div' || (operator !== '/' && m === 'Integer' && n === 'Integer')
    return whole ? integerResult(result) : decimal(result)
  }
  if (m === 'String' && n === 'String' && operator === '+')
    return joined(left.value as string, right.value as string, env)
  if (
    n === 'Quantity' &&
    (operator === '+' || operator === '-') &&
    (m === 'Date' || m === 'DateTime' || m === 'Time')
  )
    return moved(operator, left, right, m)
  const result = ofQuantities(operator, left, right)
  if (result === undefined) throw pathFault(`${operator} takes no ${describe(left)} and ${describe(right)}`)
  return result
}

function integerResult(result: string): Values {
  const value = Number(result)
  return Math.abs(value) <= 2_147_483_647 ? integer(value) : EMPTY
}

function ofQuantities(operator: Operator, left: PathValue, right: PathValue): Values | undefined {
  const [a, b] = [asQuantity(left), asQuantity(right)]
  if (a === undefined || b === undefined) return undefined
  if (operator === '*' || operator === '/') return calculateQuantities(operator, a, b) ?? EMPTY
  if (kindOf(left) !== kindOf(right) || (operator !== '+' && operator !== '-')) return undefined
  return addQuantities(operator, a, b) ?? EMPTY
}

/** A number is a quantity of unit 1 beside a quantity. */
function asQuantity(value: PathValue): ReturnType<typeof quantityOf> {
  const kind = kindOf(value)
  if (kind === 'Quantity') return quantityOf(value)
  if (kind !== 'Integer' && kind !== 'Decimal') return undefined
  return { value: (value.value as NumberText).text, unit: '1', calendar: undefined }
}

function moved(operator: '+' | '-', date: PathValue, by: PathValue, kind: string): Values {
  const amount = quantityOf(by)
  const unit = amount && calendarUnit(amount)
  if (amount === undefined || unit === undefined)
    throw pathFault(`a date cannot be moved by ${amount?.unit.slice(0, 20) ?? 'this quantity'}`)
  const temporal = readTemporal(date.value as string, kind === 'Time')
  const size = Number(amount.value)
  if (temporal === undefined || !Number.isFinite(size)) return EMPTY
  const result = addTo(temporal, operator === '-' ? -size : size, unit, kind === 'Time')
  return result === undefined ? EMPTY : system(kind, writeTemporal(result, kind === 'Time'))
}

/** Returns the number or quantity with the sign turned. Throws for other types. */
export function negated(values: Values): Values {
  const one = single(values)
  if (one === undefined || one.value === null) return EMPTY
  const kind = kindOf(one)
  if (kind === 'Integer' || kind === 'Decimal') {
    const result = calculate('*', (one.value as NumberText).text, '-1')
    if (result === undefined) return EMPTY
    return kind === 'Integer' ? integerResult(result) : decimal(result)
  }
  const amount = kind === 'Quantity' ? quantityOf(one) : undefined
  if (amount === undefined) throw pathFault(`a ${describe(one)} has no sign`)
  const value = calculate('*', amount.value, '-1')
  return value === undefined ? EMPTY : quantity({ ...amount, value })
}
