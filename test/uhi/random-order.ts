/** Orders of UHI with every field that the reference has, in their canonical form: seeded, so that every run makes the same. */
import { below, pick, uuid } from '../../bench/random.ts'
import { DOCTOR_REASONS, PATIENT_REASONS, TAG } from '../../src/uhi/codes.ts'
import type { Chat, Order } from '../../src/uhi/order.ts'

const WORDS = [
  'Thanal',
  'आरोग्य',
  'Clinic',
  'ഹൃദയം',
  'O’Brien & Sons',
  '"quoted"',
  'a\\b',
  'line\nbreak',
  'x'.repeat(900),
]

/** Returns an order; `tokenOf` is the PIN of an order id. */
export async function randomOrder(
  random: () => number,
  tokenOf: (orderId: string) => Promise<string>,
): Promise<Order> {
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.7 ? make() : undefined)
  const words = () => `${pick(random, WORDS)} ${below(random, 1e6)}`
  const id = () => (random() < 0.3 ? String(below(random, 1000)) : uuid(random))
  const decimal = () =>
    pick(random, ['0', '0.0', '500.0', '500', '12.50', '1000000.125', String(below(random, 9999))])
  const price = () => ({ currency: 'INR', value: decimal() })
  const two = (n: number) => String(n).padStart(2, '0')
  const date = () => `${1930 + below(random, 90)}-${two(1 + below(random, 12))}-${two(1 + below(random, 28))}`
  const time = () =>
    `${2026 + below(random, 3)}-${two(1 + below(random, 12))}-${two(1 + below(random, 28))}T${two(below(random, 24))}:${two(below(random, 60))}:${two(below(random, 60))}`
  const url = () => `https://${below(random, 1000)}.example.org/a?b=${below(random, 99)}&c=%20`
  const named = () =>
    some({ name: maybe(words), code: maybe(() => pick(random, ['27', '+91', '0484', 'ERNAKULAM'])) })
  const descriptor = () =>
    some({
      name: maybe(words),
      images: maybe(url),
      short_desc: maybe(words),
      long_desc: maybe(() => words().repeat(3)),
    })
  const gender = () => pick(random, ['M', 'F', 'O', 'U'] as const)

  const type = pick(random, ['Physical', 'Online'] as const)
  const state = pick(random, [
    undefined,
    'CONFIRMED',
    'APPOINTMENT_STARTED',
    'COMPLETED',
    'CANCELLED',
    'NO_SHOW',
    'DOCTOR_NO_SHOW',
    'FAILED',
  ] as const)
  const by = pick(random, ['patient', 'doctor'] as const)
  const slot = uuid(random)
  const orderId = `${below(random, 1e4)}-${below(random, 1e6)}-${below(random, 1e4)}`
  const birthday = date()
  const [year, month, day] = birthday.split('-').map(Number) as [number, number, number]
  const birth = pick(random, [
    {},
    { yearOfBirth: year },
    { yearOfBirth: year, monthOfBirth: month },
    { dob: birthday, dayOfBirth: day, monthOfBirth: month, yearOfBirth: year },
  ])
  const item = some({
    id: id(),
    descriptor: { name: 'Consultation', code: pick(random, ['CONSULTATION', 'Consultation']) },
    price: maybe(price),
    category_id: maybe(id),
    fulfillment_id: slot,
  })
  const titles = ['Consultation', 'CGST @ 5%', 'SGST @ 5%', 'Registration'].slice(below(random, 5))
  const breakup = titles.map(title => ({
    title,
    price: title === 'Consultation' && item?.price !== undefined ? item.price : price(),
  }))
  const terms = ['Commercial', 'Settlement', 'Cancellation', 'Refund', 'Payment'] as const
  return some({
    id: orderId,
    state,
    provider: some({
      id: id(),
      descriptor: maybe(descriptor),
      categories: maybe(() =>
        Array.from(
          { length: 1 + below(random, 3) },
          (_, i) =>
            some({
              id: `${below(random, 1e6)}-${i}`,
              parent_category_id: maybe(id),
              descriptor: some({
                name: maybe(words),
                code: maybe(() => pick(random, ['CARDIOLOGY', 'ALLOPATHY'])),
              }),
            })!,
        ),
      ),
      location: maybe(() =>
        some({
          id: id(),
          descriptor: maybe(descriptor),
          city: maybe(named),
          district: maybe(named),
          state: maybe(named),
          country: maybe(named),
          gps: maybe(() => pick(random, ['28.635308,77.224960', '-0.5,0', '18.5246036,-73.792927'])),
          address: maybe(words),
        }),
      ),
    }),
    item,
    fulfillment: some({
      id: slot,
      type,
      agent: some({
        id: `dr${below(random, 1e6)}@hpr.ndhm`,
        name: maybe(words),
        gender: maybe(gender),
        image: maybe(() => pick(random, ['https://images.example.org/1.png', 'aGVsbG8='])),
        tags: maybe(() =>
          some({
            [TAG.experience]: maybe(() => pick(random, ['8.0', '10', '0.5'])),
            [TAG.languages]: maybe(() => pick(random, ['Hindi, English', 'Malayalam', 'Eng, Hin, മലയാളം'])),
            [TAG.education]: maybe(() => pick(random, ['MBBS', 'MBBS, MD Cardiology'])),
            [TAG.hpr]: maybe(() => `71-${below(random, 1e4)}-0000-0001`),
            [TAG.hfr]: maybe(() => `IN32${below(random, 1e8)}`),
            [TAG.hip]: maybe(() => `IN32${below(random, 1e8)}_1`),
          }),
        ),
      }),
      start: { time: { timestamp: time() } },
      end: { time: { timestamp: time() } },
      tags: some({
        [TAG.slot]: slot,
        [TAG.messaging]: maybe(() => pick(random, ['true', 'false'])),
        [TAG.deepLink]: maybe(url),
        [TAG.helpline]: maybe(() => '+91 484 000 0001'),
        [TAG.chatbot]: maybe(url),
        [TAG.teleconsultation]: type === 'Online' ? maybe(url) : undefined,
        [TAG.cancelledBy]: state === 'CANCELLED' ? by : undefined,
        [TAG.cancelReason]:
          state === 'CANCELLED'
            ? pick(random, by === 'patient' ? PATIENT_REASONS : DOCTOR_REASONS)
            : undefined,
        [TAG.careContext]: maybe(() => `visit-${below(random, 1e6)}`),
      }),
    }),
    billing: maybe(() =>
      some({
        name: maybe(words),
        address: maybe(() =>
          some({
            door: maybe(words),
            name: maybe(words),
            locality: maybe(words),
            city: maybe(words),
            state: maybe(words),
            country: maybe(() => 'INDIA'),
            area_code: maybe(() => String(100000 + below(random, 899999))),
          }),
        ),
        phone: maybe(() => `9${below(random, 1e9)}`),
        email: maybe(() => `p${below(random, 1e6)}@example.org`),
      }),
    ),
    customer: some({
      id: maybe(() => `p${below(random, 1e6)}@sbx`),
      person: some({
        gender: maybe(gender),
        ...birth,
        tags: maybe(() => ({ [TAG.abha]: `91-0000-0000-${1000 + below(random, 9000)}` })),
      }),
    }),
    payment: maybe(() =>
      some({
        type: pick(random, ['ON-ORDER', 'FREE', 'PRE-ORDER', 'PRE-FULFILLMENT', 'ON-FULFILLMENT'] as const),
        status: maybe(() => pick(random, ['NOT_PAID', 'FREE', 'PAID', 'PENDING', 'FAILED'] as const)),
        uri: maybe(url),
        params: maybe(() =>
          some({
            amount: maybe(decimal),
            redirect_url: maybe(url),
            transaction_id: maybe(() => uuid(random)),
            mode: maybe(() => 'UPI'),
            vpa: maybe(() => 'patient@upi'),
          }),
        ),
      }),
    ),
    quote: maybe(() => some({ price: maybe(price), breakup: breakup.length === 0 ? undefined : breakup })),
    terms: maybe(() =>
      terms.map(
        type =>
          some({
            type,
            descriptor: some({
              name: maybe(words),
              short_desc: maybe(words),
              long_desc: maybe(() => words().repeat(5)),
            }),
            reasonRequired: maybe(() => random() < 0.5),
            timePeriod: maybe(time),
            reason: maybe(words),
            termsState: maybe(() => pick(random, ['INITIATED', 'AGREED'] as const)),
          })!,
      ),
    ),
    authorization: await (random() < 0.7
      ? (async () =>
          some({
            type: 'PIN' as const,
            token: await tokenOf(orderId),
            valid_from: maybe(time),
            valid_to: maybe(time),
            status: pick(random, ['GENERATED', 'VERIFIED', 'NOT_VERIFIED', 'HSPA_OVERRIDE'] as const),
          }))()
      : undefined),
  }) as Order
}

/** Returns the members that are there; undefined for an object without any. */
function some<T extends object>(members: T): T | undefined {
  const there = Object.entries(members).filter(([, value]) => value !== undefined)
  return there.length === 0 ? undefined : (Object.fromEntries(there) as T)
}

/** Returns a chat: a text in any script, or a file. */
export function randomChat(random: () => number): Chat {
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.7 ? make() : undefined)
  const person = (id: string) =>
    maybe(() => ({
      person: some({
        id,
        name: maybe(() => pick(random, WORDS)),
        gender: maybe(() => pick(random, ['M', 'F', 'O', 'U'] as const)),
        image: maybe(() => pick(random, ['https://images.example.org/1.png', 'aGVsbG8='])),
      })!,
    }))
  const text = Buffer.from(`${pick(random, WORDS)} ${below(random, 1e6)}`).toString('base64')
  const content = pick(random, [
    { content_value: text, content_type: 'text' as const },
    {
      content_value: '/9j/4AAQ',
      content_type: 'media' as const,
      content_mimeType: 'image/jpeg',
      content_fileName: 'report.jpg',
    },
  ])
  return some({
    sender: person('meera@sbx'),
    receiver: person('anjali@hpr.ndhm'),
    content: { content_id: uuid(random), ...content },
    time: maybe(() => ({ timestamp: '2026-10-03T11:32:01' })),
  }) as Chat
}
