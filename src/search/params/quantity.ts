/**
 * Number and quantity parameters: exact decimals with their units.
 * https://hl7.org/fhir/R4/search.html#number, https://hl7.org/fhir/R4/search.html#quantity
 */
import { isObject, type Json, type JsonObject, NumberText } from '../../fhir/json.ts'
import {
  approximateRange,
  DECIMAL_MAX,
  DECIMAL_MIN,
  decimalKey,
  impliedRange,
  isDecimal,
  keyAbove,
  keyBelow,
} from '../../lib/decimal.ts'
import { type Ask, anyOf, type Planner, refusal, splitPrefix } from '../ask.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import { ANY_UNIT, type Bound, bareUnit, codedUnit, type Node } from '../plan-node.ts'
import { addRow, type Names, order, type Sink } from '../sink.ts'
import { tokenText, type Writer } from './token.ts'

export const CURRENCY = 'urn:iso:std:iso:4217'

function add(lo: string, hi: string, unit: JsonObject | undefined, names: Names, sink: Sink): void {
  row(lo, hi, ANY_UNIT, names, sink)
  order(sink, lo)
  if (unit === undefined) return
  const code = typeof unit.code === 'string' ? tokenText(unit.code) : ''
  const printed = typeof unit.unit === 'string' ? tokenText(unit.unit) : ''
  if (code !== '') {
    if (typeof unit.system === 'string') row(lo, hi, codedUnit(tokenText(unit.system), code), names, sink)
    row(lo, hi, bareUnit(code), names, sink)
  }
  if (printed !== '' && printed !== code) row(lo, hi, bareUnit(printed), names, sink)
}

function row(lo: string, hi: string, unit: string, names: Names, sink: Sink): void {
  addRow(sink, { kind: 'quantity', param: names.name, unit, lo, hi })
}

const numberOf = (value: Json | undefined): string | undefined =>
  value instanceof NumberText ? decimalKey(value.text) : undefined

const plain: Writer = (value, names, sink) => {
  const key = numberOf(value)
  if (key !== undefined) add(key, key, undefined, names, sink)
}

const quantity: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const key = numberOf(value.value)
  if (key === undefined) return
  switch (value.comparator) {
    case '<':
      return add(DECIMAL_MIN, keyBelow(key), value, names, sink)
    case '<=':
      return add(DECIMAL_MIN, key, value, names, sink)
    case '>':
      return add(keyAbove(key), DECIMAL_MAX, value, names, sink)
    case '>=':
      return add(key, DECIMAL_MAX, value, names, sink)
    default:
      return add(key, key, value, names, sink)
  }
}

const range: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const low = isObject(value.low) ? value.low : undefined
  const high = isObject(value.high) ? value.high : undefined
  const lo = numberOf(low?.value)
  const hi = numberOf(high?.value)
  if (lo === undefined && hi === undefined) return
  add(lo ?? DECIMAL_MIN, hi ?? DECIMAL_MAX, low ?? high, names, sink)
}

const money: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const key = numberOf(value.value)
  const { currency } = value
  if (key !== undefined)
    add(
      key,
      key,
      typeof currency === 'string' ? { system: CURRENCY, code: currency } : undefined,
      names,
      sink,
    )
}

/** What writes quantity rows for values of a FHIR type. */
export const QUANTITY_WRITERS: Readonly<Record<string, Writer>> = {
  integer: plain,
  positiveInt: plain,
  unsignedInt: plain,
  decimal: plain,
  Quantity: quantity,
  SimpleQuantity: quantity,
  Age: quantity,
  Count: quantity,
  Distance: quantity,
  Duration: quantity,
  MoneyQuantity: quantity,
  Money: money,
  Range: range,
}

/**
 * Returns the bounds that a row must meet to compare so with a decimal: alternatives, each a list of bounds that hold together. Only `eq`,
 * `ne` and `ap` take the precision of the number into account.
 */
export function decimalBounds(prefix: string, text: string): Bound<string>[][] {
  const key = decimalKey(text)
  switch (prefix) {
    case 'ne': {
      const { lo, hi } = impliedRange(text)
      return [[{ end: 'lo', op: '<', value: lo }], [{ end: 'hi', op: '>=', value: hi }]]
    }
    case 'gt':
      return [[{ end: 'hi', op: '>', value: key }]]
    case 'lt':
      return [[{ end: 'lo', op: '<', value: key }]]
    case 'ge':
      return [[{ end: 'hi', op: '>=', value: key }]]
    case 'le':
      return [[{ end: 'lo', op: '<=', value: key }]]
    case 'sa':
      return [[{ end: 'lo', op: '>', value: key }]]
    case 'eb':
      return [[{ end: 'hi', op: '<', value: key }]]
    case 'ap': {
      const { lo, hi } = approximateRange(text)
      return [
        [
          { end: 'lo', op: '<=', value: hi },
          { end: 'hi', op: '>=', value: lo },
        ],
      ]
    }
    default: {
      const { lo, hi } = impliedRange(text)
      return [
        [
          { end: 'lo', op: '>=', value: lo },
          { end: 'hi', op: '<', value: hi },
        ],
      ]
    }
  }
}

/** More digits, or a higher power of ten, than anyone can mean. */
const MAX_LENGTH = 100
const MAX_POWER = 4000

function planned(ask: Ask, unit: string): Node {
  const { param, criterion } = ask
  const [prefix, rest] = splitPrefix(ask)
  const power = Number(/[eE](.+)$/.exec(rest)?.[1] ?? 0)
  if (!isDecimal(rest) || rest.length > MAX_LENGTH || Math.abs(power) > MAX_POWER)
    throw refusal(
      criterion,
      `"${criterion.code}" takes a number such as 5, 5.40 or 5.4e-3${param.type === 'quantity' ? ', alone or as number|system|code' : ''}, with a prefix or without.`,
    )
  return anyOf(
    decimalBounds(prefix, rest).flatMap(bounds =>
      param.rows.map((name): Node => ({ kind: 'quantity', param: name, unit, bounds })),
    ),
  )
}

export const planNumber: Planner = ask => planned({ ...ask, value: unescapeValue(ask.value) }, ANY_UNIT)

/** `number`, `number|system|code` or `number||code`. */
export const planQuantity: Planner = ask => {
  const { criterion } = ask
  const parts = splitEscaped(ask.value, '|', criterion.name).map(unescapeValue)
  const [number, system = '', code = ''] = parts
  if (parts.length === 2 || parts.length > 3 || (system !== '' && code === ''))
    throw refusal(criterion, `A value of "${criterion.code}" is number, number|system|code or number||code.`)
  const unit =
    code === ''
      ? ANY_UNIT
      : system === ''
        ? bareUnit(tokenText(code))
        : codedUnit(tokenText(system), tokenText(code))
  return planned({ ...ask, value: number! }, unit)
}
