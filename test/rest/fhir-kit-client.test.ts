/**
 * fhir-kit-client, as somebody else's client, drives everything that /metadata lists; what is listed and not driven is a failure.
 * https://hl7.org/fhir/R4/capabilitystatement.html
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'fhir-kit-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tokenTask } from '../../src/scheduling/token.ts'
import { startServer } from '../runtime/server.ts'
import { SYSTEM, type Tree, word } from './client.ts'
import {
  evaluate,
  exampleFiles,
  exampleText,
  type Parameter,
  parametersOfR4,
  queryFor,
  REFUSED,
  validQuery,
} from './r4-material.ts'

/** The prefixes of R4. https://hl7.org/fhir/R4/search.html#prefix */
const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']
const CHUNK = 16

/** Types without an example that a server may create as they are. */
const MINIMAL: Record<string, Tree> = {
  SubstanceNucleicAcid: { resourceType: 'SubstanceNucleicAcid' },
  SubstancePolymer: { resourceType: 'SubstancePolymer' },
  SubstanceProtein: { resourceType: 'SubstanceProtein' },
  SubstanceReferenceInformation: { resourceType: 'SubstanceReferenceInformation' },
  SubstanceSourceMaterial: { resourceType: 'SubstanceSourceMaterial' },
  Binary: { resourceType: 'Binary', contentType: 'text/plain', data: 'bmFkaQ==' },
  BiologicallyDerivedProduct: { resourceType: 'BiologicallyDerivedProduct' },
  CatalogEntry: {
    resourceType: 'CatalogEntry',
    orderable: true,
    referencedItem: { reference: 'Medication/1' },
  },
  OperationOutcome: {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational' }],
  },
  Parameters: { resourceType: 'Parameters' },
}

/** What each modifier is asked with: the name as it stands in the URL, the value, and whether the example must be found. */
const MODIFIERS: Record<string, (value: string, param: Tree) => [string, string, boolean?][]> = {
  missing: () => [
    ['missing', 'false', true],
    ['missing', 'true', false],
  ],
  // The one value of the example is excluded, so it cannot be found.
  not: value => [['not', value, false]],
  text: () => [['text', 'a']],
  'of-type': () => [['of-type', 'http://terminology.hl7.org/CodeSystem/v2-0203|MR|1']],
  exact: () => [['exact', 'x']],
  contains: value => [['contains', value, true]],
  identifier: () => [['identifier', `${SYSTEM}|1`]],
  // "above and below are only for URLs": a URN has no hierarchy. A reference is above and below itself, a code too.
  above: (value, param) => [hierarchy('above', param, value, 'https://thanal.example.org/x/y')],
  below: (value, param) => [hierarchy('below', param, value, 'https://thanal.example.org/x')],
  in: () => [['in', VALUE_SET]],
  'not-in': () => [['not-in', VALUE_SET, true]],
  '[type]': (value, param) => {
    const [target, id] = /^([A-Z]\w+)\/([A-Za-z0-9.-]+)$/.exec(value)?.slice(1) ?? []
    // Some examples refer to a type that the parameter does not name.
    if (target === undefined || !targetsOf(param).includes(target))
      return [[targetsOf(param)[0] ?? 'Patient', '1']]
    return [[target, id as string, true]]
  },
}
const hierarchy = (name: string, param: Tree, value: string, other: string): [string, string, boolean?] => {
  const { type } = param
  // R4 binds these to MIME types, which are above and below themselves.
  if (
    /\/(?:DocumentReference-contenttype|CapabilityStatement-format|Library-content-type|Subscription-payload)$/.test(
      param.definition,
    )
  )
    return [name, value, true]
  if (type === 'token') return [name, `${CODE_SYSTEM}|child`]
  if (type === 'uri') return value.startsWith('http') ? [name, value, true] : [name, other]
  // A resource is above and below itself.
  const { hierarchies } = documented(param)
  // A canonical is a version of itself.
  if (hierarchies.length === 0) return value.startsWith('http') ? [name, value, true] : [name, other]
  const known = /^([A-Z]\w+)\/[A-Za-z0-9.-]+$/.exec(value)?.[1]
  return known !== undefined && hierarchies.includes(known)
    ? [name, value, true]
    : [name, `${hierarchies[0]}/1`]
}
/** None of the examples has a code of these. */
const VALUE_SET = 'https://thanal.example.org/ValueSet/driven'
const CODE_SYSTEM = 'https://thanal.example.org/CodeSystem/driven'
/** The types that the reference parameter may point to. */
const targetsOf = (param: Tree): readonly string[] => TARGETS.get(param.definition) ?? []
/** A value that the parameter can be asked for, whether it finds something or not. */
const anyValue = (param: Tree): string => {
  if (param.type === 'composite') return documented(param).parts.map(partValue).join('$')
  if (param.type === 'special') return '9.9312|76.2673|5|km'
  return validQuery({ type: param.type, target: [...targetsOf(param)] })
}
/** A part's code says what it takes. */
const partValue = (code: string): string =>
  /date|period|start|end/.test(code) ? '2020' : /reference|relatesto|focus|device/.test(code) ? 'x' : '1'
const TARGETS = new Map<string, readonly string[]>()

interface Listed {
  type: string
  param: Tree
  prefixes: string[]
  modifiers: string[]
  hierarchies: string[]
  parts: string[]
  chains: boolean
  sorts: boolean
}

/** What the documentation of a parameter lists; throws on a sentence that nothing here drives. */
function documented(param: Tree): Omit<Listed, 'type' | 'param'> {
  const listed: Omit<Listed, 'type' | 'param'> = {
    prefixes: [],
    modifiers: [],
    hierarchies: [],
    parts: [],
    chains: false,
    sorts: false,
  }
  for (const sentence of (param.documentation as string).split('. ')) {
    const [, word, rest] =
      /^(Modifiers|Prefixes|Hierarchies|Value|Chains|Sorts)(?:: (.*?))?\.?$/.exec(sentence) ?? []
    if (word === 'Modifiers')
      listed.modifiers = (rest as string).split(', ').map(each => each.replace(/^:/, ''))
    else if (word === 'Prefixes') listed.prefixes = (rest as string).split(', ')
    else if (word === 'Hierarchies') listed.hierarchies = (rest as string).split(', ')
    else if (word === 'Value') listed.parts = (rest as string).split('$')
    else if (word === 'Chains') listed.chains = true
    else if (word === 'Sorts') listed.sorts = true
    else throw new Error(`${param.name}: "${sentence}" is listed and not driven`)
  }
  return listed
}

const GENERATE = {
  resourceType: 'Parameters',
  parameter: [{ name: 'slotMinutes', valuePositiveInt: 20 }],
}

/** Operations as they are called on an instance, or on a type or the system where they are there alone. */
const OPERATIONS: Record<string, (type: string, id: string) => [method: string, path: string, body?: Tree]> =
  {
    everything: (type, id) => ['GET', `${type}/${id}/$everything`],
    lastn: () => ['GET', 'Observation/$lastn?subject=Patient/1&category=laboratory'],
    meta: (type, id) => ['GET', type === '' ? '$meta' : `${type}/${id}/$meta`],
    'meta-add': (type, id) => ['POST', `${type}/${id}/$meta-add`, metaInput()],
    'meta-delete': (type, id) => ['POST', `${type}/${id}/$meta-delete`, metaInput()],
    reindex: () => ['POST', '$reindex', { resourceType: 'Parameters' }],
    'reindex-status': () => ['GET', '$reindex-status'],
    validate: (type, id) =>
      type === ''
        ? ['POST', '$validate', { resourceType: 'Basic', code: { text: 'x' } }]
        : ['GET', `${type}/${id}/$validate`],
    lookup: () => ['GET', `CodeSystem/$lookup?system=${CODE_SYSTEM}&code=child`],
    'validate-code': type => [
      'GET',
      type === 'CodeSystem'
        ? `CodeSystem/$validate-code?url=${CODE_SYSTEM}&code=child`
        : `ValueSet/$validate-code?url=${VALUE_SET}&system=${CODE_SYSTEM}&code=child`,
    ],
    'batch-validate-code': type => [
      'POST',
      `${type}/$batch-validate-code`,
      {
        resourceType: 'Parameters',
        parameter: [
          {
            name: 'validation',
            resource: {
              resourceType: 'Parameters',
              parameter: [
                { name: 'url', valueUri: type === 'ValueSet' ? VALUE_SET : CODE_SYSTEM },
                { name: 'coding', valueCoding: { system: CODE_SYSTEM, code: 'child' } },
              ],
            },
          },
        ],
      },
    ],
    subsumes: () => ['GET', `CodeSystem/$subsumes?system=${CODE_SYSTEM}&codeA=parent&codeB=child`],
    expand: () => ['GET', `ValueSet/$expand?url=${VALUE_SET}`],
    translate: () => [
      'GET',
      'ConceptMap/$translate?url=http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3' +
        '&system=http://hl7.org/fhir/administrative-gender&code=male',
    ],
    find: () => [
      'GET',
      'Appointment/$find?start=2026-11-30&end=2026-12-05&practitioner=Practitioner/anjali-menon',
    ],
    'generate-slots': () => ['POST', 'Schedule/anjali-menon/$generate-slots', GENERATE],
    hold: () => ['POST', 'Appointment/$hold', parameters(drivenVisit('hold'))],
    book: () => ['POST', 'Appointment/$book', parameters(drivenVisit('book'))],
    'book-series': () => [
      'POST',
      'Appointment/$book-series',
      parameters(
        { name: 'appointment', resource: visit('2032-01-05') },
        { name: 'frequency', valueCode: 'weekly' },
        { name: 'count', valuePositiveInt: 2 },
      ),
    ],
    'book-together': () => [
      'POST',
      'Appointment/$book-together',
      parameters({ name: 'appointment', resource: visit('2032-02-02') }),
    ],
    reschedule: () => [
      'POST',
      'Appointment/driven-reschedule/$reschedule',
      parameters({ name: 'start', valueInstant: '2032-03-01T09:00:00+05:30' }),
    ],
    cancel: () => ['POST', 'Appointment/driven-cancel/$cancel', parameters()],
    'check-in': () => ['POST', 'Appointment/driven-check-in/$check-in', parameters()],
    complete: () => ['POST', 'Appointment/driven-complete/$complete', parameters()],
    'no-show': () => ['POST', 'Appointment/driven-no-show/$no-show', parameters()],
    'verify-pin': () => [
      'POST',
      'Appointment/driven-verify-pin/$verify-pin',
      parameters({ name: 'override', valueCode: 'OVERRIDE_VULNERABLE_PATIENT' }),
    ],
    'mark-paid': () => ['POST', 'Invoice/driven-mark-paid/$mark-paid', parameters()],
    'walk-in': () => [
      'POST',
      'Appointment/$walk-in',
      parameters(
        { name: 'patient', valueReference: { reference: 'Patient/meera-nair' } },
        { name: 'service', valueReference: { reference: 'HealthcareService/general-medicine' } },
      ),
    ],
    waitlist: () => [
      'POST',
      'Appointment/$waitlist',
      parameters(
        { name: 'patient', valueReference: { reference: 'Patient/meera-nair' } },
        { name: 'actor', valueReference: { reference: 'Practitioner/anjali-menon' } },
        { name: 'start', valueDateTime: '2032-04-01' },
        { name: 'end', valueDateTime: '2032-04-02' },
      ),
    ],
    document: type => [
      'GET',
      type === 'Composition'
        ? 'Composition/driven-document/$document'
        : type === 'Encounter'
          ? 'Encounter/encounter-01/$document?hiType=OPConsultation'
          : 'Patient/meera-nair/$document?hiType=WellnessRecord',
    ],
    'document-from-sections': () => [
      'POST',
      'Bundle/$document-from-sections',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'caseType', valueString: 'Prescription' },
          { name: 'patient', valueUri: 'Patient/meera-nair' },
          { name: 'practitioner', valueUri: 'Practitioner/anjali-menon' },
          { name: 'date', valueDateTime: '2026-11-21T10:00:00+05:30' },
          { name: 'sections', valueString: '{"prescribedMedications":["Paracetamol 500 mg tablet"]}' },
        ],
      },
    ],
    token: type => [
      'POST',
      `${type === 'Appointment' ? 'Appointment/appointment-02' : DESKS[type]}/$token`,
      parameters({ name: 'patient', valueReference: { reference: 'Patient/meera-nair' } }),
    ],
    queue: type => ['GET', `${DESKS[type]}/$queue`],
    'call-next': type => [
      'POST',
      `${DESKS[type]}/$call-next`,
      parameters(DRIVEN, { name: 'day', valueDate: DAY }),
    ],
    'queue-step': () => [
      'POST',
      'Task/driven-token/$queue-step',
      parameters({ name: 'step', valueCode: 'serve' }),
    ],
    absent: () => [
      'POST',
      'Practitioner/thomas-kurian/$absent',
      parameters({ name: 'day', valueDate: '2031-11-21' }),
    ],
    late: () => [
      'POST',
      'Practitioner/thomas-kurian/$late',
      parameters({ name: 'minutes', valueInteger: 20 }, { name: 'day', valueDate: '2031-11-21' }),
    ],
    'calendar-feed': () => [
      'POST',
      'Practitioner/thomas-kurian/$calendar-feed',
      parameters({ name: 'renew', valueBoolean: true }),
    ],
    render: () => [
      'POST',
      'Bundle/$render',
      JSON.parse(readFileSync(join(BUNDLES, 'documents/OPConsultation.json'), 'utf8')),
    ],
  }
/** Whose queues are driven, by type. */
const DESKS: Record<string, string> = {
  Practitioner: 'Practitioner/anjali-menon',
  HealthcareService: 'HealthcareService/general-medicine',
  Location: 'Location/thanal-main',
}
const DAY = '2026-11-30'
/** Appointments that are driven, one for each operation that changes one; the days are those of one patient. */
const VISITS: Record<string, [status: string, day: string]> = {
  hold: ['proposed', '2031-01-06'],
  book: ['pending', '2031-01-07'],
  reschedule: ['booked', '2031-01-08'],
  cancel: ['booked', '2031-01-09'],
  'check-in': ['booked', '2031-01-10'],
  complete: ['booked', '2031-01-13'],
  'no-show': ['booked', '2031-01-14'],
}
const drivenVisit = (name: string): Tree => ({
  name: 'appointment-reference',
  valueReference: { reference: `Appointment/driven-${name}` },
})
const visit = (day: string, status = 'pending'): Tree => ({
  resourceType: 'Appointment',
  status,
  start: `${day}T09:00:00+05:30`,
  end: `${day}T09:20:00+05:30`,
  participant: [{ actor: { reference: 'Patient/meera-nair' }, status: 'accepted' }],
})
/** A PIN that was given out. */
const PIN = {
  url: 'urn:nadi:extension:visit-authorization',
  extension: [{ url: 'status', valueCode: 'GENERATED' }],
}
const DRIVEN = { name: 'category', valueString: 'Driven' }
const parameters = (...parameter: Tree[]): Tree => ({
  resourceType: 'Parameters',
  ...(parameter.length > 0 && { parameter }),
})
/** The sample clinic, of which documents are made. */
const BUNDLES = join(import.meta.dirname, '../../bundles')
const metaInput = (): Tree => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { tag: [{ system: SYSTEM, code: 'driven' }] } }],
})

/** Parameters that reach from one resource to others, each with what must find the resource it is asked of. */
const LINKED: Record<string, Record<string, string>> = {
  _has: { '_has:Observation:subject:_id': 'driven' },
  _list: { _list: 'driven' },
  _filter: { _filter: 'active eq true' },
}

let server: Awaited<ReturnType<typeof startServer>>
let client: Client
let rest: Tree
let material: Map<string, Tree>
let chosen: Map<string, { id: string; query: string }>

beforeAll(async () => {
  server = await startServer({ env: { NADI_BODY_LIMIT: '50000000' } })
  client = new Client({ baseUrl: server.base })
  rest = ((await client.capabilityStatement()) as Tree).rest[0]
  const parameters = new Map<string, Parameter>()
  for (const each of parametersOfR4()) {
    for (const base of each.base) parameters.set(`${base}.${each.code}`, each)
    TARGETS.set(each.url, each.target)
  }
  ;({ material, chosen } = choose(rest, parameters))
  await client.update({
    resourceType: 'ValueSet',
    id: 'driven',
    body: {
      resourceType: 'ValueSet',
      status: 'active',
      id: 'driven',
      url: VALUE_SET,
      compose: { include: [{ system: CODE_SYSTEM }] },
    } as Tree,
  })
  await client.update({
    resourceType: 'CodeSystem',
    id: 'driven',
    body: {
      resourceType: 'CodeSystem',
      status: 'active',
      id: 'driven',
      url: CODE_SYSTEM,
      content: 'complete',
      hierarchyMeaning: 'is-a',
      concept: [{ code: 'parent', concept: [{ code: 'child' }] }],
    } as Tree,
  })
  await inChunks([...material.values()], body =>
    client.update({ resourceType: body.resourceType, id: body.id, body }),
  )
  for (const file of readdirSync(BUNDLES).filter(name => name.endsWith('.json')))
    await client.transaction({ body: JSON.parse(readFileSync(join(BUNDLES, file), 'utf8')) })
  for (const [name, [status, day]] of Object.entries(VISITS)) {
    const body = { ...visit(day, status), id: `driven-${name}` } as Tree
    await client.update({ resourceType: 'Appointment', id: body.id, body })
  }
  const pin = { ...visit('2032-05-03', 'booked'), id: 'driven-verify-pin', extension: [PIN] } as Tree
  await client.update({ resourceType: 'Appointment', id: pin.id, body: pin })
  const bill = { resourceType: 'Invoice', id: 'driven-mark-paid', status: 'issued' } as Tree
  await client.update({ resourceType: 'Invoice', id: bill.id, body: bill })
  for (const [type, desk] of Object.entries(DESKS)) {
    const id = type === 'Practitioner' ? 'driven-token' : `driven-token-${type}`
    const task = tokenTask({ patient: 'Patient/meera-nair', owner: desk, category: 'Driven', day: DAY })
    await client.update({ resourceType: 'Task', id, body: { ...task, id } as Tree })
  }
  await client.update({
    resourceType: 'Composition',
    id: 'driven-document',
    body: {
      resourceType: 'Composition',
      id: 'driven-document',
      status: 'final',
      type: { text: 'Note' },
      subject: { reference: 'Patient/meera-nair' },
      date: '2026-11-21',
      author: [{ reference: 'Practitioner/anjali-menon' }],
      title: 'Note',
    } as Tree,
  })
}, 120_000)
afterAll(async () => {
  await server?.stop()
})

/** Picks the smallest examples that together have a value for as many of the listed parameters as there are. */
function choose(rest: Tree, parameters: Map<string, Parameter>) {
  const material = new Map<string, Tree>()
  const chosen = new Map<string, { id: string; query: string }>()
  const open = new Map<string, Set<string>>(
    rest.resource.map((each: Tree) => [each.type, new Set(each.searchParam.map((one: Tree) => one.name))]),
  )
  for (const { file, size } of exampleFiles()) {
    if (REFUSED.has(file) || size > 500_000) continue
    const wanted = open.get(file.replace(/-.*/, ''))
    if (wanted === undefined || wanted.size === 0) continue
    const resource = JSON.parse(exampleText(file))
    const type: string = resource.resourceType
    if (!/^[A-Za-z0-9.-]{1,64}$/.test(resource.id ?? '') || !open.has(type)) continue
    if (!material.has(type)) material.set(type, resource)
    for (const code of open.get(type) ?? []) {
      const parameter =
        parameters.get(`${type}.${code}`) ??
        parameters.get(`DomainResource.${code}`) ??
        parameters.get(`Resource.${code}`)
      if (parameter === undefined || code === '_lastUpdated') continue
      const query = evaluate(parameter.expression, resource)
        .map(found => queryFor(parameter.type, found))
        .find(each => each !== undefined && each.length < 1000)
      if (query === undefined) continue
      chosen.set(`${type}.${code}`, { id: resource.id, query })
      material.set(`${type}/${resource.id}`, resource)
      open.get(type)?.delete(code)
    }
  }
  for (const [type, resource] of Object.entries(MINIMAL)) {
    if (!material.has(type)) material.set(type, { ...resource, id: 'minimal' })
  }
  return { material, chosen }
}

/** Runs an action for each, several at a time. */
async function inChunks<T>(all: readonly T[], action: (each: T) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < all.length; n += CHUNK) await Promise.all(all.slice(n, n + CHUNK).map(action))
}

/** Collects what goes wrong, so that one answer shows all of it. */
const faults = () => {
  const list: string[] = []
  return {
    list,
    async of(name: string, action: () => Promise<string | undefined>) {
      try {
        const fault = await action()
        if (fault !== undefined) list.push(`${name}: ${fault}`)
      } catch (error) {
        const { message, response } = error as Error & { response?: { data: Tree } }
        list.push(`${name}: ${message} ${response?.data?.issue?.[0]?.diagnostics ?? ''}`)
      }
    },
  }
}
type Faults = ReturnType<typeof faults>

/** Asks a reference parameter for what it leads to, by its id: found where the example refers to something that is there. */
async function drivesChain(
  of: Faults['of'],
  { type, param, value, only }: { type: string; param: Tree; value: string; only: Record<string, string> },
): Promise<void> {
  const [target, id] = /^([A-Z]\w+)\/([A-Za-z0-9.-]+)$/.exec(value)?.slice(1) ?? []
  const leads = target !== undefined && targetsOf(param).includes(target)
  const to = leads ? target : (targetsOf(param)[0] ?? 'Patient')
  await of(`${type}?${param.name}:${to}._id`, async () => {
    const searchParams = { ...only, [`${param.name}:${to}._id`]: leads ? (id as string) : '1' }
    const found = entries(await client.search({ resourceType: type, searchParams })).length > 0
    const there = leads && only._id !== undefined && material.has(`${to}/${id}`)
    return found || !there ? undefined : `does not find ${type}/${only._id} over ${to}/${id}`
  })
}
const status = (answer: unknown): number => Client.httpFor(answer as never).response?.status ?? 0
const entries = (answer: unknown): Tree[] => (answer as Tree).entry ?? []

describe('what /metadata lists', () => {
  it('holds every type of R4 and every parameter that has an expression', () => {
    const listed = new Map<string, Tree>(rest.resource.map((each: Tree) => [each.type, each]))
    const missing: string[] = []
    for (const { base, code, type } of parametersOfR4()) {
      const types = base.flatMap(each =>
        each === 'Resource' || each === 'DomainResource' ? [...listed.keys()] : [each],
      )
      for (const each of types) {
        const found = listed.get(each)?.searchParam.find((one: Tree) => one.name === code)
        if (found?.type !== type) missing.push(`${each}.${code} (${type}): ${found?.type ?? 'not listed'}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('names no interaction, operation or include that is not driven here', () => {
    const known = [
      'read',
      'vread',
      'update',
      'patch',
      'delete',
      'history-instance',
      'history-type',
      'create',
      'search-type',
    ]
    const system = ['transaction', 'batch', 'history-system', 'search-system']
    const unknown: string[] = []
    for (const each of rest.interaction) if (!system.includes(each.code)) unknown.push(each.code)
    for (const each of rest.operation ?? []) if (!(each.name in OPERATIONS)) unknown.push(`$${each.name}`)
    for (const each of rest.compartment)
      if (!/\/(device|encounter|patient|practitioner|relatedPerson)$/.test(each)) unknown.push(each)
    for (const each of rest.searchParam)
      if (!rest.resource[0].searchParam.some((one: Tree) => one.name === each.name) && !(each.name in LINKED))
        unknown.push(each.name)
    for (const resource of rest.resource) {
      for (const each of resource.interaction)
        if (!known.includes(each.code)) unknown.push(`${resource.type} ${each.code}`)
      for (const each of resource.operation ?? [])
        if (!(each.name in OPERATIONS)) unknown.push(`${resource.type}/$${each.name}`)
    }
    expect(unknown).toEqual([])
  })
})

describe('fhir-kit-client', () => {
  it('drives every interaction of every type', { timeout: 120_000 }, async () => {
    const { list, of } = faults()
    await inChunks(rest.resource as Tree[], resource =>
      of(resource.type, async () => {
        const { type } = resource
        const source = material.get(type)
        if (source === undefined) return 'there is no material'
        const driven: Record<string, () => Promise<string | undefined>> = {}
        // A second visit of the same people is at another time.
        const time =
          type === 'Appointment' ? { start: '2034-01-02T09:00:00Z', end: '2034-01-02T09:20:00Z' } : {}
        const { id: _, ...as } = source
        const body = { ...as, ...time } as Tree
        if (type === 'Appointment') delete body.slot
        let id = ''
        let version = ''
        const wrong = (answer: unknown, expected: number) =>
          status(answer) === expected ? undefined : `answered ${status(answer)}, not ${expected}`
        driven.create = async () => {
          const answer = await client.create({
            resourceType: type,
            body,
            options: { headers: { prefer: 'return=representation' } },
          })
          id = (answer as Tree).id
          version = (answer as Tree).meta.versionId
          return wrong(answer, 201)
        }
        driven.read = async () => {
          const answer = await client.read({ resourceType: type, id })
          return answer.resourceType === type ? wrong(answer, 200) : `read ${answer.resourceType}`
        }
        driven.vread = async () => wrong(await client.vread({ resourceType: type, id, version }), 200)
        driven.update = async () =>
          wrong(
            await client.update({ resourceType: type, id, body: { ...body, id, language: 'ml' } as Tree }),
            200,
          )
        driven.patch = async () =>
          wrong(
            await client.patch({
              resourceType: type,
              id,
              jsonPatch: [{ op: 'replace', path: '/language', value: 'hi' }],
            }),
            200,
          )
        driven['search-type'] = async () => {
          const answer = await client.search({ resourceType: type, searchParams: { _id: id } })
          if (entries(answer).length !== 1) return `_id=${id} found ${entries(answer).length}`
          const post = await client.search({
            resourceType: type,
            searchParams: { _id: id },
            options: { postSearch: true, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          })
          return entries(post)[0]?.resource.language === 'hi'
            ? undefined
            : 'POST _search found something else'
        }
        driven['history-instance'] = async () => {
          const versions = entries(await client.history({ resourceType: type, id })).length
          return versions === 3 ? undefined : `${versions} versions, not 3`
        }
        driven['history-type'] = async () =>
          entries(await client.history({ resourceType: type })).length > 0 ? undefined : 'is empty'
        driven.delete = async () => {
          const answer = await client.delete({ resourceType: type, id })
          if (![200, 204].includes(status(answer))) return `answered ${status(answer)}`
          const gone = await client.read({ resourceType: type, id }).catch(error => error.response.status)
          return gone === 410 ? undefined : `is ${gone} after that`
        }
        const listed: string[] = resource.interaction.map((each: Tree) => each.code)
        for (const [name, drive] of Object.entries(driven)) {
          if (!listed.includes(name)) continue
          await of(`${type} ${name}`, drive)
        }
        return listed.every(each => each in driven) ? undefined : `lists ${listed}`
      }),
    )
    expect(list.slice(0, 100).join('\n')).toBe('')
  })

  it('drives every search parameter of every type, and finds what is there', {
    timeout: 180_000,
  }, async () => {
    const { list, of } = faults()
    const pairs: { type: string; param: Tree }[] = rest.resource.flatMap((each: Tree) =>
      each.searchParam.map((param: Tree) => ({ type: each.type, param })),
    )
    expect(pairs.length).toBeGreaterThan(2000)
    await inChunks(pairs, ({ type, param }) =>
      of(`${type}?${param.name} (${param.type})`, async () => {
        const example = chosen.get(`${type}.${param.name}`)
        if (example === undefined) {
          const answer = await client.search({
            resourceType: type,
            searchParams: { [param.name]: anyValue(param), _count: 1 },
          })
          return answer.type === 'searchset' ? undefined : `answered ${answer.type}`
        }
        const answer = await client.search({
          resourceType: type,
          searchParams: { [param.name]: example.query, _id: example.id },
        })
        const ids = entries(answer).map(each => each.resource.id)
        return ids.includes(example.id) || (param.name === '_id' && ids[0] === example.id)
          ? undefined
          : `=${example.query} does not find ${type}/${example.id}`
      }),
    )
    expect(list.slice(0, 100).join('\n')).toBe('')
  })

  it('has a value for most parameters that are listed', () => {
    const total = rest.resource.reduce(
      (sum: number, each: Tree) =>
        sum + each.searchParam.filter((one: Tree) => !one.name.startsWith('_')).length,
      0,
    )
    const own = [...chosen.keys()].filter(each => !each.includes('._'))
    // Some 60 in 100: the examples leave the rest of the elements empty.
    expect(own.length / total).toBeGreaterThan(0.5)
  })

  it('drives every prefix, modifier and sort that a parameter is listed with', {
    timeout: 180_000,
  }, async () => {
    const { list, of } = faults()
    const pairs = rest.resource.flatMap((each: Tree) =>
      each.searchParam.map((param: Tree) => ({ type: each.type, param, ...documented(param) })),
    )
    expect(new Set(pairs.flatMap((each: Tree) => each.prefixes))).toEqual(new Set(PREFIXES))
    await inChunks(pairs as Listed[], async ({ type, param, prefixes, modifiers, chains, sorts }) => {
      const name: string = param.name
      const example = chosen.get(`${type}.${name}`)
      const only: Record<string, string> = example ? { _id: example.id } : { _count: '1' }
      const hits = async (query: Record<string, string>) =>
        entries(await client.search({ resourceType: type, searchParams: { ...only, ...query } })).length
      const value = example?.query ?? anyValue(param)
      // A search for the example by its own id answers with it or not; without an example the answer alone counts.
      const check = (label: string, query: Record<string, string>, expected?: boolean) =>
        of(`${type}?${label}`, async () => {
          const found = (await hits(query)) > 0
          return example === undefined || expected === undefined || found === expected
            ? undefined
            : `=${Object.values(query)} ${found ? 'finds' : 'does not find'} ${type}/${example.id}`
        })
      const plain = value.replace(/^(ge|le)/, '')
      for (const prefix of prefixes) {
        // A quantity or number is at least, at most and about itself; what a period is, its ends decide.
        const certain =
          param.type === 'date' ? undefined : ['eq', 'ge', 'le', 'ap'].includes(prefix) ? true : undefined
        await check(`${name}=${prefix}`, { [name]: `${prefix}${plain}` }, certain)
      }
      for (const modifier of modifiers) {
        const drive = MODIFIERS[modifier]
        if (drive === undefined) list.push(`${type}.${name}:${modifier} is listed and not driven`)
        else
          for (const [suffix, asked, expected] of drive(value, param))
            await check(`${name}:${suffix}`, { [`${name}:${suffix}`]: asked }, expected)
      }
      if (chains) await drivesChain(of, { type, param, value, only })
      if (sorts) for (const sort of [name, `-${name}`]) await check(`_sort=${sort}`, { _sort: sort }, true)
    })
    expect(list.slice(0, 100).join('\n')).toBe('')
  })

  it('drives every include that a type is listed with, forth and back', { timeout: 180_000 }, async () => {
    const { list, of } = faults()
    const asked = rest.resource.flatMap(({ type, searchInclude = [], searchRevInclude = [] }: Tree) => [
      ...searchInclude.map((value: string) => ({ type, name: '_include', value })),
      // Half of R4's types may be referred to by hundreds of parameters: a tenth of those stands for all.
      ...searchRevInclude
        .filter((_: string, n: number) => n % 10 === 0)
        .map((value: string) => ({ type, name: '_revinclude', value })),
    ])
    expect(asked.length).toBeGreaterThan(1500)
    await inChunks(asked as { type: string; name: string; value: string }[], ({ type, name, value }) =>
      of(`${type}?${name}=${value}`, async () => {
        const found = await client.search({ resourceType: type, searchParams: { [name]: value, _count: 1 } })
        const modes = entries(found).map(each => each.search.mode)
        return modes.every((mode, n) => mode === (n === 0 ? 'match' : 'include')) ? undefined : `${modes}`
      }),
    )
    expect(list.slice(0, 100).join('\n')).toBe('')
  })

  it('drives what reaches from one resource to others, and the compartments', async () => {
    const create = (body: Tree) =>
      client.update({ resourceType: body.resourceType, id: 'driven', body: { ...body, id: 'driven' } })
    const patient = { reference: 'Patient/driven' }
    await create({ resourceType: 'Patient', active: true })
    await create({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: patient })
    await create({ resourceType: 'List', status: 'current', mode: 'working', entry: [{ item: patient }] })
    for (const each of rest.searchParam) {
      const query = LINKED[each.name]
      if (query === undefined) continue
      const found = await client.search({
        resourceType: 'Patient',
        searchParams: { ...query, _id: 'driven' },
      })
      expect(entries(found).length, each.name).toBe(1)
    }
    const types = rest.compartment.map((url: string) =>
      url
        .split('/')
        .at(-1)
        ?.replace(/^./, c => c.toUpperCase()),
    )
    expect(types.sort()).toEqual(['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson'])
    for (const type of types) {
      const found = await client.search({
        resourceType: 'Observation',
        compartment: { resourceType: type, id: 'driven' },
        searchParams: { _count: 5 },
      })
      expect(entries(found).length, type).toBe(type === 'Patient' ? 1 : 0)
    }
  })

  it('drives every operation that is listed', { timeout: 60_000 }, async () => {
    const { list, of } = faults()
    const asked = [
      ...(rest.operation ?? []).map((one: Tree) => ({ type: '', id: '', name: one.name })),
      ...rest.resource.flatMap(({ type, operation = [] }: Tree) =>
        operation
          .filter((one: Tree) => one.name !== 'reindex')
          .map((one: Tree) => ({ type, id: material.get(type)?.id, name: one.name })),
      ),
    ]
    await inChunks(asked as { type: string; id: string; name: string }[], ({ type, id, name }) =>
      of(`${type} $${name}`, async () => {
        const [method, path, body] = OPERATIONS[name]!(type, id)
        const answer = await fetch(`${server.base}/${path}`, {
          method,
          ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } }),
        })
        return answer.ok ? undefined : `${answer.status} ${await answer.text()}`
      }),
    )
    expect(list.slice(0, 100).join('\n')).toBe('')
  })

  it('drives the conditional interactions that are listed', async () => {
    const type = rest.resource.find((each: Tree) => each.type === 'Patient')
    expect(type).toMatchObject({
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalRead: 'full-support',
      conditionalDelete: 'multiple',
      updateCreate: true,
    })
    const value = word()
    const identifier = `${SYSTEM}|${value}`
    const body = { resourceType: 'Patient', identifier: [{ system: SYSTEM, value }] }
    const options = { headers: { 'if-none-exist': `identifier=${encodeURIComponent(identifier)}` } }
    expect(status(await client.create({ resourceType: 'Patient', body, options }))).toBe(201)
    expect(status(await client.create({ resourceType: 'Patient', body, options }))).toBe(200)
    const updated = await client.update({
      resourceType: 'Patient',
      searchParams: { identifier },
      body: { ...body, active: true } as Tree,
      options: { headers: { prefer: 'return=representation' } },
    })
    expect([status(updated), updated.active]).toEqual([200, true])
    const etag = Client.httpFor(updated).response?.headers.get('etag') as string
    const unchanged = client.read({
      resourceType: 'Patient',
      id: updated.id as string,
      options: { headers: { 'if-none-match': etag } },
    })
    await expect(unchanged).rejects.toMatchObject({ response: { status: 304 } })
    await client.httpClient.delete(`Patient?identifier=${encodeURIComponent(identifier)}`)
    await expect(client.read({ resourceType: 'Patient', id: updated.id as string })).rejects.toMatchObject({
      response: { status: 410 },
    })
  })

  it('drives batch, transaction and the interactions of the system', async () => {
    const codes = rest.interaction.map((each: Tree) => each.code)
    expect(codes.sort()).toEqual(['batch', 'history-system', 'search-system', 'transaction'])
    const value = word()
    const create = {
      resource: { resourceType: 'Patient', identifier: [{ system: SYSTEM, value }] },
      request: { method: 'POST', url: 'Patient' },
    }
    for (const type of ['batch', 'transaction'] as const) {
      const answer = await client[type]({ body: { resourceType: 'Bundle', type, entry: [create] } as Tree })
      expect(answer.type).toBe(`${type}-response`)
      expect(entries(answer)[0]?.response.status).toMatch(/^201/)
    }
    const found = await client.search({
      resourceType: 'Patient',
      searchParams: { identifier: `${SYSTEM}|${value}` },
    })
    expect(entries(found)).toHaveLength(2)
    const id = entries(found)[0]?.resource.id
    expect(entries(await client.search({ searchParams: { _id: id } }))).toHaveLength(1)
    expect(entries(await client.search({ searchParams: { _id: id, _type: 'Patient' } }))).toHaveLength(1)
    expect(entries(await client.history())[0]?.resource.identifier[0].value).toBe(value)
  })

  it('walks pages there and back', async () => {
    const first = (await client.search({
      resourceType: 'Patient',
      searchParams: { _count: 3, _sort: '_id' },
    })) as Tree
    const second = (await client.nextPage({ bundle: first })) as Tree
    expect(entries(second)).toHaveLength(3)
    const ids = [...entries(first), ...entries(second)].map(each => each.resource.id)
    expect(new Set(ids).size).toBe(6)
    if (second.link.some((each: Tree) => each.relation === 'previous')) {
      const back = await client.prevPage({ bundle: second })
      expect(entries(back).map(each => each.resource.id)).toEqual(ids.slice(0, 3))
    }
  })

  it('resolves references, relative and within a Bundle', async () => {
    const { id } = (await client.create({
      resourceType: 'Patient',
      body: { resourceType: 'Patient' },
    })) as Tree
    expect((await client.resolve({ reference: `Patient/${id}` })).id).toBe(id)
    expect((await client.resolve({ reference: `${server.base}/Patient/${id}` })).id).toBe(id)
  })
})
