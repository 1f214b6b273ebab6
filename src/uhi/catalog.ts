/** The catalog that answers a search, of what can be booked. Pure. */
import type { Resource } from '../fhir/json.ts'
import { instantOf } from '../search/busy.ts'
import { fold } from '../search/fold.ts'
import { text } from './elements.ts'
import { agentFrom, placeFrom, providerFrom } from './from-fhir-catalog.ts'
import type { Doctor, Offer } from './offers.ts'
import type { Intent, Order, Quote } from './order.ts'
import { localAt } from './time.ts'

const ITEM = { name: 'Consultation', code: 'CONSULTATION' } as const
/** Lines that every quote has. */
const LINES = ['CGST @ 5%', 'SGST @ 5%', 'Registration']

/** Returns the quote of UHI: the fee first, and the lines that every quote has, if only with nothing. */
export function quoteLines({ quote }: Doctor): Required<Quote> {
  const { currency } = quote.price
  const [base, ...others] = quote.breakup
  const lines = others.map(({ title, price }) => ({ title, price: { ...price } }))
  const missing = LINES.filter(title => !lines.some(line => line.title === title))
  return {
    price: { ...quote.price },
    breakup: [
      { title: ITEM.name, price: { currency, value: base?.price.value ?? quote.price.value } },
      ...lines,
      ...missing.map(title => ({ title, price: { currency, value: '0' } })),
    ],
  }
}

/** Returns what is booked: the consultation with its fee. */
export const itemOf = (doctor: Doctor, slotId: string): NonNullable<Order['item']> => ({
  id: doctor.itemId,
  descriptor: { ...ITEM },
  price: { ...quoteLines(doctor).breakup[0]!.price! },
  ...(doctor.services[0]?.id !== undefined && { category_id: String(doctor.services[0].id) }),
  fulfillment_id: slotId,
})

const timeOf = (slot: Resource, name: 'start' | 'end') => {
  const at = instantOf(slot[name])
  return at === undefined ? {} : { [name]: { time: { timestamp: localAt(at) } } }
}

/** Returns where and when a slot is, and with whom. */
export const fulfillmentOf = ({
  slot,
  online,
  practitioner,
  organization,
}: Offer): NonNullable<Order['fulfillment']> => ({
  id: String(slot.id),
  type: online ? 'Online' : 'Physical',
  agent: agentFrom(practitioner, organization),
  ...timeOf(slot, 'start'),
  ...timeOf(slot, 'end'),
})

/** Returns `message.catalog`: one provider for each facility. */
export function catalogOf(name: string, offers: readonly Offer[]): unknown {
  const byFacility = Map.groupBy(offers, ({ organization }) => String(organization.id))
  const providers = [...byFacility.values()].map(some => {
    const services = new Map(
      some.flatMap(offer => offer.services.map(service => [String(service.id), service])),
    )
    const { organization, location } = some[0]!
    return {
      ...providerFrom(organization, location, [...services.values()]),
      fulfillments: some.map(fulfillmentOf),
      items: some.map(offer => itemOf(offer, String(offer.slot.id))),
    }
  })
  return { descriptor: { name }, providers }
}

/** Returns whether a doctor is one that the intent asks for. Names are compared without case and accents. */
export function isMeant(doctor: Doctor, intent: Intent): boolean {
  const agent = agentFrom(doctor.practitioner, doctor.organization)
  const { category, provider, location, address } = intent
  const wanted = intent.fulfillment?.agent
  const place = doctor.location && placeFrom(doctor.location)
  const provided = providerFrom(doctor.organization, undefined, doctor.services)
  const has = (whole: string | undefined, part: string | undefined) =>
    part === undefined || (whole !== undefined && fold(whole).includes(fold(part)))
  const same = (a: string | undefined, b: string | undefined) =>
    b === undefined || (a !== undefined && fold(a) === fold(b))
  if (wanted?.id !== undefined && wanted.id !== agent.id && wanted.id !== String(doctor.practitioner.id))
    return false
  if (!has(agent.name, wanted?.name)) return false
  if (provider?.id !== undefined && provider.id !== provided.id) return false
  if (!has(provided.descriptor?.name, provider?.descriptor?.name)) return false
  if (
    category?.descriptor !== undefined &&
    !(provided.categories ?? []).some(
      one =>
        (category.descriptor?.code !== undefined && same(one.descriptor?.code, category.descriptor.code)) ||
        (category.descriptor?.name !== undefined && same(one.descriptor?.name, category.descriptor.name)),
    )
  )
    return false
  for (const name of ['state', 'district', 'city'] as const)
    if (location?.[name] !== undefined) {
      const { name: wantedName, code } = location[name]
      const isName = wantedName !== undefined && same(place?.[name]?.name, wantedName)
      if (!isName && !(code !== undefined && place?.[name]?.code === code)) return false
    }
  if (address?.area_code !== undefined && areaCodeOf(doctor.location) !== address.area_code) return false
  return isNear(place?.gps, location)
}

function areaCodeOf(location: Resource | undefined): string | undefined {
  const address = location?.address
  return typeof address === 'object' && address !== null && 'postalCode' in address
    ? text(address.postalCode)
    : undefined
}

/** GPS without all three fields of the radius says nothing. */
function isNear(gps: string | undefined, location: Intent['location']): boolean {
  const { radius } = location ?? {}
  if (
    location?.gps === undefined ||
    radius?.value === undefined ||
    radius.unit === undefined ||
    radius.type === undefined
  )
    return true
  if (gps === undefined) return false
  const [lat1, long1] = gps.split(',').map(Number) as [number, number]
  const [lat2, long2] = location.gps.split(',').map(Number) as [number, number]
  return kilometres(lat1, long1, lat2, long2) <= Number(radius.value)
}

/** Returns the distance of two places on a sphere. https://en.wikipedia.org/wiki/Haversine_formula */
function kilometres(lat1: number, long1: number, lat2: number, long2: number): number {
  const rad = (degrees: number) => (degrees * Math.PI) / 180
  const a =
    Math.sin(rad(lat2 - lat1) / 2) ** 2 +
    Math.cos(rad(lat1)) * Math.cos(rad(lat2)) * Math.sin(rad(long2 - long1) / 2) ** 2
  return 12_742 * Math.asin(Math.min(1, Math.sqrt(a)))
}
