/** Invoices, with taxes and sums. https://hl7.org/fhir/R4/invoice.html */
import type { JsonObject } from '../../../fhir/json.ts'
import { type Reading, referenceText, standingOf } from '../reading.ts'
import { type Block, type Cell, cell, facts, type Row, table } from '../sheet.ts'
import { all, choice, joined, one, text } from '../tree.ts'
import { timeText } from '../when.ts'
import { codeWords, conceptText, moneyText, quantityText, valueText } from '../words.ts'

/** https://hl7.org/fhir/R4/valueset-invoice-priceComponentType.html: what stands in the columns; all else is listed under its item. */
const BASE = 'base'

export function invoice(reading: Reading, resource: JsonObject): Block[] {
  const { wrong, lines } = standingOf(resource)
  const number = joined(all(resource, 'identifier').map(each => text(each, 'value')))
  const items = all(resource, 'lineItem')
  return [
    {
      kind: 'text',
      lines: [
        [
          {
            text: joined([conceptText(one(resource, 'type')) ?? 'Invoice', number], ' ')!,
            bold: true,
            struck: wrong,
          },
        ],
        ...lines,
      ],
    },
    {
      kind: 'facts',
      facts: facts(
        ['Date', timeText(text(resource, 'date'), reading.zone)],
        ['State', codeWords(text(resource, 'status'))],
        ['Issued by', referenceText(reading, one(resource, 'issuer'), resource)],
        ['Account', referenceText(reading, one(resource, 'account'), resource)],
      ),
    },
    ...table(
      [
        { title: 'Item' },
        { title: 'Quantity', right: true },
        { title: 'Price', right: true },
        { title: 'Discount and tax', right: true },
        { title: 'Amount', right: true },
      ],
      [...items.map(item => itemRow(reading, item, resource)), ...totals(resource)],
    ),
    ...note(text(resource, 'paymentTerms')),
  ]
}

const note = (terms: string | undefined): Block[] =>
  terms === undefined ? [] : [{ kind: 'text', lines: cell(terms) }]

function itemRow(reading: Reading, item: JsonObject, from: JsonObject): Row {
  const charge = reading.resolve(one(item, 'chargeItemReference'), from)
  const name =
    conceptText(one(item, 'chargeItemCodeableConcept')) ??
    text(one(item, 'chargeItemReference'), 'display') ??
    productText(reading, charge) ??
    conceptText(one(charge, 'code')) ??
    'Item'
  const parts = all(item, 'priceComponent')
  const base = parts.filter(part => text(part, 'type') === BASE)
  const others = parts.filter(part => text(part, 'type') !== BASE)
  return {
    cells: [
      [[{ text: name }]],
      cell(quantityText(one(charge, 'quantity'))),
      base.flatMap(part => cell(moneyText(one(part, 'amount')))),
      others.flatMap(partLine),
      cell(sumOf(parts)),
    ],
  }
}

function productText(reading: Reading, charge: JsonObject | undefined): string | undefined {
  const product = charge && choice(charge, 'product')
  if (product === undefined) return undefined
  const [member] = product
  return member === 'productReference'
    ? referenceText(reading, one(charge, 'productReference'), charge)
    : valueText(member, product[1], reading.zone)
}

function partLine(part: JsonObject): Cell {
  const name = conceptText(one(part, 'code')) ?? codeWords(text(part, 'type'))
  const factor = text(part, 'factor')
  const amount = moneyText(one(part, 'amount')) ?? (factor && `\u00d7 ${factor}`)
  return cell(joined([name, amount], ' '))
}

/** Kinds that lower a price; `informational` ones say what is in it already. */
const LESS = new Set(['discount', 'deduction'])

/** Returns what an item costs with its discounts and taxes; undefined where an amount is missing, or the currencies differ. */
function sumOf(parts: readonly JsonObject[]): string | undefined {
  const counted = parts.filter(part => text(part, 'type') !== 'informational')
  const currencies = new Set(counted.map(part => text(one(part, 'amount'), 'currency')))
  if (counted.length === 0 || currencies.size !== 1) return undefined
  let sum = 0n
  for (const part of counted) {
    const paise = inHundredths(text(one(part, 'amount'), 'value'))
    if (paise === undefined) return undefined
    const less = LESS.has(text(part, 'type') ?? '') && paise > 0n
    sum += less ? -paise : paise
  }
  const digits = String(sum < 0n ? -sum : sum).padStart(3, '0')
  return moneyText({
    value: `${sum < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`,
    currency: [...currencies][0],
  })
}

function inHundredths(decimal: string | undefined): bigint | undefined {
  const found = /^(-?)(\d{1,30})(?:\.(\d{1,2})0*)?$/.exec(decimal ?? '')
  if (found === null) return undefined
  const value = BigInt(found[2]! + (found[3] ?? '').padEnd(2, '0'))
  return found[1] === '-' ? -value : value
}

function totals(resource: JsonObject): Row[] {
  const net = moneyText(one(resource, 'totalNet'))
  const gross = moneyText(one(resource, 'totalGross'))
  const row = (label: string, amount: string, total: boolean): Row => ({
    cells: [cell(label), [], [], [], cell(amount)],
    ...(total ? { total } : {}),
  })
  const taxes = all(resource, 'totalPriceComponent')
    .filter(part => text(part, 'type') !== BASE)
    .map(part =>
      row(
        conceptText(one(part, 'code')) ?? codeWords(text(part, 'type')) ?? 'Other',
        moneyText(one(part, 'amount')) ?? '',
        false,
      ),
    )
  return [
    ...(net === undefined ? [] : [row('Total without tax', net, gross === undefined)]),
    ...taxes,
    ...(gross === undefined ? [] : [row('Total', gross, true)]),
  ]
}

/** Charges that no invoice of the document holds. */
export const charges = (reading: Reading, resources: readonly JsonObject[]): Block[] =>
  table(
    [
      { title: 'Charge' },
      { title: 'When' },
      { title: 'Quantity', right: true },
      { title: 'Price', right: true },
    ],
    resources.map(each => {
      const when = choice(each, 'occurrence')
      return {
        cells: [
          [[{ text: conceptText(one(each, 'code')) ?? 'Charge' }], ...standingOf(each).lines],
          cell(when && valueText(when[0], when[1], reading.zone)),
          cell(quantityText(one(each, 'quantity'))),
          cell(moneyText(one(each, 'priceOverride'))),
        ],
      }
    }),
  )
