/** Custom search parameters on instances that share a store: what is found, what is refused, and that no write is missed. */
import { expect, it } from 'vitest'
import { bringIndexUpToDate, type Indexed } from '../../src/cli/index-update.ts'
import { create } from '../../src/interactions/create.ts'
import { remove } from '../../src/interactions/delete.ts'
import { buildStep } from '../../src/interactions/index-build.ts'
import { search } from '../../src/interactions/search.ts'
import { update } from '../../src/interactions/update.ts'
import { idOf } from '../../src/storage/port.ts'
import { storeAll } from '../operations/context.ts'
import { BASE } from '../settings.ts'
import { patient, refusal, resource, testContext } from './context.ts'

const TRIBE = 'http://example.org/tribe'
const parameter = (members: Record<string, unknown> = {}) =>
  resource(
    JSON.stringify({
      resourceType: 'SearchParameter',
      url: 'http://example.org/SearchParameter/tribe',
      name: 'tribe',
      status: 'active',
      description: 'Tribe',
      code: 'tribe',
      base: ['Patient'],
      type: 'string',
      expression: `Patient.extension('${TRIBE}').value`,
      ...members,
    }),
  )
const member = (tribe: string, more = '') =>
  patient(`"extension":[{"url":"${TRIBE}","valueString":"${tribe}"}]${more && `,${more}`}`)

const instance = async (ctx: Awaited<ReturnType<typeof testContext>>): Promise<Indexed> =>
  bringIndexUpToDate(ctx, BASE)
const found = async (ctx: Indexed, value: string): Promise<number | undefined> => {
  const pairs: [string, string][] = [
    ['tribe', value],
    ['_summary', 'count'],
  ]
  return (await search({ ...ctx, registry: ctx.live.registry() }, 'Patient', pairs)).total
}
const build = async (ctx: Indexed): Promise<void> => {
  while ((await buildStep(ctx, ctx.live, { ms: 60_000 })) !== 'idle');
}

it('finds what was there before by a parameter that was posted after, once it is indexed', async () => {
  const ctx = await instance(await testContext())
  await create(ctx, 'Patient', member('Kurichiya'))
  await create(ctx, 'Patient', member('Paniya'))
  await create(ctx, 'SearchParameter', parameter())
  await build(ctx)
  expect(await found(ctx, 'kurichiya')).toBe(1)
  expect(await found(ctx, 'k')).toBe(1)
  expect(await found(ctx, 'x')).toBe(0)
})

it('until then a search by it is refused with the progress, and never answered in part', async () => {
  const ctx = await instance(await testContext())
  await create(ctx, 'Patient', member('Kurichiya'))
  await create(ctx, 'SearchParameter', parameter())
  await create(ctx, 'Patient', member('Kurichiya'))
  const error = await refusal(found(ctx, 'kurichiya'))
  expect([error.status, error.code]).toEqual([503, 'transient'])
  expect(error.message).toContain('"tribe" is being indexed')
  await build(ctx)
  expect(await found(ctx, 'kurichiya')).toBe(2)
})

it('another instance, which has not heard of it, writes rows of it, and searches by it', async () => {
  const both = await testContext()
  const [a, b] = [await instance(both), await instance(both)]
  await create(b, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  // Its context is that of before; the write is made anew under the parameters in force.
  await create(b, 'Patient', member('Kurichiya'))
  await build(a)
  await create(b, 'Patient', member('Kurichiya'))
  expect(await found(b, 'kurichiya')).toBe(3)
  expect(await found(a, 'kurichiya')).toBe(3)
})

it('another definition under the same code is indexed anew, and nothing of the old one is found', async () => {
  const ctx = await instance(await testContext())
  const { stored } = await create(ctx, 'SearchParameter', parameter())
  await create(ctx, 'Patient', member('Kurichiya', '"gender":"female"'))
  await build(ctx)
  const id = idOf(stored.key)
  const changed = parameter({ id, expression: 'Patient.gender', type: 'token' })
  await update(ctx, 'SearchParameter', id, changed)
  expect((await refusal(found(ctx, 'female'))).status).toBe(503)
  await build(ctx)
  expect(await found(ctx, 'female')).toBe(1)
  expect(await found(ctx, 'Kurichiya')).toBe(0)
})

it('a description that changes makes nothing anew', async () => {
  const ctx = await instance(await testContext())
  const { stored } = await create(ctx, 'SearchParameter', parameter())
  await build(ctx)
  const { epoch } = ctx.live.registry()
  const id = idOf(stored.key)
  await update(ctx, 'SearchParameter', id, parameter({ id, description: 'Another' }))
  expect(ctx.live.registry().epoch).toBe(epoch)
  expect(await found(ctx, 'x')).toBe(0)
})

it('retired or deleted, it is unknown at once, also on an instance that has not heard of it', async () => {
  const both = await testContext()
  const [a, b] = [await instance(both), await instance(both)]
  const { stored } = await create(a, 'SearchParameter', parameter())
  await build(a)
  expect(await found(b, 'x')).toBe(0)
  const id = idOf(stored.key)
  await update(a, 'SearchParameter', id, parameter({ id, status: 'retired' }))
  expect((await refusal(found(b, 'x'))).code).toBe('not-supported')
  await update(a, 'SearchParameter', id, parameter({ id }))
  expect((await refusal(found(b, 'x'))).status).toBe(503)
  await build(a)
  expect(await found(b, 'x')).toBe(0)
  await remove(a, 'SearchParameter', id)
  expect((await refusal(found(b, 'x'))).code).toBe('not-supported')
})

it('what was written while it was gone is found when it is back', async () => {
  const ctx = await instance(await testContext())
  const { stored } = await create(ctx, 'SearchParameter', parameter())
  await create(ctx, 'Patient', member('Kurichiya'))
  await build(ctx)
  const id = idOf(stored.key)
  await update(ctx, 'SearchParameter', id, parameter({ id, status: 'retired' }))
  await create({ ...ctx, registry: ctx.live.registry() }, 'Patient', member('Kurichiya'))
  await update(ctx, 'SearchParameter', id, parameter({ id }))
  await build(ctx)
  expect(await found(ctx, 'kurichiya')).toBe(2)
})

it('a second parameter leaves the first one answering while it is built', async () => {
  const ctx = await instance(await testContext())
  await create(ctx, 'SearchParameter', parameter())
  await create(ctx, 'Patient', member('Kurichiya'))
  await build(ctx)
  const second = { code: 'clan', url: 'http://example.org/SearchParameter/clan' }
  await create(ctx, 'SearchParameter', parameter(second))
  expect(await found(ctx, 'kurichiya')).toBe(1)
  const now = { ...ctx, registry: ctx.live.registry() }
  expect((await refusal(search(now, 'Patient', [['clan', 'k']]))).status).toBe(503)
})

it('it comes into force at the next start where the server ended between storing it and that', async () => {
  const both = await testContext()
  const a = await instance(both)
  // Without a live index nothing follows the commit, as after a crash.
  await create(both, 'SearchParameter', parameter())
  expect((await refusal(found(a, 'x'))).code).toBe('not-supported')
  const b = await instance(both)
  expect((await refusal(found(b, 'x'))).status).toBe(503)
  await build(a)
  expect(await found(a, 'x')).toBe(0)
})

it.each([
  [{ code: 'family' }, /"family" in R4/],
  [{ code: '_tribe' }, /cannot stand in a URL/],
  [{ code: 'a:b' }, /cannot stand in a URL/],
  [{ base: ['Pateint'] }, /"Pateint" is not a resource type/],
  [{ expression: 'Patient.name.trace()' }, /"Patient.name.trace\(\)" cannot be indexed on Patient/],
  [{ expression: 'Patient.nme' }, /"Patient.nme" cannot be indexed/],
  [{ expression: 'Observation.code' }, /for Patient/],
  [{ type: 'date', expression: 'Patient.gender' }, /leads to code, which a parameter of type date/],
  [{ type: 'special' }, /special/],
  [{ type: 'composite', expression: 'Patient' }, /no components/],
  [{ url: 'http://hl7.org/fhir/SearchParameter/individual-family' }, /URL of a search parameter of R4/],
  [{ expression: undefined }, /nothing to index/],
  [{ type: 'reference', expression: 'Patient.link.other', target: ['Nobody'] }, /"Nobody"/],
])('refuses %j with 422 and says why', async (members, why) => {
  // With validation on, some are refused before.
  const ctx = await instance(await testContext({ validate: 'off' }))
  const error = await refusal(create(ctx, 'SearchParameter', parameter(members)))
  expect(error.status).toBe(422)
  expect(error.message).toMatch(why)
  await create(ctx, 'SearchParameter', parameter({ ...members, status: 'draft' }))
})

it('two cannot have one code on a type, however they meet; on two types they can', async () => {
  const both = await testContext()
  const instances = [await instance(both), await instance(both)]
  const answers = await Promise.allSettled(
    [0, 1, 2, 3].map(n => create(instances[n % 2]!, 'SearchParameter', parameter({ url: `urn:x:${n}` }))),
  )
  expect(answers.filter(answer => answer.status === 'fulfilled')).toHaveLength(1)
  for (const answer of answers) if (answer.status === 'rejected') expect(answer.reason.status).toBe(422)
  const other = { base: ['Practitioner'], expression: `Practitioner.extension('${TRIBE}').value` }
  await create(instances[0]!, 'SearchParameter', parameter(other))
})

it('what R4 has already is stored and changes nothing', async () => {
  const ctx = await instance(await testContext())
  const { epoch } = ctx.live.registry()
  await create(
    ctx,
    'SearchParameter',
    parameter({ code: 'gender', type: 'token', expression: 'Patient.gender' }),
  )
  expect(ctx.live.registry().epoch).toBe(epoch)
})

it('a cursor of a search stays good when a parameter comes that it does not ask', async () => {
  const ctx = await instance(await testContext())
  for (let n = 0; n < 3; n++) await create(ctx, 'Patient', member('Kurichiya'))
  const first = await search(ctx, 'Patient', [['_count', '2']])
  await create(ctx, 'SearchParameter', parameter())
  const next = new URL(first.links.find(one => one.relation === 'next')!.url).searchParams
  const second = await search({ ...ctx, registry: ctx.live.registry() }, 'Patient', [...next])
  expect(second.rows).toHaveLength(1)
})

/** A context whose walk over resources does `between` after each page, before rows are made of it. */
async function interrupted(
  ctx: Awaited<ReturnType<typeof testContext>>,
  between: () => Promise<unknown>,
): Promise<Indexed> {
  const { storage } = ctx
  const slow = async (...args: Parameters<typeof storage.scan>) => {
    const page = await storage.scan(...args)
    await between()
    return page
  }
  return bringIndexUpToDate({ ...ctx, storage: { ...storage, scan: slow } }, BASE)
}

it('rows made under an epoch that another instance has ended meanwhile are made again', async () => {
  const both = await testContext()
  const a = await instance(both)
  let posted = false
  const b = await interrupted(both, async () => {
    if (posted) return
    posted = true
    // Of another type: its own round does not make good what is missed here.
    const second = { base: ['Practitioner'], expression: `Practitioner.extension('${TRIBE}').value` }
    await create(a, 'SearchParameter', parameter(second))
  })
  await create(a, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  await build(b)
  expect(posted).toBe(true)
  expect(await found(a, 'kurichiya')).toBe(1)
})

it('an instance that stood still while another indexed all does not put its old rows over the new ones', async () => {
  const both = await testContext()
  const a = await instance(both)
  let posted = false
  const b = await interrupted(both, async () => {
    if (posted) return
    posted = true
    await create(a, 'SearchParameter', parameter({ code: 'clan', url: 'urn:x:clan' }))
    both.pass(16_000)
    await build(a)
  })
  await create(a, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  await build(b)
  expect(posted).toBe(true)
  const now = { ...a, registry: a.live.registry() }
  expect((await search(now, 'Patient', [['clan', 'k']])).rows).toHaveLength(1)
})

it('a resource that is updated while it is indexed keeps the rows of the update', async () => {
  const both = await testContext()
  const a = await instance(both)
  const { stored } = await create(a, 'Patient', member('Kurichiya'))
  const id = idOf(stored.key)
  const b = await interrupted(both, async () => {
    await update(a, 'Patient', id, { ...member('Paniya'), id })
  })
  await create(a, 'SearchParameter', parameter())
  await build(b)
  expect(await found(a, 'kurichiya')).toBe(0)
  expect(await found(a, 'paniya')).toBe(1)
})

it('it is complete in the end though for every page that is done another one is written', async () => {
  const both = await testContext()
  const a = await instance(both)
  const b = await interrupted(both, async () => {
    for (let n = 0; n < 40; n++) await create(a, 'Patient', member('Paniya'))
  })
  for (let n = 0; n < 40; n++) await create(a, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  for (let step = 0; step < 10; step++) await buildStep(b, b.live, { ms: 0, pages: 1 })
  expect(await found(a, 'kurichiya')).toBe(40)
  expect(await found(a, 'paniya')).toBeGreaterThan(0)
})

it('another instance goes on where one has stopped', async () => {
  const both = await testContext()
  const [a, b] = [await instance(both), await instance(both)]
  for (let n = 0; n < 40; n++) await create(a, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  expect(await buildStep(a, a.live, { ms: 60_000, stopping: () => true })).toBe('more')
  const [job] = await b.live.jobs()
  expect(job).toMatchObject({ what: 'tribe', types: ['Patient'], state: 'running', done: 32, total: 40 })
  // The one that stopped still holds the lease, until its time is over.
  expect(await buildStep(b, b.live, { ms: 60_000 })).toBe('elsewhere')
  both.pass(16_000)
  await build(b)
  expect((await a.live.jobs())[0]).toMatchObject({ state: 'done', done: 40, total: 40, failed: 0 })
  expect(await found(a, 'kurichiya')).toBe(40)
})

it('$reindex of what is under way is the same job; answers go on meanwhile', async () => {
  const both = await testContext()
  const [a, b] = [await instance(both), await instance(both)]
  await create(a, 'Patient', member('Kurichiya'))
  await create(a, 'SearchParameter', parameter())
  await build(a)
  const [first, second] = [
    await a.live.reindex('Patient', ['Patient']),
    await b.live.reindex('Patient', ['Patient']),
  ]
  expect(second).toEqual(first)
  expect(first.state).toBe('waiting')
  expect(await found(b, 'kurichiya')).toBe(1)
  await build(b)
  const third = await b.live.reindex('Patient', ['Patient'])
  expect(third.id).toBeGreaterThan(first.id)
})

it('conditional writes by a parameter that is being indexed are refused, not done in part', async () => {
  const ctx = await instance(await testContext())
  await create(ctx, 'Patient', member('Kurichiya'))
  await create(ctx, 'SearchParameter', parameter())
  const now = { ...ctx, registry: ctx.live.registry() }
  const again = () => create(now, 'Patient', member('Kurichiya'), { ifNoneExist: [['tribe', 'Kurichiya']] })
  expect((await refusal(again())).status).toBe(503)
  await build(ctx)
  expect((await again()).created).toBe(false)
})

it('chains, reverse chains, sorts and _revinclude by it are refused until it is complete', async () => {
  const ctx = await instance(await testContext())
  const { stored } = await create(ctx, 'Patient', member('Kurichiya'))
  const observation = (subject: string) =>
    resource(
      `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"${subject}"}}`,
    )
  await create(ctx, 'Observation', observation(stored.key))
  await create(ctx, 'SearchParameter', parameter())
  const about = { code: 'about', base: ['Observation'], type: 'reference', expression: 'Observation.subject' }
  await create(ctx, 'SearchParameter', parameter({ ...about, url: 'urn:x:about', target: ['Patient'] }))
  const asked: [string, [string, string][]][] = [
    ['Observation', [['subject:Patient.tribe', 'kurichiya']]],
    ['Observation', [['about.gender', 'female']]],
    ['Patient', [['_has:Observation:about:status', 'final']]],
    ['Patient', [['_sort', 'tribe']]],
    ['Patient', [['_revinclude', 'Observation:about']]],
    ['Patient', [['tribe:missing', 'true']]],
  ]
  const ask = ([type, pairs]: (typeof asked)[number]) =>
    search({ ...ctx, registry: ctx.live.registry() }, type, pairs)
  for (const one of asked) expect((await refusal(ask(one))).status, one.join()).toBe(503)
  await build(ctx)
  const counts = []
  for (const one of asked) {
    const { rows, included } = await ask(one)
    counts.push([rows.length, included.length])
  }
  expect(counts).toEqual([
    [1, 0],
    [0, 0],
    [1, 0],
    [1, 0],
    [1, 1],
    [0, 0],
  ])
})

it('a composite of parameters of R4 finds what has both in one element', async () => {
  const ctx = await instance(await testContext())
  const part = (code: string, value: number) =>
    `{"code":{"coding":[{"system":"urn:x","code":"${code}"}]},"valueQuantity":{"value":${value}}}`
  const observation = (a: number, b: number) =>
    resource(
      `{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[${part('a', a)},${part('b', b)}]}`,
    )
  await create(ctx, 'Observation', observation(1, 2))
  const own = {
    code: 'part-value',
    base: ['Observation'],
    type: 'composite',
    expression: 'Observation.component',
    component: [
      { definition: 'http://hl7.org/fhir/SearchParameter/Observation-component-code', expression: 'code' },
      {
        definition: 'http://hl7.org/fhir/SearchParameter/Observation-component-value-quantity',
        expression: 'value.as(Quantity)',
      },
    ],
  }
  await create(ctx, 'SearchParameter', parameter(own))
  const ask = async (value: string) => {
    const now = { ...ctx, registry: ctx.live.registry() }
    return (await search(now, 'Observation', [['part-value', value]])).rows.length
  }
  expect((await refusal(ask('a$1'))).status).toBe(503)
  await build(ctx)
  expect([await ask('a$1'), await ask('a$2'), await ask('b$2')]).toEqual([1, 0, 1])
})

it('one of all resources is for every type and for the whole system', async () => {
  const ctx = await instance(await testContext())
  await create(ctx, 'Patient', patient('"language":"ml"'))
  await create(
    ctx,
    'Observation',
    resource('{"resourceType":"Observation","status":"final","code":{"text":"x"},"language":"ml"}'),
  )
  const own = { code: 'tongue', base: ['Resource'], type: 'token', expression: 'Resource.language' }
  await create(ctx, 'SearchParameter', parameter(own))
  await build(ctx)
  const now = { ...ctx, registry: ctx.live.registry() }
  expect((await search(now, 'Patient', [['tongue', 'ml']])).rows).toHaveLength(1)
  expect((await search(now, undefined, [['tongue', 'ml']])).rows).toHaveLength(2)
  const second = parameter({ code: 'tongue', url: 'urn:x:2' })
  expect((await refusal(create(now, 'SearchParameter', second))).status).toBe(422)
})

it('one that was stored before it was checked is left out, and the rest is indexed', async () => {
  const both = await testContext()
  const { storage } = both
  // As an earlier version stored them.
  for (const [id, members] of [
    ['old', { expression: 'Patient.nothing' }],
    ['good', {}],
    ['same', {}],
  ] as const) {
    const { resourceType, ...rest } = parameter(members)
    const change = { key: `SearchParameter/${id}` as const, version: 1, method: 'PUT' as const, claims: [] }
    const index = [{ kind: 'token' as const, param: 'SearchParameter.status', system: '', code: 'active' }]
    const stamp = '2026-11-21T05:11:00.000Z'
    const meta = { versionId: '1', lastUpdated: stamp }
    const own = JSON.stringify({ resourceType, id, meta, ...rest })
    const intent = { id: `intent ${id}`, at: both.clock(), epoch: 0, require: [], outbox: [] }
    await storage.commit({
      ...intent,
      changes: [{ ...change, index, body: { text: own, stampAt: own.indexOf(stamp) } }],
    })
  }
  const ctx = await instance(both)
  expect(ctx.live.record().params.map(({ key }) => key)).toEqual(['SearchParameter/good'])
})

it('the walk begins when no instance commits under an older epoch any more, whoever began the new one', async () => {
  const both = await testContext()
  const a = await instance(both)
  await create(a, 'SearchParameter', parameter())
  const order: string[] = []
  const { storage } = both
  // As on MongoDB, where the instance that began the epoch may be gone before the others have followed.
  const slow = {
    ...storage,
    async raiseEpoch(next: number) {
      await new Promise(resolve => setTimeout(resolve, 20))
      order.push(`epoch ${next}`)
      return storage.raiseEpoch(next)
    },
    scan(...args: Parameters<typeof storage.scan>) {
      order.push('scan')
      return storage.scan(...args)
    },
  }
  const b = await bringIndexUpToDate({ ...both, storage: slow }, BASE)
  await build(b)
  expect(order).toEqual(['epoch 1', 'scan'])
})

it('a resource that is too much for a new parameter is found as before, and counted', async () => {
  const ctx = await instance(await testContext())
  const coding = Array.from({ length: 100 }, (_, i) => ({ system: 'http://example.org/s', code: `c${i}` }))
  const encounter = { resourceType: 'Encounter', status: 'planned', class: { code: 'AMB' } }
  await create(
    ctx,
    'Encounter',
    resource(JSON.stringify({ ...encounter, participant: [{ type: [{ coding }] }] })),
  )
  // A hundred codings beside themselves: three hundred ways to ask for each.
  const definition = 'http://hl7.org/fhir/SearchParameter/Encounter-participant-type'
  const component = [0, 1].map(() => ({ definition, expression: 'type' }))
  const base = { code: 'types', base: ['Encounter'], type: 'composite', expression: 'Encounter.participant' }
  await create(ctx, 'SearchParameter', parameter({ ...base, component }))
  await build(ctx)
  const pairs: [string, string][] = [['status', 'planned']]
  expect((await search(ctx, 'Encounter', pairs)).rows).toHaveLength(1)
  expect((await ctx.live.jobs())[0]).toMatchObject({ state: 'done', done: 1, failed: 1 })
})

it('definitions that are too long together for the record of an epoch are left out, and the others stand', async () => {
  const ctx = await instance(await testContext())
  const long = Array.from({ length: 100 }, (_, i) => ({
    ...parameter({
      code: `long${i}`,
      expression: Array(150).fill(`Patient.extension('${TRIBE}').value`).join(' | '),
    }),
    id: `long-${i}`,
  }))
  await storeAll(ctx, long)
  await ctx.live.reconcile()
  expect(ctx.live.count()).toBeGreaterThan(50)
  expect(JSON.stringify(ctx.live.record()).length).toBeLessThan(2_000_000 / 3)
})
