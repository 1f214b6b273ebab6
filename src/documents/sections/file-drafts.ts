/** What is made of the files of a record. https://hl7.org/fhir/R4/documentreference.html */
import { fhirError } from '../../fhir/error.ts'
import type { JsonObject } from '../../fhir/json.ts'
import type { Draft, Visit } from './draft.ts'
import type { File } from './files.ts'
import type { Input } from './input.ts'

/** Files: the Binary of a prescription, images of a radiology report, otherwise DocumentReferences with their Binaries. */
export function fileDrafts(input: Input, visit: Visit, files: readonly File[]): Draft[] {
  const section = ATTACHED[input.hiType] ?? 'DocumentReference'
  const subject = { subject: { reference: visit.patient } }
  if (input.hiType === 'Prescription' && files.length > 1)
    throw fhirError('invalid', 'A Prescription takes one file.', { status: 422, expression: 'http.file' })
  if (input.imaging && files.length > 0) return imagingDrafts(visit, files)
  if (input.hiType === 'DiagnosticReport' && files.length > 1)
    throw fhirError('invalid', 'A DiagnosticReport takes one file.', { status: 422, expression: 'http.file' })
  return files.flatMap(({ contentType, data, title }, index): Draft[] => {
    const binary: Draft = {
      type: 'Binary',
      place: `files/${index}`,
      body: { contentType, securityContext: { reference: visit.patient }, data },
    }
    if (input.hiType === 'Prescription') return [{ ...binary, section }]
    const document: Draft = {
      type: 'DocumentReference',
      place: `files/${index}`,
      section,
      body: {
        status: 'current',
        ...subject,
        ...(INSTANT.test(visit.date) && { date: visit.date }),
        ...(visit.doctor && { author: [{ reference: visit.doctor }] }),
        ...(title !== undefined && { description: title }),
        content: [{ attachment: { contentType, ...(title !== undefined && { title }) } }],
        ...(visit.encounter && { context: { encounter: [{ reference: visit.encounter }] } }),
      },
    }
    return [binary, document]
  })
}

const INSTANT = /T.*(?:Z|[+-]\d{2}:\d{2})$/

const ATTACHED: Readonly<Record<string, string>> = {
  Prescription: 'Prescription',
  DiagnosticReport: 'DiagnosticReport',
  ImmunizationRecord: 'Immunization',
  HealthDocumentRecord: 'HealthDocument',
}

/** A report of images holds them as Media, beside what the sections say of it. */
function imagingDrafts(visit: Visit, files: readonly File[]): Draft[] {
  return files.map(({ contentType, data, title }, index) => ({
    type: 'Media',
    place: `files/${index}`,
    body: {
      status: 'completed',
      subject: { reference: visit.patient },
      ...(visit.encounter && { encounter: { reference: visit.encounter } }),
      createdDateTime: visit.date,
      content: { contentType, data, ...(title !== undefined && { title }) },
    },
  }))
}

/** Writes the references between files and what tells of them, now that all have ids. */
export function linkFiles(drafts: readonly Draft[], ids: ReadonlyMap<Draft, string>): void {
  for (const draft of drafts) {
    if (draft.type === 'DocumentReference') {
      const binary = drafts.find(({ type, place }) => type === 'Binary' && place === draft.place)
      const [content] = draft.body.content as JsonObject[]
      ;(content!.attachment as JsonObject).url = `Binary/${ids.get(binary!)}`
    }
    const media = drafts.filter(({ type }) => type === 'Media')
    if (draft.type === 'DiagnosticReport' && media.length > 0)
      draft.body.media = media.map(one => ({ link: { reference: `Media/${ids.get(one)}` } }))
  }
}
