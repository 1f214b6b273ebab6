/**
 * Searches in the compartment of a patient, an encounter, a practitioner, a related person or a device.
 * https://hl7.org/fhir/R4/http.html#vsearch, https://hl7.org/fhir/R4/compartmentdefinition.html
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, bundle, entry, link, refused, type Tree, word } from './client.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export function compartmentSuite(api: () => Api): void {
  const run = word()
  const id = (name: string) => `${run}-${name}`
  const find = async (path: string) =>
    (await api().found(path)).map(each => each.replace(`${run}-`, '')).sort()

  beforeAll(async () => {
    const put = (type: string, name: string, more: Tree = {}) =>
      entry('PUT', `${type}/${id(name)}`, { resource: { resourceType: type, id: id(name), ...more } })
    const to = (type: string, name: string) => ({ reference: `${type}/${id(name)}` })
    const observed = (name: string, more: Tree) =>
      put('Observation', name, { status: 'final', code: { text: name }, ...more })
    const visit = (name: string, patient: string) =>
      put('Encounter', name, { status: 'finished', class: { code: 'AMB' }, subject: to('Patient', patient) })
    const answer = await api().post(
      '',
      bundle(
        'transaction',
        put('Patient', 'meera'),
        put('Patient', 'mini'),
        put('Practitioner', 'doctor'),
        put('RelatedPerson', 'mother', { patient: to('Patient', 'meera') }),
        put('Device', 'meter', { patient: to('Patient', 'mini') }),
        visit('visit', 'meera'),
        observed('subject', { subject: to('Patient', 'meera'), encounter: to('Encounter', 'visit') }),
        // The Patient compartment holds what a patient observed too.
        observed('performer', { subject: to('Patient', 'mini'), performer: [to('Patient', 'meera')] }),
        observed('other', { subject: to('Patient', 'mini'), performer: [to('Practitioner', 'doctor')] }),
        observed('relative', { performer: [to('RelatedPerson', 'mother')] }),
        observed('device', { device: to('Device', 'meter') }),
      ),
    )
    expect(answer.status, answer.text).toBe(200)
  })

  describe('compartments', () => {
    it('finds the resources of one type, by each parameter that puts them into the compartment', async () => {
      expect(await find(`Patient/${id('meera')}/Observation`)).toEqual(['performer', 'subject'])
      expect(await find(`Patient/${id('mini')}/Observation`)).toEqual(['other', 'performer'])
      expect(await find(`Encounter/${id('visit')}/Observation`)).toEqual(['subject'])
      expect(await find(`Practitioner/${id('doctor')}/Observation`)).toEqual(['other'])
      expect(await find(`RelatedPerson/${id('mother')}/Observation`)).toEqual(['relative'])
      expect(await find(`Device/${id('meter')}/Observation`)).toEqual(['device'])
    })

    it('takes all parameters of a search', async () => {
      const path = `Patient/${id('meera')}/Observation`
      expect(await find(`${path}?encounter=${id('visit')}`)).toEqual(['subject'])
      expect(await find(`${path}?status=amended`)).toEqual([])
      const { body } = await api().get(`${path}?_include=Observation:encounter&_sort=_id`)
      expect(body.entry.map((one: Tree) => one.search.mode)).toEqual(['match', 'match', 'include'])
      refused(await api().get(`${path}?nothing=1`), 400)
    })

    it('finds all types by *', async () => {
      const all = await find(`Patient/${id('meera')}/*`)
      expect(all).toEqual(expect.arrayContaining(['mother', 'performer', 'subject', 'visit']))
      expect(all).not.toContain('other')
      expect(await find(`Patient/${id('meera')}/*?_type=Encounter,Observation`)).toEqual([
        'performer',
        'subject',
        'visit',
      ])
      expect(await find(`Patient/${id('meera')}/Observation?_type=Encounter`)).toEqual([])
    })

    it('keeps its path in the links of its pages', async () => {
      const path = `Patient/${id('meera')}/Observation`
      const first = (await api().get(`${path}?_count=1`)).body
      for (const relation of ['self', 'next'])
        expect(link(first, relation)).toMatch(new RegExp(`^${api().base}/${path}\\?_count=1`))
      const cursor = new URL(link(first, 'next')!).searchParams.get('_cursor')
      // A cursor is good for its compartment only.
      refused(await api().get(`Patient/${id('mini')}/Observation?_count=1&_cursor=${cursor}`), 400)
      refused(await api().get(`Observation?_count=1&_cursor=${cursor}`), 400)
    })

    it('is searched by POST too', async () => {
      const ids = async (path: string, form: string) => {
        const { status, text, body } = await api().post(path, form, FORM)
        expect(status, text).toBe(200)
        return body.entry.map((one: Tree) => one.resource.id.replace(`${run}-`, ''))
      }
      expect(await ids(`Patient/${id('meera')}/Observation/_search`, `encounter=${id('visit')}`)).toEqual([
        'subject',
      ])
      expect(await ids(`Patient/${id('meera')}/*/_search`, '_type=Encounter')).toEqual(['visit'])
    })

    it('is searched by the entries of a batch and of a transaction', async () => {
      const url = `Patient/${id('meera')}/Observation?encounter=${id('visit')}`
      for (const type of ['batch', 'transaction'] as const) {
        const answer = await api().post('', bundle(type, entry('GET', url)))
        expect(answer.status, answer.text).toBe(200)
        expect(answer.body.entry[0].resource.entry.map((one: Tree) => one.resource.id)).toEqual([
          id('subject'),
        ])
      }
      refused(await api().post('', bundle('transaction', entry('DELETE', url))), 400)
    })

    it('of a resource that is not there is empty', async () => {
      const { status, body } = await api().get(`Patient/${id('nobody')}/Observation`)
      expect([status, body.total, body.entry]).toEqual([200, 0, undefined])
    })

    describe('is refused', () => {
      it.each([
        ['for a type of resource that has none', 'Observation/1/Patient', 404],
        ['for a type that is never in it', 'Patient/1/Organization', 404],
        ['for a type that is never in it, by _type', 'Patient/1/*?_type=Observation,Organization', 404],
        ['for what is no type', 'Patient/1/Nothing', 404],
        ['of what is no type', 'Nothing/1/Observation', 404],
        ['for an id that is none', 'Patient/a_b/Observation', 400],
      ])('%s', async (_, path, status) => {
        refused(await api().get(path), status)
      })
      it('by a method that does not search', async () => {
        refused(await api().delete(`Patient/${id('meera')}/Observation`), 405)
        refused(await api().get(`Patient/${id('meera')}/Observation/_search`), 405)
      })
    })

    it('takes no history and no operation for a type', async () => {
      const history = await api().get(`Patient/${id('meera')}/_history`)
      expect([history.status, history.body.type]).toEqual([200, 'history'])
      refused(await api().get(`Patient/${id('meera')}/$nothing`), 404)
      refused(await api().get(`Patient/${id('meera')}/_nothing`), 404)
    })
  })
}
