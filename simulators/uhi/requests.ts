/** The messages of the patient app: contexts, intents and orders with the field names of UHI 0.7.1. */
import { randomUUID } from 'node:crypto'

export interface Context {
  domain: string
  country: string
  city: string
  action: string
  core_version: string
  consumer_id: string
  consumer_uri: string
  provider_id?: string
  provider_uri?: string
  transaction_id: string
  message_id: string
  timestamp: string
}

/** What an order is asked for with; all of it optional, an invented patient otherwise. */
export interface Wish {
  type?: string
  from?: string
  to?: string
  doctor?: string
  doctorName?: string
  speciality?: string
  facility?: string
  payment?: string
  name?: string
  phone?: string
  abha?: string
  abhaNumber?: string
  gender?: string
  birthDate?: string
  location?: unknown
}

export const CONSULTATION = 'nic2004:85111'
const ITEM = { descriptor: { code: 'Consultation', name: 'Consultation' } }

/** A context for one request with a new message id. */
export function newContext(
  action: string,
  consumer: { id: string; uri: string },
  transaction: string,
  provider?: { id: string; uri: string },
): Context {
  return {
    domain: CONSULTATION,
    country: 'IND',
    city: 'std:011',
    action,
    core_version: '0.7.1',
    consumer_id: consumer.id,
    consumer_uri: consumer.uri,
    ...(provider ? { provider_id: provider.id, provider_uri: provider.uri } : {}),
    transaction_id: transaction,
    message_id: randomUUID(),
    timestamp: new Date().toISOString(),
  }
}

const at = (timestamp: string): unknown => ({ time: { timestamp } })

/** The intent of a first search, through the gateway. */
export function searchIntent(wish: Wish): Record<string, unknown> {
  const agent = wish.doctor ? { id: wish.doctor } : wish.doctorName ? { name: wish.doctorName } : undefined
  return {
    intent: {
      fulfillment: {
        type: wish.type ?? 'Physical',
        ...(agent ? { agent } : {}),
        start: at(wish.from ?? ''),
        end: at(wish.to ?? ''),
      },
      item: ITEM,
      ...(wish.speciality
        ? { category: { descriptor: { code: wish.speciality, name: wish.speciality } } }
        : {}),
      ...(wish.facility ? { provider: { descriptor: { name: wish.facility } } } : {}),
      ...(wish.location ? { location: wish.location } : {}),
    },
  }
}

export interface Fulfillment {
  id: string
  type: string
  agent: { id: string; name: string }
  start: { time: { timestamp: string } }
  end: { time: { timestamp: string } }
}
export interface Item {
  id: string
  descriptor: { name: string; code: string }
  price: { currency: string; value: string }
  category_id?: string
  fulfillment_id: string
}
export interface Provider {
  id: string
  descriptor: { name: string }
  categories: unknown[]
  fulfillments: Fulfillment[]
  items: Item[]
}

/** The intent of the second search, straight to the provider: what the catalog said, and the doctor and window wanted. */
export function slotIntent(provider: Provider, wish: Wish): Record<string, unknown> {
  const chosen = provider.fulfillments.find(one => !wish.doctor || one.agent.id === wish.doctor)
  return {
    intent: {
      provider: {
        id: provider.id,
        descriptor: provider.descriptor,
        categories: provider.categories,
        fulfillments: chosen ? [chosen] : [],
        items: provider.items.filter(one => one.fulfillment_id === chosen?.id),
      },
      fulfillment: {
        type: wish.type ?? 'Physical',
        agent: { id: wish.doctor ?? chosen?.agent.id },
        start: at(wish.from ?? ''),
        end: at(wish.to ?? ''),
      },
      item: ITEM,
    },
  }
}

/** The message of init for one slot of a catalog. */
export function initMessage(provider: Provider, slot: Fulfillment, wish: Wish): Record<string, unknown> {
  const item = provider.items.find(one => one.fulfillment_id === slot.id)
  const [year, month, day] = (wish.birthDate ?? '1990-05-15').split('-')
  return {
    order: {
      provider: { id: provider.id },
      item: {
        id: item?.id,
        descriptor: { name: 'Consultation', code: 'Consultation' },
        price: item?.price,
        fulfillment_id: slot.id,
      },
      fulfillment: {
        id: slot.id,
        type: slot.type,
        agent: { id: slot.agent.id, name: slot.agent.name },
        start: slot.start,
        end: slot.end,
        tags: { '@abdm/gov.in/slot_id': slot.id },
      },
      billing: {
        name: wish.name ?? 'Meera Pillai',
        address: {
          door: '12B',
          name: wish.name ?? 'Meera Pillai',
          locality: 'Kowdiar',
          city: 'Thiruvananthapuram',
          state: 'Kerala',
          country: 'INDIA',
          area_code: '695003',
        },
        phone: wish.phone ?? '9876500001',
        email: 'meera.pillai@example.org',
      },
      customer: {
        id: wish.abha ?? 'meera.pillai@sbx',
        person: {
          gender: wish.gender ?? 'F',
          dob: `${year}-${month}-${day}`,
          dayOfBirth: Number(day),
          monthOfBirth: Number(month),
          yearOfBirth: Number(year),
          ...(wish.abhaNumber ? { tags: { '@abdm/gov.in/abha_number': wish.abhaNumber } } : {}),
        },
      },
      payment: {
        type: wish.payment ?? 'ON-ORDER',
        params: { redirect_url: 'https://app.example.org/paid' },
      },
    },
  }
}

/** The message of confirm: the order of on_init with every term agreed to and nothing else changed. */
export function confirmMessage(order: Record<string, unknown>): Record<string, unknown> {
  const terms = (order.terms as Record<string, unknown>[] | undefined) ?? []
  const agreed = terms.map(term => ({
    ...term,
    ...(term.reasonRequired === true ? { reason: 'Read and agreed' } : {}),
    termsState: 'AGREED',
  }))
  return { order: { ...order, terms: agreed } }
}

/** The message of cancel by the patient; the reason code stands in its tag. */
export const cancelMessage = (order: string, reason?: string, text?: string): Record<string, unknown> => ({
  order: {
    id: order,
    state: 'CANCELLED',
    fulfillment: {
      tags: {
        '@abdm/gov.in/cancelledby': 'patient',
        ...(reason ? { '@abdm/gov.in/cancel_reason': reason } : {}),
        ...(text ? { '@abdm/gov.in/cancel_reason_text': text } : {}),
      },
    },
  },
})

/** A chat message between two people, its text in base64. */
export const chatMessage = (
  from: { id: string; name: string },
  to: { id: string; name: string },
  text: string,
): Record<string, unknown> => ({
  intent: {
    chat: {
      sender: { person: { id: from.id, name: from.name, gender: 'F' } },
      receiver: { person: { id: to.id, name: to.name } },
      content: {
        content_id: randomUUID(),
        content_value: Buffer.from(text).toString('base64'),
        content_type: 'text',
      },
      time: { timestamp: new Date().toISOString().slice(0, 19) },
    },
  },
})
