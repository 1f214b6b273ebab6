/** Our profiles for ABDM hold together by themselves: sound R4, nothing missing, nothing that R4 says already. */
import { describe, expect, it } from 'vitest'
import { snapshotOf } from '../../src/fhir/definitions/snapshot.ts'
import { builtInStructure } from '../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { type Element, FILES, HL7, NRCES, ours, oursOf, r4, text } from './definitions.ts'
import { below, rules, withoutSlices } from './rules.ts'

const PROFILES = [
  'Patient Practitioner PractitionerRole Organization Encounter Condition AllergyIntolerance Procedure ServiceRequest CarePlan',
  'Observation ObservationBodyMeasurement ObservationGeneralAssessment ObservationLifestyle ObservationPhysicalActivity',
  'ObservationVitalSigns ObservationWomenHealth MedicationRequest MedicationStatement Medication DiagnosticReportLab',
  'DiagnosticReportImaging DocumentReference Binary Immunization ImmunizationRecommendation BrandName FamilyMemberHistory',
  'Appointment Invoice ChargeItem ImagingStudy Media Specimen CommunicationRequest Task DocumentBundle OPConsultRecord',
  'DischargeSummaryRecord PrescriptionRecord DiagnosticReportRecord HealthDocumentRecord ImmunizationRecord WellnessRecord InvoiceRecord',
].flatMap(line => line.split(' '))

/** Code systems whose releases their owners give out, and what only Task.insurance points to: claims are no part of a record. */
const ELSEWHERE = new Set([
  'http://snomed.info/sct',
  'http://loinc.org',
  `${NRCES}/StructureDefinition/ClaimResponse`,
])

const eachOf = (kind: string) => it.each(oursOf(kind).map(one => [one.id, one] as const))

describe('profiles of ABDM', () => {
  it('are there for the eight records and for every resource in them', () => {
    expect(oursOf('StructureDefinition').map(one => one.id)).toEqual([...PROFILES].sort())
  })

  it.each(FILES)('%s is sound R4 under its canonical', file => {
    const resource = parseJson(text(file)) as Resource
    const [kind, id] = file.replace(/\.json$/, '').split(/-(.*)/)
    expect(validateStructure(resource, kind!)).toEqual([])
    expect(resource).toMatchObject({ id, url: `${NRCES}/${kind}/${id}`, version: '6.0.0', status: 'active' })
  })

  it('carry no publisher, contact, copyright or narrative of anybody', () => {
    const keys = FILES.flatMap(file => Object.keys(parseJson(text(file)) as Resource))
    expect(keys.filter(key => /^(publisher|contact|copyright|text|date|jurisdiction)$/.test(key))).toEqual([])
  })

  it('name only canonicals that are among them or in R4', () => {
    const named = [...ours.values()].flatMap(({ baseDefinition, differential, compose }) => [
      ...(baseDefinition ? [baseDefinition] : []),
      ...(differential?.element ?? []).flatMap(canonicals),
      ...[...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap(one => one.system ?? []),
    ])
    const unknown = [...new Set(named)].filter(url => !ours.has(url) && !ELSEWHERE.has(url) && !r4(url))
    expect(named.length).toBeGreaterThan(500)
    expect(unknown).toEqual([])
  })

  it('have no value set or code system that nothing binds', () => {
    const bound = [...ours.values()].flatMap(({ differential, compose }) => [
      ...(differential?.element ?? []).flatMap(canonicals),
      ...(compose?.include ?? []).flatMap(one => one.system ?? []),
    ])
    const unused = [...oursOf('ValueSet'), ...oursOf('CodeSystem')].filter(one => !bound.includes(one.url))
    expect(unused).toEqual([])
  })

  eachOf('StructureDefinition')('%s names elements that R4 has, once each and in order', (_, own) => {
    const { element } = own.differential!
    expect(new Set(element.map(one => one.id)).size).toBe(element.length)
    const order = r4(`${HL7}/${own.type}`)!.snapshot!.element.map(one => one.id)
    const places = element.map(({ path }) => order.indexOf(path.split('.').slice(0, 2).join('.')))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    for (const { id, path } of element) {
      expect(path).toBe(withoutSlices(id))
      expect(below(own.baseDefinition!, id), id).toBeDefined()
    }
  })

  eachOf('StructureDefinition')('%s has a snapshot that goes as deep as it does', async (_, own) => {
    const find = async (canonical: string) => builtInStructure(canonical)
    const { elements } = await snapshotOf((await find(own.url))!, find)
    const ids = elements.map(one => one.id)
    expect(ids).toEqual(expect.arrayContaining(own.differential!.element.map(one => one.id)))
    expect(elements.find(one => one.id === own.type)).toBeDefined()
  })

  eachOf('StructureDefinition')('%s declares every slicing before its slices', (_, own) => {
    const seen = new Set<string>()
    for (const { id, path, slicing, sliceName } of own.differential!.element) {
      const named = id.split('.').at(-1)!.split(':')[1]
      expect(sliceName, id).toBe(named)
      if (slicing) seen.add(path)
      if (sliceName) expect(seen, id).toContain(path)
    }
  })

  eachOf('StructureDefinition')('%s says nothing that its base says already', (_, own) => {
    for (const element of own.differential!.element) {
      const under = rules(below(own.baseDefinition!, element.id)!)
      const said = rules(element)
      expect(Object.keys(said), element.id).not.toEqual([])
      for (const [rule, value] of Object.entries(said))
        expect(under[rule], `${element.id} ${rule}`).not.toEqual(value)
    }
  })

  it('give a code the display text that its code system gives it', () => {
    const displays = new Map(
      oursOf('CodeSystem').flatMap(({ url, concept }) =>
        concept!.map(one => [`${url} ${one.code}`, one.display]),
      ),
    )
    const uses = [...ours.values()].flatMap(({ differential, compose }) => [
      ...(compose?.include ?? []).flatMap(({ system, concept = [] }) =>
        concept.map(one => [`${system} ${one.code}`, one.display] as const),
      ),
      ...fixedCodings(differential?.element ?? []),
    ])
    const known = uses.filter(([code]) => displays.has(code))
    expect(known.length).toBe(6)
    for (const [code, display] of known) expect(display, code).toBe(displays.get(code))
  })
})

const canonicals = ({ type = [], binding }: Element): string[] => [
  ...type.flatMap(one => [...(one.profile ?? []), ...(one.targetProfile ?? [])]),
  ...(binding?.valueSet ? [binding.valueSet] : []),
]

/** Returns code and display of codings whose code is fixed. */
const fixedCodings = (elements: Element[]): (readonly [string, string])[] =>
  elements.flatMap(({ id, fixedCode }) => {
    const sibling = (name: string) => elements.find(one => one.id === id.replace(/\.code$/, `.${name}`))
    const system = sibling('system')?.fixedUri
    return fixedCode && system
      ? [[`${system} ${fixedCode}`, String(sibling('display')?.fixedString)] as const]
      : []
  })
