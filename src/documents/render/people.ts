/** Patients, authors and organizations as a letterhead, a patient block and signatures say them. */
import type { JsonObject } from '../../fhir/json.ts'
import { labelOf, type Reading, referenceText } from './reading.ts'
import { type Cell, cell, type Fact, facts, type Line, type Sheet } from './sheet.ts'
import { all, joined, one, text, texts } from './tree.ts'
import { ageText, dateText, dayOf, timeText } from './when.ts'
import {
  addressText,
  codeWords,
  conceptsText,
  conceptText,
  hasCode,
  identifierLabel,
  personName,
} from './words.ts'

const ABHA_SYSTEM = /healthid|abha|abdm.*(health|abha)/i

/** Returns the numbers that a patient is known by, each with its name: ABHA number and address, the number at the clinic, others. */
export function patientNumbers(patient: JsonObject): Fact[] {
  const shown = new Set<string>()
  return all(patient, 'identifier').flatMap(identifier => {
    const value = text(identifier, 'value')
    if (value === undefined || text(identifier, 'use') === 'old' || shown.has(value)) return []
    shown.add(value)
    const type = one(identifier, 'type')
    const abha = hasCode(type, ['ABHA']) || ABHA_SYSTEM.test(text(identifier, 'system') ?? '')
    if (abha && value.includes('@')) return facts(['ABHA address', value])
    const digits = value.replace(/[-\s]/g, '')
    if (abha && /^\d{14}$/.test(digits))
      return facts(['ABHA number', digits.replace(/^(\d{2})(\d{4})(\d{4})(\d{4})$/, '$1-$2-$3-$4')])
    if (hasCode(type, ['MR', 'PI', 'PT'])) return facts(['UHID', value])
    // The last digits alone: the number of the identity card is nobody's business on paper.
    if (hasCode(type, ['ADN'])) return facts(['Aadhaar', `XXXX XXXX ${digits.slice(-4)}`])
    return facts([identifierLabel(identifier), value])
  })
}

/** Returns the patient block. */
export function patientFacts(
  reading: Reading,
  patient: JsonObject | undefined,
  display: string | undefined,
): Fact[] {
  if (patient === undefined) return facts(['Patient', display])
  const { zone, date } = reading
  const birth = text(patient, 'birthDate')
  const names = all(patient, 'name')
    .filter(name => text(name, 'use') !== 'old')
    .map(name => personName({ name }))
  const name = personName(patient) ?? 'Not named'
  const others = [...new Set(names)].filter(each => each !== undefined && each !== name)
  const who: Cell = [[{ text: name, bold: true }], ...cell(...others)]
  const sex = codeWords(text(patient, 'gender'))
  const age = ageText(birth, date, zone)
  const born = dateText(birth, zone)
  const exact = birth !== undefined && dayOf(birth, zone)?.month !== undefined
  return [
    ...facts(
      ['Patient', who],
      ['Age', joined([age, exact || age === undefined ? born && `born ${born}` : undefined])],
      ['Sex', sex],
      ['Died', patient.deceasedBoolean === true ? 'Yes' : timeText(text(patient, 'deceasedDateTime'), zone)],
    ),
    ...patientNumbers(patient),
    ...facts(
      ['Telephone', phones(patient)],
      ['Address', addressText(all(patient, 'address').find(each => text(each, 'use') !== 'old'))],
    ),
  ]
}

const telecoms = (of: JsonObject | undefined, system: string): string[] =>
  all(of, 'telecom')
    .filter(each => text(each, 'system') === system && text(each, 'use') !== 'old')
    .flatMap(each => text(each, 'value') ?? [])

const phones = (of: JsonObject | undefined): string | undefined => joined(telecoms(of, 'phone').slice(0, 2))

/** Returns the letterhead of an organization, or of a doctor who has none; of nobody where neither is known. */
export function letterheadOf(organization: JsonObject | undefined): Sheet['letterhead'] {
  return {
    name: text(organization, 'name') ?? personName(organization) ?? '',
    lines: [...texts(organization, 'alias').slice(0, 3), ...given(addressText(one(organization, 'address')))],
    marks: [
      ...telecoms(organization, 'phone').slice(0, 2),
      ...telecoms(organization, 'email').slice(0, 1),
      ...telecoms(organization, 'url').slice(0, 1),
      ...all(organization, 'identifier').flatMap(identifier => given(numbered(identifier))),
    ],
  }
}

const given = (words: string | undefined): string[] => (words === undefined ? [] : [words])

const labelOfNumber = (identifier: JsonObject): string | undefined =>
  registerOf(text(identifier, 'system')) ?? conceptText(one(identifier, 'type'))

const numbered = (identifier: JsonObject, otherwise?: string): string | undefined => {
  const value = text(identifier, 'value')
  const label = labelOfNumber(identifier) ?? otherwise
  return value === undefined || label === undefined ? value : `${label}: ${value}`
}

/** The registers of the ABDM, by what their systems hold. */
function registerOf(system: string | undefined): string | undefined {
  if (system === undefined) return undefined
  if (/facility\.abdm|hfr/i.test(system)) return 'HFR'
  if (/doctor\.(ndhm|abdm)|hpr/i.test(system)) return 'HPR'
  return /gst/i.test(system) ? 'GSTIN' : undefined
}

/** Returns an author as a signature says: name, qualifications, registration. */
export function personLines(reading: Reading, reference: JsonObject, from: JsonObject): Cell {
  const target = reading.resolve(reference, from)
  const role = text(target, 'resourceType') === 'PractitionerRole' ? target : undefined
  const person = role === undefined ? target : reading.resolve(one(role, 'practitioner'), role)
  const name = referenceText(reading, reference, from) ?? (person && labelOf(reading, person)) ?? 'Not named'
  const proper = person === undefined ? undefined : personName(person)
  const degrees = all(person, 'qualification').map(each => conceptText(one(each, 'code')))
  const numbers = [
    ...all(person, 'qualification').flatMap(each => all(each, 'identifier')),
    ...(text(person, 'resourceType') === 'Practitioner' ? all(person, 'identifier') : []),
  ]
  const labelled = numbers.filter(each => labelOfNumber(each) !== undefined)
  const unique = [
    ...new Set(
      (labelled.length > 0 ? labelled : numbers.slice(0, 1)).flatMap(each =>
        given(numbered(each, 'Reg. no.')),
      ),
    ),
  ]
  const specialty = role && (conceptsText(role, 'specialty') ?? conceptsText(role, 'code'))
  const organization = role && referenceText(reading, one(role, 'organization'), role)
  return [
    [{ text: proper ?? name, bold: true }],
    ...cell(joined(degrees), specialty, ...unique, organization),
  ]
}

const MOST_SIGNERS = 20

/** Returns those who wrote the document and who stand for it, with when they did. */
export function signaturesOf(reading: Reading, bundle: JsonObject, composition: JsonObject): Cell[] {
  const { zone } = reading
  const people = (reference: JsonObject): boolean =>
    !['Organization', 'Device'].includes(text(reading.resolve(reference, composition), 'resourceType') ?? '')
  const attesters = all(composition, 'attester')
    .slice(0, MOST_SIGNERS)
    .map(attester => {
      const party = one(attester, 'party')
      const when = timeText(text(attester, 'time'), zone)
      const mode = text(attester, 'mode') === 'official' ? 'Attested officially' : 'Attested'
      const attested: Line = [{ text: joined([mode, when], ' on ')!, tone: 'muted' }]
      return {
        key: text(party, 'reference'),
        cell: [...(party ? personLines(reading, party, composition) : []), attested],
      }
    })
  const known = new Set(attesters.map(each => each.key))
  const authors = all(composition, 'author')
    .slice(0, MOST_SIGNERS)
    .filter(author => people(author) && !known.has(text(author, 'reference')))
    .map(author => personLines(reading, author, composition))
  const signature = one(bundle, 'signature')
  const signed: Cell[] = []
  if (signature !== undefined) {
    const who = referenceText(reading, one(signature, 'who'), bundle)
    const when = timeText(text(signature, 'when'), zone)
    const words = joined(['Signed electronically', who && `by ${who}`, when && `on ${when}`], ' ')!
    signed.push([
      [
        {
          text: `${words}. The signature is in the record; this page does not prove it.`,
          tone: 'muted',
        },
      ],
    ])
  }
  return [...authors, ...attesters.map(each => each.cell), ...signed]
}
