/** Prices by hand: a factor is a part of the base, rounded to paise; discounts are less, informational components nothing. */
import { expect, it } from 'vitest'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { componentsOf, quoteOf } from '../../src/scheduling/price.ts'

const quote = (...components: string[]) =>
  quoteOf(
    componentsOf(
      parseJson(
        `{"resourceType":"ChargeItemDefinition","propertyGroup":[{},{"priceComponent":[${components.join()}]}]}`,
      ) as Resource,
    ),
  )
const base = (value: string) => `{"type":"base","amount":{"value":${value},"currency":"INR"}}`
const factor = (type: string, value: string) => `{"type":"${type}","factor":${value}}`
const amount = (type: string, value: string) => `{"type":"${type}","amount":{"value":${value}}}`

it.each<[string, string[], string, string[]]>([
  ['nothing', [], '0', []],
  ['no base', [factor('tax', '0.05')], '0', []],
  ['a whole base', [base('300.00')], '300', ['300']],
  ['a base with paise', [base('99.5')], '99.50', ['99.50']],
  // 99.99 * 0.025 = 2.49975
  [
    'two taxes of 2.5 %',
    [base('99.99'), factor('tax', '0.025'), factor('tax', '0.025')],
    '104.99',
    ['99.99', '2.50', '2.50'],
  ],
  // 333.33 * 0.1 = 33.333; half of a paisa goes up: 0.30 * 0.05 = 0.015
  ['a discount of 10 %', [base('333.33'), factor('discount', '0.1')], '300', ['333.33', '-33.33']],
  ['half a paisa', [base('0.30'), factor('tax', '0.05')], '0.32', ['0.30', '0.02']],
  [
    'amounts',
    [base('500'), amount('surcharge', '50.5'), amount('deduction', '25')],
    '525.50',
    ['500', '50.50', '-25'],
  ],
  ['information', [base('500'), amount('informational', '999')], '500', ['500']],
  ['more taken off than there is', [base('10'), amount('discount', '15')], '-5', ['10', '-15']],
  ['no amount of money', [base('1e30')], '0', ['0']],
])('%s', (_, components, value, parts) => {
  const { price, breakup } = quote(...components)
  expect([price, breakup.map(part => part.price.value)]).toEqual([{ currency: 'INR', value }, parts])
})
