/** What an order costs: the item and the lines of its quote as ChargeItems, and the Invoice. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { UHI, UHI_EXTENSION } from './codes.ts'
import { complex, money, number, present, reference, valued } from './elements.ts'
import type { OrderKeys } from './graph.ts'
import type { Order, Payment } from './order.ts'

/** Returns the item, and each line of the quote that is not the item itself, as ChargeItems. */
export function chargesOf(order: Order, keys: OrderKeys): Resource[] {
  const { item, quote } = order
  const charge = (
    code: JsonObject,
    price: JsonObject | undefined,
    more: JsonObject,
    status: string,
  ): Resource => ({
    resourceType: 'ChargeItem',
    ...more,
    status,
    code,
    subject: reference(keys.patient),
    ...(price !== undefined && Object.keys(price).length > 0 && { priceOverride: price }),
  })
  const lines = quote?.breakup ?? []
  const itemLine = itemLineOf(order)
  const code = {
    coding: [
      present({ system: UHI.itemCode, code: item?.descriptor?.code, display: item?.descriptor?.name }),
    ],
  } as JsonObject
  const first = charge(
    code,
    item?.price && money(item.price),
    item?.id === undefined ? {} : { identifier: [{ system: UHI.item, value: item.id }] },
    itemLine >= 0 ? 'billed' : 'billable',
  )
  const others = lines
    .filter((_, i) => i !== itemLine)
    .map(line =>
      charge(
        { coding: [present({ system: UHI.line, display: line.title })] } as JsonObject,
        line.price && money(line.price),
        {},
        'billed',
      ),
    )
  return [first, ...others]
}

/** Returns which line of the quote is the item itself, -1 where none is. */
const itemLineOf = ({ item, quote }: Order): number =>
  (quote?.breakup ?? []).findIndex(
    line =>
      line.title !== undefined &&
      line.title === item?.descriptor?.name &&
      line.price?.value === item.price?.value &&
      line.price?.currency === item.price?.currency,
  )

const IMPLIED: Readonly<Record<string, string>> = { NOT_PAID: 'issued', PAID: 'balanced' }

/** Returns the Invoice of an order: its lines are the ChargeItems, in the order of the quote. */
export function invoiceOf(order: Order, keys: OrderKeys): Resource {
  const { payment, quote } = order
  const itemLine = itemLineOf(order)
  let other = 0
  const lineItem = (quote?.breakup ?? []).map((_, i) => ({
    sequence: number(String(i + 1)),
    chargeItemReference: reference(keys.charge(i === itemLine ? 0 : ++other)),
  }))
  return {
    resourceType: 'Invoice',
    ...(paymentExtension(payment).length > 0 && { extension: paymentExtension(payment) }),
    status: invoiceStatus(payment),
    ...(payment?.type !== undefined && {
      type: { coding: [{ system: UHI.paymentType, code: payment.type }] },
    }),
    subject: reference(keys.patient),
    recipient: reference(keys.stated),
    ...(!keys.organization.startsWith('urn:') && { issuer: reference(keys.organization) }),
    ...(lineItem.length > 0 && { lineItem }),
    ...(quote?.price !== undefined && { totalGross: money(quote.price) }),
  }
}

function invoiceStatus(payment: Payment | undefined): string {
  if (payment?.status === undefined) return 'draft'
  return IMPLIED[payment.status] ?? (payment.status === 'FREE' ? 'balanced' : 'issued')
}

function paymentExtension(payment: Payment | undefined): JsonObject[] {
  const { uri, status, params = {} } = payment ?? {}
  return complex(UHI_EXTENSION.payment, {
    status: status === undefined || Object.hasOwn(IMPLIED, status) ? undefined : { valueCode: status },
    uri: valued('Url', uri),
    amount: params.amount === undefined ? undefined : { valueDecimal: number(params.amount) },
    redirectUrl: valued('Url', params.redirect_url),
    transactionId: valued('String', params.transaction_id),
    mode: valued('String', params.mode),
    vpa: valued('String', params.vpa),
  })
}
