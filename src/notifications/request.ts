/**
 * CommunicationRequests: what is to be told, at once or later; by the rules themselves, by operations and by clients.
 * https://hl7.org/fhir/R4/communicationrequest.html
 */
import type { Context, Pending } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { timeRange } from '../fhir/instant.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { codings, object, objects, text } from '../fhir/tree.ts'
import { SYSTEM } from '../scheduling/codes.ts'
import { keysOf } from '../search/busy.ts'
import { kindOf } from './event.ts'
import { carriedValues, type News } from './message.ts'
import { hasDied, type Person, personOf } from './person.ts'
import type { Reading } from './reading.ts'
import { guardiansOf, type Visit, visitOf } from './visit.ts'
import { quietAround } from './when.ts'

/** What comes of a request: it is told now, is for another time, or is told no more. */
export type Judged = { is: 'told'; news: News } | { is: 'later'; at: number } | { is: 'late'; reason: string }

/** Returns the event that a request is about; undefined for one that is none of ours. */
export const eventOf = (request: Resource): string | undefined =>
  text(codings(request.category).find(({ system }) => system === SYSTEM.event)?.code)

/** Returns whether a request is to be told, now or later. */
export const isOpen = (request: Resource | undefined): request is Resource =>
  request?.resourceType === 'CommunicationRequest' &&
  request.status === 'active' &&
  request.doNotPerform !== true &&
  eventOf(request) !== undefined

/** Returns from when and until when a request is told, ms since 1970; undefined where it does not say. */
export function timeOf(
  request: Resource,
  zone: string,
): { from: number | undefined; to: number | undefined } {
  const at = (value: JsonObject[string], end: 'lo' | 'hi'): number | undefined =>
    typeof value === 'string' ? timeRange(value, zone)?.[end] : undefined
  const period = object(request.occurrencePeriod)
  return {
    from: at(request.occurrenceDateTime, 'lo') ?? at(period?.start, 'lo'),
    to: at(period?.end, 'hi'),
  }
}

/** Returns the value of its key; undefined where it has none. */
export const keyOfRequest = (request: Resource): string | undefined =>
  text(objects(request.identifier).find(({ system }) => system === SYSTEM.messageKey)?.value)

/** Returns the appointment that it is about. */
export const aboutAppointment = (request: Resource, baseUrl: string): string | undefined =>
  objects(request.about)
    .flatMap(one => keysOf(one, baseUrl))
    .find(key => key.startsWith('Appointment/'))

/** Returns what is to come of an open request whose time may have come. */
export async function judgeRequest(
  ctx: Context,
  reading: Reading,
  { key, after }: Pick<Pending, 'key' | 'after'>,
): Promise<Judged> {
  const request = after!
  const now = ctx.clock()
  const { baseUrl, zone } = ctx.settings
  const event = eventOf(request)!
  const kind = kindOf(event)
  const { from = now, to } = timeOf(request, zone)
  if (from > now) return { is: 'later', at: from }
  if (to !== undefined && to <= now) return { is: 'late', reason: 'Its time is over.' }

  const about = aboutAppointment(request, baseUrl)
  const appointment = about === undefined ? undefined : (await reading.load([about])).get(about)
  const visit =
    about === undefined || appointment === undefined
      ? undefined
      : await visitOf(ctx, reading, about, appointment)
  if (kind.untilVisit !== undefined) {
    if (appointment?.status !== 'booked') return { is: 'late', reason: 'The visit is not booked any more.' }
    if (visit !== undefined && visit.start - now <= kind.untilVisit)
      return { is: 'late', reason: 'The visit is too near, or over.' }
  }
  if (now - from > kind.lasts) return { is: 'late', reason: 'It was not told in time.' }
  const resting = restUntil(ctx, event, now, visit)
  if (resting !== undefined) return { is: 'later', at: resting }

  const own = text(objects(request.payload)[0]?.contentString)
  if (own !== undefined && own.length > MOST_OF_TEXT)
    throw fhirError('too-costly', `The text of a message has ${MOST_OF_TEXT} characters at most.`, {
      status: 422,
      expression: 'CommunicationRequest.payload.contentString',
    })
  const people = (await peopleOf(ctx, reading, request, visit)).filter(one => !hasDied(one))
  if (people.length === 0) return { is: 'late', reason: 'There is nobody to tell.' }
  const subject = keysOf(object(request.subject), baseUrl)[0]
  const beforeVisit = kind.untilVisit === undefined ? undefined : visit && visit.start - kind.untilVisit
  return {
    is: 'told',
    news: {
      event,
      cause: keyOfRequest(request) ?? key,
      people,
      visit,
      about: about ?? objects(request.about).flatMap(one => keysOf(one, baseUrl))[0],
      subject: subject?.startsWith('Patient/') ? subject : undefined,
      basedOn: key,
      values: carriedValues(request),
      text: own,
      expires: to ?? beforeVisit,
    },
  }
}

/** Returns the end of the quiet hours in which what is asked of people has to wait; undefined where it has not, or the visit would be over. */
function restUntil(ctx: Context, event: string, now: number, visit: Visit | undefined): number | undefined {
  const kind = kindOf(event)
  if (kind.quiet === undefined) return undefined
  const quiet = quietAround(now, ctx.settings.messages.quiet, visit?.zone ?? ctx.settings.zone)
  if (quiet === undefined) return undefined
  const isTooLate =
    kind.untilVisit !== undefined && visit !== undefined && quiet.to >= visit.start - kind.untilVisit
  return isTooLate ? undefined : quiet.to
}

/** Characters of a text that comes with a request: each may become a value. */
const MOST_OF_TEXT = 10_000

/** People that one request tells. */
const MOST_PEOPLE = 200

const PEOPLE = /^(Patient|RelatedPerson|Practitioner|PractitionerRole|Organization)\//

/** Returns its recipients, else its patient, else those who are told of the event; with the guardians of each patient. */
async function peopleOf(
  ctx: Context,
  reading: Reading,
  request: Resource,
  visit: Visit | undefined,
): Promise<Person[]> {
  const { baseUrl } = ctx.settings
  const named = objects(request.recipient).flatMap(one => keysOf(one, baseUrl))
  const keys = (named.length > 0 ? named : keysOf(object(request.subject), baseUrl)).filter(key =>
    PEOPLE.test(key),
  )
  if (keys.length > MOST_PEOPLE)
    throw fhirError('too-costly', `A request names ${MOST_PEOPLE} recipients at most.`, {
      status: 422,
      expression: 'CommunicationRequest.recipient',
    })
  if (keys.length === 0 && visit !== undefined) return toldOf(visit, kindOf(eventOf(request)!).roles)
  const found = await reading.load(keys)
  const people: Person[] = []
  for (const [key, resource] of found) {
    if (key.startsWith('PractitionerRole/'))
      people.push(...(await practitionerOf(reading, resource, baseUrl)))
    else {
      const role = /^(Patient|RelatedPerson)\//.test(key) ? 'patient' : 'practitioner'
      const person = personOf(key, resource, role)
      const others = visit?.others.filter(one => one.of?.key === key) ?? []
      if (others.length > 0) people.push(...others)
      else people.push(person)
      if (key.startsWith('Patient/') && others.length === 0)
        people.push(...(visit?.patient?.key === key ? visit.guardians : await guardiansOf(ctx, person)))
    }
  }
  return people
}

async function practitionerOf(reading: Reading, role: Resource, baseUrl: string): Promise<Person[]> {
  const [key] = keysOf(object(role.practitioner), baseUrl)
  if (key === undefined) return []
  const resource = (await reading.load([key])).get(key)
  return resource === undefined ? [] : [personOf(key, resource, 'practitioner')]
}

/** Returns those of a visit who are told of an event. */
export const toldOf = (visit: Visit, roles: readonly string[]): Person[] =>
  [
    ...(roles.includes('patient')
      ? [...(visit.patient === undefined ? [] : [visit.patient]), ...visit.guardians, ...visit.others]
      : []),
    ...(roles.includes('practitioner') ? visit.practitioners : []),
  ].filter(one => !hasDied(one))
