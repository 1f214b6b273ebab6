/** The invariants of R4 that are written out: each holds and is broken where its FHIRPath is. https://hl7.org/fhir/R4/domainresource.html#invs */
import { describe, expect, it } from 'vitest'
import table from '../../../../src/fhir/definitions/generated/structures.json' with { type: 'json' }
import { parseJson } from '../../../../src/fhir/json.ts'
import { environment } from '../../../../src/fhir/path/environment.ts'
import { compileInvariant } from '../../../../src/fhir/path/invariant.ts'
import { pathValue } from '../../../../src/fhir/path/value.ts'
import { NATIVE } from '../../../../src/fhir/validate/profile/native-invariants.ts'
import { broken, type Tree } from './held.ts'

const concept = (code: string) => ({ coding: [{ system: 'http://s', code }] })
const observation = (more: object) => ({
  resourceType: 'Observation',
  status: 'final',
  code: concept('a'),
  ...more,
})
const patient = (more: object) => ({ resourceType: 'Patient', ...more })
const inner = (more: object = {}) => ({ resourceType: 'Organization', id: 'o', name: 'x', ...more })
const holding = (more: object, organization: object = {}) =>
  patient({ contained: [inner(organization)], managingOrganization: { reference: '#o' }, ...more })
const composition = (section: object) => ({
  resourceType: 'Composition',
  status: 'final',
  type: { text: 'x' },
  date: '2020',
  title: 'x',
  author: [{ display: 'x' }],
  section: [section],
})
const questionnaire = (enableWhen: object) => ({
  resourceType: 'Questionnaire',
  status: 'active',
  item: [{ linkId: 'a', type: 'string', enableWhen: [{ question: 'b', ...enableWhen }] }],
})
const risk = (probabilityDecimal: number) => ({
  resourceType: 'RiskAssessment',
  status: 'final',
  subject: { display: 'x' },
  prediction: [{ probabilityDecimal }],
})

/** A resource in which the invariant holds, one in which it is broken, and where. */
const CASES: [key: string, holds: Tree, breaks: Tree, place: string][] = [
  ['dom-3', holding({}), holding({ managingOrganization: undefined }), 'Patient.contained[0]'],
  ['dom-4', holding({}), holding({}, { meta: { versionId: '1' } }), 'Patient.contained[0].meta.versionId'],
  [
    'dom-5',
    holding({}, { meta: { tag: [{ code: 'x' }] } }),
    holding({}, { meta: { security: [{ code: 'x' }] } }),
    'Patient.contained[0].meta.security',
  ],
  [
    'obs-6',
    observation({ valueString: 'x' }),
    observation({ valueString: 'x', dataAbsentReason: { text: 'x' } }),
    'Observation.dataAbsentReason',
  ],
  [
    'obs-7',
    observation({ valueString: 'x', component: [{ code: concept('b') }] }),
    observation({ valueString: 'x', component: [{ code: concept('b') }, { code: concept('a') }] }),
    'Observation',
  ],
  [
    'cmp-1',
    composition({ title: 'x', entry: [{ display: 'x' }] }),
    composition({ title: 'x' }),
    'Composition.section[0]',
  ],
  [
    'cmp-2',
    composition({ entry: [{ display: 'x' }] }),
    composition({ entry: [{ display: 'x' }], emptyReason: { text: 'x' } }),
    'Composition.section[0].entry',
  ],
  [
    'qty-3',
    observation({ valueQuantity: { code: 'x', system: 'http://s' } }),
    observation({ valueQuantity: { code: 'x' } }),
    'Observation.value.system',
  ],
  [
    'cpt-2',
    patient({ telecom: [{ system: 'phone', value: '1' }] }),
    patient({ telecom: [{ value: '1' }] }),
    'Patient.telecom[0].system',
  ],
  [
    'att-1',
    patient({ photo: [{ data: 'AAAA', contentType: 'image/png' }] }),
    patient({ photo: [{ data: 'AAAA' }] }),
    'Patient.photo[0].contentType',
  ],
  [
    'pat-1',
    patient({ contact: [{ name: { text: 'x' } }] }),
    patient({ contact: [{ gender: 'male' }] }),
    'Patient.contact[0]',
  ],
  ['ras-2', risk(100), risk(100.5), 'RiskAssessment.prediction[0].probability'],
  [
    'que-7',
    questionnaire({ operator: 'exists', answerBoolean: true }),
    questionnaire({ operator: 'exists', answerString: 'x' }),
    'Questionnaire.item[0].enableWhen[0].answer',
  ],
]

describe('written out', () => {
  it.each(CASES)('%s', async (key, holds, breaks, place) => {
    expect(await broken(holds)).toEqual([])
    expect(await broken(breaks)).toEqual([`${key} ${place}`])
  })
  it('the names of definitions and the narrative are warnings', async () => {
    const valueSet = (name: string) => ({
      resourceType: 'ValueSet',
      status: 'active',
      name,
      url: 'http://x.org/v',
    })
    expect(await broken(valueSet('Good_1'), {}, true)).toEqual([])
    expect(await broken(valueSet('bad name'), {}, true)).toEqual(['warning vsd-0 ValueSet.name'])
  })
})

it('each is an invariant of R4 as it stands there', () => {
  const known = new Set(
    (table as { constraints: string[] }).constraints
      .map(text => JSON.parse(text))
      .map(([key, , , expression]) => `${key} ${expression}`),
  )
  for (const name of NATIVE.keys()) expect(known.has(name), name).toBe(true)
})

it('the FHIRPath of each says the same of the resource', () => {
  const whole = CASES.filter(([key]) => ['dom-3', 'dom-4', 'dom-5', 'obs-6', 'obs-7'].includes(key))
  expect(whole.length).toBe(5)
  for (const [key, holds, breaks] of whole) {
    const name = [...NATIVE.keys()].find(one => one.startsWith(`${key} `))!
    const path = compileInvariant(name.slice(key.length + 1))
    for (const [one, expected] of [
      [holds, true],
      [breaks, false],
    ] as const) {
      const focus = pathValue(parseJson(JSON.stringify(one)), one.resourceType)
      expect(path.holds(focus, environment({ resource: focus, rootResource: focus })), key).toBe(expected)
    }
  }
})

it('resources in Parameters and in Bundles are held against theirs', async () => {
  const contact = [{ gender: 'male' }]
  expect(
    await broken({ resourceType: 'Parameters', parameter: [{ name: 'x', resource: patient({ contact }) }] }),
  ).toEqual(['pat-1 Parameters.parameter[0].resource.contact[0]'])
  expect(
    await broken({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ resource: patient({ contact }), request: { method: 'POST', url: 'Patient' } }],
    }),
  ).toEqual(['pat-1 Bundle.entry[0].resource.contact[0]'])
})
