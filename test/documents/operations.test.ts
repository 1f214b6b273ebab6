/** $document as a client calls it. */
import { describe, expect, it } from 'vitest'
import { BASE } from '../settings.ts'
import { type Any, ask, ctx, freshClinic, params } from './clinic-app.ts'

freshClinic()

describe('Encounter/[id]/$document and Patient/[id]/$document', () => {
  const VISIT = 'Encounter/encounter-02/$document'

  it('answers a GET with the document, and stores nothing', async () => {
    const { status, body } = await ask('GET', `${VISIT}?hiType=OPConsultation`)
    expect([status, body.type, body.entry[0].resource.resourceType]).toEqual([200, 'document', 'Composition'])
    expect((await ask('GET', `Bundle/${body.id}`)).status).toBe(404)
  })

  it('refuses to store by what a foreign page can send unasked: GET, a form, a POST without a type', async () => {
    const query = `${VISIT}?hiType=OPConsultation&persist=true`
    expect((await ask('GET', query)).status).toBe(405)
    expect((await ask('POST', query)).status).toBe(405)
    const form = await ask(
      'POST',
      VISIT,
      'hiType=OPConsultation&persist=true',
      'application/x-www-form-urlencoded',
    )
    expect(form.status).toBe(405)
    expect((await ask('GET', 'Bundle?_summary=count')).body.total).toBe(0)
  })

  it('stores the Bundle once: built again with nothing changed it is the same version', async () => {
    const body = params({ hiType: 'OPConsultation', persist: true })
    const first = await ask('POST', VISIT, body)
    expect(first.status).toBe(201)
    expect(first.headers.get('location')).toBe(`${BASE}/Bundle/${first.body.id}/_history/1`)
    ctx.pass(60_000)
    const second = await ask('POST', VISIT, body)
    expect([second.status, second.headers.get('etag')]).toEqual([200, 'W/"1"'])
    expect(second.text).toBe(first.text)
    expect((await ask('GET', `Bundle/${first.body.id}/_history`)).body.entry).toHaveLength(1)
  })

  it('makes one version of builders at the same time', async () => {
    const body = params({ hiType: 'OPConsultation', persist: true })
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('POST', VISIT, body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  it('makes the next version when something has changed, under the same id', async () => {
    const body = params({ hiType: 'OPConsultation', persist: true })
    const { body: first } = await ask('POST', VISIT, body)
    const { body: condition } = await ask('GET', 'Condition/condition-02')
    condition.note = [{ text: 'Feet checked' }]
    await ask('PUT', 'Condition/condition-02', condition)
    const second = await ask('POST', VISIT, body)
    expect([second.status, second.body.id, second.body.meta.versionId]).toEqual([200, first.id, '2'])
    expect(second.body.identifier.value).not.toBe(first.identifier.value)
  })

  it('is found by identifier, type, timestamp and composition', async () => {
    const { body } = await ask('POST', VISIT, params({ hiType: 'OPConsultation', persist: true }))
    const ids = async (query: string) =>
      ((await ask('GET', `Bundle?${query}`)).body.entry ?? []).map((one: Any) => one.resource.id)
    expect(
      await ids(`identifier=${encodeURIComponent(`urn:ietf:rfc:3986|${body.identifier.value}`)}`),
    ).toEqual([body.id])
    expect(await ids('type=document')).toEqual([body.id])
    expect(await ids(`timestamp=${body.timestamp}`)).toEqual([body.id])
    expect(await ids(`composition=Composition/${body.entry[0].resource.id}`)).toEqual([body.id])
    expect(await ids('composition=Composition/another')).toEqual([])
  })

  it('says 404 for an encounter that is not there and 400 for what is no kind of record', async () => {
    expect((await ask('GET', 'Encounter/none/$document?hiType=Prescription')).status).toBe(404)
    const wrong = await ask('GET', `${VISIT}?hiType=Diary`)
    expect([wrong.status, wrong.body.issue[0].expression]).toEqual([400, ['http.hiType']])
    expect((await ask('GET', VISIT)).status).toBe(400)
  })

  it.each([
    ['author', 'Practitioner/none', 404],
    ['author', 'a doctor', 400],
    ['author', 'https://elsewhere.example.org/fhir/Practitioner/1', 400],
    ['author', 'Patient/meera-nair', 400],
    ['author', 'Observation/observation-01', 400],
    ['custodian', 'Practitioner/anjali-menon', 400],
    ['custodian', 'Organization/none', 404],
    ['resource', 'Observation/none', 404],
    ['date', '2026-13-45', 400],
  ])('refuses %s=%s with %i', async (name, value, status) => {
    const answer = await ask('GET', `${VISIT}?hiType=OPConsultation&${name}=${encodeURIComponent(value)}`)
    expect([answer.status, answer.body.resourceType]).toEqual([status, 'OperationOutcome'])
  })

  it('takes author, custodian, date and title as they are named', async () => {
    const { body } = await ask(
      'POST',
      VISIT,
      params({
        hiType: 'OPConsultation',
        author: 'Practitioner/farhana-ibrahim',
        custodian: 'Organization/thanal-laboratory',
        date: '2026-11-17T09:00:00+05:30',
        title: 'Second opinion',
      }),
    )
    const [{ resource }] = body.entry
    expect(resource.author.map((one: Any) => one.display)).toEqual(['Dr Farhana Ibrahim'])
    expect([resource.custodian.display, resource.date, resource.title]).toEqual([
      'Thanal Laboratory',
      '2026-11-17T09:00:00+05:30',
      'Second opinion',
    ])
  })

  it('takes a period of a patient, and refuses one that ends before it begins', async () => {
    const path = 'Patient/lakshmi-warrier/$document?hiType=WellnessRecord'
    expect(
      (await ask('GET', `${path}&start=2026-11-13&end=2026-11-13`)).body.entry[0].resource.section,
    ).toHaveLength(1)
    expect((await ask('GET', `${path}&start=2026-11-13&end=2026-11-12`)).status).toBe(400)
  })
})

describe('Composition/[id]/$document', () => {
  const composition = {
    resourceType: 'Composition',
    id: 'note',
    status: 'final',
    type: { text: 'Note' },
    subject: { reference: 'Patient/meera-nair' },
    date: '2026-11-16',
    author: [{ reference: 'Practitioner/anjali-menon' }],
    title: 'Note',
    section: [
      {
        title: 'Findings',
        text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Fever</div>' },
        entry: [{ reference: 'Observation/observation-01' }],
      },
    ],
  }
  const kinds = (body: Any) => body.entry.map((one: Any) => one.resource.resourceType)

  it('bundles it with what it refers to, the Composition first', async () => {
    await ask('PUT', 'Composition/note', composition)
    const { status, body } = await ask('GET', 'Composition/note/$document')
    expect([status, body.type]).toEqual([200, 'document'])
    expect(kinds(body).slice(0, 4)).toEqual(['Composition', 'Patient', 'Practitioner', 'Observation'])
    const urls = body.entry.map((one: Any) => one.fullUrl)
    const references = [...JSON.stringify(body).matchAll(/"reference":"([^"]+)"/g)].map(one => one[1])
    expect(references.length).toBeGreaterThan(3)
    for (const reference of references) expect(urls).toContain(reference)
    expect(body.meta.profile).toBeUndefined()
  })

  it('is called at the type with id as well, and never with both', async () => {
    await ask('PUT', 'Composition/note', composition)
    const one = await ask('GET', 'Composition/$document?id=note')
    expect(one.text).toBe((await ask('GET', 'Composition/note/$document')).text)
    expect((await ask('GET', `Composition/$document?id=${BASE}/Composition/note`)).text).toBe(one.text)
    expect((await ask('GET', 'Composition/note/$document?id=note')).status).toBe(400)
    expect((await ask('GET', 'Composition/$document')).status).toBe(400)
    expect(
      (await ask('GET', 'Composition/$document?id=https://a.example.org/fhir/Composition/1')).status,
    ).toBe(400)
    expect((await ask('GET', 'Composition/none/$document')).status).toBe(404)
  })

  it('stores it where persist is true, the next version when the Composition has changed', async () => {
    await ask('PUT', 'Composition/note', composition)
    const first = await ask('POST', 'Composition/note/$document', params({ persist: true }))
    expect(first.status).toBe(201)
    expect((await ask('POST', 'Composition/note/$document', params({ persist: true }))).status).toBe(200)
    await ask('PUT', 'Composition/note', { ...composition, title: 'Note, corrected' })
    const second = await ask('POST', 'Composition/note/$document', params({ persist: true }))
    expect([second.body.id, second.body.meta.versionId]).toEqual([first.body.id, '2'])
  })

  it('says by name what it refers to and is not here', async () => {
    const section = [
      {
        ...composition.section[0],
        entry: [{ reference: 'Observation/none' }, { reference: 'https://a.example.org/fhir/Observation/1' }],
      },
    ]
    await ask('PUT', 'Composition/note', { ...composition, section })
    const { status, body } = await ask('GET', 'Composition/note/$document')
    expect(status).toBe(422)
    const said = body.issue.map((one: Any) => one.diagnostics).join('\n')
    expect(said).toContain('https://a.example.org/fhir/Observation/1')
    expect(said).toContain('Observation/none')
  })

  it('makes a document of NRCeS of a Composition that says so, and says what that lacks', async () => {
    const built = await ask('GET', 'Patient/gopika-raj/$document?hiType=ImmunizationRecord')
    const { resource } = built.body.entry[0]
    const profiled = {
      ...resource,
      id: 'shots',
      subject: { reference: 'Patient/gopika-raj' },
      author: [{ reference: 'Practitioner/farhana-ibrahim' }],
      custodian: undefined,
      section: [
        {
          ...resource.section[0],
          entry: ['immunization-01', 'immunization-02'].map(id => ({
            reference: `Immunization/${id}`,
            type: 'Immunization',
          })),
        },
      ],
    }
    expect((await ask('PUT', 'Composition/shots', profiled)).status).toBe(201)
    const { status, body } = await ask('GET', 'Composition/shots/$document')
    expect(status).toBe(200)
    expect(body.meta.profile).toEqual(['https://nrces.in/ndhm/fhir/r4/StructureDefinition/DocumentBundle'])
    const { body: shot } = await ask('GET', 'Immunization/immunization-01')
    delete shot.occurrenceDateTime
    await ask('PUT', 'Immunization/immunization-01', { ...shot, occurrenceString: 'as a baby' })
    const refused = await ask('GET', 'Composition/shots/$document')
    expect([refused.status, refused.body.issue[0].expression]).toEqual([422, ['Immunization.occurrence']])
    const { body: theirs } = await ask('GET', 'Immunization/immunization-02')
    await ask('PUT', 'Immunization/immunization-02', {
      ...theirs,
      patient: { reference: 'Patient/meera-nair' },
    })
    await ask('PUT', 'Composition/shots', { ...profiled, status: 'entered-in-error' })
    const wrong = await ask('GET', 'Composition/shots/$document')
    const said = wrong.body.issue.map((one: Any) => one.diagnostics).join('\n')
    expect(wrong.status).toBe(422)
    expect(said).toContain(`Immunization/${theirs.id} is about another patient`)
    expect(said).toContain('entered in error')
  })

  it('follows the links of a GraphDefinition', async () => {
    await ask('PUT', 'Composition/note', composition)
    await ask('PUT', 'GraphDefinition/g', {
      resourceType: 'GraphDefinition',
      id: 'g',
      url: 'urn:test:graph',
      name: 'G',
      status: 'active',
      start: 'Composition',
      link: [
        {
          path: 'Composition.section.entry',
          target: [
            {
              type: 'Observation',
              link: [
                {
                  path: 'Observation.encounter',
                  target: [
                    {
                      type: 'Encounter',
                      link: [{ path: 'Encounter.appointment', target: [{ type: 'Appointment' }] }],
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    })
    expect(kinds((await ask('GET', 'Composition/note/$document')).body)).not.toContain('Appointment')
    const { body } = await ask('GET', 'Composition/note/$document?graph=urn:test:graph')
    expect(kinds(body)).toContain('Appointment')
    expect((await ask('GET', 'Composition/note/$document?graph=urn:test:other')).status).toBe(404)
  })
})
