/** Settings: the only reader of the environment. Every setting is checked at start; an unknown or bad one is named. */

/** The settings that interactions and operations read; `config.ts` fills them from the environment. */
export interface Settings {
  /** Without a slash at the end: `http://127.0.0.1:8080/fhir`. */
  baseUrl: string
  /** IANA name of the zone in which dates without one are read. */
  zone: string
  validate: 'off' | 'structure'
  references: 'off' | 'enforce'
  limits: {
    /** Largest request body, bytes. */
    body: number
    /** Most entries in a batch or transaction. */
    entries: number
    /** Deepest nesting of JSON. */
    depth: number
    /** Resources on a page when the client names no _count, and at most. */
    pageDefault: number
    pageMax: number
    /** Milliseconds that one search may take. */
    searchMs: number
  }
}
