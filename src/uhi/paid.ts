/** What an Invoice of an order says of its payment. Pure. */
import type { Resource } from '../fhir/json.ts'
import { UHI } from './codes.ts'
import { codingOf } from './elements.ts'

const PREPAID: ReadonlySet<unknown> = new Set(['PRE-ORDER', 'PRE-FULFILLMENT'])

/** Returns whether an Invoice is one of an order of UHI. */
export const isOrderInvoice = (invoice: Resource): boolean =>
  codingOf(invoice.type, UHI.paymentType) !== undefined

/** Returns whether it has to be paid before the order is confirmed. */
export const isPrepaid = (invoice: Resource): boolean =>
  PREPAID.has(codingOf(invoice.type, UHI.paymentType)?.code)

export const isUnpaid = (invoice: Resource): boolean => invoice.status !== 'balanced'
