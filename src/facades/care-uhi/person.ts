/** Whom a request describes: its patient or billing block, checked and put into FHIR. Pure. */
import { timeRange } from '../../fhir/instant.ts'
import { type JsonObject, NumberText, type Resource } from '../../fhir/json.ts'
import { objects, text, texts } from '../../fhir/tree.ts'
import { phoneNumber } from '../../notifications/person.ts'
import { fold } from '../../search/fold.ts'
import { malformed } from './refusal.ts'
import { nameOf } from './translate.ts'

export interface Person {
  name: string
  /** `+919876543210` */
  phone: string
  /** FHIR's code; undefined where nothing was said. */
  gender: string | undefined
  /** `1988-04-12` or `1988`. */
  birthDate: string | undefined
  abha: { kind: 'number' | 'address'; value: string } | undefined
  /** As Care has it: `A_positive`. */
  bloodGroup: string | undefined
  emergencyPhone: string | undefined
  address: string | undefined
  permanentAddress: string | undefined
  pincode: string | undefined
  /** The government body that billing names. */
  district: string | undefined
}

const GENDERS: Readonly<Record<string, string>> = {
  male: 'male',
  m: 'male',
  female: 'female',
  f: 'female',
  other: 'other',
  o: 'other',
  transgender: 'other',
  non_binary: 'other',
  unknown: 'unknown',
}

const BLOOD_GROUP = /^(A|B|AB|O)([+-])$/

/** The longest text that is taken. */
const LONGEST = 1000

/**
 * Returns the person of a `patient` or `billing` block.
 *
 * Throws Refusal (400) where it is malformed; `where` begins the texts, and `required` is the text for a missing name or number.
 */
export function personIn(block: JsonObject | undefined, where: string, required: string): Person {
  const said = (name: string): string | undefined => {
    const value = block !== undefined && Object.hasOwn(block, name) ? block[name] : undefined
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string' && !(value instanceof NumberText))
      throw malformed(`${where}.${name} must be a text`)
    const trimmed = text(value)!.trim()
    if (trimmed.length > LONGEST) throw malformed(`${where}.${name} is too long`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be stored
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(trimmed) || !trimmed.isWellFormed())
      throw malformed(`${where}.${name} has characters that no text has`)
    return trimmed === '' ? undefined : trimmed
  }
  const name = said('name')?.replace(/\s+/g, ' ')
  const given = said('phone_number')
  if (name === undefined || given === undefined || fold(name).trim() === '') throw malformed(required)
  const phone = phoneIn(given)
  if (phone === undefined) throw malformed(`${where}.phone_number is not a valid phone number`)
  const emergency = said('emergency_phone_number')
  const emergencyPhone = emergency === undefined ? undefined : phoneIn(emergency)
  if (emergency !== undefined && emergencyPhone === undefined)
    throw malformed(`${where}.emergency_phone_number is not a valid phone number`)
  return {
    name,
    phone,
    gender: genderIn(said('gender')),
    birthDate: birthIn(said('date_of_birth'), said('year_of_birth'), where),
    abha: abhaIn(said('abha_number'), where),
    bloodGroup: bloodGroupIn(said('blood_group')),
    emergencyPhone,
    address: said('address'),
    permanentAddress: said('permanent_address'),
    pincode: pincodeIn(said('pincode'), where),
    district: said('geo_organization'),
  }
}

/** Returns a number with its country; one without is India's. */
export const phoneIn = (value: string): string | undefined => phoneNumber(value, '91')

const genderIn = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : (GENDERS[value.toLowerCase().replace(/[ -]/g, '_')] ?? 'other')

function birthIn(date: string | undefined, year: string | undefined, where: string): string | undefined {
  if (date !== undefined) {
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(date) || timeRange(date, 'UTC') === undefined)
      throw malformed(`${where}.date_of_birth must be a date as 1988-04-12`)
    return date
  }
  if (year === undefined) return undefined
  if (!/^(?:1[89]|2[0-9])[0-9]{2}$/.test(year)) throw malformed(`${where}.year_of_birth must be a year`)
  return year
}

function abhaIn(value: string | undefined, where: string): Person['abha'] {
  if (value === undefined) return undefined
  const digits = value.replace(/[- ]/g, '')
  if (/^[0-9]{14}$/.test(digits))
    return { kind: 'number', value: digits.replace(/^(..)(....)(....)(....)$/, '$1-$2-$3-$4') }
  if (/^[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.]{1,32}$/.test(value))
    return { kind: 'address', value: value.toLowerCase() }
  throw malformed(`${where}.abha_number must have 14 digits`)
}

const bloodGroupIn = (value: string | undefined): string | undefined => {
  const match = BLOOD_GROUP.exec((value ?? '').toUpperCase())
  if (match !== null) return `${match[1]}_${match[2] === '+' ? 'positive' : 'negative'}`
  return /^(A|B|AB|O)_(positive|negative)$/.test(value ?? '') ? value : undefined
}

function pincodeIn(value: string | undefined, where: string): string | undefined {
  if (value !== undefined && !/^[0-9]{1,10}$/.test(value))
    throw malformed(`${where}.pincode must be a valid integer`)
  return value
}

const HEALTH_ID = 'https://healthid.abdm.gov.in'
const ID_TYPES = 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code'
const BLOOD_GROUP_EXTENSION = 'urn:nadi:extension:blood-group'

/** Returns a new Patient; what the request says of him is all that is known. */
export function patientOf(person: Person, key: { system: string; value: string }): Resource {
  const { abha, gender, birthDate, bloodGroup, emergencyPhone } = person
  const home = (line: string, more: JsonObject): JsonObject => ({ use: 'home', ...more, text: line })
  const addresses = [
    ...(person.address === undefined ? [] : [home(person.address, { type: 'physical', ...placed(person) })]),
    ...(person.permanentAddress === undefined ? [] : [home(person.permanentAddress, { type: 'postal' })]),
  ]
  if (addresses.length === 0 && Object.keys(placed(person)).length > 0) addresses.push(placed(person))
  return {
    resourceType: 'Patient',
    ...(bloodGroup !== undefined && {
      extension: [{ url: BLOOD_GROUP_EXTENSION, valueCode: bloodGroup }],
    }),
    identifier: [
      ...(abha === undefined
        ? []
        : [
            {
              // Nobody has verified it.
              use: 'secondary',
              type: {
                coding: [
                  abha.kind === 'number'
                    ? { system: ID_TYPES, code: 'HIN', display: 'Health ID issued by NDHM' }
                    : {
                        system: ID_TYPES,
                        code: 'ABHA',
                        display: 'Ayushman Bharat Health Account (ABHA) ID',
                      },
                ],
              },
              system: HEALTH_ID,
              value: abha.value,
            },
          ]),
      { use: 'secondary', ...key },
    ],
    active: true,
    name: [{ text: person.name }],
    telecom: [{ system: 'phone', value: person.phone, use: 'mobile' }],
    ...(gender !== undefined && { gender }),
    ...(birthDate !== undefined && { birthDate }),
    ...(addresses.length > 0 && { address: addresses }),
    ...(emergencyPhone !== undefined && {
      contact: [
        {
          relationship: [
            { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'C' }] },
          ],
          telecom: [{ system: 'phone', value: emergencyPhone }],
        },
      ],
    }),
  }
}

const placed = ({ pincode, district }: Person): JsonObject => ({
  ...(district !== undefined && { district }),
  ...(pincode !== undefined && { postalCode: pincode }),
})

/** What is shown of a patient, by the names of the contract; '' for what is not known. */
export interface Billing {
  name: string
  gender: string
  phone_number: string
  emergency_phone_number: string
  address: string
  permanent_address: string
  pincode: string
  blood_group: string
  geo_organization: string
  date_of_birth: string
  year_of_birth: string
}

/** Returns the fields of a Patient that a request has stated, and that are so. */
export function statedOf(patient: Resource, person: Person): string[] {
  const has = billingOf(patient)
  const said = billingOf(patientOf(person, { system: '', value: '' }))
  const plain = (name: string, value: string): string =>
    (name.endsWith('phone_number') ? phoneIn(value) : undefined) ?? fold(value).trim()
  return Object.keys(has).filter(name => {
    const field = name as keyof Billing
    return has[field] !== '' && plain(name, has[field]) === plain(name, said[field])
  })
}

/** Returns the fields that were stated; of the others nothing, for whoever asks knows no more than a name and a telephone. */
export function statedBilling(patient: Resource, stated: ReadonlySet<string>): Billing {
  const nothing: Billing = billingOf({ resourceType: 'Patient' })
  const shown = Object.entries(billingOf(patient)).filter(([name]) => stated.has(name))
  return { ...nothing, ...Object.fromEntries(shown) }
}

/** Returns a Patient as the billing block of an order. */
function billingOf(patient: Resource): Billing {
  const addresses = objects(patient.address)
  const permanent = addresses.find(one => one.type === 'postal')
  const address = addresses.find(one => one.type !== 'postal')
  const birth = text(patient.birthDate) ?? ''
  const contact = objects(objects(patient.contact)[0]?.telecom)[0]
  const blood = objects(patient.extension).find(one => one.url === BLOOD_GROUP_EXTENSION)
  const phone = objects(patient.telecom).find(one => one.system === 'phone')
  return {
    name: nameOf(patient),
    gender: text(patient.gender) ?? '',
    phone_number: text(phone?.value) ?? '',
    emergency_phone_number: text(contact?.value) ?? '',
    address: text(address?.text) ?? texts(address?.line).join(', '),
    permanent_address: text(permanent?.text) ?? '',
    pincode: text(address?.postalCode) ?? '',
    blood_group: text(blood?.valueCode) ?? 'unknown',
    geo_organization: text(address?.district) ?? '',
    date_of_birth: birth.length === 10 ? birth : '',
    year_of_birth: birth.slice(0, 4),
  }
}

/** Returns the ABHA number and address of a Patient. */
export function abhasOf(patient: Resource): string[] {
  return objects(patient.identifier)
    .filter(one => one.system === HEALTH_ID)
    .flatMap(one => text(one.value) ?? [])
}

/** Returns the folded names that a Patient goes by. */
const namesOf = (patient: Resource): string[] =>
  objects(patient.name).flatMap(name => {
    const whole = text(name.text)
    const parts = [...texts(name.given), ...texts(name.family)].join(' ')
    return [...(whole === undefined ? [] : [whole]), ...(parts === '' ? [] : [parts])].map(one =>
      fold(one).trim(),
    )
  })

/** Returns whether a Patient's telephone is this one. */
export const hasPhone = (patient: Resource, phone: string): boolean =>
  objects(patient.telecom).some(
    one => (one.system === 'phone' || one.system === 'sms') && phoneIn(text(one.value) ?? '') === phone,
  )

/** Returns whether a Patient with the same telephone is the person: equal folded name, and nothing that contradicts. */
export function isSame(patient: Resource, person: Person): boolean {
  if (patient.active === false || !namesOf(patient).includes(fold(person.name).trim())) return false
  const gender = text(patient.gender)
  const unsaid = (one: string | undefined): boolean => one === undefined || one === 'unknown'
  if (!unsaid(gender) && !unsaid(person.gender) && gender !== person.gender) return false
  const birth = text(patient.birthDate)
  if (birth !== undefined && person.birthDate !== undefined && !agree(birth, person.birthDate)) return false
  const kind = (one: string): boolean => one.includes('@')
  const { abha } = person
  const held = abhasOf(patient).filter(one => abha !== undefined && kind(one) === kind(abha.value))
  return abha === undefined || held.length === 0 || held.includes(abha.value)
}

/** Whether two dates of birth may be one: as far as both go, they are the same. */
const agree = (a: string, b: string): boolean => {
  const length = Math.min(a.length, b.length)
  return a.slice(0, length) === b.slice(0, length)
}
