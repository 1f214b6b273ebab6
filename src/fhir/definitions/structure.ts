/**
 * A StructureDefinition as validation reads it: what it says of each element, without prose.
 * https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/elementdefinition.html
 */
import type { Json } from '../json.ts'

export interface Structure {
  /** Without version. */
  url: string
  version: string | undefined
  /** The type that it defines or constrains: `Patient`, `Extension`, `code`. */
  type: string
  kind: 'primitive-type' | 'complex-type' | 'resource' | 'logical'
  abstract: boolean
  derivation: 'specialization' | 'constraint' | undefined
  /** Canonical of the definition that it builds on; undefined for Element and Resource alone. */
  base: string | undefined
  /** Where an extension may stand; empty for what is no extension. */
  context: readonly { type: 'fhirpath' | 'element' | 'extension'; expression: string }[]
  contextInvariant: readonly string[]
  /** Whether `elements` is a snapshot (every element, min, max and types always there) or a differential. */
  snapshot: boolean
  /** In the order of the definition. */
  elements: readonly ElementRule[]
}

export interface ElementRule {
  /** `Patient.identifier:abha.system`; as in the definition, or made of path and slice names where it has none. */
  id: string
  path: string
  /** `abha`; a reslice is `abha/old`. */
  sliceName?: string
  slicing?: Slicing
  min?: number
  /** Infinity for `*`. */
  max?: number
  types?: readonly TypeRule[]
  /** `#Questionnaire.item` */
  contentReference?: string
  /** The value as a tree, and the type of fixed[x] or pattern[x], such as `code` or `CodeableConcept`. */
  fixed?: { type: string; value: Json }
  pattern?: { type: string; value: Json }
  minValue?: { type: string; value: Json }
  maxValue?: { type: string; value: Json }
  maxLength?: number
  binding?: { strength: BindingStrength; valueSet: string | undefined }
  constraints?: readonly Constraint[]
  modifier?: boolean
  mustSupport?: boolean
}

export type BindingStrength = 'required' | 'extensible' | 'preferred' | 'example'

export interface Slicing {
  discriminators: readonly {
    type: 'value' | 'exists' | 'pattern' | 'type' | 'profile'
    /** FHIRPath of the restricted kind: `$this`, `code.coding`, `resolve().code`, `extension('url').value`. */
    path: string
  }[]
  ordered: boolean
  rules: 'closed' | 'open' | 'openAtEnd'
}

export interface TypeRule {
  /** `Reference`, `code`, `BackboneElement`; of primitives' own values `string` and the like, the FHIR type and not FHIRPath's. */
  code: string
  /** Canonicals of profiles on the type itself, any of which will do. */
  profiles: readonly string[]
  /** Canonicals of what a Reference or canonical may point to; empty: anything. */
  targets: readonly string[]
  aggregation: readonly ('contained' | 'referenced' | 'bundled')[]
}

export interface Constraint {
  /** `pat-1` */
  key: string
  severity: 'error' | 'warning'
  human: string
  /** FHIRPath. */
  expression: string | undefined
  /** Canonical of the definition that has it first, where a snapshot says so. */
  source?: string
}
