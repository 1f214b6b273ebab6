/** What references point to. https://hl7.org/fhir/R4/references.html, https://hl7.org/fhir/R4/bundle.html#references */
import { describe, expect, it } from 'vitest'
import { broken, CORE, definition, profiled, type Tree, URL } from './held.ts'

const named = definition('named', 'Organization', [['Organization.name', { min: 1 }]])
const target = (...canonicals: string[]) => ({ type: [{ code: 'Reference', targetProfile: canonicals }] })
const check = profiled('Patient', [['Patient.managingOrganization', target(named.url)]], {
  definitions: [named],
})
const contained = (organization: object) => ({
  managingOrganization: { reference: '#o' },
  contained: [{ resourceType: 'Organization', id: 'o', identifier: [{ value: '1' }], ...organization }],
})

describe('the target of a reference', () => {
  it('that is contained conforms to one of the profiles', async () => {
    expect(await check(contained({ name: 'Clinic' }))).toEqual([])
    expect(await check(contained({}))).toEqual(['reference-target Patient.managingOrganization.reference'])
  })
  it('that was not sent with it is not judged', async () => {
    expect(await check({ managingOrganization: { reference: 'Organization/1' } })).toEqual([])
    expect(await check({ managingOrganization: { display: 'Clinic' } })).toEqual([])
  })
  it('that was not sent with it is at least of the type that the reference names', async () => {
    expect(await check({ managingOrganization: { reference: 'Patient/1' } })).toEqual([
      'reference-target Patient.managingOrganization',
    ])
    const observation = profiled('Observation', [['Observation.subject', target(`${CORE}/Patient`)]])
    const of = (subject: object) => observation({ status: 'final', code: { text: 'x' }, subject })
    const wrong = ['reference-target Observation.subject']
    expect(await of({ reference: 'Patient/1/_history/2' })).toEqual([])
    expect(await of({ reference: 'Group/1' })).toEqual(wrong)
    expect(await of({ reference: 'Group?identifier=1' })).toEqual(wrong)
    expect(await of({ type: 'Group', display: 'Ward 3' })).toEqual(wrong)
    // An address elsewhere may end in anything.
    expect(await of({ reference: 'http://example.org/fhir/Group/1' })).toEqual([])
  })
  it('that claims the profile has its faults where it stands', async () => {
    expect(await check(contained({ meta: { profile: [named.url] } }))).toEqual([
      'cardinality-min Patient.contained[0].name',
    ])
  })
  it('may be one of several', async () => {
    const either = profiled(
      'Patient',
      [['Patient.generalPractitioner', target(named.url, `${CORE}/Practitioner`)]],
      {
        definitions: [named],
      },
    )
    const of = (resource: object) =>
      either({ generalPractitioner: [{ reference: '#x' }], contained: [{ id: 'x', ...resource }] })
    expect(await of({ resourceType: 'Practitioner' })).toEqual([])
    expect(await of({ resourceType: 'Organization', name: 'Clinic' })).toEqual([])
    expect(await of({ resourceType: 'Organization', identifier: [{ value: '1' }] })).toEqual([
      'reference-target Patient.generalPractitioner[0].reference',
    ])
    expect(await of({ resourceType: 'PractitionerRole' })).toEqual([
      'reference-target Patient.generalPractitioner[0].reference',
    ])
  })
  it('may refer back in a circle', async () => {
    const chain = definition('chain', 'Patient', [
      ['Patient.link', { min: 1 }],
      ['Patient.link.other', target(`${URL}/chain`)],
    ])
    const entry = (n: number, other: number, more: object = {}) => ({
      fullUrl: `urn:uuid:${n}1111111-1111-4111-8111-111111111111`,
      resource: {
        resourceType: 'Patient',
        link: [
          { type: 'seealso', other: { reference: `urn:uuid:${other}1111111-1111-4111-8111-111111111111` } },
        ],
        ...more,
      },
    })
    const bundle = (...entries: object[]): Tree => ({
      resourceType: 'Bundle',
      type: 'collection',
      entry: entries,
    })
    const meta = { profile: [chain.url] }
    expect(await broken(bundle(entry(1, 2, { meta }), entry(2, 1)), { definitions: [chain] })).toEqual([])
    // A circle of which no resource claims the profile, reached from outside.
    expect(
      await broken(bundle(entry(1, 2, { meta }), entry(2, 3), entry(3, 2)), { definitions: [chain] }),
    ).toEqual([])
    expect(
      await broken(bundle(entry(1, 2, { meta }), entry(2, 1, { link: undefined })), { definitions: [chain] }),
    ).toEqual(['reference-target Bundle.entry[0].resource.link[0].other.reference'])
  })
})

describe('aggregation', () => {
  const by = (...aggregation: string[]) =>
    profiled('Patient', [
      [
        'Patient.managingOrganization',
        { type: [{ code: 'Reference', targetProfile: [`${CORE}/Organization`], aggregation }] },
      ],
    ])
  it('says where the target is', async () => {
    const inside = contained({ name: 'Clinic' })
    const outside = { managingOrganization: { reference: 'Organization/1' } }
    expect(await by('contained')(inside)).toEqual([])
    expect(await by('contained')(outside)).toEqual(['aggregation Patient.managingOrganization.reference'])
    expect(await by('referenced')(outside)).toEqual([])
    expect(await by('referenced')(inside)).toEqual(['aggregation Patient.managingOrganization.reference'])
    expect(await by('bundled')(outside)).toEqual(['aggregation Patient.managingOrganization.reference'])
    expect(await by('referenced', 'contained')(inside)).toEqual([])
  })
})

describe('in a Bundle', () => {
  const organization = (more: object = {}) => ({ resourceType: 'Organization', id: 'o', ...more })
  const patient = (reference: string) => ({
    resourceType: 'Patient',
    id: 'p',
    managingOrganization: { reference },
    meta: { profile: [`${URL}/p`] },
  })
  const strict = definition('p', 'Patient', [['Patient.managingOrganization', target(named.url)]])
  const of = (
    reference: string,
    patientUrl: string,
    organizationUrl: string,
    more: object = { identifier: [{ value: '1' }] },
  ) =>
    broken(
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [
          { fullUrl: patientUrl, resource: patient(reference) },
          { fullUrl: organizationUrl, resource: organization(more) },
        ],
      },
      { definitions: [strict, named] },
    )
  const FAULT = ['reference-target Bundle.entry[0].resource.managingOrganization.reference']
  const UUID = 'urn:uuid:11111111-1111-4111-8111-111111111111'

  it('an absolute reference is the fullUrl', async () => {
    expect(await of(UUID, 'http://a.org/fhir/Patient/p', UUID)).toEqual(FAULT)
    expect(await of('http://b.org/fhir/Organization/o', UUID, 'http://b.org/fhir/Organization/o')).toEqual(
      FAULT,
    )
    expect(await of('http://b.org/fhir/Organization/o', UUID, 'http://a.org/fhir/Organization/o')).toEqual([])
  })
  it('a relative reference goes by the base of the entry that it stands in', async () => {
    expect(
      await of('Organization/o', 'http://a.org/fhir/Patient/p', 'http://a.org/fhir/Organization/o'),
    ).toEqual(FAULT)
    expect(
      await of('Organization/o', 'http://a.org/fhir/Patient/p', 'http://b.org/fhir/Organization/o'),
    ).toEqual([])
    expect(await of('Organization/o', UUID, 'http://b.org/fhir/Organization/o')).toEqual([])
  })
  it('a reference to a version is the entry of that version', async () => {
    const versioned = 'http://a.org/fhir/Organization/o/_history/2'
    const at = (versionId: string) =>
      of(versioned, UUID, 'http://a.org/fhir/Organization/o', {
        identifier: [{ value: '1' }],
        meta: { versionId },
      })
    expect(await at('2')).toEqual(FAULT)
    expect(await at('1')).toEqual([])
  })
})
