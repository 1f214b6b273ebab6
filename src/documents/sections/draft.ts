/** What is to be made of sections, before it has ids and versions. */
import type { JsonObject } from '../../fhir/json.ts'
import type { SectionKind } from '../hi-types.ts'
import type { Missing } from '../missing.ts'
import { type Input, linesOf } from './input.ts'

/** A resource to be made: its type, what makes it the same one when it is sent again, and its elements. */
export interface Draft {
  type: string
  /** `allergies/0`: the section that it was sent in, and its place there. */
  place: string
  body: JsonObject
  /** The section of the document that it stands in; undefined for what another resource refers to. */
  section?: string
}

/** What every resource is written with. References are `Type/id`. */
export interface Visit {
  patient: string
  encounter: string | undefined
  doctor: string | undefined
  date: string
  /** Returns the reference to the resource that a draft will be. */
  referenceTo(draft: Draft): string
}

/** Sections that NRCeS has no place for in a record: its profiles leave them open at the end. */
export const EXTRA: Readonly<Record<string, SectionKind>> = {
  CurrentMedications: { name: 'CurrentMedications', title: 'Current Medications', rules: [] },
  Immunizations: { name: 'Immunizations', title: 'Immunizations', rules: [] },
  InvestigationResults: { name: 'InvestigationResults', title: 'Investigation Results', rules: [] },
  Plan: { name: 'Plan', title: 'Care Plan', rules: [] },
}

/** Returns the drafts of one or more sections; says what they lack. */
export type Maker = (input: Input, visit: Visit, missing: Missing) => Draft[]

/** Returns whom and what a resource is about. */
export const about = ({ patient, encounter }: Visit): JsonObject => ({
  subject: { reference: patient },
  ...(encounter !== undefined && { encounter: { reference: encounter } }),
})
/** Returns a CodeableConcept of a code system of HL7. */
export const status = (system: string, code: string, display: string): JsonObject => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code, display }],
})

/** Returns one draft for each line of a section. */
export const each = (
  input: Input,
  name: string,
  draft: (line: string, place: string) => Omit<Draft, 'place'>,
): Draft[] =>
  linesOf(input.sections, name).map((line, index) => {
    const place = `${name}/${index}`
    return { ...draft(line, place), place }
  })
