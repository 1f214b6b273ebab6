/** The records of twenty synthetic patients load through `npm run load`, and counts and searches say what the files say. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer } from '../runtime/server.ts'
import { startWorker } from '../runtime/worker.ts'
import { startMongo } from '../storage/mongodb-server.ts'
import { type Api, api, matches, type Server, type Tree } from './client.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DATA = join(ROOT, '../shared/data/synthea-2019')
const LOINC = 'http://loinc.org'

/** The resources of all files, each with the fullUrl by which others refer to it. */
function resources(): { fullUrl: string; resource: Tree }[] {
  return readdirSync(DATA)
    .filter(file => file.endsWith('.json.gz'))
    .flatMap(file => JSON.parse(gunzipSync(readFileSync(join(DATA, file))).toString('utf8')).entry)
}

/** Runs `npm run load` as a person would, against this server. */
function load(base: string): Promise<{ code: number | null; out: string }> {
  return new Promise(resolve => {
    const child = spawn('npm', ['run', '--silent', 'load', '--', DATA, '--base-url', base], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', part => (out += part))
    child.on('close', code => resolve({ code, out }))
  })
}

/** What each search must count, worked out from the files. */
function searches(all: Tree[]): [string, number][] {
  const of = (type: string) => all.filter(each => each.resourceType === type)
  const count = (type: string, test: (each: Tree) => unknown) => of(type).filter(test).length
  const coded = (each: Tree, code: string) => each.code?.coding?.some((one: Tree) => one.code === code)
  const clinic = (day: string) => Date.parse(`${day}T00:00:00+05:30`)
  const [patient] = of('Patient').sort((a, b) => (a.name[0].family < b.name[0].family ? -1 : 1))
  const family: string = patient.name[0].family
  const city: string = patient.address[0].city
  const [condition] = of('Condition')
  const text: string = condition.code.text
  const issued = of('ExplanationOfBenefit').map(each => each.created)
  expect(issued.length).toBeGreaterThan(0)
  const starts = (value: string, prefix: string) => value.toLowerCase().startsWith(prefix.toLowerCase())
  return [
    ['Patient?gender=female', count('Patient', each => each.gender === 'female')],
    ['Patient?birthdate=lt1970-01-01', count('Patient', each => each.birthDate < '1970-01-01')],
    [
      `Patient?family=${encodeURIComponent(family.slice(0, 4).toUpperCase())}`,
      count('Patient', each => each.name.some((name: Tree) => starts(name.family, family.slice(0, 4)))),
    ],
    [
      `Patient?address-city=${encodeURIComponent(city)}`,
      count('Patient', each => each.address.some((address: Tree) => starts(address.city, city))),
    ],
    [
      'Patient?deceased=true',
      count('Patient', each => each.deceasedDateTime !== undefined || each.deceasedBoolean === true),
    ],
    [
      'Patient?deceased=false',
      count('Patient', each => each.deceasedDateTime === undefined && each.deceasedBoolean !== true),
    ],
    [
      `Observation?code=${encodeURIComponent(`${LOINC}|8302-2`)}`,
      count('Observation', each => coded(each, '8302-2')),
    ],
    [
      `Observation?code=8302-2&value-quantity=${encodeURIComponent('gt170|http://unitsofmeasure.org|cm')}`,
      count('Observation', each => coded(each, '8302-2') && each.valueQuantity?.value > 170),
    ],
    [
      'Observation?date=ge2015-01-01&date=lt2016-01-01',
      count(
        'Observation',
        each =>
          Date.parse(each.effectiveDateTime) >= clinic('2015-01-01') &&
          Date.parse(each.effectiveDateTime) < clinic('2016-01-01'),
      ),
    ],
    [
      'Observation?category=laboratory&status=final',
      count('Observation', each =>
        each.category?.some((one: Tree) => one.coding.some((code: Tree) => code.code === 'laboratory')),
      ),
    ],
    [
      'Observation?category:not=laboratory',
      count(
        'Observation',
        each =>
          !each.category?.some((one: Tree) => one.coding.some((code: Tree) => code.code === 'laboratory')),
      ),
    ],
    [
      'Condition?clinical-status=active',
      count('Condition', each => each.clinicalStatus.coding.some((one: Tree) => one.code === 'active')),
    ],
    [
      'Condition?clinical-status:not=active',
      count('Condition', each => !each.clinicalStatus.coding.some((one: Tree) => one.code === 'active')),
    ],
    [
      `Condition?code:text=${encodeURIComponent(text.slice(0, 8))}`,
      count(
        'Condition',
        each =>
          starts(each.code.text, text.slice(0, 8)) ||
          each.code.coding.some((one: Tree) => starts(one.display ?? '', text.slice(0, 8))),
      ),
    ],
    [
      'Condition?abatement-date:missing=true',
      count('Condition', each => each.abatementDateTime === undefined),
    ],
    ['Encounter?class=AMB', count('Encounter', each => each.class.code === 'AMB')],
    [
      'MedicationRequest?status=active,stopped&intent=order',
      count('MedicationRequest', each => ['active', 'stopped'].includes(each.status)),
    ],
    [
      'Immunization?date=lt2014-01-01',
      count('Immunization', each => Date.parse(each.occurrenceDateTime) < clinic('2014-01-01')),
    ],
  ]
}

function syntheaSuite(start: () => Promise<Server>): void {
  const entries = resources()
  const all = entries.map(each => each.resource)
  let server: Server
  let client: Api
  let loaded: { code: number | null; out: string }
  const count = async (query: string) => {
    const answer = await client.get(`${query}${query.includes('?') ? '&' : '?'}_summary=count`)
    expect(answer.status, `${query}: ${answer.text.slice(0, 500)}`).toBe(200)
    return answer.body.total
  }

  beforeAll(async () => {
    server = await start()
    client = api(server.base)
    loaded = await load(server.base)
  }, 300_000)
  afterAll(async () => {
    await server?.stop()
  })

  it('loads without a failure', () => {
    expect(loaded.code, loaded.out.slice(-2000)).toBe(0)
    expect(loaded.out.replace(/\D/g, '')).toContain(String(all.length))
  })

  it('counts each type as the files do', async () => {
    const types = [...new Set(all.map(each => each.resourceType))].sort()
    expect(types.length).toBe(16)
    const counted: Record<string, number> = {}
    for (const type of types) counted[type] = await count(type)
    expect(counted).toEqual(
      Object.fromEntries(types.map(type => [type, all.filter(each => each.resourceType === type).length])),
    )
  })

  it('searches as the files say', async () => {
    const found: [string, number][] = []
    const expected = searches(all)
    for (const [query] of expected) found.push([query, await count(query)])
    expect(found).toEqual(expected)
    // A search that finds nothing, or everything, would show little.
    for (const [query, number] of expected) expect(number, query).toBeGreaterThan(0)
  })

  it('keeps who each record is about', async () => {
    const patients = entries.filter(each => each.resource.resourceType === 'Patient')
    for (const { fullUrl, resource } of patients) {
      const { system, value } = resource.identifier[0]
      const [id, ...more] = await client.found(
        `Patient?identifier=${encodeURIComponent(`${system}|${value}`)}`,
      )
      expect(more).toEqual([])
      for (const type of ['Observation', 'Encounter', 'Claim']) {
        const own = all.filter(
          each => each.resourceType === type && (each.subject ?? each.patient)?.reference === fullUrl,
        ).length
        expect(await count(`${type}?patient=${id}`), `${type} of ${value}`).toBe(own)
      }
    }
  })

  it('sorts and pages through all patients', async () => {
    const born = all
      .filter(each => each.resourceType === 'Patient')
      .map(each => each.birthDate)
      .sort()
      .reverse()
    const seen: string[] = []
    let next: string | undefined = 'Patient?_sort=-birthdate&_count=7'
    while (next !== undefined) {
      const { body }: { body: Tree } = await client.get(next)
      seen.push(...matches(body).map((each: Tree) => each.birthDate))
      next = body.link.find((each: Tree) => each.relation === 'next')?.url
    }
    expect(seen).toEqual(born)
  })
}

if (!existsSync(DATA)) {
  it.skip(`Synthea loads: ${DATA} is not there; remedy: put SMART's sample data of 2019 beside the clone`, () => {})
} else {
  describe('Synthea on SQLite', () => {
    syntheaSuite(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'nadi-synthea-'))
      const { base, stop } = await startServer({ env: { NADI_STORAGE: `sqlite:${join(folder, 'nadi.db')}` } })
      return {
        base,
        stop: async () => {
          await stop()
          rmSync(folder, { recursive: true, force: true })
        },
      }
    })
  })
  const mongo = await startMongo()
  if ('skip' in mongo) {
    it.skip(`Synthea on MongoDB: ${mongo.skip}`, () => {})
  } else {
    describe('Synthea on MongoDB', () => {
      afterAll(() => mongo.stop())
      syntheaSuite(async () => {
        const { base, stop } = await startServer({ env: { NADI_STORAGE: mongo.uri } })
        return { base, stop: async () => void (await stop()) }
      })
    })
  }
  describe('Synthea on D1', () => {
    syntheaSuite(startWorker)
  })
}
