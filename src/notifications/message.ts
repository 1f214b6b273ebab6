/** From what happened to what each person is told by each channel: a Communication, and the job of sending it. */
import type { Context } from '../context.ts'
import { type Json, type JsonObject, type Resource, writeJson } from '../fhir/json.ts'
import { codings, objects, text } from '../fhir/tree.ts'
import { shortDerivedId } from '../lib/derived-id.ts'
import { EXTENSION, SYSTEM } from '../scheduling/codes.ts'
import type { Job, Key } from '../storage/port.ts'
import type { Attachment, Channel, Delivery } from './channel.ts'
import { kindOf } from './event.ts'
import { invitationsOf } from './invitation.ts'
import { addressOf, mayReach, nameOf, type Person } from './person.ts'
import { findTemplate, namesIn, render, type Template, type Templates } from './template.ts'
import type { Visit } from './visit.ts'
import {
  clockWords,
  dayWords,
  isoMinute,
  monthName,
  twelveHours,
  type Wall,
  wallOf,
  zoneWords,
} from './when.ts'

/** A channel as far as what is told depends on it. */
export type Medium = Omit<Channel, 'send'>

/** Something that people are to be told. */
export interface News {
  event: string
  /** Tells texts of one event apart: `next`. */
  variant?: string | undefined
  /** Equal for what must not be told twice. */
  cause: string
  people: readonly Person[]
  visit: Visit | undefined
  /** The appointment as it was, or the one that this one is in the place of. */
  previous?: Visit | undefined
  /** What a reference of Communication.about names. */
  about?: string | undefined
  /** Undefined: of the first person, where that is a patient. */
  subject?: string | undefined
  basedOn?: string | undefined
  values?: Readonly<Record<string, string>>
  /** The whole text, in the place of a template's; it may name values. */
  text?: string | undefined
  /** Of the calendar entry: higher with each version of the appointment. */
  sequence?: number
  /** ms since 1970 from which it makes no sense any more. */
  expires?: number | undefined
  /** Whether it is told by a channel. */
  by?: ((channel: Medium) => boolean) | undefined
}

/** The kind of outbox jobs that deliver messages. */
export const MESSAGE_JOB = 'message'

/** The body of such a job. */
export interface MessageJob {
  /** Id of the Communication. */
  communication: string
  channel: string
  /** Attempts made. */
  tries: number
  /** ms since 1970. */
  expires: number
  /** ms since 1970. */
  made?: number
  /** The appointment, with the start (ms since 1970) that the message tells. */
  holds?: { key: Key; start: number }
  delivery: Delivery
}

export interface Message {
  key: Key
  communication: Resource
  /** Undefined where it is not sent at all. */
  job: Job | undefined
}

/** Events after which people come at the time that they were told. */
const TELLING_A_TIME: ReadonlySet<string> = new Set(['booked', 'rescheduled', 'reminder-24h', 'reminder-1h'])

/** UTF-16 units of a value, and of a text: what comes in a name or a reason may be of any length. */
const MOST_OF_VALUE = 2000
const MOST_OF_TEXT = 20_000

/** What stands in a stored text where the sent one has a secret. */
const HIDDEN = '****'

/** Returns what each of the people is told by each channel that reaches them; one address is told once. */
export function messagesOf(
  ctx: Context,
  news: News,
  channels: readonly Medium[],
  templates: Templates,
): Message[] {
  const now = ctx.clock()
  const { countryCode } = ctx.settings.messages
  const zone = ctx.settings.zone
  const made: Message[] = []
  for (const channel of channels) {
    if (channel.events?.has(news.event) === false || news.by?.(channel) === false) continue
    const told = new Set<string>()
    for (const person of news.people) {
      const to = addressOf(person, channel, { now, zone, countryCode })
      if (to === undefined && !mayReach(person, channel)) continue
      if (to !== undefined && to !== '' && told.has(to)) continue
      if (to !== undefined) told.add(to)
      const message = messageOf(ctx, news, person, channel, to, templates)
      if (message !== undefined) made.push(message)
    }
  }
  return made
}

function messageOf(
  ctx: Context,
  news: News,
  person: Person,
  channel: Medium,
  to: string | undefined,
  templates: Templates,
): Message | undefined {
  const now = ctx.clock()
  const { event, visit } = news
  const set = channel.templates ?? visit?.set ?? 'standard'
  const wording = wordingOf(news, person, set, templates)
  if (wording === undefined) return undefined
  const { template, language, name } = wording
  const id = shortDerivedId(
    'message',
    news.cause,
    `${person.key}${person.mark && ` ${person.mark}`}`,
    channel.name,
  )
  const values = Object.fromEntries(
    Object.entries(valuesOf(news, person, language)).map(([name, value]) => [
      name,
      value.slice(0, MOST_OF_VALUE),
    ]),
  )
  const secrets = secretsFor(ctx, template, channel)
  const hidden = Object.fromEntries(Object.keys(secrets).map(one => [one, HIDDEN]))
  const shown = textFor(template, channel)
  const shownText = render(shown, { ...values, ...hidden }).slice(0, MOST_OF_TEXT)
  // A template may have nothing but parts that are left out.
  if (shownText.trim() === '') return undefined
  const communication: Resource = {
    resourceType: 'Communication',
    id,
    language,
    ...(news.basedOn === undefined ? {} : { basedOn: [{ reference: news.basedOn }] }),
    identifier: [
      { system: SYSTEM.messageKey, value: id },
      ...(news.about === undefined ? [] : [{ system: SYSTEM.messageAbout, value: news.about }]),
    ],
    status: to === undefined ? 'not-done' : 'preparation',
    ...(to === undefined ? { statusReason: { text: 'The patient has no ABHA address or number.' } } : {}),
    category: [{ coding: [{ system: SYSTEM.event, code: event }] }],
    medium: [{ coding: [{ system: SYSTEM.channel, code: channel.name }] }],
    ...subjectOf(news, person),
    ...(news.about === undefined ? {} : { about: [{ reference: news.about }] }),
    recipient: [{ reference: person.key }],
    payload: [{ contentString: shownText }],
  }
  const key = `Communication/${id}` as const
  if (to === undefined) return { key, communication, job: undefined }
  const whole = { ...values, ...secrets }
  const delivery: Delivery = {
    key: id,
    event,
    to,
    language,
    template: name,
    subject: render(template.subject ?? '', { ...values, ...hidden }),
    text: render(shown, whole).slice(0, MOST_OF_TEXT),
    values: whole,
    attachments: attachmentsFor(ctx, news, person, channel, to),
    // Those alone who reach nobody in particular send it.
    ...(channel.reaches === 'none' ? { communication: writeJson(communication) } : {}),
  }
  const expires = news.expires ?? now + kindOf(event).lasts
  const holds =
    TELLING_A_TIME.has(event) && visit !== undefined && !Number.isNaN(visit.start)
      ? { holds: { key: visit.key as Key, start: visit.start } }
      : {}
  const body: MessageJob = {
    communication: id,
    channel: channel.name,
    tries: 0,
    expires,
    made: now,
    ...holds,
    delivery,
  }
  return {
    key,
    communication,
    job: { id: `message ${id}`, kind: MESSAGE_JOB, due: now, body: JSON.stringify(body) },
  }
}

interface Wording {
  template: Template
  language: string
  name: string
}

function wordingOf(news: News, person: Person, set: string, templates: Templates): Wording | undefined {
  const { event, variant, text: own } = news
  const { language, role } = person
  const name = variant === undefined ? event : `${event}.${variant}`
  const found =
    findTemplate(templates, { set, language, name, role }) ??
    (own === undefined ? undefined : findTemplate(templates, { set, language, name: 'message', role }))
  if (found === undefined) return undefined
  if (own === undefined) return found
  // A text of somebody's own is no template: its brackets are only brackets.
  const quoted = own
    .replace(/[[\]]/g, '$&$&')
    .replace(/\{(?![A-Za-z][\w-]*\})|(?<!\{[A-Za-z][\w-]*)\}/g, '$&$&')
  const subject = found.template.subject
  return { ...found, template: { text: quoted, ...(subject === undefined ? {} : { subject }) } }
}

const textFor = (template: Template, channel: Medium): string => template[channel.name] ?? template.text

/** A secret goes to those alone whose text names it. */
function secretsFor(ctx: Context, template: Template, channel: Medium): Record<string, string> {
  const named = namesIn(textFor(template, channel))
  return Object.fromEntries(Object.entries(ctx.secrets ?? {}).filter(([name]) => named.has(name)))
}

function subjectOf({ subject, visit }: News, person: Person): JsonObject {
  const key =
    person.of?.key ??
    subject ??
    visit?.patient?.key ??
    (person.key.startsWith('Patient/') ? person.key : undefined)
  return key === undefined ? {} : { subject: { reference: key } }
}

/** Returns what a mail carries beside its text. */
function attachmentsFor(ctx: Context, news: News, person: Person, channel: Medium, to: string): Attachment[] {
  const { event, visit, previous, sequence = 0 } = news
  if (channel.reaches !== 'email' || visit === undefined || sequence < 0) return []
  const { role, language } = person
  return invitationsOf(ctx, { event, visit, previous, sequence, role, to, language })
}

/** Returns the values of a text by name; missing ones are ''. */
function valuesOf(news: News, person: Person, language: string): Record<string, string> {
  const { previous } = news
  const visit = news.visit && visitFor(news.visit, person)
  const own = saidValues(news, person, language)
  const name =
    visit === undefined ? (nameOf(person.resource, language) ?? '') : nameFor(visit, person, language)
  if (visit === undefined) return { name, ...own }
  const type =
    text(codings(visit.appointment.appointmentType)[0]?.display) ??
    text(objects(visit.appointment.appointmentType)[0]?.text) ??
    ''
  const reason = reasonOf(visit.appointment)
  const practitioner = visit.names('practitioner', language)
  return {
    name,
    id: visit.key.split('/')[1]!,
    patient: visit.names('patient', language),
    practitioner,
    practitionerOr: practitioner || 'Assigned Practitioner',
    facility: visit.names('facility', language),
    place: visit.names('place', language),
    ...whenValues(visit, person, language, ''),
    ...(previous === undefined ? {} : whenValues(previous, person, language, 'old')),
    minutes: Number.isNaN(visit.end - visit.start)
      ? ''
      : String(Math.round((visit.end - visit.start) / 60_000)),
    type,
    typeOr: type || 'General Consultation',
    reason,
    reasonOr: reason || 'Not specified',
    link: visit.joinUrl ?? '',
    ...inWords(own, visit, person, language),
  }
}

/** Returns the values that came with the request, instants among them as people read them. */
function saidValues({ values = {}, visit }: News, person: Person, language: string): Record<string, string> {
  if (visit === undefined) return values
  const said = { ...values }
  for (const [name, value] of Object.entries(values))
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value)))
      said[name] = whenValues({ ...visit, start: Date.parse(value) }, person, language, '').when!
  return said
}

/** Returns the visit as one of several patients knows it: nobody reads the name of another. */
const visitFor = (visit: Visit, { of }: Person): Visit =>
  of === undefined
    ? visit
    : {
        ...visit,
        patient: of,
        names: (who, language) =>
          who === 'patient' ? (nameOf(of.resource, language) ?? '') : visit.names(who, language),
      }

const nameFor = (visit: Visit, person: Person, language: string): string =>
  person.role === 'practitioner' ? visit.names('practitioner', language) : visit.names('patient', language)

const reasonOf = (appointment: Resource): string =>
  text(appointment.description) ??
  text(objects(appointment.reasonCode)[0]?.text) ??
  text(codings(appointment.reasonCode)[0]?.display) ??
  ''

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** Returns the values that came with a request, instants among them as people read them. */
const inWords = (
  values: Readonly<Record<string, string>>,
  visit: Visit,
  person: Person,
  language: string,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const start = INSTANT.test(value) ? Date.parse(value) : Number.NaN
      return [name, whenValues({ ...visit, start }, person, language, '').when ?? value]
    }),
  )

/** Returns the values of a time: `when`, or with a prefix `oldWhen`, and the forms that other systems write. */
function whenValues(
  visit: Visit,
  person: Person,
  language: string,
  prefix: 'old' | '',
): Record<string, string> {
  if (Number.isNaN(visit.start)) return {}
  const own = person.zone ?? (person.role === 'patient' ? visit.patient?.zone : undefined)
  const zone = visit.online && person.role === 'patient' && own !== undefined ? own : visit.zone
  const wall = wallOf(visit.start, zone)
  const differs = own !== undefined && wallOf(visit.start, own).offset !== wall.offset
  const suffix = differs ? ` (${zoneWords(wall, zone)})` : ''
  const named = (name: string): string =>
    prefix === '' ? name : prefix + name[0]!.toUpperCase() + name.slice(1)
  return {
    [named('date')]: dayWords(wall, language),
    [named('time')]: clockWords(wall, language) + suffix,
    [named('when')]: `${dayWords(wall, language)}, ${clockWords(wall, language)}${suffix}`,
    [named('whenIso')]: isoMinute(wall) + suffix,
    [named('whenLong')]: english(wall, monthName(wall)) + suffix,
    [named('whenShort')]: english(wall, monthName(wall).slice(0, 3)) + suffix,
  }
}

/** Returns `November 21, 2026 at 09:08 AM`: day and hour have two digits. */
const english = (wall: Wall, month: string): string =>
  `${month} ${String(wall.day).padStart(2, '0')}, ${wall.year} at ${twelveHours(wall).padStart(8, '0')}`

/** Returns the named values that a CommunicationRequest carries. */
export function carriedValues(request: Resource): Record<string, string> {
  const values: Record<string, string> = {}
  for (const one of objects(request.extension)) {
    if (one.url !== EXTENSION.messageValue) continue
    const part = (url: string): Json | undefined =>
      objects(one.extension).find(part => part.url === url)?.valueString
    const name = text(part('name'))
    if (name !== undefined && /^[A-Za-z][\w-]{0,63}$/.test(name)) values[name] = text(part('value')) ?? ''
  }
  return values
}
