/**
 * From one System type to another; what does not convert is empty.
 * http://hl7.org/fhirpath/N1/#conversion
 */
import { isDecimal } from '../../../lib/decimal.ts'
import { NumberText } from '../../json.ts'
import { type Functions, onAll, single } from '../compiled.ts'
import { inOtherUnit, quantity, quantityOf, readQuantity, writeQuantity } from '../quantity.ts'
import { calendarFault } from '../temporal.ts'
import {
  decimal,
  EMPTY,
  integer,
  kindOf,
  logical,
  type PathValue,
  system,
  text,
  type Values,
} from '../value.ts'

type Convert = (value: PathValue) => Values

const numberText = ({ value }: PathValue): string => (value as NumberText).text

const TRUE = new Set(['true', 't', 'yes', 'y', '1', '1.0'])
const FALSE = new Set(['false', 'f', 'no', 'n', '0', '0.0'])

const toBoolean: Convert = value => {
  const kind = kindOf(value)
  if (kind === 'Boolean') return logical(value.value as boolean)
  if (kind === 'String') {
    const word = (value.value as string).toLowerCase()
    return TRUE.has(word) ? logical(true) : FALSE.has(word) ? logical(false) : EMPTY
  }
  if (kind !== 'Integer' && kind !== 'Decimal') return EMPTY
  const number = Number(numberText(value))
  return number === 1 ? logical(true) : number === 0 ? logical(false) : EMPTY
}

const toInteger: Convert = value => {
  const kind = kindOf(value)
  if (kind === 'Boolean') return integer(value.value === true ? 1 : 0)
  const word = kind === 'Integer' ? numberText(value) : kind === 'String' ? (value.value as string) : ''
  if (!/^[+-]?[0-9]{1,20}$/.test(word)) return EMPTY
  const number = Number(word)
  return number >= -2_147_483_648 && number <= 2_147_483_647 ? integer(number) : EMPTY
}

const toDecimal: Convert = value => {
  const kind = kindOf(value)
  if (kind === 'Boolean') return decimal(value.value === true ? '1.0' : '0.0')
  if (kind === 'Integer' || kind === 'Decimal') return decimal(numberText(value))
  if (kind !== 'String' || !isDecimal(value.value as string)) return EMPTY
  return decimal((value.value as string).replace(/^\+/, '').replace(/^(-?)0+(?=[0-9])/, '$1'))
}

const toText: Convert = value => {
  const kind = kindOf(value)
  if (kind === undefined) return EMPTY
  if (kind === 'Quantity') {
    const amount = quantityOf(value)
    return amount === undefined ? EMPTY : text(writeQuantity(amount))
  }
  const { value: json } = value
  return text(json instanceof NumberText ? json.text : String(json))
}

const toQuantity: Convert = value => {
  const kind = kindOf(value)
  if (kind === 'Quantity') {
    const amount = quantityOf(value)
    return amount === undefined ? EMPTY : quantity(amount)
  }
  if (kind === 'Integer' || kind === 'Decimal')
    return quantity({ value: numberText(value), unit: '1', calendar: undefined })
  if (kind === 'Boolean')
    return quantity({ value: value.value === true ? '1.0' : '0.0', unit: '1', calendar: undefined })
  const amount = kind === 'String' ? readQuantity(value.value as string) : undefined
  return amount === undefined ? EMPTY : quantity(amount)
}

const toDate: Convert = value => {
  const word = datedText(value)
  if (word === undefined || calendarFault(word, false) !== undefined) return EMPTY
  return system('Date', word.split('T')[0]!)
}

const toDateTime: Convert = value => {
  const word = datedText(value)
  return word === undefined || calendarFault(word, false) !== undefined ? EMPTY : system('DateTime', word)
}

const datedText = (value: PathValue): string | undefined => {
  const kind = kindOf(value)
  return kind === 'String' || kind === 'Date' || kind === 'DateTime' ? (value.value as string) : undefined
}

const toTime: Convert = value => {
  const kind = kindOf(value)
  if (kind !== 'String' && kind !== 'Time') return EMPTY
  const word = (value.value as string).replace(/^T/, '')
  return calendarFault(word, true) === undefined ? system('Time', word) : EMPTY
}

const CONVERSIONS: readonly [string, Convert][] = [
  ['Boolean', toBoolean],
  ['Integer', toInteger],
  ['Decimal', toDecimal],
  ['String', toText],
  ['Quantity', toQuantity],
  ['Date', toDate],
  ['DateTime', toDateTime],
  ['Time', toTime],
]

/** Of a quantity in another unit: the same in the unit that is wanted; empty where it does not convert. */
function inUnit(values: Values, unit: string | undefined): Values {
  if (unit === undefined || values.length === 0) return values
  const amount = quantityOf(values[0]!)
  return (amount && inOtherUnit(amount, unit)) ?? EMPTY
}

export const CONVERSION_FUNCTIONS: Functions = [
  ...CONVERSIONS.flatMap(([name, convert]): Functions => {
    const most = name === 'Quantity' ? 1 : 0
    const converted = (input: Values, unit: Values | undefined): Values => {
      const value = single(input)
      if (value === undefined || value.value === null) return EMPTY
      const wanted = unit === undefined ? undefined : single(unit)?.value
      return inUnit(convert(value), typeof wanted === 'string' ? wanted : undefined)
    }
    return [
      [`to${name}`, onAll(0, most, (input, [unit]) => converted(input, unit))],
      [
        `convertsTo${name}`,
        onAll(0, most, (input, [unit]) =>
          single(input) === undefined ? EMPTY : logical(converted(input, unit).length > 0),
        ),
      ],
    ]
  }),
]
