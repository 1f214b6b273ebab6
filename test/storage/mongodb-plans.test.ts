/**
 * How MongoDB answers each family of searches: in how many commands, and by which part of which index, as the server itself explains it.
 * The substitute chooses among indexes by its own rules and counts keys and documents its own way, so only stages, indexes and bounds are
 * asserted; where several terms could drive, any of them is accepted.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import type { Node, SearchPlan } from '../../src/search/plan-node.ts'
import { openMongo } from '../../src/storage/mongodb/store.ts'
import type { Storage } from '../../src/storage/port.ts'
import { planCase, stored } from '../search/cases.ts'
import { startMongo } from './mongodb-server.ts'
import { changeOf, commitOf, planOf } from './rows.ts'
import { silent } from './silent-log.ts'

const server = await startMongo()
const START = Date.UTC(2024, 0, 1)
const PATIENTS = 300
const OBSERVATIONS = 1500

const FAMILIES = ['Menon', 'Nair', 'Pillai', 'Varma', 'Kurup']
const CITIES = ['Kochi', 'Thrissur', 'Kollam', 'Palakkad', 'തൃശൂർ']

const resource = (value: unknown): Resource => parseJson(JSON.stringify(value)) as Resource

const patient = (i: number): Resource =>
  resource({
    resourceType: 'Patient',
    id: `p${i}`,
    identifier: [{ system: 'http://hospital.in/mrn', value: `M${i}` }],
    gender: i % 2 ? 'male' : 'female',
    name: [{ family: FAMILIES[i % 5], given: [`Given${i}`, i === 7 ? 'മിനി' : `Middle${i % 13}`] }],
    birthDate: `19${50 + (i % 50)}-0${1 + (i % 9)}-11`,
    address: [{ line: [`${i} Marine Drive`], city: CITIES[i % 5], state: 'Kerala', country: 'India' }],
  })

const observation = (i: number): Resource =>
  resource({
    resourceType: 'Observation',
    id: `o${i}`,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: `c${i % 60}` }] },
    subject: { reference: `Patient/p${i % PATIENTS}` },
    effectiveDateTime: new Date(START + i * 3_600_000).toISOString(),
    ...(i % 25 === 0
      ? {
          component: [
            {
              code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
              valueQuantity: { value: i },
            },
            {
              code: { coding: [{ system: 'http://loinc.org', code: '8462-4' }] },
              valueQuantity: { value: 9000 },
            },
          ],
        }
      : {}),
    valueQuantity: { value: i, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
  })

const chain = (node: Node): Node => ({
  kind: 'chain',
  params: ['Observation.subject'],
  types: ['Patient'],
  canonical: false,
  node,
})
const has = (node: Node): Node => ({
  kind: 'has',
  type: 'Observation',
  params: ['Observation.subject'],
  node,
})
const byCode: Node = { kind: 'token', param: 'Observation.code', system: 'http://loinc.org', code: 'c7' }
const byMrn: Node = {
  kind: 'token',
  param: 'Patient.identifier',
  system: 'http://hospital.in/mrn',
  code: 'M7',
}

interface Family {
  plan: SearchPlan
  /** One of these stands in the bounds of the index. */
  bounds: string[]
  found: number
  /** Before the page is found. */
  levels?: number
}

const q = (type: string, query: string): SearchPlan => planCase({ type, query, why: '' }).plan
/** Where most are in the range, the first page is found sooner by walking the type in the order asked. */
const WALKED = 't: ["Observation", "Observation"]'
const DATE_BOUNDS = [
  'ix: ["Observation.date <',
  'ix: ["Observation.date >',
  'ix: ("Observation.date >',
  'ix: ("Observation.date <',
]

const families = (): Record<string, Family> => ({
  'an identifier': {
    plan: q('Patient', 'identifier=http://hospital.in/mrn|M7'),
    bounds: ['ix: ["Patient.identifier |http://hospital.in/mrn'],
    found: 1,
  },
  'a code': {
    plan: q('Observation', 'code=http://loinc.org|c7'),
    bounds: ['ix: ["Observation.code |http://loinc.org'],
    found: 25,
  },
  'a frequent token': {
    plan: q('Observation', 'status=final'),
    bounds: ['ix: ["Observation.status ~final", "Observation.status ~final"]'],
    found: OBSERVATIONS,
  },
  'a reference and a code': {
    plan: q('Observation', 'subject=Patient/p7&code=c7'),
    bounds: ['ix: ["Observation.subject @Patient/p7"', 'ix: ["Observation.code ~c7"'],
    found: 5,
  },
  'the beginning of a string': {
    plan: q('Patient', 'given=given12'),
    bounds: ['ix: ["Patient.given =given12", "Patient.given =given13")'],
    found: 11,
  },
  ':contains on a name': {
    plan: q('Patient', 'name:contains=iven12'),
    bounds: ['ix: ["Patient.name *iven12", "Patient.name *iven13")'],
    found: 11,
  },
  ':contains on a name in Malayalam': {
    plan: q('Patient', `name:contains=${encodeURIComponent('ിനി')}`),
    bounds: ['ix: ["Patient.name *ിനി"'],
    found: 1,
  },
  ':contains on an address, longer than a window': {
    plan: q('Patient', 'address:contains=7 marine drive'),
    bounds: ['ix: ["Patient.address *7 marine", "Patient.address *7 marine"]'],
    found: 30,
  },
  ':contains and a frequent token': {
    plan: q('Patient', 'address:contains=drive,kollam&gender=female'),
    bounds: ['ix: ["Patient.gender ~female"', 'ix: ["Patient.gender |'],
    found: 150,
  },
  'two texts of which one is enough': {
    plan: q('Patient', 'name=given12,given13'),
    bounds: ['ix: ["Patient.name =given12", "Patient.name =given13")'],
    found: 22,
  },
  'two texts contained': {
    plan: q('Patient', 'name:contains=iven12,iven13'),
    bounds: ['ix: ["Patient.name *iven12", "Patient.name *iven13")'],
    found: 22,
  },
  ':contains of one character': {
    plan: q('Patient', 'given:contains=z'),
    bounds: ['ix: ["Patient.name *z"', 'ix: ["Patient.given *z"'],
    found: 0,
  },
  'a string and a date': {
    plan: q('Patient', 'family=menon&birthdate=ge1990'),
    bounds: [
      'ix: ["Patient.family =menon"',
      'ix: ["Patient.birthdate <',
      'ix: ("Patient.birthdate >',
      'ix: ["Patient.birthdate >',
    ],
    found: 12,
  },
  ...Object.fromEntries(
    (
      [
        ['eq', 24],
        ['ne', OBSERVATIONS - 24],
        ['gt', OBSERVATIONS - 9 * 24 - 24],
        ['lt', 9 * 24],
        ['ge', OBSERVATIONS - 9 * 24],
        ['le', 9 * 24 + 24],
        ['sa', OBSERVATIONS - 9 * 24 - 24],
        ['eb', 9 * 24],
      ] as const
    ).map(([prefix, found]) => [
      `a date with ${prefix}`,
      { plan: q('Observation', `date=${prefix}2024-01-10`), bounds: [...DATE_BOUNDS, WALKED], found: -found },
    ]),
  ),
  'a day': { plan: q('Observation', 'date=2024-01-10'), bounds: DATE_BOUNDS, found: 24 },
  'a date with ap': { plan: q('Observation', 'date=ap2024-02-01'), bounds: DATE_BOUNDS, found: -1 },
  'a range of dates, newest first': {
    plan: q('Observation', 'date=ge2024-01-10&date=lt2024-01-20&_sort=-date'),
    bounds: [...DATE_BOUNDS, 'sx.date: '],
    found: 240,
  },
  'a range of quantities': {
    plan: q(
      'Observation',
      'value-quantity=ge10|http://unitsofmeasure.org|mg&value-quantity=lt20|http://unitsofmeasure.org|mg',
    ),
    bounds: ['ix: ["Observation.value-quantity', 'ix: ("Observation.value-quantity'],
    found: 10,
  },
  'a composite of a code and a range': {
    plan: q('Observation', 'code-value-quantity=http://loinc.org|c7$ge1000'),
    bounds: ['ix: ["Observation.value-quantity', 'ix: ["Observation.code |http://loinc.org'],
    found: 8,
  },
  'a composite within components': {
    plan: q('Observation', 'component-code-value-quantity=http://loinc.org|8480-6$ge1400'),
    bounds: ['ix: ["Observation.component-code-value-quantity', 'ix: ["Observation.component-'],
    found: 4,
  },
  'a word': {
    plan: planOf(['Location'], { kind: 'word', param: '_content', word: 'ward7', prefix: false }),
    bounds: ['ix: ["_content =ward7", "_content =ward7"]'],
    found: 1,
  },
  'the beginning of a word': {
    plan: planOf(['Location'], { kind: 'word', param: '_content', word: 'ward1', prefix: true }),
    bounds: ['ix: ["_content =ward1", "_content =ward2")'],
    found: 31,
  },
  'places near another': {
    plan: planOf(['Location'], {
      kind: 'near',
      param: 'Location.near',
      latitude: 10,
      longitude: 76,
      // A hundredth of a degree is 1.112 km: the places 0 to 4.
      metres: 5000,
    }),
    bounds: ['ix: ["Location.near ^'],
    found: 5,
  },
  'places near one of several': {
    plan: planOf(['Location'], {
      kind: 'or',
      nodes: [10, 10.3, 10.6, 10.9].map(
        (latitude): Node => ({
          kind: 'near',
          param: 'Location.near',
          latitude,
          longitude: 76,
          metres: 1500,
        }),
      ),
    }),
    bounds: ['ix: ["Location.near ^'],
    // The first and the place north of it; of the others those to the south and north as well.
    found: 11,
  },
  'a chain to an identifier': {
    plan: planOf(['Observation'], chain(byMrn)),
    bounds: ['ix: ["Observation.subject @Patient/p7", "Observation.subject @Patient/p7"]'],
    found: 5,
    levels: 1,
  },
  'a reverse chain': {
    plan: planOf(['Patient'], has(byCode)),
    bounds: ['_id: ["Patient/p'],
    found: 5,
    levels: 1,
  },
  'a chain to a reverse chain': {
    plan: planOf(['Observation'], chain(has(byCode))),
    bounds: ['ix: ["Observation.subject @Patient/p'],
    found: 25,
    levels: 2,
  },
})

if ('skip' in server) describe.skip(`mongodb: ${server.skip}`, () => it('plans', () => {}))
else
  describe('mongodb: plans', () => {
    let storage: Storage
    let commands: string[] = []

    beforeAll(async () => {
      storage = await openMongo(server.uri, {
        clock: Date.now,
        log: silent,
        onCommand: event => {
          const collection = event.command[event.commandName]
          if (collection !== 'instances' && event.commandName !== 'create') commands.push(event.commandName)
        },
      })
      const resources = stored(
        [
          ...Array.from({ length: PATIENTS }, (_, i) => patient(i)),
          ...Array.from({ length: OBSERVATIONS }, (_, i) => observation(i)),
        ],
        START,
      )
      for (let from = 0; from < resources.length; from += 500)
        await storage.commit(
          commitOf(
            resources.slice(from, from + 500).map(({ type, id, text, stampAt, rows }) => ({
              key: `${type}/${id}` as const,
              version: 1,
              method: 'PUT' as const,
              body: { text, stampAt },
              index: rows,
              claims: [],
            })),
          ),
        )
      await storage.commit(
        commitOf(
          Array.from({ length: 120 }, (_, i) =>
            changeOf(`Location/l${i}`, 1, [
              { kind: 'words', param: '_content', words: [`ward${i}`, 'hospital'] },
              { kind: 'position', param: 'Location.near', latitude: 10 + i / 100, longitude: 76 },
            ]),
          ),
        ),
      )
    }, 60_000)
    afterAll(async () => {
      await storage.close()
      await server.stop()
    })

    for (const [name, { plan, bounds, found, levels = 0 }] of Object.entries(families()))
      it(`${name}: driven by narrow bounds of an index, one command and ${levels} before it`, async () => {
        commands = []
        const counted = await storage.search(plan, { limit: 0, total: 'accurate' })
        if (found >= 0) expect(counted.total).toBe(found)
        else expect(counted.total).toBeGreaterThan(0)
        commands = []
        const page = await storage.search(plan, { limit: 50, total: 'none' })
        expect(page.rows).toHaveLength(Math.min(50, counted.total!))
        expect(commands).toEqual(Array(levels + 1).fill('find'))
        commands = []
        const { explained } = await storage.search(plan, { limit: 50, total: 'none', explain: true })
        expect(commands.filter(one => one === 'explain')).toHaveLength(levels + 1)
        const last = explained!.plans.at(-1)!
        expect(last).toMatch(/^search: /)
        expect(
          bounds.filter(bound => last.includes(bound)),
          last,
        ).not.toEqual([])
        for (const one of explained!.plans) expect(one).not.toContain('COLLSCAN')
        expect(explained!.driver).not.toBe('none')
        if (!page.more) return
        // The page after the first fifty is found in the same way.
        commands = []
        const next = await storage.search(plan, {
          limit: 50,
          total: 'none',
          after: page.last!,
          explain: true,
        })
        expect(commands.filter(one => one !== 'explain')).toEqual(Array(levels + 1).fill('find'))
        expect(next.rows.length).toBeGreaterThan(0)
        expect(next.explained!.plans.at(-1)).not.toContain('COLLSCAN')
        const seen = new Set(page.rows.map(row => row.key))
        for (const row of next.rows) expect(seen.has(row.key)).toBe(false)
      })

    it('the order by distance: one aggregation, driven by what else is asked', async () => {
      const near = { param: 'Location.near', latitude: 10.2, longitude: 76 }
      const plan = planOf(['Location'], { kind: 'near', ...near, metres: 12_000 }, [
        { by: 'distance', ...near, descending: false },
      ])
      commands = []
      const page = await storage.search(plan, { limit: 3, total: 'none' })
      expect(commands).toEqual(['aggregate'])
      expect(page.rows.map(row => row.key)).toEqual(['Location/l20', 'Location/l19', 'Location/l21'])
      const { explained } = await storage.search(plan, { limit: 3, total: 'none', explain: true })
      expect(explained!.plans[0]).toContain('ix: ["Location.near ^')
      expect(explained!.driver).toContain('(Location.near)')
    })

    it('places near one of twenty cost no more than a few, nearest first', async () => {
      const param = 'Location.near'
      const plan = planOf(
        ['Location'],
        {
          kind: 'or',
          nodes: Array.from(
            { length: 20 },
            (_, i): Node => ({
              kind: 'near',
              param,
              latitude: 10 + i / 20,
              longitude: 76,
              metres: 500,
            }),
          ),
        },
        [{ by: 'distance', param, latitude: 10, longitude: 76, descending: false }],
      )
      const { explained, rows } = await storage.search(plan, { limit: 50, total: 'none', explain: true })
      expect(rows.map(row => row.key)).toEqual(Array.from({ length: 20 }, (_, i) => `Location/l${5 * i}`))
      expect(explained!.plans[0]).toContain('ix: ["Location.near ^')
    })

    it('is told by the plans alone where no time is left to ask for figures', async () => {
      let now = Date.now()
      const late = await openMongo(server.uri, {
        clock: () => now,
        log: silent,
        onCommand: event => {
          if (event.commandName === 'find') now += 60_000
        },
      })
      const plan = q('Observation', 'code=c7')
      const options = { limit: 5, total: 'none', explain: true, deadline: now + 30_000 } as const
      const { rows, explained } = await late.search(plan, options)
      await late.close()
      expect(rows).toHaveLength(5)
      expect(explained!.plans[0]).toContain('ix: ["Observation.code ~c7"')
    })

    it('what no index answers says so, with what would help', async () => {
      const plan = planOf(['Observation'], { kind: 'not', node: byCode })
      const { explained } = await storage.search(plan, { limit: 5, total: 'none', explain: true })
      expect(explained!.driver).toMatch(/^t_1/)
      expect(explained!.examined).toBeGreaterThanOrEqual(0)
      expect(explained!.ms).toBeGreaterThan(0)
    })
  })
