/** The sections of a Composition: their entries in tables by type, their narrative where there are none. https://hl7.org/fhir/R4/composition.html */
import type { JsonObject } from '../../fhir/json.ts'
import { narrativeBlocks } from './narrative.ts'
import { labelOf, type Reading, subject } from './reading.ts'
import { type Block, cell, checkLength, lengthOf, type Section, table } from './sheet.ts'
import { charges, invoice } from './tables/billing.ts'
import {
  allergies,
  conditions,
  familyHistory,
  immunizations,
  procedures,
  recommendations,
  requests,
} from './tables/clinical.ts'
import { attachments } from './tables/files.ts'
import { medications } from './tables/medications.ts'
import { appointments, carePlan, encounters, goals } from './tables/plans.ts'
import { observations, report } from './tables/results.ts'
import { all, choice, joined, known, one, text } from './tree.ts'
import { conceptText, notesText, valueText } from './words.ts'

type Tabled = (reading: Reading, resources: readonly JsonObject[]) => Block[]

const each =
  (blocks: (reading: Reading, resource: JsonObject) => Block[]): Tabled =>
  (reading, resources) =>
    resources.flatMap(resource => blocks(reading, resource))

interface Kind {
  title: string
  blocks: Tabled
}

/** How resources of a type are shown, and what they are called where a section holds several types. */
const KINDS: Record<string, Kind> = {
  AllergyIntolerance: { title: 'Allergies', blocks: allergies },
  Appointment: { title: 'Appointments', blocks: appointments },
  Binary: { title: 'Files', blocks: each(attachments) },
  CarePlan: { title: 'Care plans', blocks: each(carePlan) },
  ChargeItem: { title: 'Charges', blocks: charges },
  Condition: { title: 'Conditions', blocks: conditions },
  DiagnosticReport: { title: 'Reports', blocks: each(report) },
  DocumentReference: { title: 'Documents', blocks: each(attachments) },
  Encounter: { title: 'Visits', blocks: encounters },
  FamilyMemberHistory: { title: 'Family history', blocks: familyHistory },
  Goal: { title: 'Goals', blocks: goals },
  Immunization: { title: 'Immunizations', blocks: immunizations },
  ImmunizationRecommendation: {
    title: 'Vaccines due',
    blocks: recommendations,
  },
  Invoice: { title: 'Invoices', blocks: each(invoice) },
  Media: { title: 'Images', blocks: each(attachments) },
  MedicationAdministration: { title: 'Medicines given', blocks: medications },
  MedicationDispense: { title: 'Medicines handed out', blocks: medications },
  MedicationRequest: { title: 'Medicines', blocks: medications },
  MedicationStatement: { title: 'Medicines taken', blocks: medications },
  Observation: { title: 'Observations', blocks: observations },
  Procedure: { title: 'Procedures', blocks: procedures },
  ServiceRequest: { title: 'Advised', blocks: requests },
}

const DEPTH = 6

/** Returns the sections in their order, those inside others after what they stand in. */
export function sectionsOf(reading: Reading, composition: JsonObject): Section[] {
  let length = 0
  return all(composition, 'section').flatMap(section => {
    const sections = sectionOf(reading, composition, section, 1)
    length += lengthOf(sections)
    checkLength(length, reading.limits)
    return sections
  })
}

function sectionOf(reading: Reading, composition: JsonObject, section: JsonObject, level: number): Section[] {
  if (level > DEPTH) return []
  const title = text(section, 'title') ?? conceptText(one(section, 'code')) ?? 'Section'
  const blocks = entryBlocks(reading, composition, section, title)
  const inner = all(section, 'section').flatMap(one => sectionOf(reading, composition, one, level + 1))
  const told = blocks.length > 0 ? blocks : narrativeOf(section)
  if (told.length === 0 && inner.length === 0) {
    const reason = conceptText(one(section, 'emptyReason'))
    return [
      {
        title,
        level,
        blocks: [plain(joined(['Nothing recorded', reason], ': ')!)],
      },
    ]
  }
  return [{ title, level, blocks: told }, ...inner]
}

const plain = (words: string): Block => ({
  kind: 'text',
  lines: [[{ text: words, tone: 'muted' }]],
})

function narrativeOf(of: JsonObject): Block[] {
  const div = text(one(of, 'text'), 'div')
  return div === undefined ? [] : narrativeBlocks(div)
}

function entryBlocks(reading: Reading, composition: JsonObject, section: JsonObject, title: string): Block[] {
  const references = all(section, 'entry')
  const groups = new Map<string, JsonObject[]>()
  const absent: string[] = []
  const seen = new Set<JsonObject>()
  for (const reference of references) {
    const target = reading.resolve(reference, composition)
    if (target === undefined) {
      absent.push(text(reference, 'display') ?? 'An entry')
      continue
    }
    if (seen.has(target)) continue
    seen.add(target)
    const type = text(target, 'resourceType') ?? ''
    groups.set(type, [...(groups.get(type) ?? []), target])
  }
  leaveToInvoices(reading, groups)
  const blocks: Block[] = []
  for (const [type, resources] of groups) {
    const made = known(KINDS, type)?.blocks(reading, resources) ?? others(reading, resources)
    const name = known(KINDS, type)?.title ?? type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    if (groups.size > 1 && made.length > 0 && name !== title) blocks.push({ kind: 'heading', text: name })
    blocks.push(...made)
  }
  for (const name of absent) blocks.push(plain(`${name}: not in this document`))
  return blocks
}

/** A charge that stands in an invoice of the section is not listed again. */
function leaveToInvoices(reading: Reading, groups: Map<string, JsonObject[]>): void {
  const held = new Set(
    (groups.get('Invoice') ?? []).flatMap(invoice =>
      all(invoice, 'lineItem').map(item => reading.resolve(one(item, 'chargeItemReference'), invoice)),
    ),
  )
  const left = groups.get('ChargeItem')?.filter(charge => !held.has(charge))
  if (left === undefined) return
  if (left.length === 0) groups.delete('ChargeItem')
  else groups.set('ChargeItem', left)
}

/** What has no table of its own: by its narrative, else by what it is called. */
function others(reading: Reading, resources: readonly JsonObject[]): Block[] {
  return resources.flatMap(resource => {
    const told = narrativeOf(resource)
    const value = choice(resource, 'value')
    const remarks = cell(value && valueText(value[0], value[1], reading.zone), notesText(resource))
    const name = subject(resource, labelOf(reading, resource) ?? text(resource, 'resourceType'))
    if (told.length > 0) return [{ kind: 'text' as const, lines: name }, ...told]
    return table([{ title: 'Name' }, { title: 'Remarks' }], [{ cells: [name, remarks] }])
  })
}
