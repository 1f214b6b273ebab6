/**
 * What a visit costs, of the price components of its ChargeItemDefinition.
 * https://hl7.org/fhir/R4/chargeitemdefinition-definitions.html#ChargeItemDefinition.propertyGroup.priceComponent
 */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { object, objects, text } from '../fhir/tree.ts'

export interface Price {
  currency: string
  value: string
}

export interface Quote {
  price: Price
  breakup: { title: string; price: Price }[]
}

export const FREE: Quote = { price: { currency: 'INR', value: '0' }, breakup: [] }

/** Returns the price components of a definition: of its first group that has some. */
export const componentsOf = (definition: Resource | undefined): JsonObject[] =>
  objects(definition?.propertyGroup)
    .map(group => objects(group.priceComponent))
    .find(components => components.length > 0) ?? []

/**
 * Returns the quote of price components. A component with a factor is that part of the base, rounded to paise; discounts and deductions
 * are subtracted, what is informational is left out, all others are added.
 */
export function quoteOf(components: readonly JsonObject[]): Quote {
  const base = components.find(one => one.type === 'base')
  if (base === undefined) return FREE
  const full = scaledOf(amountOf(base)) ?? ZERO
  const basis = rounded(full)
  const currency = currencyOf(base)
  let total = 0n
  const breakup: Quote['breakup'] = []
  for (const one of components) {
    if (one.type === 'informational') continue
    const factor = scaledOf(text(one.factor))
    const size =
      one === base
        ? basis
        : factor === undefined
          ? rounded(scaledOf(amountOf(one)) ?? ZERO)
          : rounded({ units: full.units * factor.units, scale: full.scale + factor.scale })
    const signed = one.type === 'discount' || one.type === 'deduction' ? -size : size
    total += signed
    breakup.push({ title: titleOf(one), price: { currency, value: written(signed) } })
  }
  return { price: { currency, value: written(total) }, breakup }
}

interface Scaled {
  units: bigint
  scale: number
}

const ZERO: Scaled = { units: 0n, scale: 0 }

const amountOf = (component: JsonObject): string | undefined => text(object(component.amount)?.value)

const currencyOf = (component: JsonObject): string => text(object(component.amount)?.currency) ?? 'INR'

/** Returns a decimal exactly; undefined for none, and for one that is no amount of money. */
function scaledOf(value: string | undefined): Scaled | undefined {
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?$/.exec(value ?? '')
  if (match === null) return undefined
  const [, sign, whole, fraction = ''] = match
  const units = BigInt(`${whole}${fraction}`)
  return { units: sign === '-' ? -units : units, scale: fraction.length }
}

/** Returns hundredths, the half rounded away from zero. */
function rounded({ units, scale }: Scaled): bigint {
  if (scale <= 2) return units * 10n ** BigInt(2 - scale)
  const by = 10n ** BigInt(scale - 2)
  const size = units < 0n ? -units : units
  const result = (2n * size + by) / (2n * by)
  return units < 0n ? -result : result
}

/** Returns hundredths as a decimal: `300`, `7.50`. */
function written(hundredths: bigint): string {
  const size = hundredths < 0n ? -hundredths : hundredths
  const paise = size % 100n
  const sign = hundredths < 0n ? '-' : ''
  return `${sign}${size / 100n}${paise === 0n ? '' : `.${String(paise).padStart(2, '0')}`}`
}

function titleOf(component: JsonObject): string {
  const code = object(component.code)
  const coding = objects(code?.coding)[0]
  return (
    text(code?.text) ?? text(coding?.display) ?? text(coding?.code) ?? text(component.type) ?? 'Component'
  )
}
