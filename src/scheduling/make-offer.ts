/** An offer from the waitlist: a free time that is held for who waits, and the message that says so, in one commit. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { wallTime } from '../fhir/instant.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { etag } from '../interactions/preconditions.ts'
import { transaction } from '../interactions/transaction.ts'
import { actorsOf, keysOf } from '../search/busy.ts'
import { type Key, type Live, stampText } from '../storage/port.ts'
import { EXTENSION, SYSTEM } from './codes.ts'
import type { FreeSlot } from './find.ts'
import { extensionsOf } from './hold.ts'
import { offerMark } from './offer.ts'
import { zoneAt } from './place.ts'
import { participantsOf, proposalOf } from './proposal.ts'

const MINUTE = 60_000

/** Makes an offer: a hold, the entry that knows of it, and what the patient is told. Returns its key; undefined where the time is taken. */
export async function makeOffer(
  ctx: Context,
  stored: Live,
  entry: Resource,
  slot: FreeSlot,
  now: number,
): Promise<Key | undefined> {
  const { baseUrl, scheduling } = ctx.settings
  const until = Math.min(now + scheduling.holdMinutes * MINUTE, slot.start)
  const link = `urn:uuid:${crypto.randomUUID()}`
  const places = slot.candidate.actors.filter(key => key.startsWith('Location/'))
  const zone = await zoneAt(ctx, places)
  const patients = actorsOf(entry).filter(one => keysOf(one, baseUrl)[0]?.startsWith('Patient/'))
  const entries: JsonObject[] = [
    {
      fullUrl: link,
      resource: offered(ctx, stored.key, entry, slot, until),
      request: { method: 'POST', url: 'Appointment' },
    },
    {
      resource: {
        ...entry,
        extension: [
          ...extensionsOf(entry),
          { url: EXTENSION.waitlistOffer, valueReference: { reference: link } },
        ],
      },
      request: { method: 'PUT', url: stored.key, ifMatch: etag(stored) },
    },
    ...patients.map(patient => ({
      resource: notice(
        patient,
        link,
        `${stored.key}|${slot.key}`,
        wallTime(stampText(until), zone)!.slice(11),
      ),
      request: { method: 'POST', url: 'CommunicationRequest' },
    })),
  ]
  try {
    const [made] = await transaction(ctx, { resourceType: 'Bundle', type: 'transaction', entry: entries })
    const [type, id] = made!.response!.location!.slice(baseUrl.length + 1).split('/')
    return `${type}/${id}` as Key
  } catch (error) {
    if (error instanceof FhirError && error.status === 409) return undefined
    throw error
  }
}

function offered(ctx: Context, key: Key, entry: Resource, slot: FreeSlot, until: number): Resource {
  const { baseUrl } = ctx.settings
  const { id: _, ...proposal } = proposalOf(slot.slot, slot.candidate.schedule)
  const own = objects(entry.participant)
  const there = new Set(own.flatMap(one => keysOf(one.actor, baseUrl)))
  const isSomebody = (one: JsonObject): boolean => keysOf(one.actor, baseUrl).some(actor => !there.has(actor))
  return {
    ...(proposal as Resource),
    status: 'pending',
    ...(isObject(entry.appointmentType) && { appointmentType: entry.appointmentType }),
    ...(Array.isArray(entry.serviceType) && { serviceType: entry.serviceType }),
    identifier: [offerMark(key, slot.key)],
    supportingInformation: [{ reference: key }],
    created: stampText(ctx.clock()),
    // Who waited for any of several practitioners is seen by the one whose slot it is.
    participant: [
      ...own
        .filter(one => !isOther(one, slot, baseUrl))
        .map(one => ({ ...one, status: waitingFor(one, baseUrl) })),
      ...participantsOf(slot.candidate.schedule).filter(isSomebody),
    ],
    extension: [{ url: EXTENSION.holdUntil, valueInstant: stampText(until) }],
  }
}

/** A practitioner, department or place of the entry that the slot is not of. */
const isOther = (one: JsonObject, slot: FreeSlot, baseUrl: string): boolean =>
  keysOf(one.actor, baseUrl).some(
    key =>
      /^(Practitioner|PractitionerRole|HealthcareService|Location)\//.test(key) &&
      !slot.candidate.actors.includes(key as Key),
  )

/** The patient has not answered yet; all others agree. */
const waitingFor = (one: JsonObject, baseUrl: string): string =>
  keysOf(one.actor, baseUrl).some(key => /^(Patient|RelatedPerson)\//.test(key)) ? 'needs-action' : 'accepted'

/** Returns what tells a patient of an offer; `until` is the clock time by which to answer, `19:41`. */
const notice = (patient: Json, link: string, cause: string, until: string): Resource => ({
  resourceType: 'CommunicationRequest',
  identifier: [{ system: SYSTEM.messageKey, value: `${cause}|waitlist-offer` }],
  status: 'active',
  category: [{ coding: [{ system: SYSTEM.event, code: 'waitlist-offer' }] }],
  subject: patient,
  about: [{ reference: link }],
  recipient: [patient],
  extension: [
    {
      url: EXTENSION.messageValue,
      extension: [
        { url: 'name', valueString: 'until' },
        { url: 'value', valueString: until },
      ],
    },
  ],
})
