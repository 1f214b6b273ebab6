/** The rules of Bundles and documents. https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/documents.html */
import { describe, expect, it } from 'vitest'
import { broken, held, type Tree } from './held.ts'

const uuid = (n: number) => `urn:uuid:${n}1111111-1111-4111-8111-111111111111`
const entry = (n: number, resource: object, more: object = {}) => ({ fullUrl: uuid(n), resource, ...more })
const composition = (more: object = {}) => ({
  resourceType: 'Composition',
  status: 'final',
  type: { text: 'x' },
  date: '2020',
  title: 'x',
  author: [{ reference: uuid(2) }],
  subject: { reference: uuid(3) },
  ...more,
})
const practitioner = { resourceType: 'Practitioner', id: 'd' }
const patient = { resourceType: 'Patient', id: 'p' }
const document = (more: object = {}): Tree => ({
  resourceType: 'Bundle',
  type: 'document',
  identifier: { system: 'http://x.org', value: '1' },
  timestamp: '2026-01-01T10:00:00+05:30',
  entry: [entry(1, composition()), entry(2, practitioner), entry(3, patient)],
  ...more,
})
const plus = (...more: object[]): Tree => document({ entry: [...document().entry, ...more] })

describe('the invariants of Bundles', () => {
  const of = (type: string, entries: object[], more: object = {}) =>
    broken({ resourceType: 'Bundle', type, ...(entries.length > 0 && { entry: entries }), ...more })
  const request = { method: 'POST', url: 'Patient' }

  it('bdl-1: a total is of searchsets and histories', async () => {
    expect(await of('searchset', [], { total: 0 })).toEqual([])
    expect(await of('collection', [], { total: 0 })).toEqual(['bdl-1 Bundle.total'])
  })
  it('bdl-2: search is of searchsets', async () => {
    expect(await of('searchset', [entry(1, patient, { search: { mode: 'match' } })])).toEqual([])
    expect(await of('collection', [entry(1, patient, { search: { mode: 'match' } })])).toEqual([
      'bdl-2 Bundle.entry[0].search',
    ])
  })
  it('bdl-3 and bdl-4: requests and responses are of what asks and answers', async () => {
    expect(await of('batch', [{ resource: patient, request }])).toEqual([])
    expect(await of('batch', [{ resource: patient }])).toEqual(['bdl-3 Bundle.entry[0].request'])
    expect(await of('collection', [entry(1, patient, { request })])).toEqual([
      'bdl-3 Bundle.entry[0].request',
    ])
    expect(await of('batch-response', [{ response: { status: '200' } }])).toEqual([])
    expect(await of('transaction-response', [{ resource: patient }])).toEqual([
      'bdl-4 Bundle.entry[0].response',
    ])
  })
  it('bdl-5: an entry says something', async () => {
    expect(await of('collection', [{ fullUrl: uuid(1) }])).toEqual(['bdl-5 Bundle.entry[0]'])
  })
  it('bdl-7: a fullUrl stands once, or once for each version', async () => {
    const at = (versionId: string) => ({ ...patient, meta: { versionId } })
    const url = 'http://a.org/Patient/p'
    expect(
      await of('collection', [
        { fullUrl: url, resource: at('1') },
        { fullUrl: url, resource: at('2') },
      ]),
    ).toEqual([])
    expect(
      await of('collection', [
        { fullUrl: url, resource: at('1') },
        { fullUrl: url, resource: at('1') },
      ]),
    ).toEqual(['bdl-7 Bundle.entry[1].fullUrl'])
  })
  it('bdl-8: a fullUrl names no version', async () => {
    expect(
      await of('collection', [{ fullUrl: 'http://a.org/Patient/p/_history/1', resource: patient }]),
    ).toEqual(['bdl-8 Bundle.entry[0].fullUrl'])
  })
  it('bdl-12: a message begins with its header', async () => {
    expect(await of('message', [entry(1, patient)])).toContain('bdl-12 Bundle.entry[0]')
  })
})

describe('fullUrls', () => {
  const at = async (fullUrl: string | undefined, type = 'collection') =>
    broken({
      resourceType: 'Bundle',
      type,
      entry: [
        {
          ...(fullUrl && { fullUrl }),
          resource: patient,
          ...(type === 'batch' && { request: { method: 'PUT', url: 'Patient/p' } }),
        },
      ],
    })

  it('are absolute', async () => {
    expect(await at('http://a.org/fhir/Patient/p')).toEqual([])
    expect(await at('urn:oid:1.2.3')).toEqual([])
    expect(await at('Patient/p')).toEqual(['bundle-fullurl-absolute Bundle.entry[0].fullUrl'])
    expect(await at('urn:uuid:1')).toEqual(['bundle-fullurl-absolute Bundle.entry[0].fullUrl'])
  })
  it('end in the type and id of the resource where they are addresses', async () => {
    expect(await at('http://a.org/fhir/Patient/q')).toEqual(['bundle-fullurl-id Bundle.entry[0].fullUrl'])
  })
  it('are there, but for batches', async () => {
    expect(await at(undefined)).toEqual(['bundle-fullurl Bundle.entry[0].fullUrl'])
    expect(await at(undefined, 'batch')).toEqual([])
  })
  it('that are relative are told what to be', async () => {
    const [issue] = await held({
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ fullUrl: 'Patient/p', resource: patient }],
    })
    expect(issue!.diagnostics).toContain('Write urn:uuid: and a UUID in small letters')
    expect(issue!.diagnostics).toContain('/Patient/p')
  })
})

describe('a document', () => {
  it('that is whole has no fault', async () => {
    expect(await broken(document())).toEqual([])
  })
  it('has an identifier and a timestamp', async () => {
    expect(await broken(document({ identifier: undefined }))).toEqual(['bdl-9 Bundle.identifier'])
    expect(await broken(document({ identifier: { value: '1' } }))).toEqual(['bdl-9 Bundle.identifier'])
    expect(await broken(document({ timestamp: undefined }))).toEqual(['bdl-10 Bundle.timestamp'])
  })
  it('begins with its Composition', async () => {
    const [first, second, third] = document().entry
    const issues = await held(document({ entry: [second, first, third] }))
    expect(issues.map(({ rule, expression }) => `${rule} ${expression}`)).toContain('bdl-11 Bundle.entry[0]')
    expect(issues.find(({ rule }) => rule === 'bdl-11')!.diagnostics).toContain('Move it there from entry[1]')
  })
  it('holds what its Composition refers to', async () => {
    const [first, second] = document().entry
    expect(await broken(document({ entry: [first, second] }))).toEqual([
      'document-reference Bundle.entry[0].resource.subject.reference',
    ])
    const section = [
      {
        title: 'x',
        entry: [{ reference: 'Observation/1' }],
        section: [{ title: 'y', entry: [{ reference: 'Observation/2' }] }],
      },
    ]
    expect(
      await broken(document({ entry: [entry(1, composition({ section })), ...document().entry.slice(1)] })),
    ).toEqual([
      'document-reference Bundle.entry[0].resource.section[0].entry[0].reference',
      'document-reference Bundle.entry[0].resource.section[0].section[0].entry[0].reference',
    ])
  })
  it('names the fullUrl that a reference by type and id means', async () => {
    const wrong = document({
      entry: [entry(1, composition({ subject: { reference: 'Patient/p' } })), ...document().entry.slice(1)],
    })
    const issue = (await held(wrong)).find(({ rule }) => rule === 'document-reference')
    expect(issue!.diagnostics).toContain(`Write "${uuid(3)}"`)
  })
  it('holds what a urn:uuid: in any of its resources means; others may be elsewhere', async () => {
    const observation = (reference: string) =>
      plus(
        entry(4, {
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: uuid(3) },
          performer: [{ reference }],
        }),
      )
    const at = 'Bundle.entry[3].resource.performer[0].reference'
    expect(await broken(observation(uuid(9)))).toEqual([`bundle-reference ${at}`])
    expect(await broken(observation('http://a.org/fhir/Practitioner/1'))).toEqual([])
    expect(await broken(observation('Practitioner/1'), {}, true)).toContain(`warning bundle-reference ${at}`)
  })
  it('has no entry that nothing leads to', async () => {
    expect(await broken(plus(entry(4, { resourceType: 'Organization', name: 'x' })))).toEqual([
      'document-reachable Bundle.entry[3]',
    ])
    // Reached through another entry.
    const linked = document({
      entry: [
        entry(1, composition()),
        entry(2, practitioner),
        entry(3, { ...patient, managingOrganization: { reference: uuid(4) } }),
        entry(4, { resourceType: 'Organization', name: 'x' }),
      ],
    })
    expect(await broken(linked)).toEqual([])
  })
  it('has a Provenance that refers to it, and of others only a warning', async () => {
    const provenance = {
      resourceType: 'Provenance',
      recorded: '2026-01-01T10:00:00Z',
      target: [{ reference: uuid(1) }],
      agent: [{ who: { reference: uuid(2) } }],
    }
    expect(await broken(plus(entry(4, provenance)), {}, true)).toEqual([])
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: uuid(3) },
    }
    expect(await broken(plus(entry(4, observation)), {}, true)).toEqual([
      'warning document-reachable Bundle.entry[3]',
    ])
  })
  it('has a stylesheet that only a link names', async () => {
    const binary = entry(4, { resourceType: 'Binary', contentType: 'text/css', data: 'AAAA' })
    expect(await broken(plus(binary))).toEqual(['document-reachable Bundle.entry[3]'])
    expect(await broken({ ...plus(binary), link: [{ relation: 'stylesheet', url: uuid(4) }] })).toEqual([])
  })
})
