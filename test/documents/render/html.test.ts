/** The HTML of documents: what it says, and that nothing in it is active. https://hl7.org/fhir/R4/documents.html#presentation */
import { describe, expect, it } from 'vitest'
import { renderHtml } from '../../../src/documents/render/html.ts'
import { RENDER_LIMITS, type RenderLimits } from '../../../src/documents/render/sheet.ts'
import { FhirError } from '../../../src/fhir/error.ts'
import type { Resource } from '../../../src/fhir/json.ts'
import { consultation, documentOf, invoiced, resource } from './documents.ts'

const html = (bundle: Resource, limits: Partial<RenderLimits> = {}) =>
  renderHtml(bundle, { zone: 'Asia/Kolkata', limits: { ...RENDER_LIMITS, ...limits } })

/** The page without its style, as its lines: each text between tags. */
async function texts(bundle: Resource): Promise<string[]> {
  const page = await html(bundle)
  return page
    .slice(page.indexOf('<body>'))
    .replace(/<wbr>/g, '')
    .split(/<[^>]*>/)
    .map(text => text.trim())
    .filter(text => text !== '')
}

async function refusal(making: Promise<unknown>): Promise<FhirError> {
  try {
    await making
  } catch (error) {
    if (error instanceof FhirError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const narrative = (content: string) => ({
  title: 'Story',
  text: { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>` },
})

/** Returns a document whose one section holds these resources. */
const holding = (...resources: { resourceType: string; id: string; [member: string]: unknown }[]): Resource =>
  documentOf(
    [{ title: 'Section', entry: resources.map(each => `${each.resourceType}/${each.id}`) }],
    resources,
  )

describe('a consultation', () => {
  it('says whose it is, for whom, by whom and when', async () => {
    const page = await texts(consultation())
    for (const text of [
      'Thanal Family Clinic',
      'തണൽ ഫാമിലി ക്ലിനിക്',
      'HFR: IN3200000001',
      'OP Consultation Record',
      '14 Mar 2026, 10:30 am',
      'Meera Krishnan',
      '34 years, born 20 Aug 1991',
      'Female',
      '91-0000-0000-0001',
      'meera@sbx',
      'TH-000123',
      'Dr. Anjali Menon',
      'MBBS, MD (General Medicine)',
      'TCMC Reg. No.: 00001',
      'OP-2026-00042',
      'Document urn:uuid:7b9a3c52-0001-4c00-8000-000000000001',
    ])
      expect(page).toContain(text)
  })

  it('says each medicine with its dose and when', async () => {
    const page = (await texts(consultation())).join('|')
    expect(page).toContain(
      'Tab. Paracetamol 500 mg|for പനി|1 tablet|3 times a day, after meals|5 days|ദിവസം 3 നേരം ഭക്ഷണത്തിനു ശേഷം',
    )
    expect(page).toContain('Cap. Amoxicillin 500 mg|STOPPED|1-0-1 for 5 days')
  })

  it('shows what was entered in error struck through and marked', async () => {
    expect(await html(consultation())).toContain(
      '<b><s>Dengue fever</s></b></p><p><span class="alert"><b>ENTERED IN ERROR</b></span>',
    )
  })

  it('marks a value that is out of its range, and none that is in it', async () => {
    const page = await html(consultation())
    expect(page).toContain('<span class="alert"><b>38.6 °C</b></span>')
    expect(page).toContain('118/76 mmHg')
    expect(page.match(/class="alert"><b>High/g)).toHaveLength(2)
  })
})

describe('flags', () => {
  const observation = (more: object) =>
    holding({ resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'Sodium' }, ...more })
  const value = (value: number, comparator?: string) => ({
    valueQuantity: { value, comparator, unit: 'mmol/L' },
  })
  const range = { low: { value: 135, unit: 'mmol/L' }, high: { value: 145, unit: 'mmol/L' } }

  it.each([
    ['the lowest that is normal', { ...value(135), referenceRange: [range] }, undefined],
    ['below', { ...value(134.9), referenceRange: [range] }, 'Low'],
    ['the highest that is normal', { ...value(145), referenceRange: [range] }, undefined],
    ['above', { ...value(145.1), referenceRange: [range] }, 'High'],
    [
      'judged as normal though above',
      { ...value(146), referenceRange: [range], interpretation: [{ coding: [{ code: 'N' }] }] },
      undefined,
    ],
    [
      'judged as critical',
      { ...value(120), interpretation: [{ coding: [{ code: 'LL' }] }] },
      'Critically low',
    ],
    ['another unit', { ...value(146), referenceRange: [{ high: { value: 145, unit: 'mg/dL' } }] }, undefined],
    [
      'two ranges',
      { ...value(146), referenceRange: [range, { high: { value: 150, unit: 'mmol/L' } }] },
      undefined,
    ],
    ['less than a number', { ...value(134, '<'), referenceRange: [range] }, undefined],
  ])('of %s', async (_, more, flag) => {
    const page = await html(observation(more))
    const found = /class="alert"><b>([A-Z][a-z ]+)</.exec(page)?.[1]
    expect(found).toBe(flag)
  })
})

describe('an invoice', () => {
  it('has its amounts in groups of India, each item with its taxes', async () => {
    const page = (await texts(invoiced())).join('|')
    expect(page).toContain(
      'Knee replacement implant|₹1,10,000.00|Discount ₹10,000.00|CGST ₹2,500.00|SGST ₹2,500.00|₹1,05,000.00',
    )
    expect(page).toContain('Consultation|₹500.00|₹500.00')
    expect(page).toContain('Total without tax|₹1,00,500.00|Total|₹1,05,500.00')
  })
})

describe('what stands of a thing', () => {
  it.each([
    ['Procedure', { status: 'not-done', code: { text: 'Scan' } }, 'NOT DONE'],
    [
      'Immunization',
      { status: 'not-done', vaccineCode: { text: 'BCG' }, statusReason: { text: 'fever' } },
      'NOT DONE: fever',
    ],
    [
      'MedicationRequest',
      { status: 'active', doNotPerform: true, medicationCodeableConcept: { text: 'Aspirin' } },
      'NOT TO BE DONE',
    ],
    ['Appointment', { status: 'cancelled', start: '2026-03-19T04:30:00Z' }, 'CANCELLED'],
    [
      'Condition',
      { code: { text: 'Typhoid' }, verificationStatus: { coding: [{ code: 'refuted' }] } },
      'REFUTED',
    ],
    [
      'Observation',
      { status: 'entered-in-error', code: { text: 'Pulse' }, valueInteger: 20 },
      'ENTERED IN ERROR',
    ],
    [
      'AllergyIntolerance',
      { code: { text: 'Dust' }, modifierExtension: [{ url: 'https://example.org/not', valueBoolean: true }] },
      'Its meaning is changed by an extension that is not shown here: see the record.',
    ],
  ])('%s %j is said', async (resourceType, members, words) => {
    expect(await texts(holding({ resourceType, id: 'x', ...members }))).toContain(words)
  })

  it('says so above all where the whole document was entered in error', async () => {
    const page = await html(documentOf([], [], { status: 'entered-in-error' }))
    expect(page.indexOf('THIS DOCUMENT WAS ENTERED IN ERROR')).toBeGreaterThan(0)
    expect(page.indexOf('THIS DOCUMENT WAS ENTERED IN ERROR')).toBeLessThan(page.indexOf('<h1>'))
  })

  it('does not show a file that was entered in error', async () => {
    const page = await html(
      holding({
        resourceType: 'DocumentReference',
        id: 'd',
        status: 'entered-in-error',
        content: [{ attachment: { contentType: 'text/plain', data: btoa('wrong letter') } }],
      }),
    )
    expect(page).not.toContain('wrong letter')
    expect(page).toContain('ENTERED IN ERROR')
  })
})

describe('sections', () => {
  it('say their narrative where they have no entries, and only there', async () => {
    expect(await texts(documentOf([narrative('<p>told</p>')]))).toContain('told')
    const entry = { resourceType: 'Condition', id: 'c', code: { text: 'Fever' } }
    const both = await texts(documentOf([{ ...narrative('<p>told</p>'), entry: ['Condition/c'] }], [entry]))
    expect(both).toContain('Fever')
    expect(both).not.toContain('told')
  })

  it('stand in their order, those inside others below them', async () => {
    const section = [
      { title: 'A', section: [narrative('x')] },
      { title: 'B', emptyReason: { text: 'not asked' } },
    ]
    const page = (await texts(documentOf(section))).join('|')
    expect(page).toContain('A|Story|x|B|Nothing recorded: not asked')
  })

  it('name an entry that is not in the document', async () => {
    expect(await texts(documentOf([{ title: 'S', entry: ['Condition/gone'] }]))).toContain(
      'An entry: not in this document',
    )
  })

  it('show any other resource by its narrative, else by what it is called', async () => {
    const page = await texts(
      holding(
        { resourceType: 'Basic', id: 'b', code: { text: 'Diet chart' } },
        { resourceType: 'NutritionOrder', id: 'n', text: { div: '<div>Less salt</div>' } },
      ),
    )
    expect(page).toContain('Diet chart')
    expect(page).toContain('Less salt')
  })
})

describe('what is hostile', () => {
  const HOSTILE = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "'--><iframe src=javascript:alert(1)>",
    '</style><script>alert(1)</script>',
    '<a href="javascript:alert(1)">x</a>',
    '<div style="background:url(https://evil.example/x)">x</div>',
    '<math><mi xlink:href="data:x,<script>alert(1)</script>">',
    '<p title="a>b<script>alert(1)</script>',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '<object data=x>inner</object><form action=x><button formaction=javascript:x>',
  ]
  /** The elements that a page may have. */
  const ALLOWED =
    /^(html|head|meta|title|style|body|main|header|div|p|h[1-6]|section|dl|dt|dd|table|thead|tbody|tr|th|td|ul|li|b|s|span|figure|figcaption|img|footer|wbr)$/

  function active(page: string): string[] {
    const tags = [...page.matchAll(/<\/?([A-Za-z][^\s>/]*)([^>]*)>/g)]
    return tags
      .filter(([, name, rest]) => !ALLOWED.test(name!) || /\son|href|src="(?!data:image)/i.test(rest!))
      .map(([tag]) => tag)
  }

  it('in a narrative leaves only its words', async () => {
    for (const hostile of HOSTILE) expect(active(await html(documentOf([narrative(hostile)])))).toEqual([])
  })

  it('in any text is text', async () => {
    for (const hostile of HOSTILE) {
      const condition = {
        resourceType: 'Condition',
        id: 'c',
        code: { text: hostile },
        note: [{ text: hostile }],
      }
      const bundle = documentOf([{ title: hostile, entry: ['Condition/c'] }], [condition], {
        title: hostile,
        language: hostile,
      })
      expect(active(await html(bundle))).toEqual([])
    }
  })

  it('as an image is no image', async () => {
    const attachment = { contentType: 'image/svg+xml', title: 'x', data: btoa('<svg onload="alert(1)"/>') }
    const lying = { contentType: 'image/png', title: 'y', data: btoa('<svg onload="alert(1)"/>') }
    const page = await html(
      holding({
        resourceType: 'DocumentReference',
        id: 'd',
        content: [{ attachment }, { attachment: lying }],
      }),
    )
    expect(page).not.toContain('<img')
  })

  it('loads nothing from elsewhere and runs nothing', async () => {
    const page = await html(consultation())
    expect(page).not.toMatch(/<script|<link|@import|url\((?!data:font\/woff)/)
    expect(active(page)).toEqual([])
  })

  it('cannot turn the direction of a text, or hide in it', async () => {
    const page = await html(documentOf([narrative('<p>50\u202e05\u2066\u0007 mg</p>')]))
    expect(page).toContain('5005 mg')
  })

  it('is read once, however it is nested or left open', async () => {
    const deep = `${'<div><table><tr><td><ul><li>'.repeat(20_000)}x`
    const started = performance.now()
    await html(documentOf([narrative(deep)]))
    await html(documentOf([narrative('<script>'.repeat(50_000))]))
    await html(documentOf([narrative('<p a="'.repeat(50_000))]))
    expect(performance.now() - started).toBeLessThan(3000)
  })

  it('of any shape is rendered or refused, never anything else', async () => {
    const odd: unknown[] = [null, 1, 'x', true, [], {}, [[]], [null], [{}], { text: [] }, { coding: 'x' }]
    for (const value of odd) {
      const names = [
        'code',
        'status',
        'valueQuantity',
        'referenceRange',
        'component',
        'dosageInstruction',
        'lineItem',
        'content',
      ]
      const members = Object.fromEntries(names.map(name => [name, value]))
      for (const resourceType of [
        'Observation',
        'MedicationRequest',
        'Invoice',
        'DocumentReference',
        'CarePlan',
        'Odd',
      ])
        await html(holding({ resourceType, id: 'x', ...members }))
      const bundle = documentOf([])
      for (const name of [
        'section',
        'author',
        'subject',
        'custodian',
        'date',
        'title',
        'attester',
        'encounter',
      ])
        await html({
          ...bundle,
          ...resource({
            resourceType: 'Bundle',
            entry: [{ resource: { resourceType: 'Composition', [name]: value } }],
          }),
          type: 'document',
        })
    }
  })

  it('that refers to itself ends', async () => {
    const one = {
      resourceType: 'Observation',
      id: 'a',
      code: { text: 'A' },
      hasMember: [{ reference: 'Observation/b' }],
    }
    const other = {
      resourceType: 'Observation',
      id: 'b',
      code: { text: 'B' },
      hasMember: [{ reference: 'Observation/a' }],
    }
    const report = {
      resourceType: 'DiagnosticReport',
      id: 'r',
      code: { text: 'R' },
      result: [{ reference: 'Observation/a' }],
    }
    expect(
      await texts(documentOf([{ title: 'S', entry: ['DiagnosticReport/r'] }], [one, other, report])),
    ).toContain('B')
  })
})

describe('what refers to much', () => {
  const observation = (id: string, members: string[]) => ({
    resourceType: 'Observation',
    id,
    code: { text: id },
    hasMember: members.map(member => ({ reference: `Observation/${member}` })),
  })

  it('shows each result once in a table', async () => {
    const shared = [observation('a', ['c']), observation('b', ['c']), observation('c', [])]
    const page = await texts(documentOf([{ title: 'S', entry: ['Observation/a', 'Observation/b'] }], shared))
    expect(page.filter(text => text === 'c')).toHaveLength(1)
  })

  it('is not walked in all its ways: four layers of 200, each with all of the next', async () => {
    const layer = (number: number) => Array.from({ length: 200 }, (_, i) => `l${number}-${i}`)
    const resources = [0, 1, 2, 3].flatMap(number =>
      layer(number).map(id => observation(id, number < 3 ? layer(number + 1) : [])),
    )
    const started = performance.now()
    const bundle = documentOf([{ title: 'S', entry: layer(0).map(id => `Observation/${id}`) }], resources)
    expect((await refusal(html(bundle))).status).toBe(413)
    expect(performance.now() - started).toBeLessThan(3000)
  })

  it('is refused: many reports of the same long results', async () => {
    const component = Array.from({ length: 2000 }, () => ({ code: { text: 'c'.repeat(50) } }))
    const long = { ...observation('long', []), component }
    const reports = Array.from({ length: 1900 }, (_, i) => ({
      resourceType: 'DiagnosticReport',
      id: `r${i}`,
      result: [{ reference: 'Observation/long' }],
    }))
    const started = performance.now()
    const entry = reports.map(({ id }) => `DiagnosticReport/${id}`)
    const bundle = documentOf([{ title: 'S', entry }], [long, ...reports])
    expect((await refusal(html(bundle))).status).toBe(413)
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('says a name of a million characters in part', async () => {
    const doctor = { resourceType: 'Practitioner', id: 'long', name: [{ text: 'y'.repeat(1_000_000) }] }
    const procedure = {
      resourceType: 'Procedure',
      id: 'p',
      code: { text: 'P' },
      performer: Array.from({ length: 1000 }, () => ({ actor: { reference: 'Practitioner/long' } })),
    }
    expect(
      (await html(documentOf([{ title: 'S', entry: ['Procedure/p'] }], [doctor, procedure]))).length,
    ).toBeLessThan(600_000)
  })
})

describe('refused is', () => {
  it('a Bundle that is no document', async () => {
    for (const bundle of [
      resource({ resourceType: 'Bundle', type: 'collection' }),
      resource({ resourceType: 'Bundle', type: 'document' }),
      resource({
        resourceType: 'Bundle',
        type: 'document',
        entry: [{ resource: { resourceType: 'Patient' } }],
      }),
      resource({ resourceType: 'Patient' }),
    ])
      expect((await refusal(html(bundle))).status).toBe(422)
  })

  it('what is larger than the limits', async () => {
    expect((await refusal(html(consultation(), { entries: 3 }))).status).toBe(413)
    expect((await refusal(html(consultation(), { characters: 100 }))).status).toBe(413)
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsUGL5gAAAABJRU5ErkJggg=='
    const attachment = { contentType: 'image/png', data: png }
    const image = holding({ resourceType: 'DocumentReference', id: 'd', content: [{ attachment }] })
    expect(await html(image)).toContain('<img')
    expect((await refusal(html(image, { imageBytes: 20 }))).status).toBe(413)
  })
})
