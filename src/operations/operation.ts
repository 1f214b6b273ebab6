/**
 * What an operation is: its name, where it may be called, what it takes, and what runs.
 * https://hl7.org/fhir/R4/operations.html
 */
import type { Context } from '../context.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import type { Pairs } from '../interactions/written.ts'
import type { Stored } from '../storage/port.ts'

/** `version` is a historical version of an instance, which R4 has for the operations on meta. */
export type Level = 'system' | 'type' | 'instance' | 'version'

/** Types whose values are texts, which may stand in a URL. */
export type PrimitiveType =
  | 'boolean'
  | 'canonical'
  | 'code'
  | 'date'
  | 'dateTime'
  | 'instant'
  | 'integer'
  | 'positiveInt'
  | 'string'
  | 'uri'

/** Types whose values are objects: they come in a Parameters resource alone. */
export type ComplexType =
  | 'CodeableConcept'
  | 'Coding'
  | 'Identifier'
  | 'Meta'
  | 'Period'
  | 'Reference'
  | 'Timing'

/** One of the parameters that go in. */
export interface InParameter {
  name: string
  /** `Resource`: any resource, or one of `resourceTypes`. `parts`: no value, but parameters of its own. */
  type: PrimitiveType | ComplexType | 'Resource' | 'parts'
  min: 0 | 1
  max: 1 | '*'
  resourceTypes?: readonly string[]
  parts?: readonly InParameter[]
  /** A Reference that may also come as its text (`Practitioner/1`), and so stand in a URL. */
  asText?: true
}

export interface Operation {
  /** Without the `$`. */
  name: string
  /** Canonical URL of the OperationDefinition. */
  definition: string
  /** The resource types it is for; undefined for all of them, and for the system. */
  types: readonly string[] | undefined
  levels: readonly Level[]
  /** It changes something, and so it is called by POST alone. */
  affectsState: boolean
  parameters: readonly InParameter[]
  /** It takes the search parameters of its type besides. */
  searches?: true
  /** Its answer has `next` links, whose `_cursor` it takes. */
  pages?: true
  /**
   * The parameter (of type Resource) that a body which is no Parameters resource stands for: R4 lets the only resource that an operation
   * takes be sent as it is. https://hl7.org/fhir/R4/operations.html#request
   */
  body?: string
  /** Media types that it can answer in beside FHIR JSON; the one that the client wants is `Call.media`. */
  media?: readonly string[]
  /** Resources that go in are not held against the structure of R4 first: `$validate` does that itself. */
  unchecked?: true
  /** Returns the answer. Throws FhirErrors. */
  run(ctx: Context, call: Call): Promise<Answer>
}

/** Parameters, checked against the definition; those that were not sent have no entry. */
export interface Parameters {
  /** Values of primitive parameters, by name. */
  texts: ReadonlyMap<string, readonly string[]>
  /** Values of the complex ones, and resources. */
  trees: ReadonlyMap<string, readonly JsonObject[]>
  parts: ReadonlyMap<string, readonly Parameters[]>
}

/** One call of an operation. */
export interface Call extends Parameters {
  level: Level
  /** '' where the level has none. */
  type: string
  id: string
  version: string
  /** All primitive parameters in the order sent, without the cursor: what a link repeats. */
  pairs: Pairs
  /** Those of them that are search parameters. */
  search: Pairs
  cursor: string | undefined
  /** One of `Operation.media`, where the client wants that instead of FHIR JSON. */
  media: string | undefined
  lenient: boolean
  /** It came as a POST that no foreign web page can send unasked: an operation that need not store anything may do so now. */
  mayStore?: boolean
}

export interface Answer {
  /** JSON of a resource; of another media type where `contentType` says so. */
  text: string | Uint8Array<ArrayBuffer>
  contentType?: string
  /** 200 unless it is named. */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** The version that the answer is about, for ETag and Last-Modified. */
  stored?: Stored
}

/** Returns the only value of a primitive parameter. */
export const textOf = (call: Parameters, name: string): string | undefined => call.texts.get(name)?.[0]

/** Returns the only value of a complex parameter, or the resource that was sent. */
export const treeOf = (call: Parameters, name: string): JsonObject | undefined => call.trees.get(name)?.[0]

/** Returns the only resource of this parameter. */
export const resourceOf = (call: Parameters, name: string): Resource | undefined =>
  call.trees.get(name)?.[0] as Resource | undefined

/** Returns where a call was made, below the base: `Patient/1/$everything`. */
export const pathOf = ({ type, id, version }: Call, name: string): string =>
  [type, id, ...(version === '' ? [] : ['_history', version]), `$${name}`]
    .filter(part => part !== '')
    .join('/')
