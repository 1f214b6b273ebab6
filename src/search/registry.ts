/**
 * The search parameters that the server knows, compiled for one index epoch.
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
import type { ParamName } from './plan-node.ts'

export type ParamType = 'token' | 'string' | 'date' | 'number' | 'quantity' | 'reference' | 'uri' | 'composite' | 'special'

export interface SearchParam {
  /** As it stands in a URL: `family`. */
  code: string
  /** The resource type it is defined on, `Resource` or `DomainResource` for those that all have. */
  base: string
  /** Its name in the index: `Patient.family`, `_tag`. */
  name: ParamName
  type: ParamType
  /** Canonical URL of the SearchParameter. */
  url: string
  expression: string
  /** Resource types that a reference parameter may point to. */
  targets: readonly string[]
}

export interface SearchRegistry {
  epoch: number
  /** Returns the parameter, or undefined where the type has none of that code. Those of Resource and DomainResource count for every type. */
  param(type: string, code: string): SearchParam | undefined
  /** Returns all parameters of a type, those of Resource and DomainResource included, by code. */
  params(type: string): readonly SearchParam[]
  /** All concrete R4 resource types, sorted. */
  types: readonly string[]
}
