/** A random world of all kinds of index rows, and random searches of every kind of node over it: what they find is told by `match`. */
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { decimalKey } from '../../src/lib/decimal.ts'
import { compareBySort, type Indexed, matches, type World } from '../../src/search/match.ts'
import { ANY_UNIT, type Bound, type Node, type SearchPlan } from '../../src/search/plan-node.ts'
import { type CaseResource, planCase, stored } from './cases.ts'
import type { generator } from './random.ts'

type Random = ReturnType<typeof generator>

const FAMILIES = [
  'Nair',
  'nair',
  'Menon',
  'Menón',
  'Pillai',
  'Nairobi',
  'മേനോൻ',
  'Das',
  'Dat',
  'Balakrishnan',
  "O'Brien",
  'Na%r_',
]
const GIVEN = ['Asha', 'Ash', 'Ravi', 'രവി', 'Leela', 'Leelā', 'Anna Maria', 'Balakrishnan']
const DATES = ['1980', '1980-05', '1980-05-05', '1980-05-06', '1999-12-31', '2000', '2000-01-01', '2000-02']
const MOMENTS = [
  '2024-01-05',
  '2024-01',
  '2024-01-05T10:00:00Z',
  '2024-01-05T10:00:00.500Z',
  '2024-01-12',
  '2024-03',
]
const SYSTEMS = ['http://loinc.org', 'http://x.example/s', 'http://x.example/s|t']
const CODES = ['c1', 'c2', 'C2', 'c-3', "c'4"]
const TEXTS = ['Body', 'Body weight', 'Blood pressure', 'body temperature', 'Größe']
const WORDS = ['bone', 'bones', 'live', 'liver', 'metastasis', 'metastases', 'കരൾ', 'grün', 'x2']
const AMOUNTS = ['0', '1', '5', '5.4', '5.40', '-3', '100', '540', '1e2', '0.001']
const UNITS = [
  ['g/L', 'http://unitsofmeasure.org', 'g/L'],
  ['mg/dL', 'http://unitsofmeasure.org', 'mg/dL'],
  ['kg', 'http://unitsofmeasure.org', 'kg'],
  ['tablets', 'http://x.example/u', 'TAB'],
  ['spoons', undefined, undefined],
] as const
/** No two pairs of these are equally far from each other. */
const PLACES = [
  [9.9312, 76.2673],
  [10.1004, 76.357],
  [8.5241, 76.9366],
  [-16.8, 179.93],
  [-17.13, -179.71],
  [89.2, 13.3],
  [51.47, -0.31],
] as const
const URLS = [
  'http://x.example/a',
  'http://x.example/a/',
  'http://x.example/a/b',
  'http://x.example/ab',
  'http://x.example/a/b/c',
  'urn:a:b',
]
const EACH = 9

export const WORLD_TYPES = [
  'Patient',
  'Observation',
  'Organization',
  'Location',
  'Encounter',
  'Questionnaire',
  'QuestionnaireResponse',
  'RiskAssessment',
  'List',
] as const
type WorldType = (typeof WORLD_TYPES)[number]

const idOf = (i: number): string => `plan-${i}`

const ALONE: Record<string, string> = { [idOf(0)]: 'Dat', [idOf(1)]: 'Balakrishnan' }

/** Returns a resource of the type; what it has is told by chance. */
function randomResource({ below, pick }: Random, type: WorldType, id: string): object {
  const maybe = <T>(of: () => T): T | undefined => (below(4) > 0 ? of() : undefined)
  const some = <T>(most: number, of: () => T): T[] => Array.from({ length: below(most + 1) }, of)
  const to = (target: WorldType) => ({ reference: `${target}/${idOf(below(EACH + 1))}` })
  const coding = () => ({ ...(below(3) ? { system: pick(SYSTEMS) } : {}), code: pick(CODES) })
  const concept = () => ({ coding: some(2, coding), ...(below(2) ? { text: pick(TEXTS) } : {}) })
  const period = () => ({
    ...(below(4) ? { start: pick(MOMENTS) } : {}),
    ...(below(3) ? { end: pick(['2024-01-20', '2024-06', '2025']) } : {}),
  })
  const quantity = () => {
    const [unit, system, code] = pick(UNITS)
    return {
      value: Number(pick(AMOUNTS)),
      unit,
      ...(system ? { system, code } : {}),
      ...(below(6) ? {} : { comparator: pick(['<', '>=']) }),
    }
  }
  const narrative = () => ({
    status: 'generated',
    div: `<div xmlns="http://www.w3.org/1999/xhtml">${some(4, () => pick(WORDS)).join(' ')}</div>`,
  })
  const head = {
    resourceType: type,
    id,
    ...(below(3) ? {} : { meta: { tag: [coding()], profile: [pick(URLS)] } }),
    ...(below(3) ? {} : { text: narrative() }),
  }
  switch (type) {
    case 'Patient':
      return {
        ...head,
        gender: maybe(() => pick(['male', 'female', 'other'])),
        birthDate: maybe(() => pick(DATES)),
        active: maybe(() => below(2) === 0),
        // Some who are found by nothing but this name.
        name: ALONE[id]
          ? [{ family: ALONE[id] }]
          : some(2, () => ({ family: pick(FAMILIES), given: some(2, () => pick(GIVEN)) })),
        identifier: some(3, () => ({
          ...(below(2) ? { system: pick(SYSTEMS) } : {}),
          value: pick(['1', '2', '3']),
          ...(below(2) ? { type: { coding: [coding()], text: pick(TEXTS) } } : {}),
        })),
        telecom: some(2, () => ({ system: 'phone', value: pick(['+91 98950 12345', '0484-2345678']) })),
        address: some(1, () => ({ city: pick(['Kochi', 'Aluva', 'kochi']), country: 'IN' })),
        managingOrganization: maybe(() => to('Organization')),
        generalPractitioner: some(2, () => to('Organization')),
      }
    case 'Observation':
      return {
        ...head,
        status: pick(['final', 'amended']),
        code: concept(),
        category: some(2, concept),
        subject: maybe(() => to(pick(['Patient', 'Location']))),
        encounter: maybe(() => to('Encounter')),
        hasMember: some(2, () => to('Observation')),
        ...(below(2) ? { effectiveDateTime: pick(MOMENTS) } : { effectivePeriod: period() }),
        ...[
          {},
          { valueQuantity: quantity() },
          { valueCodeableConcept: concept() },
          { valueString: pick(TEXTS) },
        ][below(4)],
        component: some(2, () => ({ code: concept(), valueQuantity: quantity() })),
      }
    case 'Organization':
      return { ...head, name: maybe(() => pick(TEXTS)), partOf: maybe(() => to('Organization')) }
    case 'Location': {
      const [latitude, longitude] = pick(PLACES)
      return {
        ...head,
        name: maybe(() => pick(TEXTS)),
        position: maybe(() => ({ latitude, longitude })),
        partOf: maybe(() => to('Location')),
      }
    }
    case 'Encounter':
      return {
        ...head,
        status: pick(['planned', 'finished']),
        class: coding(),
        period: maybe(period),
        subject: maybe(() => to('Patient')),
        length: maybe(quantity),
        location: Array.from({ length: pick([0, 2, 3]) }, () => ({
          location: to('Location'),
          period: period(),
        })),
      }
    case 'Questionnaire':
      return {
        ...head,
        status: 'active',
        url: URLS[Number(id.slice(5))] ?? pick(URLS),
        title: maybe(() => pick(TEXTS)),
      }
    case 'QuestionnaireResponse':
      return {
        ...head,
        status: 'completed',
        questionnaire: maybe(() => `${pick(URLS)}${below(2) ? '' : '|1'}`),
        subject: maybe(() => to('Patient')),
      }
    case 'RiskAssessment':
      return {
        ...head,
        status: 'final',
        subject: to('Patient'),
        prediction: some(2, () =>
          below(2)
            ? { probabilityDecimal: Number(pick(AMOUNTS)) }
            : { probabilityRange: { low: { value: 1 }, high: { value: Number(pick(['5', '100'])) } } },
        ),
      }
    case 'List':
      return {
        ...head,
        status: 'current',
        mode: 'working',
        entry: some(3, () => ({ item: to(pick(WORLD_TYPES)) })),
      }
  }
}

export interface Written {
  /** What is stored in one commit; no body: a deletion. */
  changes: { resource: CaseResource; version: number; deleted: boolean }[]
  /** ms since 1970 */
  at: number
}

export interface RandomWorld {
  /** In their order. */
  commits: Written[]
  /** What is live in the end, in the order of creation. */
  live: CaseResource[]
}

/** Returns what is written one after the other: many resources, of which some are changed and some deleted later. */
export function randomPlanWorld(random: Random, start: number): RandomWorld {
  const { below, pick } = random
  const make = (type: WorldType, id: string, at: number): CaseResource => {
    // Numbers keep their text, as they do on their way in.
    const tree = parseJson(JSON.stringify(randomResource(random, type, id))) as Resource
    const [resource] = stored([tree], at - 60_000)
    return resource!
  }
  const all = Array.from({ length: EACH }, (_, i) => WORLD_TYPES.map(type => ({ type, id: idOf(i) }))).flat()
  const order = all.map(one => ({ one, at: random.random() })).sort((a, b) => a.at - b.at)
  const created = new Map<string, CaseResource | undefined>()
  const versions = new Map<string, number>()
  const commits: Written[] = []
  const write = (targets: readonly { type: WorldType; id: string }[], deleted: boolean): void => {
    const at = start + commits.length * 60_000
    const changes = targets.map(({ type, id }) => {
      const name = `${type}/${id}`
      const version = (versions.get(name) ?? 0) + 1
      versions.set(name, version)
      const resource = make(type, id, at)
      created.set(name, deleted ? undefined : resource)
      return { resource, version, deleted }
    })
    commits.push({ changes, at })
  }
  for (let i = 0; i < order.length; ) {
    // Of one commit all have the same time.
    const several = 1 + below(8)
    write(
      order.slice(i, i + several).map(({ one }) => one),
      false,
    )
    i += several
  }
  for (let i = 0; i < 6; i++) write([pick(all)], false)
  for (let i = 0; i < 12; i++) {
    const one = pick(all)
    if (created.get(`${one.type}/${one.id}`) !== undefined && ALONE[one.id] === undefined) write([one], true)
  }
  return { commits, live: [...created.values()].filter(one => one !== undefined) }
}

/** Returns the other resources as `match` asks for them. */
export const worldOf = (live: readonly Indexed[]): World => {
  const byName = new Map(live.map(one => [`${one.type}/${one.id}`, one]))
  return {
    get: (type, id) => byName.get(`${type}/${id}`),
    all: types => live.filter(one => types.includes(one.type)),
  }
}

type Ask = (random: Random) => [name: string, value: string]
const PREFIXES = ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']
const list = ({ below }: Random, of: () => string): string =>
  Array.from({ length: [1, 1, 1, 2, 4][below(5)]! }, of).join(',')

const escaped = (text: string): string => text.replace(/[\\,$|]/g, '\\$&')
const token =
  (name: string): Ask =>
  random => {
    const { below, pick } = random
    const one = () =>
      [
        () => escaped(pick(CODES)),
        () => `${escaped(pick(SYSTEMS))}|${escaped(pick(CODES))}`,
        () => `|${escaped(pick(CODES))}`,
        () => `${escaped(pick(SYSTEMS))}|`,
      ][below(4)]!()
    if (below(7) === 0) return [`${name}:text`, pick(['body', 'Blood', 'gro'])]
    if (below(7) === 0)
      return [`${name}:${pick(['in', 'not-in'])}`, pick(['http://x.example/vs', 'http://x.example/few'])]
    return [`${name}${pick(['', '', ':not'])}`, list(random, one)]
  }
const text =
  (name: string, values: readonly string[]): Ask =>
  random => {
    const { below, pick } = random
    const part = () => {
      const points = [...pick(values)]
      const from = below(2) * below(points.length)
      return points.slice(from, from + 1 + below(5)).join('') || 'a'
    }
    const modifier = pick(['', ':exact', ':contains'])
    const one = (): string =>
      modifier === ':contains'
        ? part()
        : modifier === '' && below(2)
          ? [...pick(values)].slice(0, 2).join('')
          : pick(values)
    return [`${name}${modifier}`, list(random, () => escaped(one()))]
  }
const date =
  (name: string, values: readonly string[]): Ask =>
  random => [name, list(random, () => `${random.pick(PREFIXES)}${random.pick(values)}`)]
const amount =
  (name: string, units: boolean): Ask =>
  random => {
    const { below, pick } = random
    const unit = () => {
      const [, system, code] = pick(UNITS)
      if (!units || below(3) === 0) return ''
      return code === undefined ? '||spoons' : below(2) ? `|${system}|${code}` : `||${code}`
    }
    return [name, list(random, () => `${pick(PREFIXES)}${pick(AMOUNTS)}${unit()}`)]
  }
const reference =
  (name: string, targets: readonly WorldType[]): Ask =>
  random => {
    const { below, pick } = random
    const target = pick(targets)
    const id = () => idOf(below(EACH + 1))
    if (below(4) === 0) return [`${name}:${target}`, list(random, id)]
    return [name, list(random, () => (below(2) ? id() : `${target}/${id()}`))]
  }
const missing =
  (name: string): Ask =>
  ({ pick }) => [`${name}:missing`, pick(['true', 'false'])]
const uri =
  (name: string): Ask =>
  random => [`${name}${random.pick(['', ':below', ':above'])}`, list(random, () => random.pick(URLS))]
/** Comparisons that only a filter makes. */
const compared =
  (name: string, values: readonly string[], operators: readonly string[] = ['ne']): Ask =>
  ({ below, pick }) => {
    const operator = pick(operators)
    const points = [...pick(values)]
    const value = operator === 'ew' ? points.slice(below(points.length)) : points
    return ['_filter', `${name} ${operator} ${JSON.stringify(value.join(''))}`]
  }
const ORDERED = ['ne', 'ne', 'ew', 'gt', 'ge', 'lt', 'le']
const words: Ask = random => {
  const { below, pick } = random
  const one = () => (below(3) ? pick(WORDS) : `${[...pick(WORDS)].slice(0, 3).join('')}*`)
  return [
    pick(['_text', '_content']),
    [one(), `${one()} ${one()}`, `${one()} or ${one()}`, `not ${one()}`, `${one()} and not ${one()}`][
      below(5)
    ]!,
  ]
}
const place: Ask = ({ pick }) => {
  const [latitude, longitude] = pick([...PLACES, [10.02, 76.31], [-16.9, -179.97]] as const)
  return ['near', `${latitude}|${longitude}|${pick(['1', '25', '60', '200', '3000', '20000'])}|km`]
}
const composite =
  (name: string, of: () => Ask): Ask =>
  random => [name, `${random.pick(CODES.slice(0, 4))}$${of()(random)[1].split(',')[0]}`]

const OF_ALL: readonly Ask[] = [
  token('_tag'),
  random => ['_id', list(random, () => idOf(random.below(EACH + 2)))],
  ({ pick, below }) => [
    '_lastUpdated',
    `${pick(['gt', 'le', 'ge', 'lt'])}${new Date(FROM + below(40) * 60_000).toISOString()}`,
  ],
  random => ['_profile', list(random, () => random.pick(URLS))],
]
/** The time of the first commit, for `_lastUpdated`. */
export const FROM = Date.UTC(2031, 0, 1)

const LEAVES: Record<WorldType, readonly Ask[]> = {
  Patient: [
    ({ pick }) => [pick(['gender', 'gender:not']), pick(['male', 'female', 'other', 'male,other'])],
    text('family', FAMILIES),
    text('family', FAMILIES),
    // Names of the one kind are not of the other.
    ({ pick }) => [
      pick(['given:contains', 'family:contains']),
      pick(['nai', 'men', 'ash', 'alakrishnan', 'alakrishna']),
    ],
    // What comes next to all that begins so is another name.
    ({ pick }) => [pick(['family', 'name']), pick(['das', 'nair', 'menon'])],
    ({ pick }) => ['family:exact', pick(['Nair', 'nair', 'Menon', 'Menón'])],
    text('given', GIVEN),
    text('name', [...FAMILIES, ...GIVEN]),
    text('address-city', ['Kochi', 'Aluva']),
    date('birthdate', DATES),
    missing('birthdate'),
    missing('name'),
    compared('family', FAMILIES, ORDERED),
    compared('name', [...FAMILIES, ...GIVEN], ORDERED),
    compared('identifier', ['1', '2', `${SYSTEMS[1]}|2`, '|3', `${SYSTEMS[0]}|`]),
    compared('_profile', URLS),
    random => {
      const { below, pick } = random
      return below(3)
        ? [
            'identifier',
            list(random, () => `${pick(['', '|', `${escaped(pick(SYSTEMS))}|`])}${pick(['1', '2', '3'])}`),
          ]
        : ['identifier:of-type', `${escaped(pick(SYSTEMS))}|${escaped(pick(CODES))}|${pick(['1', '2', '3'])}`]
    },
    ({ pick }) => ['phone', pick(['+919895012345', '04842345678', '+91 98950-12345'])],
    ({ pick }) => ['active', pick(['true', 'false'])],
    reference('organization', ['Organization']),
    missing('organization'),
  ],
  Observation: [
    token('code'),
    token('category'),
    token('combo-code'),
    compared('combo-code', [...CODES, `${SYSTEMS[0]}|c1`, `${SYSTEMS[1]}|`, '|c2']),
    compared('value-string', TEXTS, ORDERED),
    missing('value-quantity'),
    ({ pick }) => ['status', pick(['final', 'amended', 'final,amended'])],
    reference('subject', ['Patient', 'Location']),
    reference('has-member', ['Observation']),
    date('date', MOMENTS),
    random => ['date', `${random.pick(['ge', 'gt', 'sa'])}${random.pick(MOMENTS)}`],
    amount('value-quantity', true),
    amount('combo-value-quantity', true),
    token('value-concept'),
    text('value-string', TEXTS),
    composite('code-value-quantity', () => amount('', true)),
    composite('component-code-value-quantity', () => amount('', true)),
    composite('combo-code-value-quantity', () => amount('', true)),
    composite('code-value-string', () => random => ['', escaped(random.pick(TEXTS))]),
    composite('code-value-date', () => date('', MOMENTS)),
  ],
  Organization: [text('name', TEXTS), reference('partof', ['Organization']), missing('name')],
  Location: [
    place,
    // Over the 180th meridian.
    ({ pick }) => [
      'near',
      `${pick(['-16.8|179.93', '-17.13|-179.71', '-16.9|-179.97'])}|${pick(['60', '100'])}|km`,
    ],
    text('name', TEXTS),
    reference('partof', ['Location']),
    missing('near'),
  ],
  Encounter: [
    ({ pick }) => ['status', pick(['planned', 'finished'])],
    token('class'),
    // One system begins as another.
    () => ['class', `${SYSTEMS[1]}|`],
    date('date', MOMENTS),
    date('location-period', MOMENTS),
    missing('date'),
    amount('length', true),
    reference('subject', ['Patient']),
  ],
  Questionnaire: [
    uri('url'),
    ({ pick }) => ['url:below', pick(URLS.slice(0, 3))],
    ({ pick }) => ['url:above', pick(URLS.slice(2))],
    text('title', TEXTS),
  ],
  QuestionnaireResponse: [
    compared('questionnaire', [...URLS, `${URLS[0]}|1`, `${URLS[0]}|2`]),
    random => ['questionnaire', list(random, () => `${random.pick(URLS)}${random.pick(['', '\\|1', '|1'])}`)],
    reference('subject', ['Patient']),
  ],
  RiskAssessment: [amount('probability', false), reference('subject', ['Patient']), missing('probability')],
  List: [reference('item', WORLD_TYPES), missing('item')],
}

/** Asked twice at once, from below and from above. */
const RANGES: Partial<Record<WorldType, readonly (readonly [string, readonly string[]])[]>> = {
  Patient: [['birthdate', DATES]],
  Observation: [
    ['date', MOMENTS],
    ['value-quantity', AMOUNTS],
    ['component-value-quantity', AMOUNTS],
  ],
  Encounter: [
    ['date', MOMENTS],
    ['location-period', MOMENTS],
    ['location-period', ['2024-01-12', '2024-02', '2024-03']],
  ],
}

const LINKS: Partial<Record<WorldType, readonly (readonly [string, WorldType])[]>> = {
  Patient: [
    ['organization', 'Organization'],
    ['general-practitioner', 'Organization'],
  ],
  Observation: [
    ['subject', 'Patient'],
    ['subject', 'Location'],
    ['encounter', 'Encounter'],
    ['has-member', 'Observation'],
  ],
  Organization: [['partof', 'Organization']],
  Location: [['partof', 'Location']],
  Encounter: [['subject', 'Patient']],
  QuestionnaireResponse: [
    ['questionnaire', 'Questionnaire'],
    ['subject', 'Patient'],
  ],
  RiskAssessment: [['subject', 'Patient']],
  List: WORLD_TYPES.map(type => ['item', type] as const),
}

const OPERATORS = [
  'eq',
  'eq',
  'ne',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'po',
  're',
]

/** Returns a filter of one comparison or more; not every operator is one of the parameter. */
function filter(random: Random, type: WorldType): [name: string, value: string] {
  const { below, pick } = random
  const one = (): string => {
    const [name, values] = pick(LEAVES[type])(random)
    const code = name.split(':')[0]!
    if (below(6) === 0) return `${code} pr ${pick(['true', 'false'])}`
    const value = values.split(',')[0]!.replace(/^[a-z]{2}(?=[0-9-])/, '')
    return `${code} ${pick(OPERATORS)} ${/^[\w.:+-]+$/.test(value) ? value : JSON.stringify(value)}`
  }
  return [
    '_filter',
    below(3) ? one() : pick([`not (${one()})`, `${one()} or ${one()}`, `${one()} and (${one()})`]),
  ]
}

/** Returns a criterion on the type with so many links before it. */
function criterion(random: Random, type: WorldType, links: number): [name: string, value: string] {
  const { below, pick } = random
  if (links === 0) {
    if (below(5) === 0) return pick([...OF_ALL, words, words])(random)
    if (below(6) === 0) return filter(random, type)
    return pick(LEAVES[type])(random)
  }
  const back = WORLD_TYPES.flatMap(source =>
    (LINKS[source] ?? []).flatMap(([code, target]) => (target === type ? [{ source, code }] : [])),
  )
  const forth = LINKS[type] ?? []
  if (forth.length === 0 || (back.length > 0 && below(2) === 0)) {
    const { source, code } = pick(back)
    const [name, value] = criterion(random, source, links - 1)
    return [`_has:${source}:${code}:${name}`, value]
  }
  const [code, target] = pick(forth)
  const [name, value] = criterion(random, target, links - 1)
  return [`${code}:${target}.${name}`, value]
}

const SORTS: Record<WorldType, readonly string[]> = {
  Patient: ['family', 'given', 'name', 'birthdate', 'gender', 'identifier', 'address-city'],
  Observation: ['date', 'code', 'value-quantity', 'category', 'status', 'value-concept'],
  Organization: ['name'],
  Location: ['name'],
  Encounter: ['date', 'status', 'class', 'location-period'],
  Questionnaire: ['title', 'url'],
  QuestionnaireResponse: ['status'],
  RiskAssessment: ['probability'],
  List: ['status'],
}

const VALUE_SETS: Record<string, { system: string; code: string }[]> = {
  'http://x.example/vs': SYSTEMS.flatMap(system => CODES.slice(0, 3).map(code => ({ system, code }))),
  'http://x.example/few': [{ system: SYSTEMS[0]!, code: 'c1' }],
}

export interface RandomSearch {
  /** What was asked, to be read by people. */
  name: string
  plan: SearchPlan
}

/** What has more to ask of. */
const OFTEN = [
  'Patient',
  'Patient',
  'Observation',
  'Observation',
  'Location',
  'Encounter',
  'Questionnaire',
  'QuestionnaireResponse',
] as const

const EMPTY: Node = { kind: 'and', nodes: [] }

/** What is asked of every world: where compilers err by one value, one system, one kind of name or one side of the earth. */
const DELICATE: readonly (readonly [WorldType, string])[] = [
  ['Patient', 'family=das'],
  ['Patient', 'name=das'],
  ['Patient', 'family=das&gender:not=x&_sort=-birthdate'],
  ['Patient', 'given:contains=alakrishnan'],
  ['Patient', 'family:exact=Nair'],
  ['Patient', 'family:exact=nair'],
  ['Questionnaire', 'url:below=http://x.example/a'],
  ['Questionnaire', 'url:above=http://x.example/a/b/c'],
  ['Encounter', `class=${SYSTEMS[1]}|`],
  ['Encounter', 'location-period=ge2024-01-12&location-period=le2024-02'],
  ['Encounter', 'location-period=ge2024-03&location-period=le2024-05&_sort=location-period'],
  ['Observation', 'date=ge2024-01&date=lt2024-01-06,lt2024-04'],
  ['Observation', 'date=sa2024-01-05&date=le2024-01-12,lt2024-06&_sort=-date'],
  // What begins in it may end after it.
  ['Encounter', 'date=2024-01'],
  ['Encounter', 'location-period=2024-01'],
  ['Location', 'near=-16.8|179.93|60|km'],
  ['Location', 'near=-17.13|-179.71|60|km'],
  ['Observation', '_text=live'],
  ['Patient', '_text=bone'],
  // What was deleted is among them.
  ...WORLD_TYPES.map(
    type => [type, `_id=${Array.from({ length: EACH }, (_, i) => idOf(i)).join(',')}`] as const,
  ),
]

/** Returns the searches that are the same for every seed. */
export const delicateSearches = (): RandomSearch[] =>
  DELICATE.map(([type, query]) => ({
    name: `${type}?${query}`,
    plan: planCase({ type, query, why: '' }).plan,
  }))

/** Returns a random search that finds something more often than chance would. */
export function likelySearch(random: Random, live: readonly CaseResource[], world: World): RandomSearch {
  for (let tries = 1; ; tries++) {
    const search = randomSearch(random)
    if (tries === 3 || live.some(one => matches(search.plan, one, world))) return search
  }
}

/** Returns a node that no parameter asks for as it is. */
function ownNode({ below, pick }: Random, type: WorldType): Node | undefined {
  const bounds = <V>(values: readonly V[]): Bound<V>[] =>
    Array.from({ length: 1 + below(3) }, () => ({
      end: pick(['lo', 'hi']),
      op: pick(['<', '<=', '>', '>=']),
      value: pick(values),
    }))
  switch (type) {
    case 'Questionnaire':
      return { kind: 'uri', param: 'Questionnaire.url', match: 'above', value: pick(URLS) }
    case 'Patient':
      return { kind: 'string', param: 'Patient.family', match: 'exact', value: pick(FAMILIES) }
    case 'Encounter': {
      const days = ['2024-01-01', '2024-01-05', '2024-01-06', '2024-01-20', '2024-02-01', '2024-06-15']
      const values = days.map(day => Date.parse(`${day}T00:00:00+05:30`))
      return { kind: 'date', param: 'Encounter.location-period', bounds: bounds(values) }
    }
    case 'Observation':
      return {
        kind: 'quantity',
        param: 'Observation.component-value-quantity',
        unit: ANY_UNIT,
        bounds: bounds(AMOUNTS.map(decimalKey)),
      }
    default:
      return undefined
  }
}

/** Returns a random search: parameters, links, sorts, and nodes put together as no parameter does alone. */
function randomSearch(random: Random): RandomSearch {
  const { below, pick } = random
  const whole = below(16) === 0
  const type = pick([...WORLD_TYPES, ...OFTEN])
  const ask = (pairs: readonly (readonly [string, string])[]): SearchPlan =>
    planCase({
      type: whole ? '' : type,
      query: pairs.map(pair => pair.map(encodeURIComponent).join('=')).join('&'),
      why: '',
      known: Object.entries(VALUE_SETS).map(([url, codes]) => ({
        need: { is: 'value-set', url },
        known: { codes },
      })),
    }).plan
  const one = (): [string, string] => {
    for (;;) {
      const pair = whole ? pick(OF_ALL)(random) : criterion(random, type, [0, 0, 0, 1, 1, 2, 3][below(7)]!)
      try {
        ask([pair])
        return pair
      } catch (error) {
        // Not all that is put together by chance is a question: `:above` on a urn, words behind a chain.
        if (!(error instanceof FhirError)) throw error
      }
    }
  }
  const range = whole || below(2) > 0 ? undefined : RANGES[type]
  const pairs = Array.from({ length: range === undefined ? 1 + below(2) : below(2) }, one)
  if (range !== undefined) {
    const [name, values] = pick(range)
    pairs.push([name, `${pick(['ge', 'gt', 'sa', ''])}${pick(values)}`])
    const before = () => `${pick(['le', 'lt', 'eb'])}${pick(values)}`
    pairs.push([name, below(2) ? before() : `${before()},${before()}`])
  }
  const keys = whole ? ['_lastUpdated'] : [...SORTS[type], ...SORTS[type], '_lastUpdated', '_id']
  const sorts = [...new Set(Array.from({ length: below(4) }, () => pick(keys)))].map(
    key => `${pick(['', '-'])}${key}`,
  )
  if (sorts.length > 0) pairs.push(['_sort', sorts.join(',')])
  const plan = ask(pairs)
  let name = `${whole ? '' : type}?${pairs.map(pair => pair.join('=')).join('&')}`
  let { where, sort } = plan
  if (below(3) === 0) {
    const own = whole || below(2) ? undefined : ownNode(random, type)
    const other = own === undefined ? one() : ['', JSON.stringify(own)]
    const node = own ?? ask([other as [string, string]]).where
    const [how, made] = pick([
      ['or', { kind: 'or', nodes: [where, node] }],
      ['not', { kind: 'and', nodes: [where, { kind: 'not', node }] }],
      ['or with and', { kind: 'or', nodes: [{ kind: 'and', nodes: [where, node] }, node] }],
      ['of the type', { kind: 'and', nodes: [node, { kind: 'type', types: [type] }] }],
      [
        'or of a type',
        {
          kind: 'or',
          nodes: [
            { kind: 'and', nodes: [node, { kind: 'type', types: [type] }] },
            { kind: 'type', types: ['Organization'] },
          ],
        },
      ],
      ['and', { kind: 'and', nodes: [where, node] }],
      ['alone', node],
      ['nothing', { kind: 'and', nodes: [node, { kind: 'or', nodes: [] }] }],
      ['all', { kind: 'or', nodes: [EMPTY, where] }],
    ] as const satisfies readonly (readonly [string, Node])[])
    where = made
    name += ` ${how} ${other.join('=')}`
  }
  if (!whole && type === 'Location' && below(3) === 0) {
    const [latitude, longitude] = pick(PLACES)
    sort = [
      { by: 'distance', param: 'Location.near', latitude, longitude, descending: below(2) === 0 },
      ...sort,
    ]
    name += ` by ${sort[0]!.descending ? '-' : ''}distance from ${latitude}|${longitude}`
  }
  return { name, plan: { ...plan, where, sort } }
}

/** Returns the kinds of nodes in a plan, and `sort <by>` for its keys. */
export function kindsOf({ where, sort }: SearchPlan): string[] {
  const visit = (node: Node): string[] => [
    node.kind,
    ...('nodes' in node ? node.nodes.flatMap(visit) : 'node' in node ? visit(node.node) : []),
  ]
  return [...visit(where), ...sort.map(key => `sort ${key.by}`)]
}

/** Returns what a search must find, in its order. */
export function expected({ plan }: RandomSearch, live: readonly CaseResource[], world: World): string[] {
  return live
    .filter(one => matches(plan, one, world))
    .sort(compareBySort(plan))
    .map(one => `${one.type}/${one.id}`)
}
