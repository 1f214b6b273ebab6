/** What the builder takes, what it says is missing, and what it never lets in. */
import { beforeEach, describe, expect, it } from 'vitest'
import { buildDocument } from '../../src/documents/build.ts'
import type { DocumentRequest } from '../../src/documents/request.ts'
import { writeJson } from '../../src/fhir/json.ts'
import { remove } from '../../src/interactions/delete.ts'
import { search } from '../../src/interactions/search.ts'
import { update } from '../../src/interactions/update.ts'
import { refusal, type TestContext } from '../interactions/context.ts'
import { storeAll, tree } from '../operations/context.ts'
import { clinicContext } from './clinic.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents are read field by field in assertions
type Any = any

const VISIT: DocumentRequest = { hiType: 'OPConsultation', encounter: 'encounter-02' }

describe('buildDocument', () => {
  let ctx: TestContext
  beforeEach(async () => {
    ctx = await clinicContext()
  })
  const built = async (request: DocumentRequest): Promise<Any> =>
    JSON.parse(writeJson((await buildDocument(ctx, request)).bundle))
  const all = (bundle: Any, type: string): Any[] =>
    bundle.entry.map((one: Any) => one.resource).filter((one: Any) => one.resourceType === type)
  const titles = (bundle: Any): string[] => bundle.entry[0].resource.section.map((one: Any) => one.title)
  const stored = async (type: string, id: string): Promise<Any> => {
    const row = await ctx.storage.read(`${type}/${id}`)
    return JSON.parse(row!.text!)
  }
  const change = async (type: string, id: string, by: (resource: Any) => void) => {
    const resource = await stored(type, id)
    by(resource)
    await update(ctx, type, id, tree(resource))
  }
  /** Rule and place of everything that a refusal says. */
  const missing = async (request: DocumentRequest) => {
    const error = await refusal(buildDocument(ctx, request))
    expect(error.status).toBe(422)
    return error.issues.map(({ diagnostics, expression, rule }) => ({
      of: diagnostics.slice(0, diagnostics.indexOf(':')),
      expression,
      rule,
    }))
  }

  it('says everything that is missing at once, by resource, element and rule, and stores nothing', async () => {
    await change('Patient', 'abdul-rahman', one => delete one.identifier)
    await change('Organization', 'thanal', one => delete one.identifier)
    await change('MedicationRequest', 'prescription-02', one => {
      delete one.requester
      delete one.dosageInstruction
    })
    expect(await missing(VISIT)).toEqual([
      { of: 'Patient/abdul-rahman', expression: 'Patient.identifier', rule: 'Patient.identifier' },
      { of: 'Organization/thanal', expression: 'Organization.identifier', rule: 'Organization.identifier' },
      {
        of: 'MedicationRequest/prescription-02',
        expression: 'MedicationRequest.requester',
        rule: 'MedicationRequest.requester',
      },
      {
        of: 'MedicationRequest/prescription-02',
        expression: 'MedicationRequest.dosageInstruction',
        rule: 'MedicationRequest.dosageInstruction',
      },
    ])
    expect((await search(ctx, 'Bundle', [])).total).toBe(0)
  })

  it('says that a laboratory report has no conclusion and no interpreter', async () => {
    await change('DiagnosticReport', 'report-02', one => {
      delete one.conclusion
      delete one.resultsInterpreter
    })
    const places = (await missing({ hiType: 'DiagnosticReport', encounter: 'encounter-07' })).map(
      one => one.expression,
    )
    expect(places).toEqual(['DiagnosticReport.resultsInterpreter', 'DiagnosticReport.conclusion'])
  })

  it('says that there is nothing for the record', async () => {
    expect(await missing({ hiType: 'ImmunizationRecord', patient: 'meera-nair' })).toMatchObject([
      { of: 'Patient/meera-nair', expression: 'Composition.section' },
      { expression: 'Composition.author' },
    ])
  })

  it('says that a consultation is of an encounter', async () => {
    expect(await missing({ hiType: 'OPConsultation', patient: 'meera-nair' })).toContainEqual({
      of: 'Patient/meera-nair',
      expression: 'Composition.encounter',
      rule: 'OPConsultRecord.encounter',
    })
  })

  it('says which coding lacks a display that no code system here knows', async () => {
    await change('Condition', 'condition-02', one => {
      delete one.code.coding[0].display
      delete one.code.text
    })
    expect(await missing(VISIT)).toEqual([
      { of: 'Condition/condition-02', expression: 'Condition.code', rule: 'Condition.code.coding' },
    ])
  })

  it('completes a display that a code system here knows', async () => {
    await change('Encounter', 'encounter-02', one => delete one.participant[0].type[0].coding[0].display)
    const [encounter] = all(await built(VISIT), 'Encounter')
    expect(encounter.participant[0].type[0].coding[0].display).toBe('primary performer')
  })

  it('gives an identifier of a registry of ABDM its type, a name its text', async () => {
    await change('Practitioner', 'anjali-menon', one => {
      delete one.identifier[0].type
      delete one.name[0].text
    })
    const doctor = all(await built(VISIT), 'Practitioner').find(one => one.name[0].family === 'Menon')
    expect(doctor.identifier[0].type.coding[0].code).toBe('HPIN')
    expect(doctor.name[0].text).toBe('Dr Anjali Menon')
  })

  it('leaves out a coding that the profile has no place for, and keeps its words', async () => {
    await change('MedicationRequest', 'prescription-02', one => delete one.medicationCodeableConcept.text)
    const [first] = all(await built(VISIT), 'MedicationRequest')
    expect(first.medicationCodeableConcept).toEqual({ text: 'metformin' })
  })

  it('takes the code of a Medication in the place of a reference to it', async () => {
    await storeAll(ctx, [{ resourceType: 'Medication', id: 'm1', code: { text: 'Metformin 500 mg' } }])
    await change('MedicationRequest', 'prescription-02', one => {
      delete one.medicationCodeableConcept
      one.medicationReference = { reference: 'Medication/m1' }
    })
    const [first] = all(await built(VISIT), 'MedicationRequest')
    expect(first.medicationReference).toBeUndefined()
    expect(first.medicationCodeableConcept).toEqual({ text: 'Metformin 500 mg' })
  })

  it('takes the bytes of a file from the Binary that its attachment names', async () => {
    const bundle = await built({ hiType: 'HealthDocumentRecord', patient: 'mini-varghese' })
    const { attachment } = all(bundle, 'DocumentReference')[0].content[0]
    expect(atob(attachment.data).slice(0, 5)).toBe('%PDF-')
    expect(attachment.url).toBeUndefined()
  })

  it('never lets another patient in: neither by reference nor by name', async () => {
    await change('Patient', 'abdul-rahman', one => {
      one.link = [{ other: { reference: 'Patient/meera-nair' }, type: 'seealso' }]
    })
    await change('Observation', 'observation-09', one => {
      one.derivedFrom = [{ reference: 'Observation/observation-01' }]
    })
    const bundle = await built(VISIT)
    const text = JSON.stringify(bundle)
    expect(all(bundle, 'Patient')).toHaveLength(1)
    expect(text).not.toMatch(/Meera|meera-nair|38\.9/)
  })

  it('leaves out where a doctor lives, and when the doctor was born', async () => {
    for (const doctor of all(await built(VISIT), 'Practitioner')) {
      expect(doctor.birthDate).toBeUndefined()
      expect((doctor.address ?? []).filter((one: Any) => one.use === 'home')).toEqual([])
    }
  })

  it('refuses a named resource of another patient', async () => {
    for (const other of ['Condition/condition-01', 'Patient/meera-nair']) {
      const error = await refusal(buildDocument(ctx, { ...VISIT, resources: [other] }))
      expect([error.status, error.issues[0]!.expression]).toEqual([400, 'http.resource'])
    }
  })

  it('leaves out what is entered in error, refuted or cancelled', async () => {
    await change('Observation', 'observation-09', one => (one.status = 'entered-in-error'))
    await change('AllergyIntolerance', 'allergy-01', one => {
      one.verificationStatus.coding[0].code = 'refuted'
      one.verificationStatus.coding[0].display = 'Refuted'
    })
    await change('Appointment', 'appointment-17', one => (one.status = 'cancelled'))
    const bundle = await built(VISIT)
    expect(titles(bundle)).not.toContain('Allergies')
    expect(titles(bundle)).not.toContain('Follow Up')
    expect(JSON.stringify(bundle)).not.toMatch(/Fasting blood sugar/)
  })

  it('takes no history that was written down after the day of the visit', async () => {
    await change('AllergyIntolerance', 'allergy-01', one => (one.recordedDate = '2026-11-16T20:00:00+05:30'))
    expect(titles(await built(VISIT))).toContain('Allergies')
    await change('AllergyIntolerance', 'allergy-01', one => (one.recordedDate = '2026-11-17'))
    expect(titles(await built(VISIT))).not.toContain('Allergies')
  })

  it('takes the day on which a finished visit began for its only one where no end is known', async () => {
    await change('Encounter', 'encounter-02', one => delete one.period.end)
    await change('Condition', 'condition-11', one => {
      one.recordedDate = '2026-11-17T08:00:00+05:30'
    })
    expect(titles(await built(VISIT))).not.toContain('Medical History')
    await change('Condition', 'condition-11', one => {
      one.recordedDate = '2026-11-16T20:00:00+05:30'
    })
    expect(titles(await built(VISIT))).toContain('Medical History')
  })

  it('takes what was measured in the period, both days included, and nothing else', async () => {
    const steps = async (start: string, end: string) => {
      const bundle = await built({ hiType: 'WellnessRecord', patient: 'lakshmi-warrier', start, end })
      return all(bundle, 'Observation').length
    }
    // Eight of 12 November, one of the 13th.
    expect(await steps('2026-11-12', '2026-11-12')).toBe(8)
    expect(await steps('2026-11-12', '2026-11-13')).toBe(9)
    expect(await steps('2026-11-13', '2026-11-30')).toBe(1)
  })

  it('asks which report is meant where there are several, and takes the one named', async () => {
    const second = { ...(await stored('DiagnosticReport', 'report-02')), id: 'report-09' }
    delete second.meta
    await storeAll(ctx, [second])
    const request: DocumentRequest = { hiType: 'DiagnosticReport', encounter: 'encounter-07' }
    const error = await refusal(buildDocument(ctx, request))
    expect([error.status, error.code]).toEqual([422, 'multiple-matches'])
    expect(error.message).toMatch(/DiagnosticReport\/report-02, DiagnosticReport\/report-09/)
    const bundle = await built({ ...request, resources: ['DiagnosticReport/report-09'] })
    expect(all(bundle, 'DiagnosticReport')).toHaveLength(1)
  })

  it('is dated at the end of the visit, or when the last of what it holds was written', async () => {
    const dateOf = async (request: DocumentRequest) => (await built(request)).entry[0].resource.date
    expect(await dateOf({ hiType: 'DischargeSummary', encounter: 'encounter-12' })).toBe(
      '2026-11-01T11:15:00+05:30',
    )
    // The blood sugar of the visit came from the laboratory at six in the evening.
    expect(await dateOf(VISIT)).toBe('2026-11-16T18:00:00.000+05:30')
    // The visit ended at 11:30; the report was issued in the afternoon.
    expect(await dateOf({ hiType: 'DiagnosticReport', encounter: 'encounter-07' })).toBe(
      '2026-11-18T16:10:00+05:30',
    )
    // The last measurement stands in no last section.
    expect(await dateOf({ hiType: 'WellnessRecord', patient: 'lakshmi-warrier', start: '2026-11' })).toBe(
      '2026-11-13T06:30:00+05:30',
    )
  })

  it('is preliminary while the encounter goes on', async () => {
    const bundle = await built({ hiType: 'OPConsultation', encounter: 'encounter-09' })
    expect(bundle.entry[0].resource.status).toBe('preliminary')
  })

  it('escapes every word in its narratives', async () => {
    await change('Condition', 'condition-02', one => (one.code.text = '<img src=x onerror="a"> & <b>'))
    const bundle = await built(VISIT)
    const divs = bundle.entry.map((one: Any) => one.resource.text.div).join('')
    expect(divs).not.toMatch(/<img|<b>/)
    expect(divs).toContain('&lt;img src=x onerror=&quot;a&quot;&gt; &amp; &lt;b&gt;')
  })

  it('says what a deleted practitioner was called, and refers to nobody', async () => {
    await remove(ctx, 'Practitioner', 'rekha-babu')
    const observations = all(await built(VISIT), 'Observation')
    const performers = observations.flatMap(one => one.performer ?? [])
    expect(performers).toContainEqual({ display: 'Sr Rekha Babu' })
  })

  it('has another identifier, and the same id, when one resource changes', async () => {
    const before = await built(VISIT)
    await change('Observation', 'observation-09', one => (one.note = [{ text: 'fasting' }]))
    const after = await built(VISIT)
    expect(after.id).toBe(before.id)
    expect(after.identifier.value).not.toBe(before.identifier.value)
    expect(after.entry[0].resource.identifier).toEqual(before.entry[0].resource.identifier)
  })

  it('has another identifier when the terminology here says another display, or the caller another author', async () => {
    const plain = await built(VISIT)
    const system = 'urn:test:priority'
    await change('Encounter', 'encounter-02', one => {
      one.priority = { coding: [{ system, code: 'a' }], text: 'first' }
    })
    const without = await built(VISIT)
    await storeAll(ctx, [
      {
        resourceType: 'CodeSystem',
        id: 'priority',
        url: system,
        status: 'active',
        content: 'complete',
        concept: [{ code: 'a', display: 'at once' }],
      },
    ])
    const named = await built(VISIT)
    expect(all(named, 'Encounter')[0].priority.coding[0].display).toBe('at once')
    const signed = await built({ ...VISIT, authors: ['Practitioner/rekha-babu'] })
    const identifiers = [plain, without, named, signed].map(one => one.identifier.value)
    expect(new Set(identifiers).size).toBe(4)
  })

  it('has other ids on another server, for the same names there may be other people', async () => {
    const there = await clinicContext({ baseUrl: 'https://elsewhere.example.org/fhir' })
    const { bundle } = await buildDocument(there, VISIT)
    const here = await built(VISIT)
    const urls = new Set(here.entry.map((one: Any) => one.fullUrl))
    for (const { fullUrl } of (bundle as Any).entry) expect(urls.has(fullUrl)).toBe(false)
  })
})
