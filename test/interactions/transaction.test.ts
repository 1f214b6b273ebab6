/** https://hl7.org/fhir/R4/http.html#transaction */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BundleEntry } from '../../src/fhir/bundle.ts'
import { batch } from '../../src/interactions/batch.ts'
import { remove } from '../../src/interactions/delete.ts'
import { read } from '../../src/interactions/read.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import { BASE } from '../settings.ts'
import { refusal, resource, shape, type TestContext, testContext } from './context.ts'

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext()
})
afterEach(() => ctx.storage.close())

type Options = Parameters<typeof transaction>[2]

const URN = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a'
const URN2 = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0b'
const bundle = (type: string, entries: string[]) =>
  resource(`{"resourceType":"Bundle","type":"${type}","entry":[${entries.join(',')}]}`)
const send = (entries: string[], options: Options = {}) =>
  transaction(ctx, bundle('transaction', entries), options)

/** An entry: `more` are members of request, `fullUrl` is left out when empty. */
const entry = (method: string, url: string, body = '', more = '', fullUrl = '') =>
  `{${fullUrl && `"fullUrl":"${fullUrl}",`}${body && `"resource":${body},`}"request":{"method":"${method}","url":"${url}"${more && `,${more}`}}}`
const identified = (value: string, more = '') =>
  `{"resourceType":"Patient"${more && `,${more}`},"identifier":[{"system":"http://s","value":"${value}"}]}`
const observation = (reference: string) =>
  `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"${reference}"}}`
const put = (id: string, value = id) =>
  update(ctx, 'Patient', id, resource(identified(value, `"id":"${id}"`)))

const statuses = (entries: readonly BundleEntry[]) =>
  entries.map(({ response }) => response?.status.slice(0, 3))
const keyIn = (one: BundleEntry | undefined) =>
  /\/([A-Z]\w+\/[^/]+)\/_history\/\d+$/.exec(one?.response?.location ?? '')?.[1]
const textOf = async (one: BundleEntry | undefined) =>
  (await ctx.storage.read(keyIn(one) as 'Patient/x'))?.text ?? ''
const count = async (type: string) => {
  const plan = { types: [type], where: { kind: 'and', nodes: [] } as const, sort: [], fingerprint: '' }
  return (await ctx.storage.search(plan, { limit: 0, total: 'accurate' })).total
}

describe('what the links between entries lead to', () => {
  const practitioner = entry('POST', 'Practitioner', '{"resourceType":"Practitioner"}', '', URN)
  const person = entry('POST', 'Patient', identified('1'), '', URN)

  test('is of the type that a reference states, as in a write by itself', async () => {
    const stated = observation(URN).replace('"subject":{', '"subject":{"type":"Patient",')
    const about = entry('POST', 'Observation', stated)
    const refused = await refusal(send([practitioner, about]))
    expect(shape(refused)).toEqual([400, 'value', ['Bundle.entry[1].resource.subject.type']])
    expect(await count('Practitioner')).toBe(0)
    expect(statuses(await send([person, about]))).toEqual(['201', '201'])
  })
  test('is held against profiles, for which it is known by its type', async () => {
    const slicing = { discriminator: [{ type: 'type', path: 'resolve()' }], rules: 'closed' }
    const patient = 'http://hl7.org/fhir/StructureDefinition/Patient'
    const definition = {
      resourceType: 'StructureDefinition',
      id: 'p',
      url: 'http://example.org/p',
      name: 'P',
      status: 'active',
      kind: 'resource',
      abstract: false,
      type: 'Observation',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Observation',
      derivation: 'constraint',
      differential: {
        element: [
          { id: 'Observation.performer', path: 'Observation.performer', slicing },
          {
            id: 'Observation.performer:p',
            path: 'Observation.performer',
            sliceName: 'p',
            min: 1,
            type: [{ code: 'Reference', targetProfile: [patient] }],
          },
        ],
      },
    }
    await update(ctx, 'StructureDefinition', 'p', resource(JSON.stringify(definition)))
    ctx = { ...ctx, settings: { ...ctx.settings, validate: 'profile', profiles: ['http://example.org/p'] } }
    const by = observation(URN).replace('{', `{"performer":[{"reference":"${URN}"}],`)
    const answers = await send([person, entry('POST', 'Observation', by)])
    expect(statuses(answers)).toEqual(['201', '201'])
    const organization = entry('POST', 'Organization', '{"resourceType":"Organization","name":"x"}', '', URN2)
    const other = entry('POST', 'Observation', by.replace(URN, URN2))
    expect((await refusal(send([person, organization, other]))).issues.map(({ rule }) => rule)).toContain(
      'slice-closed',
    )
  })
})

/** The context of a writer that another one overtakes once: `act` happens before its first commit. */
function meanwhile(act: () => Promise<unknown>): TestContext {
  const { storage } = ctx
  let acted = false
  const commit: typeof storage.commit = async intent => {
    if (!acted) {
      acted = true
      await act()
    }
    return storage.commit(intent)
  }
  return { ...ctx, storage: Object.assign(Object.create(storage), { commit }) }
}

describe('order', () => {
  test('deletes, creates, updates and patches, reads, in this order, and answers in the order of the entries', async () => {
    for (const id of ['gone', 'kept', 'patched']) await put(id)
    const change =
      '{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjp0cnVlfV0="}'
    const done = await send([
      entry('GET', 'Patient/kept'),
      entry('GET', 'Patient/patched'),
      entry('HEAD', 'Patient/kept'),
      entry('PATCH', 'Patient/patched', change),
      entry('PUT', 'Patient/kept', identified('new', '"id":"kept"')),
      entry('POST', 'Patient', identified('gone'), '"ifNoneExist":"identifier=http://s|gone"'),
      entry('DELETE', 'Patient/gone'),
    ])
    expect(statuses(done)).toEqual(['200', '200', '200', '200', '200', '201', '204'])
    expect(done[0]?.resource).toContain('"value":"new"')
    expect(done[1]?.resource).toContain('"active":true')
    expect(done[2]?.resource).toBeUndefined()
    expect(done[3]?.response?.etag).toBe('W/"2"')
  })

  test('all of one transaction has one stamp', async () => {
    const done = await send([
      entry('POST', 'Patient', identified('a')),
      entry('POST', 'Patient', identified('b')),
    ])
    expect(new Set(done.map(({ response }) => response?.lastModified))).toEqual(
      new Set(['2026-11-21T05:11:00.000Z']),
    )
  })
})

describe('answers', () => {
  const one = entry('POST', 'Patient', identified('a'))
  test('location is absolute and versioned; nothing more comes with minimal', async () => {
    expect(await send([one])).toEqual([
      {
        response: {
          status: '201 Created',
          location: `${BASE}/Patient/id-1/_history/1`,
          etag: 'W/"1"',
          lastModified: '2026-11-21T05:11:00.000Z',
        },
      },
    ])
  })
  test('representation brings the resource as it is stored', async () => {
    const [answer] = await send([one], { return: 'representation' })
    expect(answer?.resource).toBe((await read(ctx, 'Patient', 'id-1')).text)
    expect(answer?.fullUrl).toBe(`${BASE}/Patient/id-1`)
  })
  test('OperationOutcome brings an outcome', async () => {
    const [answer] = await send([one], { return: 'OperationOutcome' })
    expect(answer?.response?.outcome).toContain('"resourceType":"OperationOutcome"')
  })
  test('metadata is what the caller gives', async () => {
    const [answer] = await send([entry('GET', 'metadata')], {
      metadata: async () => '{"resourceType":"CapabilityStatement"}',
    })
    expect(answer?.resource).toBe('{"resourceType":"CapabilityStatement"}')
  })
})

describe('identities', () => {
  test('a link to a conditional create leads to what it found; a version-specific one to the version found', async () => {
    await put('old')
    await put('old')
    const done = await send([
      entry('POST', 'Observation', observation('http://other/fhir/Patient/7/_history/9')),
      entry(
        'POST',
        'Patient',
        identified('old'),
        '"ifNoneExist":"identifier=http://s|old"',
        'http://other/fhir/Patient/7',
      ),
    ])
    expect(await textOf(done[0])).toContain('"reference":"Patient/old/_history/2"')
    expect(statuses(done)).toEqual(['201', '200'])
    expect(await count('Patient')).toBe(1)
  })

  test('a second conditional create of the same finds what the first makes', async () => {
    const create = (fullUrl: string) =>
      entry('POST', 'Patient', identified('a'), '"ifNoneExist":"identifier=http://s|a"', fullUrl)
    const done = await send([create(URN), create(URN2), entry('POST', 'Observation', observation(URN2))])
    expect(statuses(done)).toEqual(['201', '200', '201'])
    expect(keyIn(done[0])).toBe(keyIn(done[1]))
    expect(await textOf(done[2])).toContain(`"reference":"${keyIn(done[0])}"`)
    expect(await count('Patient')).toBe(1)
  })

  test('criteria see the links of the transaction rewritten', async () => {
    const basedOn = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"${URN}"}}`
    await put('p')
    const done = await send([
      entry('PUT', 'Patient/p', identified('p', '"id":"p"'), '', URN),
      entry('POST', 'Observation', basedOn, '"ifNoneExist":"subject=Patient/p"'),
      entry('POST', 'Observation', basedOn, '"ifNoneExist":"subject=Patient/p"'),
    ])
    expect(statuses(done)).toEqual(['200', '201', '200'])
  })

  const overlaps: [string, string[]][] = [
    [
      'two updates',
      [
        entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
        entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
      ],
    ],
    [
      'an update and a deletion',
      [entry('PUT', 'Patient/a', identified('a', '"id":"a"')), entry('DELETE', 'Patient/a')],
    ],
    ['two deletions', [entry('DELETE', 'Patient/a'), entry('DELETE', 'Patient/a')]],
    [
      'a deletion and a conditional one',
      [entry('DELETE', 'Patient/a'), entry('DELETE', 'Patient?identifier=http://s|a')],
    ],
    [
      'a deletion and a conditional update',
      [entry('DELETE', 'Patient/a'), entry('PUT', 'Patient?identifier=http://s|a', identified('a'))],
    ],
    [
      'an update and a conditional patch',
      [
        entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
        entry('PATCH', 'Patient?identifier=http://s|a', '{"resourceType":"Parameters"}'),
      ],
    ],
    [
      'a create and a conditional update that finds it',
      [
        entry('POST', 'Patient', identified('n')),
        entry('PUT', 'Patient?identifier=http://s|n', identified('n')),
      ],
    ],
    [
      'an edit and a conditional update that would have found the resource before it',
      [
        entry('PUT', 'Patient/a', identified('other', '"id":"a"')),
        entry('PUT', 'Patient?identifier=http://s|a', identified('a')),
      ],
    ],
    [
      'two new resources of one id',
      [
        entry('PUT', 'Patient/n', identified('n', '"id":"n"')),
        entry('PUT', 'Patient?identifier=http://s|m', identified('m', '"id":"n"')),
      ],
    ],
  ]
  test.each(overlaps)('%s of one resource are refused: 400', async (_, entries) => {
    await put('a')
    const error = await refusal(send(entries))
    expect(error.status).toBe(400)
    expect((await read(ctx, 'Patient', 'a')).version).toBe(1)
    expect(await count('Patient')).toBe(1)
  })
})

describe('conditional references', () => {
  const refer = (query: string) => entry('POST', 'Observation', observation(`Patient?${query}`))

  test('find what is stored, what the transaction makes, and not what it deletes or edits away', async () => {
    await put('a')
    const done = await send([
      refer('identifier=http://s|a'),
      refer('identifier=http%3A%2F%2Fs%7Cn'),
      entry('POST', 'Patient', identified('n')),
    ])
    expect(await textOf(done[0])).toContain('"reference":"Patient/a"')
    expect(await textOf(done[1])).toContain(`"reference":"${keyIn(done[2])}"`)
    const edited = entry('PUT', 'Patient/a', identified('b', '"id":"a"'))
    expect((await refusal(send([refer('identifier=http://s|a'), edited]))).status).toBe(412)
    expect((await refusal(send([refer('identifier=http://s|a'), entry('DELETE', 'Patient/a')]))).status).toBe(
      412,
    )
    expect(statuses(await send([refer('identifier=http://s|b'), edited]))).toEqual(['201', '200'])
  })

  test.each([
    ['nothing matches', 'identifier=http://s|none', 412, 'not-found'],
    ['several match', 'identifier=http://s|', 412, 'multiple-matches'],
    ['an unknown parameter', 'identifer=x', 400, 'not-supported'],
    ['no criteria', '_sort=name', 400, 'invalid'],
  ])('%s: refused with the place', async (_, query, status, code) => {
    await put('a')
    await put('b')
    const error = await refusal(send([entry('POST', 'Patient', identified('c')), refer(query)]))
    expect(shape(error)).toEqual([status, code, ['Bundle.entry[1].resource.subject.reference']])
    expect(await count('Patient')).toBe(2)
  })

  test('never lead to what another writer deletes between the search and the commit', async () => {
    await put('a')
    const late = meanwhile(() => remove(ctx, 'Patient', 'a'))
    const sent = transaction(late, bundle('transaction', [refer('identifier=http://s|a')]))
    expect(shape(await refusal(sent))).toEqual([
      412,
      'not-found',
      ['Bundle.entry[0].resource.subject.reference'],
    ])
    expect(await count('Observation')).toBe(0)
  })
})

describe('a failed entry is named, and nothing is stored', () => {
  const bad: [string, string, unknown[]][] = [
    [
      'validation',
      entry('POST', 'Patient', '{"resourceType":"Patient","birthDate":"x"}'),
      [400, 'value', ['Bundle.entry[1].resource.birthDate']],
    ],
    [
      'another type',
      entry('POST', 'Patient', '{"resourceType":"Group"}'),
      [400, 'invalid', ['Bundle.entry[1].resource.resourceType']],
    ],
    ['no resource', entry('POST', 'Patient'), [400, 'required', ['Bundle.entry[1].resource']]],
    [
      'another id',
      entry('PUT', 'Patient/x', identified('x', '"id":"y"')),
      [400, 'invalid', ['Bundle.entry[1].resource.id']],
    ],
    ['an unknown type', entry('DELETE', 'Patients/x'), [404, 'not-supported', ['Bundle.entry[1]']]],
    [
      'If-Match',
      entry('PUT', 'Patient/a', identified('a', '"id":"a"'), '"ifMatch":"W/\\"7\\""'),
      [412, 'conflict', ['Bundle.entry[1].request.ifMatch']],
    ],
    [
      'a malformed If-Match',
      entry('DELETE', 'Patient/a', '', '"ifMatch":"7"'),
      [400, 'invalid', ['Bundle.entry[1].request.ifMatch']],
    ],
    [
      'ifNoneExist without meaning',
      entry('DELETE', 'Patient/a', '', '"ifNoneExist":"_id=a"'),
      [400, 'invalid', ['Bundle.entry[1].request.ifNoneExist']],
    ],
    [
      'empty criteria',
      entry('POST', 'Patient', identified('b'), '"ifNoneExist":"identifier="'),
      [400, 'invalid', ['Bundle.entry[1].request.ifNoneExist']],
    ],
    [
      'an operation',
      entry('GET', 'Patient/$everything'),
      [400, 'not-supported', ['Bundle.entry[1].request.url']],
    ],
    [
      'a conditional update without criteria',
      entry('PUT', 'Patient', identified('b')),
      [400, 'not-supported', ['Bundle.entry[1].request.url']],
    ],
    ['a read of nothing', entry('GET', 'Patient/none'), [404, 'not-found', ['Bundle.entry[1]']]],
    [
      'a read of what it deletes',
      `${entry('GET', 'Patient/a')},${entry('DELETE', 'Patient/a')}`,
      [410, 'deleted', ['Bundle.entry[1]']],
    ],
    ['a version that is not', entry('GET', 'Patient/a/_history/2'), [404, 'not-found', ['Bundle.entry[1]']]],
    [
      'a search that is none',
      entry('GET', 'Patient?foo=1'),
      [400, 'not-supported', ['Bundle.entry[1].request.url']],
    ],
    [
      'a patch of nothing',
      entry('PATCH', 'Patient/none', '{"resourceType":"Parameters"}'),
      [404, 'not-found', ['Bundle.entry[1]']],
    ],
    [
      'a patch that is none',
      entry('PATCH', 'Patient/a', '{"resourceType":"Patient"}'),
      [400, 'invalid', ['Bundle.entry[1].resource']],
    ],
    [
      'one fullUrl for two',
      `${entry('POST', 'Patient', identified('x'), '', URN)},${entry('POST', 'Patient', identified('y'), '', URN)}`,
      [400, 'invalid', ['Bundle.entry[2].fullUrl']],
    ],
  ]
  test.each(bad)('%s', async (_, entries, expected) => {
    await put('a')
    const error = await refusal(send([entry('POST', 'Patient', identified('first')), entries]))
    expect(shape(error)).toEqual(expected)
    expect(await count('Patient')).toBe(1)
    expect((await read(ctx, 'Patient', 'a')).version).toBe(1)
  })

  test('more entries than the limit: 413', async () => {
    const entries = Array.from({ length: 101 }, () => entry('GET', 'Patient/a'))
    expect((await refusal(send(entries))).status).toBe(413)
  })
})

describe('races', () => {
  test('twenty transactions with one conditional create leave one resource, and all lead to it', async () => {
    const done = await Promise.all(
      Array.from({ length: 20 }, () =>
        send([
          entry('POST', 'Patient', identified('a'), '"ifNoneExist":"identifier=http://s|a"', URN),
          entry('POST', 'Observation', observation(URN)),
        ]),
      ),
    )
    expect(await count('Patient')).toBe(1)
    const texts = await Promise.all(done.map(entries => textOf(entries[1])))
    for (const text of texts) expect(text).toContain(`"reference":"${keyIn(done[0]?.[0])}"`)
  })

  test('twenty updates of one resource are all made, one after another', async () => {
    const done = await Promise.all(
      Array.from({ length: 20 }, () =>
        send([
          entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
          entry('POST', 'Patient', identified('b')),
        ]),
      ),
    )
    expect(new Set(done.map(([first]) => first?.response?.etag)).size).toBe(20)
    expect(await count('Patient')).toBe(21)
  })

  test('a patch that is overtaken is applied to what the other writer left', async () => {
    await put('a')
    const change =
      '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"active"},{"name":"value","valueBoolean":true}]}]}'
    const late = meanwhile(() => put('a', 'new'))
    const done = await transaction(late, bundle('transaction', [entry('PATCH', 'Patient/a', change)]))
    expect(done[0]?.response?.etag).toBe('W/"3"')
    const { text } = await read(ctx, 'Patient', 'a')
    expect([text.includes('"value":"new"'), text.includes('"active":true')]).toEqual([true, true])
  })

  test('a conditional update that is overtaken by a second match is refused', async () => {
    await put('a')
    const late = meanwhile(() => put('b', 'a'))
    const sent = transaction(
      late,
      bundle('transaction', [entry('PUT', 'Patient?identifier=http://s|a', identified('a'))]),
    )
    expect((await refusal(sent)).code).toBe('multiple-matches')
    expect((await read(ctx, 'Patient', 'a')).version).toBe(1)
  })

  test('of two with If-Match on one version one stores nothing', async () => {
    await put('a')
    const one = () =>
      send([
        entry('PUT', 'Patient/a', identified('a', '"id":"a"'), '"ifMatch":"W/\\"1\\""'),
        entry('POST', 'Patient', identified('b')),
      ])
    const done = await Promise.allSettled([one(), one()])
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await count('Patient')).toBe(2)
  })
})

describe('batch', () => {
  const run = (entries: string[], options: Options = {}) => batch(ctx, bundle('batch', entries), options)

  test('does each entry on its own; failures have status and outcome', async () => {
    await put('a')
    const done = await run([
      entry('POST', 'Patient', identified('b')),
      entry('POST', 'Patient', '{"resourceType":"Patient","birthDate":"x"}'),
      entry('GET', 'Patient/none'),
      entry('PUT', 'Patient/a', identified('a', '"id":"a"'), '"ifMatch":"W/\\"9\\""'),
      entry('GET', 'Patient/a', '', '"ifNoneMatch":"W/\\"1\\""'),
      entry('DELETE', 'Patient?identifier=http://s|zzz'),
      entry('GET', 'Patient?identifier=http://s|b'),
      '{"request":{"method":"GET","url":"Patient/a%2"}}',
    ])
    expect(statuses(done)).toEqual(['201', '400', '404', '412', '304', '204', '200', '400'])
    expect(done[1]?.response?.outcome).toContain('Bundle.entry[1].resource.birthDate')
    expect(done[6]?.resource).toContain('"total":1')
  })

  test('does not rewrite references between entries', async () => {
    const [first] = await run([
      entry('POST', 'Observation', observation(URN)),
      entry('POST', 'Patient', identified('a'), '', URN),
    ])
    expect(await textOf(first)).toContain(URN)
  })

  test('refuses references that are searches, which only a transaction resolves', async () => {
    const [first] = await run([entry('POST', 'Observation', observation('Patient?identifier=x'))])
    expect(first?.response?.status).toBe('400 Bad Request')
  })

  test.each([
    ['GET', 'Patient/a/$everything', /^Operations are not served in a Bundle/],
    ['POST', '$meta', /^Operations are not served in a Bundle/],
    ['POST', 'Patient/_search', /an entry searches by GET/],
    ['GET', '_search?_type=Patient', /an entry searches by GET/],
    ['GET', 'Patient//a', /nothing at request\.url/],
  ])('%s %s is refused with what to do instead', async (method, url, sentence) => {
    const [done] = await run([entry(method, url, method === 'POST' ? '{"resourceType":"Parameters"}' : '')])
    expect(done?.response?.status).toBe('400 Bad Request')
    const { issue } = JSON.parse(done!.response!.outcome!)
    expect(issue).toMatchObject([{ code: 'not-supported', diagnostics: expect.stringMatching(sentence) }])
  })

  test('entries that depend on each other are met in their order', async () => {
    const done = await run([
      entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
      entry('GET', 'Patient/a'),
      entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
      entry('PUT', 'Patient/a', identified('a', '"id":"a"')),
      entry('DELETE', 'Patient/a'),
      entry('GET', 'Patient/a'),
    ])
    expect(statuses(done)).toEqual(['201', '200', '200', '200', '204', '410'])
  })
})

test('a Bundle without entries is answered by none', async () => {
  expect(await transaction(ctx, resource('{"resourceType":"Bundle","type":"transaction"}'))).toEqual([])
})

test('a Bundle that is malformed beside its resources is refused with the place', async () => {
  const text =
    '{"resourceType":"Bundle","type":"transaction","entry":[{"resorce":{},"request":{"method":"GET","url":"Patient/a"}}]}'
  expect((await refusal(transaction(ctx, resource(text)))).issues[0]?.expression).toContain('Bundle.entry[0]')
})

test('a patch in a Binary that cannot be done is named by its data', async () => {
  await put('a')
  const data = btoa('[{"op":"remove","path":"/nothing"}]')
  const body = `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"${data}"}`
  const error = await refusal(send([entry('PATCH', 'Patient/a', body)]))
  expect(error.issues[0]!.expression).toBe('Bundle.entry[0].resource.data')
})

describe('a history that cannot be asked for', () => {
  test.each([
    ['an unknown parameter', '_history?_foo=1'],
    ['a bad date', 'Patient/_history?_since=yesterday'],
    ['a foreign cursor', 'Patient/a/_history?_cursor=abc'],
  ])('fails the transaction before anything is stored: %s', async (_, url) => {
    const error = await refusal(
      send([entry('PUT', 'Patient/a', identified('a', '"id":"a"')), entry('GET', url)]),
    )
    expect(error.status).toBe(400)
    expect(error.issues[0]!.expression).toBe('Bundle.entry[1].request.url')
    expect(await ctx.storage.read('Patient/a')).toBeUndefined()
  })
})

test('criteria that all find what another entry deletes are stopped', async () => {
  for (let i = 0; i < 50; i++) await put(`p${i}`, 'same')
  const create = entry('POST', 'Patient', identified('other'), '"ifNoneExist":"identifier=http://s|same"')
  const one = await send([entry('DELETE', 'Patient?identifier=http://s|same'), create])
  expect(statuses(one)).toEqual(['204', '201'])
  for (let i = 0; i < 50; i++) await put(`p${i}`, 'same')
  const error = await refusal(
    send([entry('DELETE', 'Patient?identifier=http://s|same'), ...Array<string>(20).fill(create)]),
  )
  expect(error.code).toBe('too-costly')
  expect((await ctx.storage.read('Patient/p0'))?.text).toBeDefined()
})

test.each([
  ['one value', 'identifier=http://s|new'],
  ['one of several', 'identifier=none,http://s|new'],
  ['several parameters', 'gender=male&identifier=new'],
  ['no token', 'name=meera'],
  ['what it is not', 'identifier:not=http://s|old'],
  ['any code of a system', 'identifier=http://s|&gender=male'],
])('criteria see pending resources, found by %s', async (_, criteria) => {
  await put('old')
  const made = identified('new', '"gender":"male","name":[{"family":"Meera"}]')
  const done = await send([
    entry('POST', 'Patient', made),
    entry('POST', 'Observation', observation(`Patient?${criteria}`)),
    entry('POST', 'Patient', identified('third', '"active":true'), '"ifNoneExist":"identifier=http://s|old"'),
  ])
  expect(await textOf(done[1])).toContain(`"reference":"${keyIn(done[0])}"`)
})

describe('criteria that look at other resources', () => {
  const chained = 'Observation?subject:Patient.identifier=http://s%7Cp'
  beforeEach(async () => {
    await put('p')
    const text = observation('Patient/p').replace('{', '{"id":"o",')
    await update(ctx, 'Observation', 'o', resource(text))
  })

  test('find what is stored', async () => {
    const answers = await send([entry('PUT', chained, observation('Patient/p'))])
    expect([statuses(answers), keyIn(answers[0])]).toEqual([['200'], 'Observation/o'])
    expect(statuses(await send([entry('DELETE', chained)]))).toEqual(['204'])
  })

  test.each([
    ['a resource that they lead over', entry('PUT', 'Patient/p', identified('q', '"id":"p"')), chained],
    ['a new resource of a type that they lead over', entry('POST', 'Patient', identified('p')), chained],
    ['a resource of their own type', entry('POST', 'Observation', observation('Patient/p')), chained],
    [
      'what they look back at',
      entry('POST', 'Encounter', '{"resourceType":"Encounter","status":"planned","class":{"code":"AMB"}}'),
      'Patient?_has:Encounter:subject:status=planned',
    ],
  ])('are refused beside an entry that writes %s', async (_, write, criteria) => {
    const body = criteria.startsWith('Patient') ? identified('x') : observation('Patient/p')
    const error = await refusal(send([entry('PUT', criteria, body), write]))
    expect(shape(error)).toEqual([400, 'not-supported', ['Bundle.entry[0].request.url']])
    expect((await ctx.storage.read('Observation/o'))?.version).toBe(1)
  })

  test('are refused in a conditional reference where the transaction writes what they look at', async () => {
    const body = observation('Patient?_has:Observation:subject:status=final')
    const error = await refusal(send([entry('POST', 'Observation', body)]))
    expect(shape(error)).toEqual([400, 'not-supported', ['Bundle.entry[0].resource.subject.reference']])
  })
})
