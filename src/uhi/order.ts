/**
 * An order, a catalog, an intent and a chat as UHI has them: shapes that are read from messages, and the types of the values.
 * https://abdm.gov.in (UHI Physical Consultation, version 2.0)
 */
import { DOCTOR_REASONS, PATIENT_REASONS, TAG } from './codes.ts'
import type { ValueOf } from './shape.ts'

const NAMED = { of: { name: 'text', code: 'text' } } as const
const DESCRIPTOR = { of: { name: 'text', images: 'uri', short_desc: 'text', long_desc: 'long' } } as const
const PRICE = { of: { currency: 'text', value: 'decimal' } } as const
const WHEN = { of: { time: { of: { timestamp: 'time' } } } } as const
const GENDER = { one: ['M', 'F', 'O', 'U'] } as const

export const CATEGORY = {
  of: { id: 'id', parent_category_id: 'id', descriptor: NAMED },
} as const

export const LOCATION = {
  of: {
    id: 'id',
    descriptor: DESCRIPTOR,
    city: NAMED,
    district: NAMED,
    state: NAMED,
    country: NAMED,
    gps: 'gps',
    address: 'text',
  },
} as const

export const AGENT = {
  of: {
    id: 'text',
    name: 'text',
    gender: GENDER,
    image: 'image',
    tags: {
      of: {
        [TAG.experience]: 'decimal',
        [TAG.languages]: 'text',
        [TAG.education]: 'text',
        [TAG.hpr]: 'text',
        [TAG.hfr]: 'text',
        [TAG.hip]: 'text',
      },
    },
  },
} as const

export const TERM_TYPES = ['Commercial', 'Settlement', 'Cancellation', 'Refund', 'Payment'] as const

export const TERM = {
  of: {
    type: { one: TERM_TYPES },
    descriptor: { of: { name: 'text', short_desc: 'text', long_desc: 'long' } },
    reasonRequired: 'flag',
    timePeriod: 'time',
    reason: 'text',
    termsState: { one: ['INITIATED', 'AGREED'] },
  },
} as const

/** NOT-PAID and HSPAOVERRIDE are other spellings in the documents; they are read as NOT_PAID and HSPA_OVERRIDE. */
export const ORDER = {
  of: {
    id: 'text',
    state: {
      one: [
        'CONFIRMED',
        'APPOINTMENT_STARTED',
        'COMPLETED',
        'CANCELLED',
        'NO_SHOW',
        'DOCTOR_NO_SHOW',
        'FAILED',
      ],
    },
    provider: {
      of: { id: 'id', descriptor: DESCRIPTOR, categories: { list: CATEGORY }, location: LOCATION },
    },
    item: {
      of: { id: 'id', descriptor: NAMED, price: PRICE, category_id: 'id', fulfillment_id: 'id' },
    },
    fulfillment: {
      of: {
        id: 'id',
        type: { one: ['Physical', 'Online'] },
        agent: AGENT,
        start: WHEN,
        end: WHEN,
        tags: {
          of: {
            [TAG.slot]: 'id',
            [TAG.messaging]: 'text',
            [TAG.deepLink]: 'uri',
            [TAG.helpline]: 'text',
            [TAG.chatbot]: 'uri',
            [TAG.teleconsultation]: 'uri',
            [TAG.cancelledBy]: { one: ['patient', 'doctor'] },
            [TAG.cancelReason]: { one: [...PATIENT_REASONS, ...DOCTOR_REASONS] },
            [TAG.careContext]: 'text',
          },
        },
      },
    },
    billing: {
      of: {
        name: 'text',
        address: {
          of: {
            door: 'text',
            name: 'text',
            locality: 'text',
            city: 'text',
            state: 'text',
            country: 'text',
            area_code: 'text',
          },
        },
        phone: 'text',
        email: 'text',
      },
    },
    customer: {
      of: {
        id: 'text',
        person: {
          of: {
            gender: GENDER,
            dob: 'date',
            dayOfBirth: 'int',
            monthOfBirth: 'int',
            yearOfBirth: 'int',
            tags: { of: { [TAG.abha]: 'text' } },
          },
        },
      },
    },
    payment: {
      of: {
        type: { one: ['ON-ORDER', 'FREE', 'PRE-ORDER', 'PRE-FULFILLMENT', 'ON-FULFILLMENT'] },
        status: { one: ['NOT_PAID', 'NOT-PAID', 'FREE', 'PAID', 'PENDING', 'FAILED'] },
        uri: 'uri',
        params: {
          of: { amount: 'decimal', redirect_url: 'uri', transaction_id: 'text', mode: 'text', vpa: 'text' },
        },
      },
    },
    quote: { of: { price: PRICE, breakup: { list: { of: { title: 'text', price: PRICE } } } } },
    terms: { list: TERM },
    authorization: {
      of: {
        type: { one: ['PIN'] },
        token: 'text',
        valid_from: 'time',
        valid_to: 'time',
        status: { one: ['GENERATED', 'VERIFIED', 'NOT_VERIFIED', 'HSPA_OVERRIDE', 'HSPAOVERRIDE'] },
      },
    },
  },
} as const

export const INTENT = {
  of: {
    fulfillment: {
      of: {
        type: { one: ['Physical', 'Online'] },
        agent: { of: { id: 'text', name: 'text' } },
        start: WHEN,
        end: WHEN,
      },
    },
    item: { of: { descriptor: NAMED } },
    category: { of: { descriptor: NAMED } },
    provider: { of: { id: 'text', descriptor: { of: { name: 'text' } } } },
    location: {
      of: {
        gps: 'gps',
        radius: { of: { type: 'text', value: 'decimal', unit: 'text' } },
        city: NAMED,
        state: NAMED,
        district: NAMED,
      },
    },
    address: { of: { area_code: 'text' } },
  },
} as const

export const PERSON = { of: { id: 'text', name: 'text', gender: GENDER, image: 'image' } } as const

export const CHAT = {
  of: {
    sender: { of: { person: PERSON } },
    receiver: { of: { person: PERSON } },
    content: {
      of: {
        content_id: 'text',
        content_value: 'base64',
        content_type: { one: ['text', 'media'] },
        content_mimeType: 'text',
        content_fileName: 'text',
      },
    },
    time: { of: { timestamp: 'time' } },
  },
} as const

export const CONTEXT = {
  of: {
    domain: 'text',
    country: 'text',
    city: 'text',
    action: 'text',
    core_version: 'text',
    consumer_id: 'text',
    consumer_uri: 'uri',
    provider_id: 'text',
    provider_uri: 'uri',
    transaction_id: 'text',
    message_id: 'text',
    timestamp: 'text',
    key: 'text',
    ttl: 'text',
  },
} as const

export type Order = ValueOf<typeof ORDER>
export type Provider = NonNullable<Order['provider']>
export type Category = ValueOf<typeof CATEGORY>
export type Place = ValueOf<typeof LOCATION>
export type Agent = ValueOf<typeof AGENT>
export type Term = ValueOf<typeof TERM>
export type Payment = NonNullable<Order['payment']>
export type Quote = NonNullable<Order['quote']>
export type Fulfillment = NonNullable<Order['fulfillment']>
export type Descriptor = ValueOf<typeof DESCRIPTOR>
export type Intent = ValueOf<typeof INTENT>
export type Chat = ValueOf<typeof CHAT>
export type MessageContext = ValueOf<typeof CONTEXT>

/** Returns an order with one spelling for what the documents spell in two ways. */
export function spelled(order: Order): Order {
  const { payment, authorization } = order
  return {
    ...order,
    ...(payment?.status === 'NOT-PAID' && { payment: { ...payment, status: 'NOT_PAID' as const } }),
    ...(authorization?.status === 'HSPAOVERRIDE' && {
      authorization: { ...authorization, status: 'HSPA_OVERRIDE' as const },
    }),
  }
}
