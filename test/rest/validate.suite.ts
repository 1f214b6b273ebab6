/**
 * Structural validation of every write: each fault with its path, all of them in one answer.
 * https://hl7.org/fhir/R4/validation.html
 */
import { describe, expect, it } from 'vitest'
import { type Api, bundle, entry, observation, patient, places, refused, type Tree, word } from './client.ts'

export function validateSuite(api: () => Api): void {
  /** Asserts that the server refuses the resource and names this place. */
  const fault = async (resource: Tree, place: string | RegExp) => {
    const answer = await api().post(resource.resourceType, resource)
    // "400 Bad Request - resource could not be parsed or failed basic FHIR validation rules", "422 ... profiles or business rules"
    const outcome = refused(answer, 400, 422)
    const named = places(outcome)
    const hit = named.some(each => (typeof place === 'string' ? each === place : place.test(each)))
    expect(hit, `${place} in ${JSON.stringify(named)}`).toBe(true)
  }
  const fine = async (resource: Tree) => {
    const answer = await api().post(resource.resourceType, resource)
    expect(answer.status, `${JSON.stringify(resource)}: ${answer.text}`).toBe(201)
  }
  const p = (more: Tree) => ({ resourceType: 'Patient', ...more })

  describe('elements', () => {
    it('that are unknown or misspelt are refused', async () => {
      await fault(p({ nmae: [] }), 'Patient.nmae')
      await fault(p({ name: [{ famly: 'x' }] }), 'Patient.name[0].famly')
      await fault(p({ Active: true }), 'Patient.Active')
      await fault(
        p({ name: [{ family: 'x' }, { period: { begin: '2020' } }] }),
        'Patient.name[1].period.begin',
      )
      await fault(p({ _nmae: { id: 'x' } }), /nmae/)
      await fault(p({ fhir_comments: ['x'] }), /fhir_comments/)
    })

    it('that every JavaScript object has are unknown too', async () => {
      for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
        const answer = await api().post('Patient', `{"resourceType":"Patient","${name}":"x"}`)
        expect(places(refused(answer, 400, 422)).join(' ')).toContain(name)
      }
    })

    it('of the wrong type are refused', async () => {
      await fault(p({ active: 'true' }), 'Patient.active')
      await fault(p({ birthDate: 1988 }), 'Patient.birthDate')
      await fault(p({ gender: true }), 'Patient.gender')
      await fault(p({ maritalStatus: 'M' }), 'Patient.maritalStatus')
      await fault(p({ name: [{ given: ['a', 5] }] }), 'Patient.name[0].given[1]')
      await fault(p({ name: ['Meera'] }), 'Patient.name[0]')
      // FHIRPath calls the element value, whatever its type.
      await fault(observation({ valueQuantity: { value: '5' } }), /^Observation\.value(Quantity)?\.value$/)
      await fault(p({ multipleBirthInteger: 1.5 }), /Patient\.multipleBirth(Integer)?/)
    })

    it('as a list where one is allowed, or one where a list is, are refused', async () => {
      await fault(p({ birthDate: ['1988'] }), 'Patient.birthDate')
      await fault(p({ name: { family: 'x' } }), 'Patient.name')
      await fault(p({ maritalStatus: [{ text: 'x' }] }), 'Patient.maritalStatus')
    })

    it('that are required and missing are named', async () => {
      await fault({ resourceType: 'Observation', code: { text: 'x' } }, 'Observation.status')
      await fault({ resourceType: 'Observation', status: 'final' }, 'Observation.code')
      await fault(
        { resourceType: 'Observation', status: 'final', code: { text: 'x' }, component: [{}] },
        /Observation\.component\[0\]/,
      )
      await fault(p({ link: [{ type: 'refer' }] }), 'Patient.link[0].other')
      await fault(
        { resourceType: 'Appointment', status: 'booked', participant: [] },
        'Appointment.participant',
      )
      await fault({ resourceType: 'Appointment', status: 'booked' }, 'Appointment.participant')
    })

    it('that are empty are refused', async () => {
      await fault(p({ name: [] }), 'Patient.name')
      await fault(p({ name: [{}] }), 'Patient.name[0]')
      await fault(p({ maritalStatus: {} }), 'Patient.maritalStatus')
      await fault(p({ birthDate: null }), 'Patient.birthDate')
      await fault(p({ name: [null] }), 'Patient.name[0]')
      await fault(p({ name: [{ family: '' }] }), 'Patient.name[0].family')
    })
  })

  describe('choice types', () => {
    it('allow one of the types that the element has', async () => {
      await fault(observation({ valueString: 'x', valueInteger: 1 }), /^Observation\.value/)
      await fault(observation({ valueDecimal: 1 }), /^Observation\.value/)
      await fault(observation({ value: 'x' }), 'Observation.value')
      await fault(p({ deceasedBoolean: false, deceasedDateTime: '2020' }), /^Patient\.deceased/)
      await fault(
        p({ extension: [{ url: 'https://thanal.example.org/x', valueNonsense: 1 }] }),
        /Patient\.extension\[0\]\.value/,
      )
      for (const value of [
        { valueBoolean: false },
        { valueTime: '10:00:00' },
        { valuePeriod: { start: '2020' } },
        { valueSampledData: { origin: { value: 0 }, period: 1, dimensions: 1 } },
      ]) {
        await fine(observation(value))
      }
    })
  })

  describe('primitive formats', () => {
    it('of dates are those of the calendar', async () => {
      for (const date of [
        '2023-02-30',
        '2023-13',
        '2023-00',
        '2023-02-29',
        '1900-02-29',
        '23',
        '2023-1-1',
        '2023-01-01T00:00:00Z',
        '2023-04-31',
        '0000',
        ' 2023',
        '',
      ]) {
        await fault(p({ birthDate: date }), 'Patient.birthDate')
      }
      for (const date of ['2023', '2023-12', '2024-02-29', '2000-02-29', '0001-01-01'])
        await fine(p({ birthDate: date }))
    })

    it('of dateTimes have a zone where they have a time', async () => {
      for (const time of [
        '2023-02-30T10:00:00Z',
        '2023-01-01T10:00:00',
        '2023-01-01T10:00Z',
        '2023-01-01T24:00:00Z',
        '2023-01-01T10:60:00Z',
        '2023-01-01T10:00:00+0530',
        '2023-01-01T10:00:00+15:00',
        '2023-01-01 10:00:00Z',
      ]) {
        await fault(observation({ effectiveDateTime: time }), /^Observation\.effective/)
      }
      for (const time of [
        '2023',
        '2023-05',
        '2023-05-06',
        '2023-01-01T10:00:00+05:30',
        '2023-01-01T10:00:00.123456789Z',
        '2023-06-30T23:59:60Z',
      ]) {
        await fine(observation({ effectiveDateTime: time }))
      }
    })

    it('of instants and times', async () => {
      for (const issued of ['2023-01-01', '2023-01-01T10:00:00', '2023-01-01T10:00Z']) {
        await fault(observation({ issued }), 'Observation.issued')
      }
      for (const valueTime of ['10:00', '24:00:00', '10:00:00Z', '1:00:00'])
        await fault(observation({ valueTime }), /^Observation\.value/)
    })

    it('of numbers', async () => {
      const rank = (text: string) => `{"resourceType":"Patient","telecom":[{"value":"1","rank":${text}}]}`
      for (const text of ['0', '-1', '1.0', '1e0', '2147483648', '"1"']) {
        const answer = await api().post('Patient', rank(text))
        expect(places(refused(answer, 400, 422)), text).toContain('Patient.telecom[0].rank')
      }
      expect((await api().post('Patient', rank('2147483647'))).status).toBe(201)
      const birth = (text: string) => `{"resourceType":"Patient","multipleBirthInteger":${text}}`
      for (const text of ['1.0', '1e2', '2147483648', '-2147483649'])
        refused(await api().post('Patient', birth(text)), 400, 422)
      expect((await api().post('Patient', birth('-2147483648'))).status).toBe(201)
    })

    it('of ids, codes, uris, oids, uuids and base64', async () => {
      const x = (value: Tree) => p({ extension: [{ url: 'https://thanal.example.org/x', ...value }] })
      const at = /^Patient\.extension\[0\]\.value/
      for (const value of [
        { valueId: 'a_b' },
        { valueId: 'x'.repeat(65) },
        { valueCode: ' a' },
        { valueCode: 'a  b' },
        { valueUri: 'a b' },
        { valueOid: 'urn:oid:3.1' },
        { valueOid: '1.2.3' },
        { valueUuid: 'urn:uuid:x' },
        { valueUnsignedInt: -1 },
        { valueBase64Binary: '!!' },
      ]) {
        await fault(x(value), at)
      }
      for (const value of [
        { valueId: 'a-b.C' },
        { valueCode: 'a b' },
        { valueUri: 'urn:oid:1.2.3' },
        { valueOid: 'urn:oid:1.2.3' },
        { valueUuid: 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520' },
        { valueUnsignedInt: 0 },
        { valueBase64Binary: 'bmFkaQ==' },
        { valueMarkdown: '# നാഡി\n' },
      ]) {
        await fine(x(value))
      }
    })
  })

  describe('required bindings', () => {
    it('refuse codes outside the value set', async () => {
      await fault(p({ gender: 'x' }), 'Patient.gender')
      await fault(p({ gender: 'Female' }), 'Patient.gender')
      await fault(p({ name: [{ use: 'pet' }] }), 'Patient.name[0].use')
      await fault(observation({ status: 'done' }), 'Observation.status')
      await fault(p({ telecom: [{ system: 'pigeon' }] }), 'Patient.telecom[0].system')
      await fault(
        {
          resourceType: 'Slot',
          schedule: { reference: 'Schedule/1' },
          status: 'open',
          start: '2026-01-01T00:00:00Z',
          end: '2026-01-01T01:00:00Z',
        },
        'Slot.status',
      )
      for (const gender of ['male', 'female', 'other', 'unknown']) await fine(p({ gender }))
    })
  })

  describe('resources within', () => {
    it('are checked where they are contained', async () => {
      await fault(
        p({ contained: [{ resourceType: 'Organization', id: 'o', nmae: 'x' }] }),
        /Patient\.contained\[0\](\.ofType\(\w+\))?\.nmae/,
      )
      await fault(p({ contained: [{ resourceType: 'Nonsense', id: 'o' }] }), /Patient\.contained\[0\]/)
      await fault(p({ contained: [{ id: 'o' }] }), /Patient\.contained\[0\]/)
      await fault(p({ contained: ['x'] }), /Patient\.contained\[0\]/)
      // dom-2: "If the resource is contained in another resource, it SHALL NOT contain nested Resources"
      await fault(
        p({
          contained: [
            { resourceType: 'Organization', id: 'o', contained: [{ resourceType: 'Patient', id: 'q' }] },
          ],
        }),
        /Patient\.contained\[0\]/,
      )
    })

    it('are checked in a Bundle and in Parameters', async () => {
      await fault(
        {
          resourceType: 'Bundle',
          type: 'collection',
          entry: [{ resource: p({ active: true }) }, { resource: p({ gender: 'x' }) }],
        },
        /Bundle\.entry\[1\]\.resource(\.ofType\(\w+\))?\.gender/,
      )
      await fine({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: p({ gender: 'female' }) }],
      })
    })
  })

  describe('references', () => {
    it('have the shape of a Reference', async () => {
      await fault(observation({ subject: 'Patient/1' }), 'Observation.subject')
      await fault(observation({ subject: { reference: 5 } }), 'Observation.subject.reference')
      await fault(observation({ subject: { ref: 'Patient/1' } }), 'Observation.subject.ref')
      for (const reference of [
        'Patient/1',
        'Patient/1/_history/2',
        'https://other.example.org/fhir/Patient/1',
        urnOf(),
      ]) {
        await fine(observation({ subject: { reference } }))
      }
      await fine(observation({ subject: { display: 'somebody' } }))
      await fine(observation({ subject: { type: 'Patient', identifier: { value: 'x' } } }))
    })
  })

  describe('all faults', () => {
    it('come in one answer, each with its path', async () => {
      const answer = await api().post('Patient', {
        resourceType: 'Patient',
        nmae: 'x',
        gender: 'x',
        birthDate: '2023-02-30',
        active: 'yes',
        name: [{ family: 5 }, { period: { start: '2020-13' } }],
        contact: [{ gender: 'y' }],
      })
      const named = places(refused(answer, 400, 422))
      for (const place of [
        'Patient.nmae',
        'Patient.gender',
        'Patient.birthDate',
        'Patient.active',
        'Patient.name[0].family',
        'Patient.name[1].period.start',
        'Patient.contact[0].gender',
      ]) {
        expect(named).toContain(place)
      }
    })

    it('are found on update and in a batch as well', async () => {
      const id = word()
      const put = await api().put(`Patient/${id}`, patient(id, { id, gender: 'x' }))
      expect(places(refused(put, 400, 422))).toContain('Patient.gender')
      const batch = await api().post(
        '',
        bundle('batch', entry('PUT', `Patient/${id}`, { resource: patient(id, { id, gender: 'x' }) })),
      )
      expect(batch.body.entry[0].response.status).toMatch(/^4/)
      refused(await api().get(`Patient/${id}`), 404)
    })

    it('do not grow without bound', async () => {
      const answer = await api().post('Patient', {
        resourceType: 'Patient',
        name: Array.from({ length: 50_000 }, () => ({ x: 1 })),
      })
      refused(answer, 400, 422)
      expect(answer.text.length).toBeLessThan(5_000_000)
    })
  })
}

const urnOf = () => `urn:uuid:${crypto.randomUUID()}`
