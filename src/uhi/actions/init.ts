/** init: a slot is held for a patient. The answer is on_init, with the price and the terms. */
import type { Context } from '../../context.ts'
import { FhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { text } from '../../fhir/tree.ts'
import { transaction } from '../../interactions/transaction.ts'
import { instantOf } from '../../search/busy.ts'
import type { Act, Action } from '../act.ts'
import { needed, orderIn } from '../act.ts'
import { fulfillmentOf, itemOf, quoteLines } from '../catalog.ts'
import { TAG } from '../codes.ts'
import { objects } from '../elements.ts'
import { errorOfRule, UhiError } from '../error.ts'
import type { OrderKeys } from '../graph.ts'
import { callback } from '../job.ts'
import { type Offer, offerOf } from '../offers.ts'
import { cameBefore, isDone, leave, once } from '../once.ts'
import type { Order } from '../order.ts'
import { patientFor } from '../patient.ts'
import { termsFor } from '../terms.ts'
import { appointmentOf, type Envelope } from '../to-fhir.ts'
import { chargesOf, invoiceOf } from '../to-fhir-invoice.ts'
import { statedOf } from '../to-fhir-patient.ts'

const ORDER = '/message/order'

export const init: Action = async act => {
  const { ctx, self, admitted } = act
  const asked = checked(orderIn(act))
  if (await isDone(ctx, admitted)) return
  const offer = await offerOf(ctx, asked.fulfillment!.id!)
  if (offer === undefined)
    throw new UhiError('UHI-1404', `${ORDER}/fulfillment/id`, 'THERE IS NO SLOT OF THIS ID')
  checkOffer(asked, offer)
  checkTime(ctx, offer)
  const order = completed(act, asked, offer)
  const to = admitted.context
  try {
    await transaction(once(ctx, admitted), {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: await entriesOf(act, order, offer),
    })
  } catch (error) {
    if (cameBefore(error)) return
    const why = error instanceof FhirError ? errorOfRule(error) : undefined
    if (why === undefined) throw error
    await leave(ctx, admitted, [
      callback(ctx, self, 'on_init', to, { message: { order: asked }, error: why }),
    ])
  }
}

/** Throws `UHI-1404` where something is missing that a booking needs. */
function checked(order: Order): Order {
  needed(order.provider?.id, `${ORDER}/provider/id`)
  needed(order.item?.id, `${ORDER}/item/id`)
  const slot = needed(order.fulfillment?.id, `${ORDER}/fulfillment/id`)
  needed(order.fulfillment?.type, `${ORDER}/fulfillment/type`)
  needed(order.billing?.name, `${ORDER}/billing/name`)
  needed(order.billing?.phone, `${ORDER}/billing/phone`)
  const customer = needed(order.customer?.id, `${ORDER}/customer/id`)
  if (!/^[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{1,32}$/.test(customer))
    throw new UhiError('UHI-1404', `${ORDER}/customer/id`, 'THE CUSTOMER MUST BE AN ABHA ADDRESS')
  const others = [
    [order.fulfillment?.tags?.[TAG.slot], `${ORDER}/fulfillment/tags/${TAG.slot}`],
    [order.item?.fulfillment_id, `${ORDER}/item/fulfillment_id`],
  ] as const
  for (const [value, path] of others)
    if (value !== undefined && value !== slot)
      throw new UhiError('UHI-1404', path, 'IT IS NOT THE SLOT OF THE FULFILLMENT')
  return order
}

/** Throws `UHI-1404` where the order asks for something else than the slot is. */
function checkOffer(order: Order, offer: Offer): void {
  const own = fulfillmentOf(offer)
  const differs = (path: string): UhiError =>
    new UhiError('UHI-1404', `${ORDER}/${path}`, 'IT IS NOT WHAT THE CATALOG SAYS OF THIS SLOT')
  const { provider, fulfillment, item } = order
  if (provider?.id !== String(offer.organization.id)) throw differs('provider/id')
  if (item?.id !== offer.itemId) throw differs('item/id')
  if (fulfillment?.type !== own.type) throw differs('fulfillment/type')
  if (fulfillment?.agent?.id !== undefined && fulfillment.agent.id !== own.agent?.id)
    throw differs('fulfillment/agent/id')
  for (const name of ['start', 'end'] as const)
    if (fulfillment?.[name] !== undefined && fulfillment[name].time?.timestamp !== own[name]?.time?.timestamp)
      throw differs(`fulfillment/${name}`)
}

/** Throws `UHI-1403` where the visit would have begun already. */
function checkTime(ctx: Context, { slot }: Offer): void {
  if ((instantOf(slot.start) ?? Number.NEGATIVE_INFINITY) > ctx.clock()) return
  throw new UhiError('UHI-1403', `${ORDER}/fulfillment/id`, 'THE TIME OF THE SLOT IS OVER', 'BOOKING')
}

/** Returns the order as it is held: what was asked for, at our price and under our terms. */
function completed({ ctx }: Act, asked: Order, offer: Offer): Order {
  const id = `ND${ctx
    .newId()
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase()}`
  const quote = quoteLines(offer)
  const own = fulfillmentOf(offer)
  const isFree = /^0(\.0+)?$/.test(quote.price.value ?? '')
  const type = isFree ? 'FREE' : offer.online ? 'PRE-ORDER' : 'ON-ORDER'
  const uri = type === 'PRE-ORDER' ? ctx.settings.uhi.paymentUrl?.replaceAll('{order}', id) : undefined
  const redirect = asked.payment?.params?.redirect_url
  const start = own.start?.time?.timestamp ?? ''
  const helpline = [offer.organization, offer.location]
    .flatMap(one => objects(one?.telecom))
    .find(one => one.system === 'phone')
  return {
    ...asked,
    id,
    item: itemOf(offer, String(offer.slot.id)),
    fulfillment: {
      ...own,
      tags: {
        [TAG.slot]: String(offer.slot.id),
        [TAG.messaging]: 'true',
        ...(text(helpline?.value) !== undefined && { [TAG.helpline]: text(helpline?.value)! }),
      },
    },
    quote,
    payment: {
      type,
      status: isFree ? 'FREE' : 'NOT_PAID',
      ...(uri !== undefined && { uri }),
      params: {
        ...(quote.price.value !== undefined && { amount: quote.price.value }),
        ...(redirect !== undefined && { redirect_url: redirect }),
      },
    },
    terms: termsFor({
      facility: text(offer.organization.name) ?? 'the facility',
      doctor: own.agent?.name ?? 'the doctor',
      start,
      total: quote.price.value ?? '0',
      currency: quote.price.currency ?? 'INR',
      prepaid: type === 'PRE-ORDER',
      until: own.end?.time?.timestamp ?? start,
    }),
  }
}

async function entriesOf(act: Act, order: Order, offer: Offer): Promise<JsonObject[]> {
  const { ctx, admitted } = act
  const { consumerId, consumerUri, transactionId, domain, city } = admitted.context
  const envelope: Envelope = { consumerId, consumerUri, transactionId, domain, city }
  const urn = () => `urn:uuid:${crypto.randomUUID()}`
  const patient = await patientFor(ctx, order, urn())
  const charges: string[] = []
  const keys: OrderKeys = {
    appointment: urn(),
    patient: patient.key,
    stated: urn(),
    organization: `Organization/${String(offer.organization.id)}`,
    location: undefined,
    practitioner: `Practitioner/${String(offer.practitioner.id)}`,
    others: offer.actors,
    invoice: urn(),
    charge: index => (charges[index] ??= urn()),
  }
  const post = (fullUrl: string, resource: Resource): JsonObject => ({
    fullUrl,
    resource,
    request: { method: 'POST', url: resource.resourceType },
  })
  return [
    ...patient.entries,
    post(keys.stated, statedOf(order, keys)),
    post(keys.invoice, invoiceOf(order, keys)),
    ...chargesOf(order, keys).map((charge, i) => post(keys.charge(i), charge)),
    post(keys.appointment, appointmentOf(order, envelope, keys)),
  ]
}
