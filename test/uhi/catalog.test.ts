/** Which doctors an intent asks for, field by field. */
import { expect, it } from 'vitest'
import type { Resource } from '../../src/fhir/json.ts'
import { isMeant, quoteLines } from '../../src/uhi/catalog.ts'
import type { Doctor } from '../../src/uhi/offers.ts'
import type { Intent } from '../../src/uhi/order.ts'
import { clinic } from './world.ts'

const all = clinic(0)
const of = (type: string, id: string): Resource =>
  all.find(one => one.resourceType === type && one.id === id)!
const doctor: Doctor = {
  schedule: of('Schedule', 'anjali'),
  practitioner: of('Practitioner', 'anjali'),
  organization: of('Organization', 'thanal'),
  location: of('Location', 'clinic'),
  services: [of('HealthcareService', 'cardiology')],
  quote: {
    price: { currency: 'INR', value: '525' },
    breakup: [
      { title: 'Fee', price: { currency: 'INR', value: '500' } },
      { title: 'CGST @ 5%', price: { currency: 'INR', value: '25' } },
    ],
  },
  itemId: 'consultation',
  actors: [],
}
const near = (value: string, more: object = { type: 'CONSTANT', unit: 'km' }) => ({
  gps: '9.9800,76.3490',
  radius: { value, ...more },
})

it.each<[string, Intent, boolean]>([
  ['nothing in particular', {}, true],
  ['the HPR address', { fulfillment: { agent: { id: 'anjali@hpr.ndhm' } } }, true],
  ['another HPR address', { fulfillment: { agent: { id: 'thomas@hpr.ndhm' } } }, false],
  ['a part of the name', { fulfillment: { agent: { name: 'anjali m' } } }, true],
  ['another name', { fulfillment: { agent: { name: 'Kurian' } } }, false],
  ['the speciality by its code', { category: { descriptor: { code: 'CARDIOLOGY' } } }, true],
  ['the speciality by its name', { category: { descriptor: { name: 'cardiology' } } }, true],
  ['another speciality', { category: { descriptor: { code: 'PAEDIATRICS' } } }, false],
  ['the facility', { provider: { id: 'thanal' } }, true],
  ['another facility', { provider: { id: 'other' } }, false],
  ['a part of the facility’s name', { provider: { descriptor: { name: 'thanal family' } } }, true],
  ['another facility’s name', { provider: { descriptor: { name: 'Apollo' } } }, false],
  [
    'the state and district',
    { location: { state: { name: 'KERALA', code: '32' }, district: { name: 'ERNAKULAM' } } },
    true,
  ],
  ['another district', { location: { state: { name: 'KERALA' }, district: { name: 'PUNE' } } }, false],
  ['the city', { location: { city: { name: 'kochi' } } }, true],
  ['another city', { location: { city: { name: 'Delhi', code: '011' } } }, false],
  ['the pincode', { address: { area_code: '682301' } }, true],
  ['another pincode', { address: { area_code: '110001' } }, false],
  // 0.036 degrees of latitude are 4.003 km.
  ['a place within 4.1 km', { location: near('4.1') }, true],
  ['a place not within 3.9 km', { location: near('3.9') }, false],
  ['a place without all of the radius', { location: near('1', { unit: 'km' }) }, true],
])('%s', (_, intent, meant) => {
  expect(isMeant(doctor, intent)).toBe(meant)
})

it('a quote begins with the consultation and has the four lines of UHI, as the definition has them', () => {
  expect(quoteLines(doctor)).toEqual({
    price: { currency: 'INR', value: '525' },
    breakup: [
      { title: 'Consultation', price: { currency: 'INR', value: '500' } },
      { title: 'CGST @ 5%', price: { currency: 'INR', value: '25' } },
      { title: 'SGST @ 5%', price: { currency: 'INR', value: '0' } },
      { title: 'Registration', price: { currency: 'INR', value: '0' } },
    ],
  })
})
