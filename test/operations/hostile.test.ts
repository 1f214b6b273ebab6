/** Operations under hostile input: a clear refusal, never a 500. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seeded } from '../../bench/random.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { readCodeSystem } from '../../src/fhir/terminology/code-system.ts'
import { expandValueSet } from '../../src/fhir/terminology/expand.ts'
import { update } from '../../src/interactions/update.ts'
import { givenByResource } from '../../src/operations/parameters.ts'
import { type TestApp, testApp } from '../http/test-app.ts'
import { testContext } from '../interactions/context.ts'
import { call, tree } from './context.ts'

const SEED = 20_261_121

const next = seeded(SEED)
const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!

const ODD = [
  '',
  '$',
  '%24',
  '%2F',
  '..',
  '.',
  '*',
  "'",
  '"',
  '\\',
  '{',
  '[]',
  '$where',
  '__proto__',
  'constructor',
  '%00',
  '%zz',
  '%F0%9F%92%89',
  'x'.repeat(300),
  '-1',
  '1e9',
  '0',
  'null',
  'Patient/p',
  'p',
]
const NAMES = [
  '$everything',
  '$meta',
  '$meta-add',
  '$meta-delete',
  '$lastn',
  '%24meta',
  '$nothing',
  '$',
  '$$meta',
  '$Meta',
]
const TYPES = ['Patient', 'Encounter', 'Observation', 'Basic', 'Nothing', '_history', '']
const PARAMS = [
  'start',
  'end',
  '_since',
  '_type',
  '_count',
  '_cursor',
  'max',
  'patient',
  'subject',
  'code',
  'category',
  'meta',
  'date',
  'code:in',
  'subject:Patient.name',
  '_has:x:y:z',
  '_sort',
  'colour',
  '',
]

const GOOD = [
  'start=2026',
  'end=2027-01-01',
  '_type=Patient',
  '_count=2',
  '_format=json',
  '_since=2026-01-01',
]

/** A misshapen value. */
const odd = (depth = 0): unknown =>
  one<() => unknown>([
    () => null,
    () => true,
    () => -1,
    () => 1e30,
    () => one(ODD.map(text => text.replaceAll('%', ''))),
    () => [],
    () => ({}),
    () => (depth > 2 ? 'x' : [odd(depth + 1), odd(depth + 1)]),
    () =>
      depth > 2
        ? 'x'
        : { tag: odd(depth + 1), code: odd(depth + 1), coding: odd(depth + 1), reference: odd(depth + 1) },
  ])()

describe(`requests made at random, seed ${SEED}`, () => {
  let app: TestApp
  beforeAll(async () => {
    app = await testApp()
    const put = (type: string, body: object) =>
      app.ask('PUT', `/fhir/${type}/p`, {
        body: JSON.stringify({ resourceType: type, id: 'p', ...body }),
        headers: { 'content-type': 'application/fhir+json' },
      })
    expect((await put('Patient', {})).status).toBe(201)
    expect((await put('Basic', { code: { text: 'x' } })).status).toBe(201)
  })
  afterAll(() => app.close())

  const parameter = () => ({
    name: one([...PARAMS, 7]),
    [one(['valueMeta', 'valueString', 'valueCode', 'resource', 'part', 'valueInteger', 'value'])]: odd(),
  })
  const bodyOf = () =>
    one([
      () =>
        JSON.stringify({
          resourceType: 'Parameters',
          parameter: Array.from({ length: 1 + Math.floor(next() * 3) }, parameter),
        }),
      () => JSON.stringify({ resourceType: 'Parameters', parameter: odd() }),
      () => JSON.stringify(odd()),
      () => `${one(PARAMS)}=${one(ODD)}&${one(PARAMS)}=${one(ODD)}`,
      () => '',
    ])()

  it('are answered without a 500', async () => {
    const statuses = new Map<number, number>()
    for (let n = 0; n < 1500; n++) {
      const place = one([
        [],
        [one(TYPES)],
        [one(TYPES), 'p'],
        [one(['Patient', 'Basic']), 'p'],
        [one(TYPES), one(ODD)],
        [one(TYPES), 'p', '_history', one(['1', ...ODD])],
        [one(ODD), one(ODD), one(ODD)],
      ])
      const query = Array.from({ length: Math.floor(next() * 3) }, () =>
        next() < 0.6 ? one(GOOD) : `${one(PARAMS)}=${one(ODD)}`,
      ).join('&')
      const path = `/fhir/${[...place, one(next() < 0.5 ? NAMES.slice(0, 2) : NAMES)].join('/')}${query === '' ? '' : `?${query}`}`
      const method = one(['GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'])
      const posts = method !== 'GET' && method !== 'HEAD'
      const type = one(['application/fhir+json', 'application/x-www-form-urlencoded', 'text/plain'])
      const answer = await app.ask(
        method,
        path,
        posts ? { body: bodyOf(), headers: { 'content-type': type } } : {},
      )
      expect(answer.status, `request ${n}: ${method} ${path}`).toBeLessThan(500)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }
    // Some of them must have been understood, or nothing was tried.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(20)
    expect(statuses.get(400) ?? 0).toBeGreaterThan(50)
    expect(statuses.get(404) ?? 0).toBeGreaterThan(100)
  }, 60_000)
})

it('values that look like parts or a resource are neither', async () => {
  const ctx = await testContext({ validate: 'off' })
  const run = async (value: object) =>
    call(
      ctx,
      'validate',
      { type: 'Patient' },
      givenByResource(tree({ resourceType: 'Parameters', parameter: [{ name: 'resource', ...value }] })),
    )
  const refused = { status: 400 }
  await expect(run({ valueCoding: { parts: [null] } })).rejects.toMatchObject(refused)
  await expect(run({ valueCoding: { parts: [{ name: 'x' }] } })).rejects.toMatchObject(refused)
  await expect(run({ valueMeta: { resource: { resourceType: 'Patient' } } })).rejects.toMatchObject(refused)
  await expect(run({ valueRelatedArtifact: { resource: 'http://x' } })).rejects.toMatchObject(refused)
})

describe('misshapen resources, which a server without validation has', () => {
  it('do not break $everything, $meta and $lastn', async () => {
    const ctx = await testContext({ validate: 'off' })
    const store = async (type: string, id: string, body: object) => {
      await update(ctx, type, id, tree({ resourceType: type, id, ...body })).catch(error => {
        if (!(error instanceof FhirError)) throw error
      })
    }
    await store('Patient', 'p', {})
    for (let n = 0; n < 200; n++) {
      const subject = { reference: 'Patient/p' }
      await store('Observation', `o${n}`, {
        subject,
        code: odd(),
        performer: odd(),
        encounter: odd(),
        category: [{ coding: [{ code: 'c' }] }],
        meta: { tag: odd(), profile: odd() },
      })
      await store('DocumentReference', `d${n}`, { subject, content: odd(), author: odd(), context: odd() })
    }
    const record = await call(ctx, 'everything', { type: 'Patient', id: 'p' }, [
      { name: 'start', value: '2020' },
    ])
    expect(record.entry.length).toBeGreaterThan(100)
    const lastn = await call(ctx, 'lastn', { type: 'Observation' }, [
      { name: 'patient', value: 'p' },
      { name: 'category', value: 'c' },
      { name: 'max', value: '500' },
    ])
    expect(lastn.total).toBeGreaterThan(50)
    await call(ctx, 'meta', {})
    for (let n = 0; n < 100; n++) {
      const value = odd()
      const meta = tree({ tag: value, profile: odd(), security: odd() })
      for (const name of ['meta-add', 'meta-delete'])
        await call(ctx, name, { type: 'Observation', id: `o${n}` }, [{ name: 'meta', value: meta }]).catch(
          error => {
            if (!(error instanceof FhirError)) throw error
          },
        )
    }
  }, 60_000)
})

describe('misshapen ValueSets and CodeSystems', () => {
  it('end with codes or with a sentence', async () => {
    const concept = () => ({
      code: odd(),
      concept: odd(),
      property: [{ code: one(['parent', 'x']), valueCode: odd() }],
      extension: odd(),
    })
    const include = () => ({
      system: one(['s', '', odd()]),
      concept: odd(),
      filter: one([
        odd(),
        [
          {
            property: one(['concept', 'x', odd()]),
            op: one(['is-a', 'regex', '=', odd()]),
            value: one(['a', '(', odd()]),
          },
        ],
      ]),
      valueSet: one([odd(), ['v'], ['w']]),
    })
    for (let n = 0; n < 3000; n++) {
      const set = tree({
        resourceType: 'ValueSet',
        compose: one([
          odd(),
          {
            inactive: odd(),
            include: one([odd(), [include(), include()]]),
            exclude: one([odd(), [include()]]),
          },
        ]),
        expansion: one([undefined, odd(), { total: odd(), contains: [{ code: odd(), contains: odd() }] }]),
      })
      const system = readCodeSystem(
        tree({
          resourceType: 'CodeSystem',
          url: 's',
          content: 'complete',
          property: odd(),
          filter: odd(),
          concept: one([odd(), [concept(), concept(), { code: 'a' }]]),
        }),
      )
      const expansion = await expandValueSet('v', {
        valueSet: async url => (url === 'v' ? set : undefined),
        codeSystem: async url => (url === 's' ? system : undefined),
      })
      expect(
        'codes' in expansion || expansion.unknown.startsWith('The codes of the value set'),
        `set ${n}`,
      ).toBe(true)
    }
  }, 60_000)
})

describe('large definitions', () => {
  it('are walked in bounded time', async () => {
    const before = performance.now()
    // Fifty thousand concepts, each below the one before; and one with as many parents.
    const chain = Array.from({ length: 50_000 }, (_, n) => ({
      code: `c${n}`,
      property: [{ code: 'parent', valueCode: `c${n - 1}` }],
    }))
    const wide = {
      code: 'wide',
      property: Array.from({ length: 50_000 }, (_, n) => ({ code: 'parent', valueCode: `c${n}` })),
    }
    const system = readCodeSystem(
      tree({ resourceType: 'CodeSystem', url: 's', content: 'complete', concept: [...chain, wide] }),
    )
    const filter = [{ property: 'concept', op: 'is-a', value: 'c0' }]
    const set = tree({ resourceType: 'ValueSet', compose: { include: [{ system: 's', filter }] } })
    const expansion = await expandValueSet('v', { valueSet: async () => set, codeSystem: async () => system })
    expect(expansion).toMatchObject({ unknown: expect.stringContaining('more than 10000 codes') })
    expect(performance.now() - before).toBeLessThan(20_000)
  }, 60_000)
})
