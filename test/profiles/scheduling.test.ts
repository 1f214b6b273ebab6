/** Our definitions of scheduling and messages: sound R4, known to the server, and the same as the code says. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { snapshotOf } from '../../src/fhir/definitions/snapshot.ts'
import { builtInStructure } from '../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { update } from '../../src/interactions/update.ts'
import { EVENTS } from '../../src/notifications/event.ts'
import { EXTENSION, SYSTEM } from '../../src/scheduling/codes.ts'
import { HOLD_EXPIRED } from '../../src/scheduling/hold.ts'
import { REASON } from '../../src/scheduling/offer.ts'
import { TASK_STATUS } from '../../src/scheduling/token-status.ts'
import { refusal, testContext } from '../interactions/context.ts'
import { call, tree } from '../operations/context.ts'
import type { Definition } from './definitions.ts'

const FOLDER = join(import.meta.dirname, '../../profiles/scheduling')
const FILES = readdirSync(FOLDER).sort()
const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const ALL = FILES.map(file => JSON.parse(textOf(file)) as Definition)
const extensions = ALL.filter(one => one.resourceType === 'StructureDefinition')

const codesOf = (system: string): string[] =>
  ALL.find(one => one.resourceType === 'CodeSystem' && one.url === system)!.concept!.map(one => one.code)

describe('definitions of scheduling', () => {
  it.each(FILES)('%s is sound R4 under its name', file => {
    const resource = parseJson(textOf(file)) as Resource
    const [kind, id] = file.replace(/\.json$/, '').split(/-(.*)/)
    expect(validateStructure(resource, kind!)).toEqual([])
    expect(resource).toMatchObject({ id, version: '1.0.0', status: 'active' })
    expect(resource.url).toMatch(new RegExp(`^urn:nadi:(extension|codes|value-set):${id}$`))
  })

  it('define every extension that the code names', () => {
    expect(extensions.map(one => one.url)).toEqual(expect.arrayContaining(Object.values(EXTENSION)))
  })

  it.each(extensions.map(one => [one.id, one] as const))(
    '%s has a snapshot with all that it says',
    async (_, own) => {
      const find = async (canonical: string) => builtInStructure(canonical)
      const { elements } = await snapshotOf((await find(own.url))!, find)
      const ids = elements.map(one => one.id)
      expect(ids).toEqual(expect.arrayContaining(own.differential!.element.map(one => one.id)))
      const fixed = own.differential!.element.find(one => one.id === 'Extension.url')
      expect(fixed?.fixedUri).toBe(own.url)
    },
  )

  it('have the codes that the server writes', () => {
    expect(codesOf(SYSTEM.event)).toEqual(expect.arrayContaining(Object.keys(EVENTS)))
    expect(codesOf(SYSTEM.tokenStatus)).toEqual(expect.arrayContaining(Object.keys(TASK_STATUS)))
    expect(codesOf(SYSTEM.cancellation)).toEqual(
      expect.arrayContaining([HOLD_EXPIRED, ...Object.values(REASON).map(one => one.code)]),
    )
    expect(codesOf(SYSTEM.taskCode)).toContain('token')
  })

  it('are looked up as code systems that come with the server', async () => {
    const ctx = await testContext()
    const answer = await call(ctx, 'lookup', { type: 'CodeSystem' }, [
      { name: 'system', value: SYSTEM.tokenStatus },
      { name: 'code', value: 'called' },
    ])
    expect(answer.parameter).toContainEqual({ name: 'display', valueString: 'Called' })
  })
})

describe('writes under NADI_VALIDATE=profile', () => {
  const slot = (...extension: object[]) => ({
    resourceType: 'Slot',
    id: 's',
    extension,
    schedule: { reference: 'Schedule/s' },
    status: 'free',
    start: '2026-11-23T09:00:00+05:30',
    end: '2026-11-23T09:20:00+05:30',
  })
  const schedule = (extension: object) => ({
    resourceType: 'Schedule',
    id: 's',
    extension: [extension],
    actor: [{ reference: 'Practitioner/p' }],
  })
  const patient = (extension: object) => ({ resourceType: 'Patient', id: 'p', extension: [extension] })
  const request = (...parts: object[]) => ({
    resourceType: 'CommunicationRequest',
    id: 'c',
    status: 'active',
    extension: [{ url: EXTENSION.messageValue, extension: parts }],
  })
  const name = { url: 'name', valueString: 'link' }
  const value = { url: 'value', valueString: 'https://example.org' }

  const write = async (resource: { resourceType: string; id: string }) => {
    const ctx = await testContext({ validate: 'profile' })
    return update(ctx, resource.resourceType, resource.id, tree(resource))
  }

  it.each([
    ['a slot with places', slot({ url: EXTENSION.capacity, valuePositiveInt: 3 })],
    [
      'a Schedule with a price',
      schedule({ url: EXTENSION.price, valueReference: { reference: 'ChargeItemDefinition/1' } }),
    ],
    ['a Patient who wants no SMS', patient({ url: EXTENSION.messageOptOut, valueCode: 'sms' })],
    ['a message with a value', request(name, value)],
  ])('take %s', async (_, resource) => {
    expect((await write(resource)).created).toBe(true)
  })

  it.each([
    [
      'places that are no number',
      slot({ url: EXTENSION.capacity, valueString: 'many' }),
      'Slot.extension[0]',
    ],
    ['no place at all', slot({ url: EXTENSION.capacity, valuePositiveInt: 0 }), 'Slot.extension[0]'],
    [
      'places of a Patient',
      patient({ url: EXTENSION.capacity, valuePositiveInt: 3 }),
      'Patient.extension[0]',
    ],
    [
      'a price that is a Patient',
      schedule({ url: EXTENSION.price, valueReference: { reference: 'Patient/1' } }),
      'Schedule.extension[0]',
    ],
    [
      'an opt-out of a channel that there is not',
      patient({ url: EXTENSION.messageOptOut, valueCode: 'fax' }),
      'Patient.extension[0]',
    ],
    ['a value without its name', request(value), 'CommunicationRequest.extension[0]'],
  ])('refuse %s', async (_, resource, place) => {
    const { status, issues } = await refusal(write(resource))
    expect(status).toBe(400)
    expect(issues.find(one => one.severity === 'error')?.expression).toContain(place)
  })
})
