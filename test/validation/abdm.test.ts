/** The usual faults of NRCeS documents, each with a sentence that names what to write. https://nrces.in/ndhm/fhir/r4/ */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { opConsult } from '../../bench/op-consult.ts'
import { validate } from '../../src/validation/validate.ts'
import { type TestContext, testContext } from '../interactions/context.ts'
import { tree } from '../operations/context.ts'

let ctx: TestContext
beforeAll(async () => {
  ctx = await testContext()
})
afterAll(() => ctx.storage.close())

const PROFILE = 'https://nrces.in/ndhm/fhir/r4/StructureDefinition'
// biome-ignore lint/suspicious/noExplicitAny: a document is changed member by member
type Tree = any

/** Returns errors and warnings of a changed document as `[severity, rule, expression, sentence]`. */
async function faults(change: (document: Tree) => void): Promise<string[][]> {
  const document = opConsult(13)
  change(document)
  const issues = await validate(ctx, tree(document), { type: 'Bundle' })
  return issues
    .filter(
      ({ severity, diagnostics }) =>
        severity !== 'information' && !diagnostics.includes('condition-category'),
    )
    .map(({ severity, rule, expression, diagnostics }) => [
      severity,
      rule ?? '',
      expression ?? '',
      diagnostics,
    ])
}

describe('an OPConsultation document', () => {
  it('that is sound has no fault', async () => {
    expect(await faults(() => {})).toEqual([])
  })
  it('with a section of the wrong code is told the code, system and display of the one that is meant', async () => {
    const [unmatched, order] = await faults(document => {
      document.entry[0].resource.section[0].code.coding[0].code = '4228430'
    })
    for (const fault of [unmatched!, order!]) {
      expect(fault[2]).toBe('Bundle.entry[0].resource.section[0]')
      expect(fault[3]).toContain('ChiefComplaints seems to be meant')
      expect(fault[3]).toContain('code.coding.system = "http://snomed.info/sct"')
      expect(fault[3]).toContain('code.coding.code = "422843007"')
      expect(fault[3]).toContain('code.coding.display = "Chief complaint section"')
    }
    expect([unmatched![1], order![1]]).toEqual(['slice-unmatched', 'slice-order'])
  })
  it('with the codes of two sections exchanged is told by their titles and entries which are meant', async () => {
    const found = await faults(document => {
      const [one, two] = document.entry[0].resource.section
      ;[one.code, two.code] = [two.code, one.code]
    })
    const at = (index: number) =>
      found.find(fault => fault[2]!.startsWith(`Bundle.entry[0].resource.section[${index}]`))!
    expect(at(0)[1]).toBe('reference-target')
    expect(at(0)[3]).toContain(
      'ChiefComplaints seems to be meant: it has code.coding.system = "http://snomed.info/sct", code.coding.code = "422843007"',
    )
    expect(at(1)[3]).toContain(
      'Allergies seems to be meant: it has code.coding.system = "http://snomed.info/sct", code.coding.code = "722446000"',
    )
  })
  it('with a wrong display is told the right one', async () => {
    const found = await faults(document => {
      document.entry[0].resource.section[1].code.coding[0].display = 'Allergies'
    })
    expect(found.map(fault => fault.slice(0, 3))).toEqual([
      ['error', 'fixed', 'Bundle.entry[0].resource.section[1].code.coding[0].display'],
    ])
    expect(found[0]![3]).toContain('must be "Allergy record", and not "Allergies"')
  })
  it('without meta.versionId is told to add it', async () => {
    const found = await faults(document => {
      delete document.meta.versionId
    })
    expect(found.map(fault => fault.slice(0, 3))).toEqual([
      ['error', 'cardinality-min', 'Bundle.meta.versionId'],
    ])
    expect(found[0]![3]).toContain('"versionId": "1"')
  })
  it('with a relative fullUrl is told to write a urn:uuid:', async () => {
    const found = await faults(document => {
      document.entry[1].fullUrl = 'Patient/patient'
    })
    expect(found[0]!.slice(0, 3)).toEqual(['error', 'bundle-fullurl-absolute', 'Bundle.entry[1].fullUrl'])
    expect(found[0]![3]).toContain('Write urn:uuid: and a UUID')
  })
  it('without an identifier of the Bundle or the Patient is told to add it', async () => {
    const bundle = await faults(document => {
      delete document.identifier
    })
    expect(bundle.map(fault => fault.slice(1, 3))).toEqual([
      ['bdl-9', 'Bundle.identifier'],
      ['cardinality-min', 'Bundle.identifier'],
    ])
    expect(bundle[0]![3]).toContain('system "urn:ietf:rfc:3986" and a urn:uuid:')
    const patient = await faults(document => {
      delete document.entry[1].resource.identifier
    })
    expect(patient.map(fault => fault.slice(1, 3))).toEqual([
      ['cardinality-min', 'Bundle.entry[1].resource.identifier'],
    ])
    expect(patient[0]![3]).toContain('with its system and value')
  })
})

it('a Prescription whose entries lack reference.type is told the type of each', async () => {
  const found = await faults(document => {
    const composition = document.entry[0].resource
    composition.meta.profile = [`${PROFILE}/PrescriptionRecord`]
    composition.type = {
      coding: [{ system: 'http://snomed.info/sct', code: '440545006', display: 'Prescription record' }],
    }
    const entry = composition.section.at(-1).entry
    composition.section = [{ title: 'Prescription', code: composition.type, entry }]
  })
  const errors = found.filter(([severity]) => severity === 'error')
  expect(errors.map(fault => fault.slice(1, 3))).toEqual([
    ['slice-closed', 'Bundle.entry[0].resource.section[0].entry[0]'],
    ['slice-closed', 'Bundle.entry[0].resource.section[0].entry[1]'],
  ])
  expect(errors[0]![3]).toContain('type = "MedicationRequest"')
})
