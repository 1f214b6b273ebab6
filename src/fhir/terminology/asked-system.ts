/**
 * A code system that is not a resource in memory: too large for that, or a grammar rather than a list.
 * https://hl7.org/fhir/R4/terminologies-systems.html
 */
import type { JsonObject } from '../json.ts'
import type { Concept } from './code-system.ts'

export interface Listed {
  concepts: readonly Concept[]
  /** Of all that are selected. */
  total: number
}

export interface ListOptions {
  /** Filters of a compose, all of which must hold. */
  filters: readonly JsonObject[]
  /** Only these codes. */
  codes?: readonly string[]
  /** Words that the display, a designation or the code has. */
  text?: string
  activeOnly?: boolean
  offset: number
  limit: number
}

export interface AskedSystem {
  url: string
  version: string | undefined
  title: string
  find(code: string): Promise<Concept | undefined>
  /** Returns the concepts of those codes that exist. */
  some(codes: readonly string[]): Promise<readonly Concept[]>
  /** Whether a code that is not found may be one all the same. */
  doubts?(code: string): boolean
  /** Returns whether all the filters of a compose select a code that exists. Throws NotListed for a filter that is not understood. */
  selects(filters: readonly JsonObject[], code: string): Promise<boolean>
  /** Returns a part of the codes in a stable order. Throws NotListed where they cannot be listed. */
  list(options: ListOptions): Promise<Listed>
  /** Returns the codes above or below by subsumption, without the code itself. Throws NotListed for more than `most`. */
  around(code: string, way: 'above' | 'below', most: number): Promise<readonly string[]>
  /** Returns the codes right above. */
  parents(code: string): Promise<readonly string[]>
  /** Returns some of the codes right below. */
  children(code: string, most: number): Promise<readonly string[]>
}
