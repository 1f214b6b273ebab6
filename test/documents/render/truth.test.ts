/** What a rendering must not keep from a doctor, whatever the data is like. */
import { expect, it } from 'vitest'
import { renderHtml } from '../../../src/documents/render/html.ts'
import type { Resource } from '../../../src/fhir/json.ts'
import { documentOf } from './documents.ts'

type Any = { resourceType: string; id: string; [member: string]: unknown }
const page = async (...resources: Any[]): Promise<string> => {
  const bundle: Resource = documentOf(
    [{ title: 'Section', entry: resources.map(one => `${one.resourceType}/${one.id}`) }],
    resources,
  )
  const html = await renderHtml(bundle, { zone: 'Asia/Kolkata' })
  return html.slice(html.indexOf('<body>'))
}
const result = (id: string, time: string): Any => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: `Test ${id}` },
  valueString: '1',
  effectiveDateTime: time,
})

it('a measurement says when it was made, though it is the only one or all are of one time', async () => {
  expect(await page(result('a', '2025-01-02T03:30:00Z'))).toContain('2 Jan 2025, 9:00 am')
})

it('results of a report say when they were made where the report says another time', async () => {
  const report = (effectiveDateTime: string): Any => ({
    resourceType: 'DiagnosticReport',
    id: 'r',
    status: 'final',
    code: { text: 'Report' },
    effectiveDateTime,
    result: [{ reference: 'Observation/a' }],
  })
  const times = async (reported: string) => {
    const bundle = documentOf(
      [{ title: 'Section', entry: ['DiagnosticReport/r'] }],
      [report(reported), result('a', '2025-01-02T03:30:00Z')],
    )
    const html = await renderHtml(bundle, { zone: 'Asia/Kolkata' })
    return html.split('2 Jan 2025, 9:00 am').length - 1
  }
  expect(await times('2025-01-03T03:30:00Z')).toBe(1)
  expect(await times('2025-01-02T03:30:00Z')).toBe(1)
})

it('codes that are names of the prototype are words', async () => {
  const html = await page({
    resourceType: 'MedicationRequest',
    id: 'm',
    status: 'constructor',
    intent: 'constructor',
    medicationCodeableConcept: { text: 'Paracetamol' },
    dosageInstruction: [
      {
        timing: {
          code: { coding: [{ code: 'constructor' }] },
          repeat: {
            frequency: 1,
            period: 2,
            periodUnit: 'constructor',
            when: ['toString', '__proto__'],
            dayOfWeek: ['valueOf', 'constructor'],
          },
        },
        doseAndRate: [{ doseQuantity: { value: 1, unit: 'constructor', code: '__proto__' } }],
      },
    ],
  })
  expect(html).toContain('Paracetamol')
  expect(html).not.toContain('native code')
  expect(html).not.toContain('[object')
})

it('medicines of several days say when each was prescribed', async () => {
  const medicine = (id: string, authoredOn: string): Any => ({
    resourceType: 'MedicationRequest',
    id,
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { text: `Medicine ${id}` },
    authoredOn,
    dosageInstruction: [{ text: 'once a day' }],
  })
  const both = await page(medicine('a', '2025-01-02T20:00:00Z'), medicine('b', '2025-06-02'))
  expect(both).toContain('Prescribed 3 Jan 2025')
  expect(both).toContain('Prescribed 2 Jun 2025')
  // Of one day: the document's date or the visit says it.
  expect(await page(medicine('a', '2025-06-02T05:00:00Z'), medicine('b', '2025-06-02'))).not.toContain(
    'Prescribed',
  )
})
