/** What the narratives of a document must not keep from their readers. */

import { beforeEach, describe, expect, it } from 'vitest'
import type { DocumentRequest } from '../../src/documents/request.ts'
import type { Key } from '../../src/storage/port.ts'
import type { TestContext } from '../interactions/context.ts'
import { changeStored, clinicContext, documentText } from './clinic.ts'

// biome-ignore lint/suspicious/noExplicitAny: resources are changed field by field
type Any = any

const VISIT: DocumentRequest = { hiType: 'OPConsultation', encounter: 'encounter-02' }

let ctx: TestContext
beforeEach(async () => {
  ctx = await clinicContext()
})
const built = (request: DocumentRequest) => documentText(ctx, request)
const change = (key: Key, by: (resource: Any) => void) => changeStored(ctx, key, by)
describe('a narrative', () => {
  it('says what turns the meaning of an entry round', async () => {
    await change('MedicationRequest/prescription-02', one => {
      one.status = 'stopped'
      one.doNotPerform = true
    })
    const bundle = JSON.parse(await built(VISIT))
    const section = bundle.entry[0].resource.section.find((one: Any) => one.title === 'Medications')
    expect(section.text.div).toContain('not to be done, stopped')
    const own = bundle.entry.find((one: Any) => one.resource.doNotPerform === true).resource
    expect(own.text.div).toContain('not to be done, stopped')
  })

  it('says a dose that is in codes whole: how often, when needed, how long', async () => {
    await change('MedicationRequest/prescription-02', one => {
      one.dosageInstruction = [
        {
          asNeededBoolean: true,
          timing: {
            repeat: { frequency: 3, period: 1, periodUnit: 'd', boundsDuration: { value: 5, unit: 'days' } },
          },
          doseAndRate: [{ doseQuantity: { value: 2, unit: 'tablet' } }],
        },
      ]
    })
    const bundle = JSON.parse(await built(VISIT))
    const section = bundle.entry[0].resource.section.find((one: Any) => one.title === 'Medications')
    expect(section.text.div).toContain('2 tablet, 3 times a day, as needed, 5 days')
  })

  it('calls a diagnosis no complaint, and says why the patient came', async () => {
    const first = async () => JSON.parse(await built(VISIT)).entry[0].resource
    const composition = await first()
    expect(composition.section[0].title).toBe('Chief Complaints and Diagnoses')
    expect(composition.section[0].text.div).toContain('<td>Type 2 diabetes</td><td>Diagnosis</td>')
    expect(composition.text.div).toContain('<th>Reason</th><td>Diabetes review</td>')
    await change('Condition/condition-02', one => delete one.category)
    expect((await first()).section[0].title).toBe('Chief Complaints')
  })
})
