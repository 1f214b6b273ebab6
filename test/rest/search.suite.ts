/**
 * Search by every parameter type, with modifiers, prefixes and the parameters that all resources have.
 * https://hl7.org/fhir/R4/search.html
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Api, bundle, entry, link, matches, refused, SYSTEM, type Tree, word } from './client.ts'

const UCUM = 'http://unitsofmeasure.org'
const LOINC = 'http://loinc.org'
const TAGS = 'https://thanal.example.org/tag'

export function searchSuite(api: () => Api): void {
  const run = word()
  const tag = `_tag=${encodeURIComponent(`${TAGS}|${run}`)}`
  const id = (name: string) => `${run}-${name}`
  const e = encodeURIComponent
  /** Names of what a search finds among the material of this suite, sorted. */
  const find = async (type: string, query: string) => (await ordered(type, query)).sort()
  const ordered = async (type: string, query: string) =>
    (await api().found(`${type}?${query}${query === '' ? '' : '&'}${tag}`)).map(each =>
      each.replace(`${run}-`, ''),
    )

  beforeAll(async () => {
    const meta = (more: Tree = {}) => ({ tag: [{ system: TAGS, code: run }], ...more })
    const put = (type: string, name: string, more: Tree, metaMore: Tree = {}) =>
      entry('PUT', `${type}/${id(name)}`, {
        resource: { resourceType: type, id: id(name), meta: meta(metaMore), ...more },
      })
    const person = (name: string, more: Tree, metaMore: Tree = {}) => put('Patient', name, more, metaMore)
    const observed = (name: string, more: Tree) =>
      put('Observation', name, {
        status: 'final',
        code: {
          coding: [{ system: LOINC, code: '8310-5', display: 'Body temperature' }],
          text: 'Fever check',
        },
        ...more,
      })
    const quantity = (value: number, unit: Tree) => ({
      valueQuantity: { value, ...unit },
      code: { text: 'amount' },
    })
    const risk = (name: string, text: string) =>
      put('RiskAssessment', name, {
        status: 'final',
        subject: { reference: `Patient/${id('meera')}` },
        prediction: [{ probabilityDecimal: `@${text}@` }],
      })
    const all = bundle(
      'transaction',
      person(
        'meera',
        {
          active: true,
          identifier: [
            { system: 'https://healthid.abdm.gov.in', value: `91-${run}` },
            { value: `plain-${run}` },
          ],
          name: [
            { family: 'Nair', given: ['Meera'] },
            { family: 'നായർ', given: ['മീര'] },
          ],
          telecom: [{ system: 'phone', value: '+91 00000 00101' }],
          gender: 'female',
          birthDate: '1988-04-12',
          address: [{ city: 'Kochi', district: 'Ernakulam', line: ['1 Banyan Lane'] }],
          generalPractitioner: [{ reference: `Practitioner/${id('doctor')}` }],
          managingOrganization: { identifier: { system: SYSTEM, value: `org-${run}` } },
        },
        {
          profile: ['https://thanal.example.org/profile/a'],
          security: [{ system: TAGS, code: 'secret' }],
          source: 'https://thanal.example.org/source/a',
        },
      ),
      person('mini', {
        active: true,
        name: [
          { family: 'Varghese', given: ['Mini'] },
          { family: 'വർഗീസ്', given: ['മിനി'] },
        ],
        gender: 'female',
        birthDate: '1975-03-08',
      }),
      person('manu', {
        active: false,
        name: [
          { family: 'Krishnan', given: ['Manu'] },
          { family: 'കൃഷ്ണൻ', given: ['മനു'] },
        ],
        gender: 'male',
        birthDate: '1990-12-29',
      }),
      // The last letter as it was written before the letter chillu-n was encoded: na, virama, zero width joiner.
      person('unni', { name: [{ given: ['ഉണ്ണികൃഷ്ണന്\u200d'] }] }),
      person('ram', { name: [{ family: 'शर्मा', given: ['राम'] }], birthDate: '1969' }),
      person('rama', { name: [{ family: 'देवी', given: ['रमा'] }], birthDate: '1969-08' }),
      person('qureshi', { name: [{ family: '\u0958ुरैशी' }] }),
      person('jose', {
        name: [{ family: "D'Souza-Müller", given: ['José', 'Ma'] }],
        birthDate: '1969-08-15',
        gender: 'male',
      }),
      person('comma', { name: [{ family: 'Kumar, Jr|x$y\\z' }] }),
      person('bare', { active: false }),
      put('Practitioner', 'doctor', { active: true }),
      put('Group', 'meera', { type: 'person', actual: true }),
      observed('night', {
        effectiveDateTime: '2026-11-21T01:00:00+05:30',
        subject: { reference: `Patient/${id('meera')}` },
        valueQuantity: { value: 37.2, unit: '°C', system: UCUM, code: 'Cel' },
        performer: [{ reference: `Practitioner/${id('doctor')}` }],
      }),
      observed('period', {
        effectivePeriod: { start: '2026-11-01', end: '2026-11-10' },
        subject: { reference: `${api().base}/Patient/${id('meera')}` },
      }),
      observed('open', {
        effectivePeriod: { start: '2026-11-05' },
        subject: { reference: 'https://other.example.org/fhir/Patient/9' },
        status: 'preliminary',
      }),
      observed('group', {
        subject: { reference: `Group/${id('meera')}` },
        code: { coding: [{ code: 'local-1' }] },
      }),
      observed('alone', {
        code: { coding: [{ system: 'https://thanal.example.org/code', code: '8310-5' }] },
        subject: { identifier: { system: SYSTEM, value: `who-${run}` } },
      }),
      observed('mg', quantity(5.4, { unit: 'mg', system: UCUM, code: 'mg' })),
      observed('mg-more', quantity(5.45, { unit: 'mg', system: UCUM, code: 'mg' })),
      observed('gram', quantity(0.0054, { unit: 'g', system: UCUM, code: 'g' })),
      observed('unit-only', quantity(5.4, { unit: 'mg' })),
      risk('r080', '0.8'),
      risk('r085', '0.85'),
      risk('r075', '0.75'),
      risk('r0800', '0.8000'),
      put('ValueSet', 'set', { status: 'draft', url: `https://thanal.example.org/ValueSet/${run}` }),
      put('ValueSet', 'set-longer', {
        status: 'draft',
        url: `https://thanal.example.org/ValueSet/${run}/more`,
      }),
    )
    const answer = await api().post('', JSON.stringify(all).replace(/"@([\d.]+)@"/g, '$1'))
    expect(answer.status, answer.text).toBe(200)
  })

  describe('string', () => {
    it('matches from the beginning, whatever the case and the accents', async () => {
      for (const query of ['family=Nair', 'family=nai', 'family=NAIR', 'name=nair', 'given=meer'])
        expect(await find('Patient', query), query).toEqual(['meera'])
      expect(await find('Patient', 'family=air')).toEqual([])
      for (const query of [
        'given=jose',
        'given=JOSÉ',
        'given=jose\u0301',
        'name=jos',
        'given=ma&given=jose',
        "family=d'souza",
      ])
        expect(await find('Patient', e2(query)), query).toEqual(['jose'])
    })

    it(':exact minds case and accents and takes the whole', async () => {
      expect(await find('Patient', 'family:exact=Nair')).toEqual(['meera'])
      for (const query of ['family:exact=nair', 'family:exact=Nai', 'given:exact=Jose'])
        expect(await find('Patient', query), query).toEqual([])
      expect(await find('Patient', e2('given:exact=José'))).toEqual(['jose'])
    })

    it(':contains matches within', async () => {
      expect(await find('Patient', 'family:contains=AIR')).toEqual(['meera'])
      expect(await find('Patient', 'family:contains=muller')).toEqual(['jose'])
      expect(await find('Patient', e2('name:contains=കൃഷ്ണ'))).toEqual(['manu', 'unni'])
      expect(await find('Patient', 'family:contains=a,e')).toEqual(
        expect.arrayContaining(['meera', 'mini', 'jose', 'manu', 'comma']),
      )
      expect(await find('Patient', 'given:contains=i')).toEqual(['mini'])
    })

    it('keeps vowel signs of Malayalam and Devanagari apart', async () => {
      expect(await find('Patient', e2('name=മിനി'))).toEqual(['mini'])
      expect(await find('Patient', e2('name=മനു'))).toEqual(['manu'])
      expect(await find('Patient', e2('given=മ'))).toEqual(['manu', 'meera', 'mini'])
      expect(await find('Patient', e2('name=राम'))).toEqual(['ram'])
      expect(await find('Patient', e2('name=रमा'))).toEqual(['rama'])
      expect(await find('Patient', e2('family=नायर'))).toEqual([])
      expect(await find('Patient', e2('family:exact=നായർ'))).toEqual(['meera'])
    })

    it('takes the ways of writing one letter for the same', async () => {
      expect(await find('Patient', e2('given=ഉണ്ണികൃഷ്ണൻ'))).toEqual(['unni'])
      expect(await find('Patient', e2('given=ഉണ്ണികൃഷ്ണന്\u200d'))).toEqual(['unni'])
      expect(await find('Patient', e2('family=കൃഷ്ണന്\u200d'))).toEqual(['manu'])
      expect(await find('Patient', e2('family=\u0915\u093cुरैशी'))).toEqual(['qureshi'])
      expect(await find('Patient', e2('family=\u0958ुर'))).toEqual(['qureshi'])
    })

    it('takes a long Malayalam word', async () => {
      expect(await find('Patient', e2(`name:contains=${'ഉണ്ണികൃഷ്ണൻ'.repeat(8)}`))).toEqual([])
    })

    it('or-es by comma and and-s by repetition', async () => {
      expect(await find('Patient', 'family=nair,varghese')).toEqual(['meera', 'mini'])
      expect(await find('Patient', 'family=nair&given=meera')).toEqual(['meera'])
      expect(await find('Patient', 'family=nair&given=mini')).toEqual([])
      expect(await find('Patient', 'family=nair,varghese&gender=female&birthdate=lt1980')).toEqual(['mini'])
    })

    it('takes escaped characters as themselves', async () => {
      expect(await find('Patient', `family=${e('Kumar\\, Jr')}`)).toEqual(['comma'])
      expect(await find('Patient', `family:exact=${e('Kumar\\, Jr\\|x\\$y\\\\z')}`)).toEqual(['comma'])
      expect(await find('Patient', `family:contains=${e('x\\$y\\\\')}`)).toEqual(['comma'])
    })

    it('searches the parts of an address', async () => {
      for (const query of [
        'address=kochi',
        'address-city=KOCHI',
        'address=1%20banyan',
        'address:contains=banyan',
      ]) {
        expect(await find('Patient', query), query).toEqual(['meera'])
      }
    })

    it('does not read the patterns of databases', async () => {
      for (const value of ['%', '_', '.*', '*', '^N', 'n%r', 'n_ir', '"', '$ne']) {
        expect(await find('Patient', `family=${e(value)}`), value).toEqual([])
        expect(await find('Patient', `family:contains=${e(value)}`), value).toEqual(
          value === "'" ? ['jose'] : [],
        )
      }
    })
  })

  describe('token', () => {
    it('matches a code, a system and a code, a code without system, and a system', async () => {
      expect(await find('Observation', 'code=8310-5')).toEqual(['alone', 'night', 'open', 'period'])
      expect(await find('Observation', `code=${e(`${LOINC}|8310-5`)}`)).toEqual(['night', 'open', 'period'])
      expect(await find('Observation', `code=${e('|local-1')}`)).toEqual(['group'])
      expect(await find('Observation', `code=${e('|8310-5')}`)).toEqual([])
      expect(await find('Observation', `code=${e(`${LOINC}|`)}`)).toEqual(['night', 'open', 'period'])
      expect(await find('Observation', 'code=8310')).toEqual([])
    })

    it('matches identifiers, telecoms, codes and booleans', async () => {
      expect(await find('Patient', `identifier=${e(`https://healthid.abdm.gov.in|91-${run}`)}`)).toEqual([
        'meera',
      ])
      expect(await find('Patient', `identifier=91-${run}`)).toEqual(['meera'])
      expect(await find('Patient', `identifier=${e(`|plain-${run}`)}`)).toEqual(['meera'])
      expect(await find('Patient', `identifier=${e(`|91-${run}`)}`)).toEqual([])
      expect(await find('Patient', `phone=${e('+91 00000 00101')}`)).toEqual(['meera'])
      expect(await find('Patient', 'gender=female')).toEqual(['meera', 'mini'])
      expect(await find('Patient', 'active=true')).toEqual(['meera', 'mini'])
      expect(await find('Patient', 'active=false')).toEqual(['bare', 'manu'])
    })

    it('or-es and and-s', async () => {
      expect(await find('Patient', 'gender=female,male')).toEqual(['jose', 'manu', 'meera', 'mini'])
      expect(await find('Patient', 'gender=female&active=true')).toEqual(['meera', 'mini'])
      expect(await find('Patient', 'gender=female&gender=male')).toEqual([])
    })

    it(':not keeps resources without a value', async () => {
      // "the coding/code in the resource are not in the set", judged for the resource
      expect(await find('Patient', 'gender:not=female')).toEqual([
        'bare',
        'comma',
        'jose',
        'manu',
        'qureshi',
        'ram',
        'rama',
        'unni',
      ])
      expect(await find('Patient', 'gender:not=female,male')).toEqual([
        'bare',
        'comma',
        'qureshi',
        'ram',
        'rama',
        'unni',
      ])
      expect(await find('Observation', `code:not=${e(`${LOINC}|8310-5`)}`)).toEqual([
        'alone',
        'gram',
        'group',
        'mg',
        'mg-more',
        'unit-only',
      ])
    })

    it(':text searches the text and the display', async () => {
      expect(await find('Observation', 'code:text=fever')).toEqual(['night', 'open', 'period'])
      expect(await find('Observation', `code:text=${e('body temp')}`)).toEqual(['night', 'open', 'period'])
      expect(await find('Observation', 'code:text=amount')).toEqual(['gram', 'mg', 'mg-more', 'unit-only'])
    })

    it(':missing', async () => {
      expect(await find('Patient', 'gender:missing=true')).toEqual([
        'bare',
        'comma',
        'qureshi',
        'ram',
        'rama',
        'unni',
      ])
      expect(await find('Patient', 'gender:missing=false')).toEqual(['jose', 'manu', 'meera', 'mini'])
    })
  })

  describe(':missing', () => {
    it('works for every type of parameter', async () => {
      expect(await find('Patient', 'name:missing=true')).toEqual(['bare'])
      expect(await find('Patient', 'birthdate:missing=false')).toEqual([
        'jose',
        'manu',
        'meera',
        'mini',
        'ram',
        'rama',
      ])
      expect(await find('Patient', 'general-practitioner:missing=false')).toEqual(['meera'])
      expect(await find('Observation', 'subject:missing=true')).toEqual([
        'gram',
        'mg',
        'mg-more',
        'unit-only',
      ])
      expect(await find('Observation', 'value-quantity:missing=false')).toEqual([
        'gram',
        'mg',
        'mg-more',
        'night',
        'unit-only',
      ])
      expect(await find('RiskAssessment', 'probability:missing=true')).toEqual([])
      expect(await find('ValueSet', 'url:missing=false')).toEqual(['set', 'set-longer'])
      refused(await api().get('Patient?gender:missing=perhaps'), 400)
    })
  })

  describe('date', () => {
    const born = (value: string) => find('Patient', `birthdate=${value}`)

    it('eq: the range of the search holds the range of the value', async () => {
      expect(await born('1988-04-12')).toEqual(['meera'])
      expect(await born('eq1988-04-12')).toEqual(['meera'])
      expect(await born('1988-04')).toEqual(['meera'])
      expect(await born('1969-08')).toEqual(['jose', 'rama'])
      expect(await born('1969')).toEqual(['jose', 'ram', 'rama'])
      expect(await born('1969-08-15')).toEqual(['jose'])
      expect(await born('1988-04-12,1975-03-08')).toEqual(['meera', 'mini'])
    })

    it('ne, gt, ge, lt, le, sa, eb and ap', async () => {
      expect(await born('ne1969-08')).toEqual(['manu', 'meera', 'mini', 'ram'])
      // "gt: the range above the search value intersects (i.e. overlaps) with the range of the target value"
      expect(await born('gt1969-08-15')).toEqual(['manu', 'meera', 'mini', 'ram', 'rama'])
      expect(await born('gt1975-03-08')).toEqual(['manu', 'meera'])
      expect(await born('ge1975-03-08')).toEqual(['manu', 'meera', 'mini'])
      expect(await born('lt1969-08-15')).toEqual(['ram', 'rama'])
      expect(await born('le1969-08-15')).toEqual(['jose', 'ram', 'rama'])
      expect(await born('lt1975')).toEqual(['jose', 'ram', 'rama'])
      expect(await born('sa1969-08-15')).toEqual(['manu', 'meera', 'mini'])
      expect(await born('eb1969-08-15')).toEqual([])
      expect(await born('eb1975-03-08')).toEqual(['jose', 'ram', 'rama'])
      expect(await born('ap1988-04-12')).toContain('meera')
      expect(await find('Patient', 'birthdate=ge1970&birthdate=lt1990')).toEqual(['meera', 'mini'])
    })

    it('reads a day in the zone of the clinic', async () => {
      expect(await find('Observation', 'date=2026-11-21')).toEqual(['night'])
      expect(await find('Observation', 'date=2026-11-20')).toEqual([])
      expect(await find('Observation', 'date=lt2026-11-21&date=sa2026-11-19')).toEqual([])
    })

    it('compares instants whatever their zone', async () => {
      for (const value of [
        '2026-11-20T19:30:00Z',
        '2026-11-21T01:00:00+05:30',
        '2026-11-21T01:00+05:30',
        '2026-11-21T01:00:00',
      ]) {
        expect(await find('Observation', `date=${e(value)}`), value).toEqual(['night'])
      }
      expect(await find('Observation', `date=${e('2026-11-21T01:00:01+05:30')}`)).toEqual([])
      expect(await find('Observation', `date=gt${e('2026-11-21T00:59:59+05:30')}`)).toEqual(['night', 'open'])
    })

    it('compares periods, open ones as going on', async () => {
      expect(await find('Observation', 'date=2026-11')).toEqual(['night', 'period'])
      expect(await find('Observation', 'date=gt2026-11-20')).toEqual(['night', 'open'])
      expect(await find('Observation', 'date=lt2026-11-05')).toEqual(['period'])
      expect(await find('Observation', 'date=sa2026-11-04')).toEqual(['night', 'open'])
      expect(await find('Observation', 'date=eb2026-11-11')).toEqual(['period'])
      expect(await find('Observation', 'date=ge2026-11-09')).toEqual(['night', 'open', 'period'])
    })

    it('refuses what is no date', async () => {
      for (const value of [
        'yesterday',
        '2023-02-30',
        '2023-13',
        'xx2023',
        'gt',
        '23',
        '2023-01-01T25:00:00Z',
      ]) {
        const outcome = refused(await api().get(`Patient?birthdate=${value}`), 400)
        expect(JSON.stringify(outcome)).toContain('birthdate')
      }
    })
  })

  describe('number', () => {
    const risk = (value: string) => find('RiskAssessment', `probability=${value}`)

    it('eq takes the implicit precision, the other prefixes the number itself', async () => {
      expect(await risk('0.8')).toEqual(['r075', 'r080', 'r0800'])
      expect(await risk('0.80')).toEqual(['r080', 'r0800'])
      expect(await risk('ne0.8')).toEqual(['r085'])
      expect(await risk('gt0.8')).toEqual(['r085'])
      expect(await risk('ge0.8')).toEqual(['r080', 'r0800', 'r085'])
      expect(await risk('lt0.8')).toEqual(['r075'])
      expect(await risk('le0.8')).toEqual(['r075', 'r080', 'r0800'])
      expect(await risk('sa0.8')).toEqual(['r085'])
      expect(await risk('eb0.8')).toEqual(['r075'])
      expect(await risk('ap0.8')).toEqual(expect.arrayContaining(['r080', 'r0800']))
      expect(await risk('0.80,0.85')).toEqual(['r080', 'r0800', 'r085'])
    })

    it('refuses what is no number', async () => {
      for (const value of ['x', 'gt', '1..2', '0x1', 'Infinity', 'NaN'])
        refused(await api().get(`RiskAssessment?probability=${value}`), 400)
    })
  })

  describe('quantity', () => {
    const amount = (value: string) => find('Observation', `value-quantity=${e(value)}`)

    it('matches the number with any unit', async () => {
      expect(await amount('5.4')).toEqual(['mg', 'unit-only'])
      expect(await amount('gt5.4')).toEqual(['mg-more', 'night'])
      expect(await amount('37.2')).toEqual(['night'])
    })

    it('matches the unit by system and code, converted where UCUM can', async () => {
      expect(await amount(`5.4|${UCUM}|mg`)).toEqual(['gram', 'mg'])
      expect(await amount(`5.40|${UCUM}|mg`)).toEqual(['gram', 'mg'])
      expect(await amount(`gt5.4|${UCUM}|mg`)).toEqual(['mg-more'])
      expect(await amount(`ge5.4|${UCUM}|mg`)).toEqual(['gram', 'mg', 'mg-more'])
      expect(await amount(`lt1|${UCUM}|g`)).toEqual(['gram', 'mg', 'mg-more'])
      expect(await amount(`5.4|${UCUM}|kg`)).toEqual([])
    })

    it('matches the unit by code or by its name when no system is given', async () => {
      // "5.4||mg: ... where the unit - either the code or the stated human unit - is 'mg'"
      expect(await amount('5.4||mg')).toEqual(['mg', 'unit-only'])
      expect(await amount('gt5||mg')).toEqual(expect.arrayContaining(['mg', 'mg-more', 'unit-only']))
    })

    it('refuses what is no quantity', async () => {
      for (const value of ['x', '|http://unitsofmeasure.org|mg'])
        refused(await api().get(`Observation?value-quantity=${e(value)}`), 400)
    })
  })

  describe('reference', () => {
    it('matches a type and an id, an id, and an address', async () => {
      const meera = `Patient/${id('meera')}`
      for (const query of [
        `subject=${meera}`,
        `patient=${meera}`,
        `patient=${id('meera')}`,
        `subject:Patient=${id('meera')}`,
        `subject=${e(`${api().base}/${meera}`)}`,
      ]) {
        expect(await find('Observation', query), query).toEqual(['night', 'period'])
      }
      expect(await find('Observation', `subject=${id('meera')}`)).toEqual(['group', 'night', 'period'])
      expect(await find('Observation', `subject=Group/${id('meera')}`)).toEqual(['group'])
      expect(await find('Observation', `subject:Group=${id('meera')}`)).toEqual(['group'])
      expect(await find('Observation', `performer=Practitioner/${id('doctor')}`)).toEqual(['night'])
      expect(await find('Patient', `general-practitioner=Practitioner/${id('doctor')}`)).toEqual(['meera'])
      expect(await find('Patient', `general-practitioner:Organization=${id('doctor')}`)).toEqual([])
    })

    it('tells addresses of other servers from its own', async () => {
      expect(await find('Observation', `subject=${e('https://other.example.org/fhir/Patient/9')}`)).toEqual([
        'open',
      ])
      expect(await find('Observation', 'subject=Patient/9')).toEqual([])
      expect(await find('Observation', `subject=${e('https://third.example.org/fhir/Patient/9')}`)).toEqual(
        [],
      )
    })

    it(':identifier matches the logical reference', async () => {
      expect(await find('Observation', `subject:identifier=${e(`${SYSTEM}|who-${run}`)}`)).toEqual(['alone'])
      expect(await find('Patient', `organization:identifier=${e(`${SYSTEM}|org-${run}`)}`)).toEqual(['meera'])
      expect(await find('Observation', `subject:identifier=${e('|who')}`)).toEqual([])
    })

    it('or-es, and refuses a type that the parameter cannot point to', async () => {
      expect(await find('Observation', `subject=Patient/${id('meera')},Group/${id('meera')}`)).toEqual([
        'group',
        'night',
        'period',
      ])
      refused(await api().get('Observation?subject:Nonsense=1'), 400)
    })
  })

  describe('uri', () => {
    it('matches the whole', async () => {
      expect(await find('ValueSet', `url=${e(`https://thanal.example.org/ValueSet/${run}`)}`)).toEqual([
        'set',
      ])
      expect(
        await find('ValueSet', `url=${e(`https://thanal.example.org/ValueSet/${run.toUpperCase()}`)}`),
      ).toEqual([])
      expect(await find('ValueSet', `url=${e(`https://thanal.example.org/ValueSet/${run}/more`)},x`)).toEqual(
        ['set-longer'],
      )
    })
  })

  describe('parameters of all resources', () => {
    it('_id', async () => {
      expect(await find('Patient', `_id=${id('meera')}`)).toEqual(['meera'])
      expect(await find('Patient', `_id=${id('meera')},${id('mini')},nobody`)).toEqual(['meera', 'mini'])
      expect(await find('Patient', `_id=${id('night')}`)).toEqual([])
    })

    it('_lastUpdated', async () => {
      const { lastUpdated } = (await api().get(`Patient/${id('meera')}`)).body.meta
      expect(await find('Patient', `_id=${id('meera')}&_lastUpdated=${e(lastUpdated)}`)).toEqual(['meera'])
      expect(await find('Patient', `_id=${id('meera')}&_lastUpdated=ge${e(lastUpdated)}`)).toEqual(['meera'])
      expect(await find('Patient', `_lastUpdated=gt2999-01-01`)).toEqual([])
      expect(
        await find('Patient', `_lastUpdated=lt${e(new Date(Date.parse(lastUpdated) - 1000).toISOString())}`),
      ).toEqual([])
    })

    it('_tag, _profile, _security and _source', async () => {
      expect((await find('Patient', '')).length).toBe(10)
      expect(await find('Patient', `_profile=${e('https://thanal.example.org/profile/a')}`)).toEqual([
        'meera',
      ])
      expect(await find('Patient', `_security=${e(`${TAGS}|secret`)}`)).toEqual(['meera'])
      expect(await find('Patient', `_source=${e('https://thanal.example.org/source/a')}`)).toEqual(['meera'])
      expect(await find('Patient', `_tag:not=${e(`${TAGS}|${run}`)}`)).toEqual([])
    })

    it('search the whole system, and some types of it', async () => {
      const all = await api().found(`?${tag}`)
      expect(all.length).toBe(10 + 2 + 9 + 4 + 2)
      expect(new Set(all).size).toBe(all.length - 1)
      const two = await api().get(`?_type=Group,Practitioner&${tag}`)
      expect(
        matches(two.body)
          .map((each: Tree) => each.resourceType)
          .sort(),
      ).toEqual(['Group', 'Practitioner'])
      expect(await api().found(`?_id=${id('mini')}`)).toEqual([id('mini')])
      refused(await api().get('?_type=Nonsense'), 400)
      refused(await api().get('?birthdate=2020'), 400)
    })
  })

  describe('the answer', () => {
    it('is a searchset with fullUrl, search mode and a self link', async () => {
      const answer = await api().get(`Patient?_id=${id('meera')}`)
      expect(answer.body).toMatchObject({ resourceType: 'Bundle', type: 'searchset' })
      expect(answer.body.entry).toHaveLength(1)
      expect(answer.body.entry[0].fullUrl).toBe(`${api().base}/Patient/${id('meera')}`)
      expect(answer.body.entry[0].search.mode).toBe('match')
      expect(answer.body.entry[0].resource).toEqual((await api().get(`Patient/${id('meera')}`)).body)
      expect(link(answer.body, 'self')).toMatch(new RegExp(`^${api().base}/Patient\\?.*_id=${id('meera')}`))
      expect(link(answer.body, 'next')).toBeUndefined()
    })

    it('has no entry at all when nothing matches', async () => {
      const answer = await api().get(`Patient?_id=${word()}`)
      expect(answer.body.entry).toBeUndefined()
    })

    it('is the same for POST _search, whose parameters may stand in URL and body', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = await api().post('Patient/_search', `gender=female&birthdate=lt1980&${tag}`, form)
      expect(body.status, body.text).toBe(200)
      expect(matches(body.body).map((each: Tree) => each.id)).toEqual([id('mini')])
      const both = await api().post(`Patient/_search?gender=female&${tag}`, 'birthdate=lt1980', form)
      expect(matches(both.body).map((each: Tree) => each.id)).toEqual([id('mini')])
      const system = await api().post('_search', `_type=Group&${tag}`, form)
      expect(matches(system.body).map((each: Tree) => each.id)).toEqual([id('meera')])
      const malayalam = await api().post('Patient/_search', `${e2('name=മിനി')}&${tag}`, form)
      expect(matches(malayalam.body).map((each: Tree) => each.id)).toEqual([id('mini')])
      refused(await api().post('Patient/_search', '{}'), 415)
    })

    it('takes more values by POST than a URL can hold', async () => {
      const ids = Array.from({ length: 900 }, (_, n) => `nobody-${n}-${run}`)
      const answer = await api().post('Patient/_search', `_id=${[...ids, id('mini')].join(',')}`, {
        'content-type': 'application/x-www-form-urlencoded',
      })
      expect(answer.status, answer.text.slice(0, 500)).toBe(200)
      expect(matches(answer.body).map((each: Tree) => each.id)).toEqual([id('mini')])
    })

    it('follows what happens to a resource', async () => {
      const name = word()
      const patient = { resourceType: 'Patient', id: name, name: [{ family: name }] }
      await api().put(`Patient/${name}`, patient)
      expect(await api().found(`Patient?family=${name}`)).toEqual([name])
      await api().put(`Patient/${name}`, { ...patient, name: [{ family: `x${name}` }] })
      expect(await api().found(`Patient?family=${name}`)).toEqual([])
      expect(await api().found(`Patient?family=x${name}`)).toEqual([name])
      await api().delete(`Patient/${name}`)
      expect(await api().found(`Patient?family=x${name}`)).toEqual([])
      expect(await api().found(`Patient?_id=${name}&name:missing=true`)).toEqual([])
    })
  })

  describe('never in silence', () => {
    it('an unknown parameter is refused, and named', async () => {
      const outcome = refused(await api().get('Patient?nonsense=1'), 400)
      expect(JSON.stringify(outcome)).toContain('nonsense')
      refused(await api().get('Patient?birthDate=2020'), 400)
      refused(await api().get('Patient?gender=female&nonsense=1', { prefer: 'handling=strict' }), 400)
      refused(await api().get('?nonsense=1'), 400)
      refused(await api().get('Observation?birthdate=2020'), 400)
    })

    it('an unknown parameter is left out of the self link with handling=lenient', async () => {
      const answer = await api().get(`Patient?nonsense=1&gender=female&${tag}`, {
        prefer: 'handling=lenient',
      })
      expect(answer.status).toBe(200)
      expect(
        matches(answer.body)
          .map((each: Tree) => each.id)
          .sort(),
      ).toEqual([id('meera'), id('mini')].sort())
      expect(link(answer.body, 'self')).not.toContain('nonsense')
      expect(link(answer.body, 'self')).toContain('gender=female')
    })

    it('an unknown modifier, or one that the type does not have, is refused', async () => {
      for (const query of [
        'family:nonsense=x',
        'birthdate:exact=2020',
        'gender:contains=f',
        'family:not=x',
        '_id:exact=1',
        'identifier:Patient=1',
      ]) {
        refused(await api().get(`Patient?${query}`), 400)
      }
    })

    it('a parameter that reaches beyond the elements of a resource finds nothing where there is nothing', async () => {
      for (const query of [
        `Observation?subject.name=${run}`,
        `Observation?subject:Patient.name=${run}`,
        `Patient?_has:Observation:patient:code=${run}`,
        `Patient?_text=${run}`,
        `Patient?_filter=${e(`name eq "${run}"`)}`,
        `Patient?_list=${run}`,
      ]) {
        const answer = await api().get(query)
        expect([answer.status, answer.body.entry], query).toEqual([200, undefined])
      }
    })
  })
}

/** `name=value` pairs whose values hold letters that a URL cannot. */
const e2 = (query: string): string =>
  query
    .split('&')
    .map(pair => pair.replace(/=(.*)$/s, (_, value: string) => `=${encodeURIComponent(value)}`))
    .join('&')
