/**
 * Number and quantity parameters: exact decimals with their units.
 * https://hl7.org/fhir/R4/search.html#number, https://hl7.org/fhir/R4/search.html#quantity
 */
import { isObject, type Json, type JsonObject, NumberText } from '../../fhir/json.ts'
import { type CanonicalUnit, canonicalUnit, UCUM } from '../../fhir/ucum.ts'
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
import { multipliedKey } from '../../lib/rational.ts'
import { type Ask, anyOf, type Planner, refusal, splitPrefix } from '../ask.ts'
import { splitEscaped, unescapeValue } from '../parse.ts'
import { ANY_UNIT, type Bound, bareUnit, codedUnit, dimensionUnit, type Node } from '../plan-node.ts'
import { addRow, type Names, order, type Sink } from '../sink.ts'
import { tokenText, type Writer } from './token.ts'

export const CURRENCY = 'urn:iso:std:iso:4217'

/** One end of a value: its key, or open. `bound` says where it lies beside the number, after the number has been converted. */
interface End {
  key: string | undefined
  bound: (key: string) => string
}

const same = (key: string): string => key
const from = (key: string | undefined, bound = same): End => ({ key, bound })
const OPEN: End = { key: undefined, bound: same }

/** The unit of a Quantity as the index holds it, '' where there is none. */
interface Unit {
  system: string | undefined
  code: string
  printed: string
}

const unitOf = ({ system, code, unit }: JsonObject): Unit => ({
  system: typeof system === 'string' ? tokenText(system) : undefined,
  code: typeof code === 'string' ? tokenText(code) : '',
  printed: typeof unit === 'string' ? tokenText(unit) : '',
})

/** Returns what the unit is in base units, where it is one of UCUM that can be converted. */
const canonicalOf = (unit: Unit): CanonicalUnit | undefined =>
  unit.system === UCUM && unit.code !== '' ? canonicalUnit(unit.code) : undefined

function add(low: End, high: End, unit: Unit | undefined, names: Names, sink: Sink): void {
  const lo = low.key === undefined ? DECIMAL_MIN : low.bound(low.key)
  const hi = high.key === undefined ? DECIMAL_MAX : high.bound(high.key)
  row(lo, hi, ANY_UNIT, names, sink)
  order(sink, lo)
  if (unit === undefined) return
  const { system, code, printed } = unit
  const canonical = canonicalOf(unit)
  // What can be converted is never asked for by its code: that would be a row for nothing.
  if (canonical !== undefined)
    row(
      low.key === undefined ? DECIMAL_MIN : low.bound(converted(low.key, canonical)),
      high.key === undefined ? DECIMAL_MAX : high.bound(converted(high.key, canonical)),
      dimensionUnit(canonical.dimension),
      names,
      sink,
    )
  else if (code !== '' && system !== undefined) row(lo, hi, codedUnit(system, code), names, sink)
  if (code !== '') row(lo, hi, bareUnit(code), names, sink)
  if (printed !== '' && printed !== code) row(lo, hi, bareUnit(printed), names, sink)
}

function row(lo: string, hi: string, unit: string, names: Names, sink: Sink): void {
  addRow(sink, { kind: 'quantity', param: names.name, unit, lo, hi })
}

const converted = (key: string, { factor, offset }: CanonicalUnit): string =>
  multipliedKey(key, factor, offset)

const numberOf = (value: Json | undefined): string | undefined =>
  value instanceof NumberText ? decimalKey(value.text) : undefined

const plain: Writer = (value, names, sink) => {
  const key = numberOf(value)
  if (key !== undefined) add(from(key), from(key), undefined, names, sink)
}

const quantity: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const key = numberOf(value.value)
  if (key === undefined) return
  const unit = unitOf(value)
  switch (value.comparator) {
    case '<':
      return add(OPEN, from(key, keyBelow), unit, names, sink)
    case '<=':
      return add(OPEN, from(key), unit, names, sink)
    case '>':
      return add(from(key, keyAbove), OPEN, unit, names, sink)
    case '>=':
      return add(from(key), OPEN, unit, names, sink)
    default:
      return add(from(key), from(key), unit, names, sink)
  }
}

const range: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const low = isObject(value.low) ? value.low : undefined
  const high = isObject(value.high) ? value.high : undefined
  const lo = numberOf(low?.value)
  const hi = numberOf(high?.value)
  if (lo === undefined && hi === undefined) return
  const unit = low ?? high
  add(from(lo), from(hi), unit && unitOf(unit), names, sink)
}

const money: Writer = (value, names, sink) => {
  if (!isObject(value)) return
  const key = numberOf(value.value)
  const { currency } = value
  if (key !== undefined)
    add(
      from(key),
      from(key),
      typeof currency === 'string' ? unitOf({ system: CURRENCY, code: currency }) : undefined,
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

/** A unit key, and what takes the keys of bounds to it. */
interface Asked {
  unit: string
  convert: (key: string) => string
}

const asSent = (unit: string): Asked => ({ unit, convert: same })

function planned(ask: Ask, { unit, convert }: Asked): Node {
  const { param, criterion } = ask
  const [prefix, rest] = splitPrefix(ask)
  const power = Number(/[eE](.+)$/.exec(rest)?.[1] ?? 0)
  if (!isDecimal(rest) || rest.length > MAX_LENGTH || Math.abs(power) > MAX_POWER)
    throw refusal(
      criterion,
      `"${criterion.code}" takes a number such as 5, 5.40 or 5.4e-3${param.type === 'quantity' ? ', alone or as number|system|code' : ''}, with a prefix or without.`,
    )
  return anyOf(
    decimalBounds(prefix, rest).flatMap(alternative => {
      const bounds = alternative.map(bound => ({ ...bound, value: convert(bound.value) }))
      return param.rows.map((name): Node => ({ kind: 'quantity', param: name, unit, bounds }))
    }),
  )
}

export const planNumber: Planner = ask =>
  planned({ ...ask, value: unescapeValue(ask.value) }, asSent(ANY_UNIT))

/** `number`, `number|system|code` or `number||code`. The precision of the number counts in the unit asked for, before it is converted. */
export const planQuantity: Planner = ask => {
  const { criterion } = ask
  const parts = splitEscaped(ask.value, '|', criterion.name).map(unescapeValue)
  const [number, system = '', code = ''] = parts
  if (parts.length === 2 || parts.length > 3 || (system !== '' && code === ''))
    throw refusal(criterion, `A value of "${criterion.code}" is number, number|system|code or number||code.`)
  return planned({ ...ask, value: number! }, asked(tokenText(system), tokenText(code)))
}

function asked(system: string, code: string): Asked {
  if (code === '') return asSent(ANY_UNIT)
  if (system === '') return asSent(bareUnit(code))
  const canonical = canonicalOf({ system, code, printed: '' })
  return canonical === undefined
    ? asSent(codedUnit(system, code))
    : { unit: dimensionUnit(canonical.dimension), convert: key => converted(key, canonical) }
}
