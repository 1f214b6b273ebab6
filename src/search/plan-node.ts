/**
 * The search plan: what a search means, as a frozen tree that each backend compiles and `match` evaluates.
 * Every leaf speaks about the index rows of one resource (`index-row.ts`), so a backend needs no knowledge of FHIR.
 * https://hl7.org/fhir/R4/search.html
 */

/** A search parameter as the index names it: `Patient.family`, or `_tag` for those that every resource type has. */
export type ParamName = string

export type Op = '<' | '<=' | '>' | '>='

/** One end of a row's range compared with a value. */
export interface Bound<V> {
  end: 'lo' | 'hi'
  op: Op
  value: V
}

export type Node =
  /** All hold; an empty list holds always. */
  | { kind: 'and'; nodes: readonly Node[] }
  /** One holds at least; an empty list never holds. */
  | { kind: 'or'; nodes: readonly Node[] }
  | { kind: 'not'; node: Node }
  /** The resource is of one of these types. */
  | { kind: 'type'; types: readonly string[] }
  /** The resource's logical id is one of these. */
  | { kind: 'id'; ids: readonly string[] }
  /** lastUpdated, in ms since 1970, meets every bound (`end` says nothing here: an instant's lo and hi are one). */
  | { kind: 'updated'; bounds: readonly Bound<number>[] }
  /** The resource has a row of this parameter, whatever its value. */
  | { kind: 'present'; param: ParamName }
  /** A token row. `system` '' asks for rows without a system; undefined leaves system or code open. */
  | { kind: 'token'; param: ParamName; system?: string; code?: string }
  /**
   * A string row; `value` is folded already but for `exact`, which compares the text as it was sent. An Op compares the folded texts by
   * their UTF-8 bytes.
   */
  | {
      kind: 'string'
      param: ParamName
      match: 'starts' | 'contains' | 'ends' | 'equals' | 'exact' | Op
      value: string
    }
  /**
   * A uri row. `below`: the value itself or anything under it by path (`http://x/a` finds `http://x/a/b`); `above` the reverse; `versions`:
   * the value itself or with `|` and anything behind it.
   */
  | { kind: 'uri'; param: ParamName; match: 'equals' | 'below' | 'above' | 'versions'; value: string }
  /**
   * A row that meets none of these leaves, of which there is one at least. They are of this parameter and all of one kind, which is the
   * row's too: tokens that all name a system or all leave it open, strings that match `equals`, or uris that match `equals` or `versions`.
   */
  | { kind: 'differs'; param: ParamName; from: readonly Valued[] }
  /** A date row that meets every bound; ms since 1970, `lo` inclusive, `hi` exclusive. */
  | { kind: 'date'; param: ParamName; bounds: readonly Bound<number>[] }
  /** A number or quantity row with this unit key that meets every bound; values are decimal keys (`lib/decimal.ts`). */
  | { kind: 'quantity'; param: ParamName; unit: string; bounds: readonly Bound<string>[] }
  /** A reference row. Local references have type and id; foreign ones and canonicals have type '' and the URL as id. */
  | { kind: 'reference'; param: ParamName; type?: string; id: string; version?: string }
  /** A `words` row that holds this word, or with `prefix` one that begins so; folded as `words.ts` folds. */
  | { kind: 'word'; param: ParamName; word: string; prefix: boolean }
  /** A `position` row within `metres` of this place, along the great circle (`distance.ts`); degrees of WGS84. */
  | { kind: 'near'; param: ParamName; latitude: number; longitude: number; metres: number }
  /**
   * A chain: a reference row of one of these parameters leads to a live resource of one of these types for which `node` holds. A row with
   * type and id leads to that resource, whatever its version; with `canonical` a row of type '' leads besides to each resource that has its
   * id as a uri row under `<type>.url`.
   */
  | {
      kind: 'chain'
      params: readonly ParamName[]
      types: readonly string[]
      canonical: boolean
      node: Node
    }
  /** A reverse chain: a live resource of `type` for which `node` holds has a reference row, under one of these parameters, to this one. */
  | { kind: 'has'; type: string; params: readonly ParamName[]; node: Node }

export type SortKey =
  /**
   * By the `sort` rows of these parameters (one name per type searched): smallest first, or largest first when descending. `coded` are
   * those of `params` whose sort rows are all marked `of: 'token'`: a backend that does not keep such rows reads the token rows.
   */
  | { by: 'param'; params: readonly ParamName[]; coded?: readonly ParamName[]; descending: boolean }
  | { by: 'updated' | 'id'; descending: boolean }
  /** By the distance in metres of the nearest `position` row; resources without one come last. */
  | { by: 'distance'; param: ParamName; latitude: number; longitude: number; descending: boolean }

/** The leaves that a row can differ from. */
export type Valued = Extract<Node, { kind: 'token' | 'string' | 'uri' }>

export interface SearchPlan {
  /** The types searched; empty for all. `where` does not repeat it. */
  types: readonly string[]
  where: Node
  /** Empty: by the backend's internal id, oldest resource first. The internal id breaks ties always. */
  sort: readonly SortKey[]
  /** The criteria in one normalised text: equal for equal meaning, whatever the order of parameters. Binds cursors and names guards. */
  fingerprint: string
}

/** Bounds that no date passes: an open end of a Period is stored as one of these. ms since 1970, the range of a JavaScript Date. */
export const DATE_MIN = -8_640_000_000_000_000
export const DATE_MAX = 8_640_000_000_000_000

/** A quantity row's unit keys: any unit; base units of UCUM; a coded unit; a code or printed unit whatever its system. */
export const ANY_UNIT = ''
/** The only key that has no `|`, so that no system or code that is sent can be taken for it. */
export const dimensionUnit = (dimension: string): string => `=${dimension}`
export const codedUnit = (system: string, code: string): string => `${system}|${code}`
export const bareUnit = (codeOrUnit: string): string => `|${codeOrUnit}`
