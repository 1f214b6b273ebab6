/** A small clinic under all rules, and what its people are told. */
import { underRules } from '../../src/app.ts'
import type { Context } from '../../src/context.ts'
import type { Json, Resource } from '../../src/fhir/json.ts'
import { parseJson, writeJson } from '../../src/fhir/json.ts'
import { search } from '../../src/interactions/search.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import type { Channel } from '../../src/notifications/channel.ts'
import { resource, type TestContext, testContext } from '../interactions/context.ts'
import type { SomeSettings } from '../settings.ts'

export const PHONE: Channel = accepting('sms', 'phone')
export const MAIL: Channel = accepting('email', 'email')

/** Returns a channel that accepts everything and keeps it. */
export function accepting(
  name: string,
  reaches: Channel['reaches'],
  more: Partial<Channel> = {},
): Channel & { sent: Parameters<Channel['send']>[0][] } {
  const sent: Parameters<Channel['send']>[0][] = []
  return {
    name,
    reaches,
    sent,
    send: delivery => {
      sent.push(delivery)
      return Promise.resolve({ is: 'accepted' })
    },
    ...more,
  }
}

export interface Clinic {
  ctx: TestContext
  put(json: object): Promise<Resource>
  post(...json: object[]): Promise<void>
  all(type: string, query?: Record<string, string>): Promise<Resource[]>
}

const ref = (reference: string) => ({ reference })

/** An appointment of Meera with Dr Menon; hours are of 22 November 2026 in Kolkata. */
export const visit = (id: string, start: string, more: object = {}, minutes = 20) => ({
  resourceType: 'Appointment',
  id,
  status: 'booked',
  start,
  end: new Date(Date.parse(start) + minutes * 60_000).toISOString(),
  participant: ['Patient/meera', 'Practitioner/menon', 'Location/room'].map(actor => ({
    actor: ref(actor),
    status: 'accepted',
  })),
  ...more,
})

export const PATIENT = {
  resourceType: 'Patient',
  id: 'meera',
  name: [
    { text: 'Meera Nair' },
    {
      text: 'മീര നായർ',
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/language', valueCode: 'ml' }],
    },
  ],
  telecom: [
    { system: 'phone', value: '98765 43210', use: 'mobile' },
    { system: 'email', value: 'meera@example.org' },
  ],
}

const PEOPLE = [
  PATIENT,
  {
    resourceType: 'Practitioner',
    id: 'menon',
    name: [{ text: 'Dr Anjali Menon' }],
    telecom: [
      { system: 'phone', value: '+91 98765 00001' },
      { system: 'email', value: 'menon@example.org' },
    ],
  },
  { resourceType: 'Organization', id: 'thanal', name: 'Thanal Clinic' },
  { resourceType: 'Location', id: 'room', name: 'Room 1', managingOrganization: ref('Organization/thanal') },
]

/** Returns the clinic with its people, on a store in memory. */
export async function openClinic(
  channels: readonly Channel[] = [],
  settings: SomeSettings = {},
): Promise<Clinic> {
  const bare = await testContext(settings)
  const ctx = Object.assign(bare, { rules: underRules(bare, channels).rules })
  const tree = (json: object): Resource => resource(JSON.stringify(json))
  const clinic: Clinic = {
    ctx,
    async put(json) {
      const body = tree(json)
      const { stored } = await update(ctx, body.resourceType, String(body.id), body)
      return resource(stored.text)
    },
    async post(...json) {
      await transaction(
        ctx,
        tree({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: json.map(one => ({
            resource: one,
            request: {
              method: 'PUT',
              url: `${(one as Resource).resourceType}/${String((one as Resource).id)}`,
            },
          })),
        }),
      )
    },
    all: (type, query = {}) => found(ctx, type, query),
  }
  await clinic.post(...PEOPLE)
  return clinic
}

async function found(ctx: Context, type: string, query: Record<string, string>): Promise<Resource[]> {
  const { rows } = await search(ctx, type, [...Object.entries(query), ['_count', '1000']])
  return rows.map(({ text }) => parseJson(text) as Resource)
}

/** Returns a resource as JavaScript has it, so that its members can be compared. */
export const plain = (value: Json | undefined): unknown => JSON.parse(writeJson(value ?? null))

/** Returns event, channel, person and text of each Communication, in the order of their making. */
export const told = (all: readonly Resource[]): string[][] =>
  (plain(all as unknown as Json) as Told[]).map(one => [
    one.category[0]!.coding[0]!.code,
    one.medium[0]!.coding[0]!.code,
    one.recipient[0]!.reference,
    one.payload[0]!.contentString,
  ])

interface Told {
  category: { coding: { code: string }[] }[]
  medium: { coding: { code: string }[] }[]
  recipient: { reference: string }[]
  payload: { contentString: string }[]
}
