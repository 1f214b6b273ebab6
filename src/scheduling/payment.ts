/**
 * A bill is paid: PaymentNotice and PaymentReconciliation are written, and the Invoice is balanced, in one commit.
 * https://hl7.org/fhir/R4/paymentreconciliation.html, https://hl7.org/fhir/R4/valueset-invoice-status.html
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { isObject, type JsonObject, NumberText, type Resource } from '../fhir/json.ts'
import { text } from '../fhir/tree.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { read } from '../interactions/read.ts'
import { search } from '../interactions/search.ts'
import { transaction } from '../interactions/transaction.ts'
import { type Key, typeOf } from '../storage/port.ts'
import { resourceOf } from './calendar.ts'
import { SYSTEM } from './codes.ts'
import { localDay } from './token.ts'

export interface Paid {
  /** Decimal; undefined: what the Invoice is about. */
  amount?: string
  currency?: string
  /** The provider's name of the payment; undefined for cash. A payment is recorded once for each. */
  identifier?: { system: string; value: string }
  /** As the provider or the desk calls it: `UPI`, `cash`. */
  method?: string
  /** The money is here whatever the Invoice says: for one that is cancelled a Task asks for the refund. */
  isReceived?: true
}

/** Task.identifier: the Invoice whose money is to be given back. */
export const REFUND = 'urn:nadi:refund'

/** Returns the Task that asks to give money back. */
export const refundTask = (invoice: Key): Resource => ({
  resourceType: 'Task',
  identifier: [{ system: REFUND, value: invoice }],
  status: 'requested',
  intent: 'order',
  code: { coding: [{ system: SYSTEM.taskCode, code: 'refund' }], text: 'Refund' },
  focus: { reference: invoice },
})

const refused = (code: 'business-rule' | 'duplicate', diagnostics: string, rule: string): FhirError =>
  new FhirError(code, [{ severity: 'error', code, diagnostics, rule }])

/**
 * Records the payment of an Invoice.
 *
 * Throws `not-found`, `business-rule` (422) where the amount is not what is owed (`payment-amount`) or nothing is owed
 * (`payment-not-owed`) or the payment is that of another Invoice (`payment-elsewhere`), and `duplicate` (409) where this payment was
 * recorded before.
 */
export async function markPaid(ctx: Context, invoiceKey: Key, paid: Paid): Promise<void> {
  await untilSettled(async () => {
    const stored = await read(ctx, typeOf(invoiceKey), invoiceKey.split('/')[1]!)
    const invoice = resourceOf(stored)
    const { identifier } = paid
    const recorded = identifier === undefined ? undefined : await recordOf(ctx, identifier)
    if (recorded !== undefined && !isAbout(recorded, invoiceKey))
      throw refused('business-rule', 'This payment is recorded for another Invoice.', 'payment-elsewhere')
    if (recorded !== undefined)
      throw refused('duplicate', 'This payment is recorded already.', 'payment-recorded')
    const isLate = paid.isReceived === true && invoice.status === 'cancelled'
    if (!isLate && invoice.status !== 'issued' && invoice.status !== 'draft')
      throw refused(
        'business-rule',
        `The Invoice is ${String(invoice.status)}: nothing is owed.`,
        'payment-not-owed',
      )
    const owed = isObject(invoice.totalGross) ? invoice.totalGross : undefined
    const amount = paid.amount ?? text(owed?.value) ?? '0'
    const currency = paid.currency ?? text(owed?.currency) ?? 'INR'
    if (
      owed !== undefined &&
      (!sameAmount(amount, text(owed.value) ?? '0') || currency !== text(owed.currency))
    )
      throw refused('business-rule', 'The amount is not what is owed.', 'payment-amount')
    try {
      await transaction(identifier === undefined ? ctx : first(ctx), {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: entriesOf(ctx, invoice, stored.version, isLate, { ...paid, amount, currency }),
      })
    } catch (error) {
      if (error instanceof FhirError && (error.status === 412 || isTaken(error))) return LOST
      throw error
    }
    return undefined
  })
}

const TAKEN = 'payment-taken'

const isTaken = (error: FhirError): boolean => error.issues.some(issue => issue.rule === TAKEN)

/** Returns the context in which no Invoice is balanced by a payment that another has recorded meanwhile. */
const first = (ctx: Context): Context => ({
  ...ctx,
  rules: [
    {
      types: new Set(['Invoice']),
      async judge(_, pending) {
        const isNew = pending.some(
          ({ key, before }) => key.startsWith('PaymentReconciliation/') && before === undefined,
        )
        if (!isNew) throw refused('duplicate', 'This payment was recorded meanwhile.', TAKEN)
        return {}
      },
    },
    ...(ctx.rules ?? []),
  ],
})

/** Returns a search for an identifier, whatever characters stand in it. https://hl7.org/fhir/R4/search.html#escaping */
const tokenOf = ({ system, value }: { system: string; value: string }): string =>
  `${system}|${value.replace(/[\\,|$]/g, '\\$&')}`

/** Returns what records a payment, undefined where nothing does. */
async function recordOf(
  ctx: Context,
  identifier: { system: string; value: string },
): Promise<Resource | undefined> {
  const { rows } = await search(ctx, 'PaymentReconciliation', [
    ['identifier', tokenOf(identifier)],
    ['_count', '1'],
  ])
  return rows[0] && resourceOf(rows[0])
}

const isAbout = ({ detail }: Resource, invoice: Key): boolean =>
  Array.isArray(detail) &&
  detail.some(one => isObject(one) && isObject(one.request) && one.request.reference === invoice)

/** Whether two decimals are the same number. */
const sameAmount = (a: string, b: string): boolean => {
  const plain = (decimal: string) => {
    const [whole = '', part = ''] = decimal.split('.')
    return `${whole.replace(/^0+(?=.)/, '')}.${part.replace(/0+$/, '')}`
  }
  return plain(a) === plain(b)
}

function entriesOf(
  ctx: Context,
  invoice: Resource,
  version: number,
  isLate: boolean,
  { amount, currency, identifier, method }: Paid & { amount: string; currency: string },
): JsonObject[] {
  const id = String(invoice.id)
  const money = { value: new NumberText(amount), currency }
  const now = new Date(ctx.clock()).toISOString()
  const paymentDate = localDay(ctx.clock(), ctx.settings.zone)
  const named = identifier === undefined ? {} : { identifier: [{ ...identifier }] }
  const link = `urn:uuid:${crypto.randomUUID()}`
  const reconciliation: Resource = {
    resourceType: 'PaymentReconciliation',
    ...named,
    status: 'active',
    created: now,
    paymentDate,
    paymentAmount: money,
    ...(identifier !== undefined && { paymentIdentifier: { ...identifier } }),
    detail: [
      {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/payment-type', code: 'payment' }],
          ...(method !== undefined && { text: method }),
        },
        request: { reference: `Invoice/${id}` },
        amount: money,
      },
    ],
  }
  const notice: Resource = {
    resourceType: 'PaymentNotice',
    ...named,
    status: 'active',
    request: { reference: `Invoice/${id}` },
    created: now,
    payment: { reference: link, ...(method !== undefined && { display: method }) },
    paymentDate,
    recipient: isObject(invoice.issuer) ? invoice.issuer : { display: 'The facility' },
    amount: money,
    paymentStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/paymentstatus', code: 'paid' }],
    },
  }
  const post = (resource: Resource, fullUrl?: string): JsonObject => ({
    ...(fullUrl !== undefined && { fullUrl }),
    resource,
    request: {
      method: 'POST',
      url: resource.resourceType,
      ...(identifier !== undefined && {
        ifNoneExist: `identifier=${encodeURIComponent(tokenOf(identifier))}`,
      }),
    },
  })
  const refund = {
    resource: refundTask(`Invoice/${id}`),
    request: { method: 'POST', url: 'Task', ifNoneExist: `identifier=${REFUND}|Invoice/${id}` },
  }
  if (isLate) return [post(reconciliation, link), post(notice), refund]
  return [
    post(reconciliation, link),
    post(notice),
    {
      resource: { ...invoice, status: 'balanced' },
      request: { method: 'PUT', url: `Invoice/${id}`, ifMatch: `W/"${version}"` },
    },
  ]
}
