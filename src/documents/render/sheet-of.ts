/** A document Bundle as a sheet. https://hl7.org/fhir/R4/documents.html */
import { fhirError } from '../../fhir/error.ts'
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { letterheadOf, patientFacts, signaturesOf } from './people.ts'
import { labelOf, type Reading, referencesText, referenceText, resolver } from './reading.ts'
import { sectionsOf } from './sections.ts'
import {
  checkLength,
  type Fact,
  facts,
  lengthOf,
  RENDER_LIMITS,
  type RenderLimits,
  type Sheet,
} from './sheet.ts'
import { all, joined, one, text } from './tree.ts'
import { periodText, timeText } from './when.ts'
import { capital, codeWords, conceptsText, conceptText } from './words.ts'

export interface RenderOptions {
  /** IANA name of the zone in which times are shown. */
  zone: string
  limits?: RenderLimits
}

/** Returns the first entry of a document. Throws `business-rule` (422) for a Bundle that is no document. */
function compositionOf(bundle: Resource): JsonObject {
  const refuse = (why: string, expression: string): never => {
    throw fhirError('business-rule', `Only a document can be rendered: ${why}.`, { expression })
  }
  if (bundle.resourceType !== 'Bundle') return refuse('this is no Bundle', 'Bundle')
  if (bundle.type !== 'document') return refuse('the Bundle is of another type', 'Bundle.type')
  const composition = one(all(bundle, 'entry')[0], 'resource')
  if (text(composition, 'resourceType') !== 'Composition')
    return refuse('its first entry is no Composition', 'Bundle.entry[0].resource')
  return composition!
}

/**
 * Returns what there is to be read in a document.
 *
 * Throws `business-rule` (422) for a Bundle that is no document, `too-costly` (413) for one that is larger than may be rendered.
 */
export function sheetOf(bundle: Resource, { zone, limits = RENDER_LIMITS }: RenderOptions): Sheet {
  const composition = compositionOf(bundle)
  if (all(bundle, 'entry').length > limits.entries)
    throw fhirError('too-costly', `A document of more than ${limits.entries} entries is not rendered.`)
  const date = text(composition, 'date') ?? text(bundle, 'timestamp')
  const reading: Reading = {
    zone,
    limits,
    date,
    resolve: resolver(bundle, limits.references),
    imageBytes: 0,
    reported: 0,
  }
  const patient = reading.resolve(one(composition, 'subject'), composition)
  const title = text(composition, 'title') ?? conceptText(one(composition, 'type')) ?? 'Document'
  const dated = timeText(date, zone) ?? ''
  const name = (patient && labelOf(reading, patient)) ?? text(one(composition, 'subject'), 'display')
  const identifier = one(bundle, 'identifier')
  const sheet: Sheet = {
    language: languageOf(bundle, composition),
    title,
    running: joined([title, name, dated], ' \u00b7 ')!,
    date: dated,
    letterhead: letterheadOf(organizationOf(reading, composition)),
    notices: noticesOf(bundle, composition),
    patient: patientFacts(reading, patient, text(one(composition, 'subject'), 'display')),
    visit: visitFacts(reading, composition),
    sections: sectionsOf(reading, composition),
    signatures: signaturesOf(reading, bundle, composition),
    footer: joined(['Document', text(identifier, 'value') ?? text(bundle, 'id')], ' ')!,
  }
  checkLength(lengthOf(sheet), limits)
  return sheet
}

function languageOf(bundle: JsonObject, composition: JsonObject): string {
  const stated = text(composition, 'language') ?? text(bundle, 'language') ?? ''
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(stated) ? stated : 'en-IN'
}

/** Returns whose paper it is: who keeps the document, else where its author works, else where the visit was. */
function organizationOf(reading: Reading, composition: JsonObject): JsonObject | undefined {
  const encounter = reading.resolve(one(composition, 'encounter'), composition)
  const candidates: (JsonObject | undefined)[] = [reading.resolve(one(composition, 'custodian'), composition)]
  for (const author of all(composition, 'author')) {
    const target = reading.resolve(author, composition)
    candidates.push(target, reading.resolve(one(target, 'organization'), target))
  }
  candidates.push(reading.resolve(one(encounter, 'serviceProvider'), encounter))
  const of = (type: string) => candidates.find(each => text(each, 'resourceType') === type)
  return of('Organization') ?? of('Practitioner')
}

function noticesOf(bundle: JsonObject, composition: JsonObject): string[] {
  const status = text(composition, 'status')
  const notices: string[] = []
  if (status === 'entered-in-error')
    notices.push('THIS DOCUMENT WAS ENTERED IN ERROR. Nothing in it is to be relied on.')
  if (status === 'preliminary') notices.push('Preliminary: this document is not final.')
  if (status === 'amended') notices.push('Amended: this document has been changed after it was final.')
  const test = all(one(bundle, 'meta'), 'tag').concat(all(one(bundle, 'meta'), 'security'))
  if (test.some(label => text(label, 'code') === 'HTEST')) notices.push('Test data: this is no real record.')
  if (all(composition, 'modifierExtension').length > 0)
    notices.push(
      'The meaning of this document is changed by an extension that is not shown here: see the record.',
    )
  return notices
}

function visitFacts(reading: Reading, composition: JsonObject): Fact[] {
  const encounter = reading.resolve(one(composition, 'encounter'), composition)
  const kind = one(encounter, 'class')
  const hospital = one(encounter, 'hospitalization')
  const confidential = text(composition, 'confidentiality')
  return facts(
    [
      'Doctor',
      referencesText(reading, all(composition, 'author').filter(isPerson(reading, composition)), composition),
    ],
    [
      'Visit',
      joined([
        capital(text(kind, 'display')) ?? codeWords(text(kind, 'code')),
        conceptsText(encounter, 'type'),
      ]),
    ],
    ['Visit no.', joined(all(encounter, 'identifier').map(each => text(each, 'value')))],
    ['Time of visit', periodText(one(encounter, 'period'), reading.zone)],
    ['Reason', conceptsText(encounter, 'reasonCode')],
    ['Discharge', conceptText(one(hospital, 'dischargeDisposition'))],
    [
      'Place',
      referencesText(
        reading,
        all(encounter, 'location').flatMap(each => all(each, 'location')),
        encounter,
      ),
    ],
    [
      'For',
      joined(
        all(composition, 'event').flatMap(event => [
          conceptsText(event, 'code'),
          periodText(one(event, 'period'), reading.zone),
        ]),
      ),
    ],
    ['Confidential', confidential === 'R' || confidential === 'V' ? 'Yes' : undefined],
    ['Referred by', encounter && referenceText(reading, one(encounter, 'origin'), encounter)],
  )
}

const isPerson =
  (reading: Reading, composition: JsonObject) =>
  (author: JsonObject): boolean =>
    !['Organization', 'Device', 'Patient'].includes(
      text(reading.resolve(author, composition), 'resourceType') ?? '',
    )
