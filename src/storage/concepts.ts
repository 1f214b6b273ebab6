/**
 * Large code systems in the store: SNOMED CT, LOINC, ICD-10 and the like, loaded from their releases, too large for a CodeSystem resource.
 * Proven by `test/storage/concepts.ts` on every adapter. https://hl7.org/fhir/R4/codesystem.html
 *
 * Several releases of one system may be kept. Where `system` is asked for, `http://loinc.org` means its current release and
 * `http://loinc.org|2.78` that version. A release that is being loaded or removed is seen by nobody but `releases`.
 */
import type { Cursor } from './port.ts'

/** What a property's values are, as CodeSystem.property.type; `code` is a code of the same system. */
export type PropertyType = 'code' | 'string' | 'integer' | 'decimal' | 'boolean' | 'dateTime'

export interface NewRelease {
  /** The canonical URL of the system, without version. */
  system: string
  /** As the system names its versions: `2.78`, or SNOMED CT's module and date as a URI. */
  version: string
  /** For people: `SNOMED CT, International Edition, 2026-10-01`. */
  title: string
}

export interface Release extends NewRelease {
  /** Given by the store, never twice; `write` and `finish` name the release by it. */
  id: number
  /** `kept`: complete, and asked for with its version only. `removed`: its rows are going. */
  state: 'loading' | 'current' | 'kept' | 'removed'
  /** When it was begun, ms since 1970. */
  at: number
  concepts: number
  designations: number
  /** The properties that have other values than strings. */
  propertyTypes: Readonly<Record<string, PropertyType>>
}

export interface Designation {
  /** BCP 47: `en`, `en-GB`; absent where the release does not say. */
  language?: string
  /** A code of the same system for what the designation is: 900000000000003001 in SNOMED CT, SHORTNAME in LOINC. */
  use?: string
  value: string
}

export interface Concept {
  code: string
  display: string
  active: boolean
  /** Codes of the concepts right above, sorted; empty at a root. */
  parents: readonly string[]
  /** Values are texts whatever their type. */
  properties: Readonly<Record<string, readonly string[]>>
  /** All names, `display` among them where the release lists it. */
  designations: readonly Designation[]
  /** Codes of the reference sets that it is a member of. */
  sets: readonly string[]
}

/** A concept with what is only searched by. */
export interface ConceptRow extends Concept {
  /** The codes of all concepts above, `parents` included: who writes knows the hierarchy. */
  ancestors: readonly string[]
}

export type ConceptCondition =
  /** The concept itself and all below. */
  | { is: 'isA'; code: string }
  /** All below, without itself. */
  | { is: 'descendentOf'; code: string }
  | { is: 'childOf'; code: string }
  /** No parent. */
  | { is: 'root' }
  | { is: 'memberOf'; set: string }
  /** The property has one of these values exactly. Values longer than 128 UTF-16 units are not found. */
  | { is: 'property'; property: string; values: readonly string[] }
  | { is: 'active'; active: boolean }
  /** One of these codes. */
  | { is: 'code'; codes: readonly string[] }

export interface FindOptions {
  /** The page starts after this concept. */
  after?: Cursor
  limit: number
  /** All must hold. */
  where?: readonly ConceptCondition[]
  /** The page says how many concepts match in all. */
  total?: boolean
}

export interface ConceptPage {
  concepts: Concept[]
  /** The cursor of the last concept, absent on an empty page. */
  last?: Cursor
  /** There are more beyond the last. */
  more: boolean
  total?: number
}

export interface Concepts {
  /** Returns all releases, newest first, those that are being loaded or removed too. */
  releases(): Promise<Release[]>
  /** Returns the release that `system` means; undefined where none is loaded. */
  current(system: string): Promise<Release | undefined>
  /**
   * Begins a release and returns it; the rows that unfinished loads and removals have left are cleaned away first. One load at a time
   * may go on in a store: who begins holds a lease (`Storage.lease`).
   */
  begin(release: NewRelease): Promise<Release>
  /**
   * Stores rows of a release that is being loaded; a code that is there already is replaced. At most some hundred rows at a time keep
   * the other writers of the store going.
   *
   * Throws FhirError `conflict` where the release is not being loaded.
   */
  write(id: number, rows: readonly ConceptRow[]): Promise<void>
  /**
   * Makes the release current in one step, in the place of the one before, which is removed, or kept with `keep`; another of the same
   * version always goes.
   *
   * Throws FhirError `conflict` where the release is not being loaded.
   */
  finish(
    id: number,
    options?: { keep?: boolean; propertyTypes?: Readonly<Record<string, PropertyType>> },
  ): Promise<Release>
  /** Removes the releases of a system, with a version (`system|version`) that one only; returns those that are gone. */
  remove(system: string): Promise<Release[]>
  /** Returns the concepts that exist, in the order of the codes. */
  get(system: string, codes: readonly string[]): Promise<Concept[]>
  /** Returns the codes of all concepts above, nearest first; none for an unknown code. */
  ancestors(system: string, code: string): Promise<string[]>
  /** Returns a page of the concepts right below, in the order of `find`. */
  children(system: string, code: string, options: FindOptions): Promise<ConceptPage>
  /**
   * Returns a page of the concepts of which each word begins some word of the display, of a designation or of the code (`wordsOf` in
   * `search/words.ts` makes the words); without words all. The order is the same for every question: short displays first.
   *
   * Throws FhirError `too-costly` for more than 12 words or 32 conditions, and with status 503 where it takes longer than ten seconds.
   */
  find(system: string, words: readonly string[], options: FindOptions): Promise<ConceptPage>
}

/** Returns system and version of `system|version`; SNOMED CT's versions are URIs themselves. */
export function systemAndVersion(text: string): { system: string; version?: string } {
  const bar = text.indexOf('|')
  return bar < 0 ? { system: text } : { system: text.slice(0, bar), version: text.slice(bar + 1) }
}
