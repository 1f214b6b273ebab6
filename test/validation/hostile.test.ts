/** Definitions and resources made to take long: validation ends soon, and says so. https://hl7.org/fhir/R4/security.html */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Issue } from '../../src/fhir/error.ts'
import { update } from '../../src/interactions/update.ts'
import { validate } from '../../src/validation/validate.ts'
import { definition, extensionDefinition, URL } from '../fhir/validate/profile/held.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { tree } from '../operations/context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

/** CPU time that any of these may take, ms; each takes minutes or never ends where its bound is removed. */
const SOON = 8000

const store = (one: { name: string }) =>
  update(ctx, 'StructureDefinition', one.name, tree({ id: one.name, ...one }))
async function soon(resource: { resourceType: string }): Promise<Issue[]> {
  const parsed = tree(resource)
  const before = process.cpuUsage()
  const issues = await validate(ctx, parsed, { type: resource.resourceType })
  const { user } = process.cpuUsage(before)
  expect(user / 1000).toBeLessThan(SOON)
  expect(issues.length).toBeLessThanOrEqual(510)
  return issues
}
const claiming = (name: string, more: object) => ({
  resourceType: 'Patient',
  meta: { profile: [`${URL}/${name}`] },
  ...more,
})
const rules = (issues: Issue[]) => new Set(issues.map(({ rule }) => rule))
const uuid = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const many = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n))

it('thousands of slices times thousands of values', { timeout: 60_000 }, async () => {
  const slices = many(
    1000,
    n =>
      [
        [`Patient.identifier:s${n}`, { max: '1' }],
        [`Patient.identifier:s${n}.system`, { min: 1, fixedUri: `http://s/${n}` }],
      ] as [string, object][],
  ).flat()
  const slicing = { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' }
  await store(definition('p', 'Patient', [['Patient.identifier', { slicing }], ...slices]))
  const issues = await soon(claiming('p', { identifier: many(20_000, n => ({ system: `http://x/${n}` })) }))
  expect(rules(issues)).toContain('too-costly')
})

it('an expression that asks all of everything', { timeout: 60_000 }, async () => {
  const constraint = [
    {
      key: 'x-1',
      severity: 'error',
      human: 'x',
      expression: '%resource.name.where(text = %context.text).count() = 1',
    },
  ]
  await store(definition('p', 'Patient', [['Patient.name', { constraint }]]))
  const issues = await soon(claiming('p', { name: many(5000, n => ({ text: `${n}` })) }))
  expect(rules(issues)).toContain('too-costly')
})

it('a regular expression that backtracks', { timeout: 60_000 }, async () => {
  const constraint = [{ key: 'x-1', severity: 'error', human: 'x', expression: "family.matches('^(a+)+$')" }]
  await store(definition('p', 'Patient', [['Patient.name', { constraint }]]))
  await soon(claiming('p', { name: [{ family: `${'a'.repeat(5000)}b` }] }))
})

it('references in a long chain, each of which has to conform', { timeout: 60_000 }, async () => {
  const target = [{ code: 'Reference', targetProfile: [`${URL}/p`] }]
  await store(definition('p', 'Patient', [['Patient.link.other', { type: target }]]))
  const entry = many(5000, n => ({
    fullUrl: uuid(n),
    resource: {
      resourceType: 'Patient',
      ...(n === 0 && { meta: { profile: [`${URL}/p`] } }),
      link: [{ type: 'seealso', other: { reference: uuid(n + 1) } }],
    },
  }))
  expect(rules(await soon({ resourceType: 'Bundle', type: 'collection', entry } as never))).toContain(
    'too-costly',
  )
})

it('references of all to all', { timeout: 60_000 }, async () => {
  const target = [{ code: 'Reference', targetProfile: [`${URL}/p`] }]
  await store(
    definition('p', 'Patient', [
      ['Patient.link.other', { type: target }],
      ['Patient.name', { min: 1 }],
    ]),
  )
  const entry = many(200, n => ({
    fullUrl: uuid(n),
    resource: {
      resourceType: 'Patient',
      meta: { profile: [`${URL}/p`] },
      link: many(200, to => ({ type: 'seealso', other: { reference: uuid(to) } })),
    },
  }))
  expect(rules(await soon({ resourceType: 'Bundle', type: 'collection', entry } as never))).toContain(
    'cardinality-min',
  )
})

it('profiles that lead from one to the next without end', { timeout: 60_000 }, async () => {
  for (let n = 0; n < 30; n++)
    await store(
      definition(`p${n}`, 'Patient', [
        ['Patient.link.other', { type: [{ code: 'Reference', targetProfile: [`${URL}/p${n + 1}`] }] }],
      ]),
    )
  const entry = many(30, n => ({
    fullUrl: uuid(n),
    resource: {
      resourceType: 'Patient',
      ...(n === 0 && { meta: { profile: [`${URL}/p0`] } }),
      link: [{ type: 'seealso', other: { reference: uuid(n + 1) } }],
    },
  }))
  expect(rules(await soon({ resourceType: 'Bundle', type: 'collection', entry } as never))).toContain(
    'too-costly',
  )
})

it('extensions whose definitions want each other', { timeout: 60_000 }, async () => {
  const inner = (of: string): [string, object][] => [
    ['Extension.extension', { type: [{ code: 'Extension', profile: [`${URL}/${of}`] }] }],
    ['Extension.value[x]', { max: '0' }],
  ]
  await store(extensionDefinition('a', inner('b')))
  await store(extensionDefinition('b', inner('a')))
  let extension: object = { url: `${URL}/a`, valueString: 'x' }
  for (let n = 0; n < 25; n++)
    extension = { url: `${URL}/${n % 2 === 0 ? 'b' : 'a'}`, extension: [extension] }
  expect(rules(await soon({ resourceType: 'Patient', extension: [extension] } as never))).toContain(
    'cardinality-max',
  )
})

it('thousands of extensions that nobody knows, of which the store is asked for some', {
  timeout: 60_000,
}, async () => {
  const { search } = ctx.storage
  let searches = 0
  ctx = {
    ...ctx,
    storage: {
      ...ctx.storage,
      search(plan, page) {
        searches++
        return search(plan, page)
      },
    },
  }
  const extension = many(20_000, n => ({ url: `http://x.org/${n}`, valueString: 'x' }))
  await soon({ resourceType: 'Patient', extension } as never)
  expect(searches).toBeLessThan(1100)
})

it('entries by the thousand that have one address', { timeout: 60_000 }, async () => {
  const observation = (reference: string) => ({
    resourceType: 'Observation',
    id: 'x',
    status: 'final',
    code: { text: 'x' },
    subject: { reference },
  })
  const count = 40_000
  const before = process.cpuUsage()
  const fullUrl = 'http://x.org/Observation/x'
  const same = many(count, () => ({ fullUrl, resource: observation(`${fullUrl}/_history/9`) }))
  expect(rules(await soon({ resourceType: 'Bundle', type: 'collection', entry: same } as never))).toContain(
    'bdl-7',
  )
  const local = many(count, n => ({ fullUrl: uuid(n), resource: observation('Observation/x') }))
  await soon({ resourceType: 'Bundle', type: 'document', entry: local } as never)
  // A quarter of a second for each ten thousand; one by one compared with all others it would be a minute.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(6000)
})

it('contained resources by the thousand that refer to each other', { timeout: 60_000 }, async () => {
  const contained = many(10_000, n => ({
    resourceType: 'Patient',
    id: `p${n}`,
    link: [{ type: 'seealso', other: { reference: `#p${n + 1}` } }],
  }))
  await soon({
    resourceType: 'Patient',
    contained,
    link: [{ type: 'seealso', other: { reference: '#p0' } }],
  } as never)
})

it('discriminators that lead through many definitions', { timeout: 60_000 }, async () => {
  const path = `${'extension("http://x").'.repeat(50)}value`
  const slicing = {
    discriminator: [
      { type: 'value', path },
      { type: 'profile', path: 'resolve()'.repeat(3) },
    ],
    rules: 'closed',
  }
  await store(
    definition('p', 'Patient', [
      ['Patient.name', { slicing }],
      ['Patient.name:a', { max: '1' }],
      ['Patient.name:b', { max: '1' }],
    ]),
  )
  await soon(claiming('p', { name: many(1000, n => ({ text: `${n}` })) }))
})

it('a base that is the profile itself, by reference in its elements', { timeout: 60_000 }, async () => {
  const type = [{ code: 'HumanName', profile: [`${URL}/n`] }]
  await store(definition('n', 'HumanName', [['HumanName.period', { min: 1 }]]))
  await store(
    definition('p', 'Patient', [
      ['Patient.name', { type }],
      ['Patient.contact.name', { type }],
    ]),
  )
  const issues = await soon(claiming('p', { name: many(3000, () => ({ text: 'x' })) }))
  expect(issues.length).toBe(501)
})

it('many profiles, each of which is costly', { timeout: 60_000 }, async () => {
  const slicing = { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' }
  const slices = many(
    1000,
    n => [`Patient.identifier:s${n}.system`, { fixedUri: `http://s/${n}` }] as [string, object],
  ).flatMap(one => [[one[0].replace('.system', ''), { max: '1' }] as [string, object], one])
  const elements: [string, object][] = [['Patient.identifier', { slicing }], ...slices]
  for (let n = 0; n < 40; n++) await store(definition(`p${n}`, 'Patient', elements))
  const profile = many(40, n => `${URL}/p${n}`)
  const before = process.cpuUsage()
  const issues = await soon({ resourceType: 'Patient', meta: { profile } } as never)
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(4000)
  expect(issues.find(({ rule }) => rule === 'too-costly')?.diagnostics).toContain('more than 50000 elements')
  // Another resource does not pay for it.
  await store(definition('small', 'Patient', [['Patient.name', { min: 1 }]]))
  expect(rules(await soon(claiming('small', {})))).toEqual(new Set(['dom-6', 'cardinality-min']))
})

it('more profiles than a resource may claim are not left out in silence', async () => {
  const profile = many(51, n => `${URL}/p${n}`)
  expect(rules(await soon({ resourceType: 'Patient', meta: { profile } } as never))).toContain('too-costly')
})

it('more codes than one validation may look up are not left out in silence', {
  timeout: 60_000,
}, async () => {
  const security = many(50_100, n => ({ system: 'http://x.org', code: `c${n}` }))
  expect(rules(await soon({ resourceType: 'Patient', meta: { security } } as never))).toContain('too-costly')
})
