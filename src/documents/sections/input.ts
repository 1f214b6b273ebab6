/**
 * Clinical sections as plain JSON: what a hospital's system sends that has no FHIR. docs/documents.md lists the names.
 */
import { fhirError } from '../../fhir/error.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../../fhir/json.ts'
import { object, objects, text } from '../../fhir/tree.ts'
import type { HiType } from '../hi-types.ts'

export interface Input {
  hiType: HiType
  /** A radiology report is a DiagnosticReport of images. */
  imaging: boolean
  /** Names one record of the sender: sent again, it is the next version of the same document. */
  recordId: string | undefined
  date: string | undefined
  patient: JsonObject | undefined
  doctors: readonly JsonObject[]
  /** Sections by their names. */
  sections: ReadonlyMap<string, Json>
  /** Base64 or data URLs. */
  files: readonly string[]
}

const CASE_TYPES: Readonly<Record<string, { hiType: HiType; imaging?: true }>> = {
  opconsultation: { hiType: 'OPConsultation' },
  dischargesummary: { hiType: 'DischargeSummary' },
  prescription: { hiType: 'Prescription' },
  diagnosticreport: { hiType: 'DiagnosticReport' },
  radiologyreport: { hiType: 'DiagnosticReport', imaging: true },
  immunizationrecord: { hiType: 'ImmunizationRecord' },
  healthdocumentrecord: { hiType: 'HealthDocumentRecord' },
  wellnessrecord: { hiType: 'WellnessRecord' },
}

/** Sections by the names they may come under; the first is ours. */
export const SECTIONS: Readonly<Record<string, string>> = {
  chiefComplaints: 'chiefComplaints',
  physicalExamination: 'physicalExamination',
  medicalHistory: 'medicalHistory',
  familyHistory: 'familyHistory',
  conditions: 'conditions',
  condtions: 'conditions',
  currentProcedures: 'currentProcedures',
  currentMedications: 'currentMedications',
  prescribedMedications: 'prescribedMedications',
  allergies: 'allergies',
  immunizations: 'immunizations',
  advisoryNotes: 'advisoryNotes',
  carePlan: 'carePlan',
  followUp: 'followUp',
  investigations: 'investigations',
  lab_reports: 'labReports',
  labReports: 'labReports',
  vitalSigns: 'vitalSigns',
  bodyMeasurements: 'bodyMeasurements',
  physicalActivities: 'physicalActivities',
  womenHealth: 'womenHealth',
  lifeStyle: 'lifeStyle',
  others: 'others',
}

/** What stands around the sections. */
const ENVELOPE: ReadonlySet<string> = new Set([
  'caseType',
  'enableExtraction',
  'recordId',
  'date',
  'patientDetails',
  'doctorsDetails',
  'practitionersDetails',
  'dto',
  'payload',
  'extractedData',
  'caseSheets',
  'case_sheets',
  'documentReferences',
])

/** Nesting of the JSON: sections are flat. */
const DEPTH = 12

const wrong = (place: string, why: string) =>
  fhirError('invalid', `${place} ${why}.`, { status: 422, expression: `http.${place}` })

/**
 * Returns what the text holds. `caseType` of the call wins over that of the text.
 *
 * Throws `structure` for what is no JSON, `invalid` (422) for a case type or a section that there is not.
 */
export function readInput(source: string, caseType: string | undefined): Input {
  const tree = parseJson(source, DEPTH)
  if (!isObject(tree)) throw wrong('sections', 'is a JSON object')
  const stated = caseType ?? text(tree.caseType)
  if (stated === undefined) throw wrong('caseType', 'is missing')
  const name = stated.replace(/[\s_-]/g, '').toLowerCase()
  const kind = Object.hasOwn(CASE_TYPES, name) ? CASE_TYPES[name] : undefined
  if (kind === undefined)
    throw wrong(
      'caseType',
      `is one of OPConsultation, DischargeSummary, Prescription, DiagnosticReport, Radiology Report, ImmunizationRecord, Health Document Record, WellnessRecord`,
    )
  const { recordId } = tree
  if (recordId !== undefined && (typeof recordId !== 'string' || recordId.length > 200))
    throw wrong('sections.recordId', 'is a text of up to 200 characters')
  return {
    hiType: kind.hiType,
    imaging: kind.imaging === true,
    recordId,
    date: text(tree.date),
    patient: object(tree.patientDetails),
    doctors: objects(tree.doctorsDetails ?? tree.practitionersDetails),
    sections: sectionsOf(tree),
    files: filesOf(tree),
  }
}

function sectionsOf(tree: JsonObject): Map<string, Json> {
  const sections = new Map<string, Json>()
  const dto = object(tree.dto)
  const layers: [string, JsonObject | undefined][] = [
    ['sections.dto.payload', object(dto?.payload)],
    ['sections.payload', object(tree.payload)],
    ['sections.extractedData', object(tree.extractedData)],
    ['sections', tree],
  ]
  for (const [place, layer] of layers)
    for (const name in layer) {
      const value = layer[name]
      if (value === undefined || value === null || (layer === tree && ENVELOPE.has(name))) continue
      const known = Object.hasOwn(SECTIONS, name) ? SECTIONS[name]! : undefined
      if (known === undefined) throw wrong(`${place}.${name.slice(0, 64)}`, 'is no section that is known')
      if (sections.has(known)) throw wrong(`${place}.${name}`, 'stands twice')
      sections.set(known, value)
    }
  return sections
}

function filesOf(tree: JsonObject): string[] {
  const dto = object(tree.dto)
  const lists = [tree.documentReferences, dto?.caseSheets, tree.caseSheets, tree.case_sheets]
  return lists.flatMap(list => {
    if (list === undefined || list === null) return []
    const items = Array.isArray(list) ? list : [list]
    return items.map((item, index) => {
      if (typeof item !== 'string')
        throw wrong(`sections.documentReferences[${index}]`, 'is base64, or a data URL')
      return item
    })
  })
}

/** Returns the texts of a section: of a list each that says something, of one text its lines. */
export function linesOf(sections: ReadonlyMap<string, Json>, name: string): string[] {
  const value = sections.get(name)
  if (value === undefined) return []
  if (typeof value === 'string')
    return value
      .split(/\r?\n|;/)
      .map(line => line.trim())
      .filter(line => line !== '')
  if (!Array.isArray(value)) throw wrong(`sections.${name}`, 'is a list of texts')
  return value.flatMap((item, index) => {
    if (typeof item !== 'string') throw wrong(`sections.${name}[${index}]`, 'is a text')
    return item.trim() === '' ? [] : [item.trim()]
  })
}

/** Returns the objects of a section. */
export function rowsOf(sections: ReadonlyMap<string, Json>, name: string): JsonObject[] {
  const value = sections.get(name)
  if (value === undefined) return []
  const items = Array.isArray(value) ? value : [value]
  return items.map((item, index) => {
    if (!isObject(item)) throw wrong(`sections.${name}[${index}]`, 'is an object')
    return item
  })
}
