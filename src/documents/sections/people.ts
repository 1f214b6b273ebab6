/** Patients and doctors of plain JSON: those that are stored already, or new ones. */
import type { Context } from '../../context.ts'
import { fhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { text } from '../../fhir/tree.ts'
import { isId } from '../../interactions/identity.ts'
import { search } from '../../interactions/search.ts'
import { derivedId } from '../../lib/derived-id.ts'
import { idOf, type Key, keyOf } from '../../storage/port.ts'
import { NRCES } from '../hi-types.ts'
import type { Missing } from '../missing.ts'

const TYPES = `${NRCES}/CodeSystem/ndhm-identifier-type-code`
const V2 = 'http://terminology.hl7.org/CodeSystem/v2-0203'
const HEALTH_ID = 'https://healthid.abdm.gov.in'

/** Kinds of identity card: system and type of the identifier. */
const CARDS: Readonly<Record<string, [system: string, of: string, code: string, display: string]>> = {
  ABHA: [HEALTH_ID, TYPES, 'HIN', 'Health ID issued by NDHM'],
  AADHAAR: ['https://uidai.gov.in', TYPES, 'ADN', 'Adhaar number'],
  PAN: ['https://www.incometax.gov.in', V2, 'TAX', 'Tax ID number'],
  DRIVING_LICENSE: ['https://parivahan.gov.in', V2, 'DL', "Driver's license number"],
}

const identifier = (
  system: string,
  of: string,
  code: string,
  display: string,
  value: string,
): JsonObject => ({
  type: { coding: [{ system: of, code, display }] },
  system,
  value,
})

/** A resource that is stored, or one that is to be. */
export type Person = { key: Key; made?: Resource }

/**
 * Returns the patient: the one named, the one stored under `resourceId` or an identifier, or a new one.
 *
 * Throws `multiple-matches` (422) where several have the identifier.
 */
export async function patientOf(
  ctx: Context,
  details: JsonObject | undefined,
  missing: Missing,
): Promise<Person | undefined> {
  if (details === undefined) {
    missing.say(
      'sections',
      'sections.patientDetails',
      'Composition.subject',
      'patientDetails is missing. Send it, or name the patient with the parameter patient',
    )
    return undefined
  }
  const identifiers = patientIdentifiers(details, missing)
  const stored = await storedOne(ctx, 'Patient', details, identifiers)
  if (stored !== undefined) return { key: stored }
  if (identifiers.length === 0 || !sayName(details, 'patientDetails', missing)) return undefined
  const id = await idFor(ctx, 'Patient', details, identifiers[0]!)
  return {
    key: keyOf('Patient', id),
    made: { resourceType: 'Patient', id, identifier: identifiers, active: true, ...person(details) },
  }
}

function patientIdentifiers(details: JsonObject, missing: Missing): JsonObject[] {
  const found: JsonObject[] = []
  const [number, kind, address] = [text(details.idNumber), text(details.idType), text(details.abhaAddress)]
  if (number !== undefined && number !== '') {
    const card = CARDS[(kind ?? '').toUpperCase()]
    if (card === undefined)
      missing.say(
        'sections',
        'sections.patientDetails.idType',
        'Patient.identifier.type',
        `idType is one of ${Object.keys(CARDS).join(', ')}. Send it`,
      )
    // The law lets few keep whole Aadhaar numbers: the last four digits are what may be shown.
    else found.push(identifier(...card, card[2] === 'ADN' ? masked(number) : number))
  }
  if (address !== undefined && address !== '')
    found.push(identifier(HEALTH_ID, TYPES, 'ABHA', 'Ayushman Bharat Health Account (ABHA) ID', address))
  if (found.length === 0)
    missing.say(
      'sections',
      'sections.patientDetails.idNumber',
      'Patient.identifier',
      'idNumber with idType, or abhaAddress, is missing. Send one',
    )
  return found
}

const masked = (number: string): string => `XXXXXXXX${number.replace(/\D/g, '').slice(-4)}`

/** Returns the doctors, each named as `patientOf` does it, with what they are here as a PractitionerRole. */
export async function doctorsOf(
  ctx: Context,
  details: readonly JsonObject[],
  missing: Missing,
): Promise<Person[]> {
  const found: Person[] = []
  for (const [index, doctor] of details.entries()) {
    const place = `doctorsDetails[${index}]`
    const identifiers: JsonObject[] = []
    const [hpr, registration] = [text(doctor.hprId), text(doctor.registrationId)]
    if (hpr)
      identifiers.push(
        identifier('https://hpr.abdm.gov.in', TYPES, 'HPIN', 'Health Practitioner ID issued by NDHM', hpr),
      )
    if (registration)
      identifiers.push(
        identifier('https://doctor.ndhm.gov.in', V2, 'MD', 'Medical License number', registration),
      )
    const stored = await storedOne(ctx, 'Practitioner', doctor, identifiers)
    if (stored !== undefined) {
      found.push({ key: stored })
      continue
    }
    if (identifiers.length === 0)
      missing.say(
        'sections',
        `sections.${place}.registrationId`,
        'Practitioner.identifier',
        'registrationId or hprId is missing. Send one',
      )
    if (!sayName(doctor, place, missing) || identifiers.length === 0) continue
    const id = await idFor(ctx, 'Practitioner', doctor, identifiers[0]!)
    found.push({
      key: keyOf('Practitioner', id),
      made: { resourceType: 'Practitioner', id, identifier: identifiers, active: true, ...person(doctor) },
    })
  }
  return found
}

/** Returns designation and department of a doctor as a role; undefined where neither is said. */
export async function roleOf(
  ctx: Context,
  doctor: JsonObject,
  practitioner: Key,
): Promise<Person | undefined> {
  const [designation, department] = [text(doctor.designation), text(doctor.department)]
  if (!designation && !department) return undefined
  const id = await derivedId(
    ctx.settings.baseUrl,
    'PractitionerRole',
    practitioner,
    designation ?? '',
    department ?? '',
  )
  const resource: Resource = {
    resourceType: 'PractitionerRole',
    id,
    active: true,
    practitioner: { reference: practitioner, display: fullName(doctor) },
    ...(designation && { code: [{ text: designation }] }),
    ...(department && { specialty: [{ text: department }] }),
  }
  return { key: keyOf('PractitionerRole', id), made: resource }
}

function sayName(details: JsonObject, place: string, missing: Missing): boolean {
  if (text(details.firstName) || text(details.lastName)) return true
  missing.say(
    'sections',
    `sections.${place}.firstName`,
    'name.text',
    'firstName or lastName is missing. Send it',
  )
  return false
}

const fullName = (details: JsonObject): string =>
  [details.firstName, details.middleName, details.lastName].flatMap(one => text(one) || []).join(' ')

function person(details: JsonObject): JsonObject {
  const [first, middle, last] = [text(details.firstName), text(details.middleName), text(details.lastName)]
  const [mobile, email] = [text(details.mobileNumber), text(details.emailId)]
  const gender = text(details.gender)?.toLowerCase()
  const [address, pincode, state] = [text(details.address), text(details.pincode), text(details.state)]
  const telecom = [
    ...(mobile ? [{ system: 'phone', value: mobile, use: 'mobile' }] : []),
    ...(email ? [{ system: 'email', value: email }] : []),
  ]
  return {
    name: [
      {
        use: 'official',
        text: fullName(details),
        ...(last && { family: last }),
        ...((first || middle) && { given: [first, middle].flatMap(one => one || []) }),
      },
    ],
    ...(telecom.length > 0 && { telecom }),
    ...(gender && { gender }),
    ...(text(details.birthDate) && { birthDate: text(details.birthDate)! }),
    ...((address || pincode || state) && {
      address: [
        {
          ...(address && { text: address }),
          ...(state && { state }),
          ...(pincode && { postalCode: pincode }),
          country: 'IN',
        },
      ],
    }),
  }
}

/** Returns the stored person of this `resourceId`, or of one of the identifiers. */
async function storedOne(
  ctx: Context,
  type: string,
  details: JsonObject,
  identifiers: readonly JsonObject[],
): Promise<Key | undefined> {
  const id = text(details.resourceId)
  if (isId(id) && (await ctx.storage.read(keyOf(type, id)))?.text !== undefined) return keyOf(type, id)
  for (const { system, value } of identifiers) {
    if (String(value).startsWith('XXXXXXXX')) continue
    const query = `${system}|${String(value).replace(/[\\,$|]/g, '\\$&')}`
    const { rows } = await search(ctx, type, [
      ['identifier', query],
      ['_count', '2'],
    ])
    if (rows.length > 1)
      throw fhirError('multiple-matches', `Several ${type} resources have the identifier that was sent.`, {
        status: 422,
        expression: `http.${type === 'Patient' ? 'patient' : 'practitioner'}`,
      })
    if (rows[0] !== undefined) return keyOf(type, idOf(rows[0].key))
  }
  return undefined
}

async function idFor(ctx: Context, type: string, details: JsonObject, of: JsonObject): Promise<string> {
  const id = text(details.resourceId)
  if (isId(id)) return id
  return derivedId(
    ctx.settings.baseUrl,
    type,
    String(of.system),
    String(of.value),
    fullName(details),
    text(details.birthDate) ?? '',
  )
}
