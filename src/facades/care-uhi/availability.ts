/** Which facilities offer some services. */
import type { Context } from '../../context.ts'
import { isObject, type Json, type Resource } from '../../fhir/json.ts'
import { object, objects, text } from '../../fhir/tree.ts'
import { isId } from '../../interactions/identity.ts'
import { searched } from '../../scheduling/live-resources.ts'
import { keysOf } from '../../search/busy.ts'
import { fold } from '../../search/fold.ts'
import type { Key } from '../../storage/port.ts'
import { type Facility, facilitiesOf } from './facility.ts'
import { memberOf } from './generation.ts'
import { said } from './message.ts'
import { malformed } from './refusal.ts'
import { idOf, type Provider, providerOf } from './translate.ts'

interface Service {
  id: string
  name: string
  managing_department: { id: string; name: string } | Record<string, never>
}

/** Services that one question names, and facilities that one answer lists. */
const MOST_WANTED = 50
const MOST_LISTED = 200
const MOST_LOOKED_AT = 1000
const MOST_SERVICES = 5000

/** Returns the facilities that have all services asked for. Throws Refusal (400). */
export async function availability(
  ctx: Context,
  body: Json,
): Promise<{ providers: (Provider & { services: Service[] })[] }> {
  const whole = isObject(body) ? body : {}
  // A message is a wrapper that other calls have.
  const asked = memberOf(whole, 'message') ?? whole
  const providerId = said(asked, 'provider_id')
  const pincode = pincodeIn(asked.pincode)
  const wanted = wantedIn(asked.services)
  const providers: (Provider & { services: Service[] })[] = []
  const ids = providerId === undefined ? await idsOf(ctx) : isId(providerId) ? [providerId] : []
  for (const facility of (await facilitiesOf(ctx, ids)).values()) {
    if (pincode !== undefined && !isAt(facility, pincode)) continue
    const services = [...facility.services.values()].map(one => serviceOf(ctx, facility, one))
    const matching = services.filter(
      ({ name }) => wanted.length === 0 || wanted.some(part => fold(name).includes(part)),
    )
    const hasAll = wanted.every(part => services.some(({ name }) => fold(name).includes(part)))
    if (!hasAll || matching.length === 0) continue
    providers.push({ ...providerOf(facility.organization, facility.place), services: matching })
    if (providers.length === MOST_LISTED) break
  }
  return { providers }
}

function pincodeIn(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const digits = typeof value === 'boolean' ? undefined : text(value)?.trim()
  if (digits === undefined || !/^[0-9]{1,10}$/.test(digits))
    throw malformed('pincode must be a valid integer')
  return digits
}

function wantedIn(value: Json | undefined): string[] {
  if (value === undefined || value === null) return []
  const list = Array.isArray(value) ? value : [value]
  if (list.length > MOST_WANTED) throw malformed(`at most ${MOST_WANTED} services can be asked for`)
  return list.flatMap(one => {
    if (typeof one !== 'string' || one.length > 200)
      throw malformed('services must be a text or a list of texts')
    const part = fold(one).trim()
    return part === '' ? [] : [part]
  })
}

const isAt = (facility: Facility, pincode: string): boolean =>
  [...objects(facility.organization.address), ...objects(facility.place?.address)].some(
    one => text(one.postalCode)?.replace(/\s/g, '') === pincode,
  )

function serviceOf(ctx: Context, facility: Facility, service: Resource): Service {
  const owner = keysOf(object(service.providedBy), ctx.settings.baseUrl)[0] as Key | undefined
  const part = owner === undefined ? undefined : facility.parts.get(owner)
  return {
    id: idOf(service),
    name: text(service.name) ?? '',
    managing_department: part === undefined ? {} : { id: idOf(part), name: text(part.name) ?? '' },
  }
}

/** Returns the ids of the facilities that have services, in the order of these ids. */
async function idsOf(ctx: Context): Promise<string[]> {
  const { baseUrl } = ctx.settings
  const services = await searched(ctx, 'HealthcareService', [['_lastUpdated', 'gt1900-01-01']], MOST_SERVICES)
  const owners = new Set(
    [...services.values()].flatMap(one => (one.active === false ? [] : keysOf(one.providedBy, baseUrl))),
  )
  return [...owners]
    .map(key => key.split('/')[1]!)
    .sort()
    .slice(0, MOST_LOOKED_AT)
}
