/**
 * What an operation is: its name, where it may be called, what it takes, and what runs.
 * https://hl7.org/fhir/R4/operations.html
 */
import type { Context } from '../context.ts'
import type { JsonObject } from '../fhir/json.ts'
import type { Pairs } from '../interactions/written.ts'
import type { Stored } from '../storage/port.ts'

/** `version` is a historical version of an instance, which R4 has for the operations on meta. */
export type Level = 'system' | 'type' | 'instance' | 'version'

/** One of the parameters that go in. */
export interface InParameter {
  name: string
  type: 'code' | 'date' | 'instant' | 'integer' | 'positiveInt' | 'Meta'
  min: 0 | 1
  max: 1 | '*'
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
  /** Returns the answer. Throws FhirErrors. */
  run(ctx: Context, call: Call): Promise<Answer>
}

/** One call of an operation, its parameters checked against the definition. */
export interface Call {
  level: Level
  /** '' where the level has none. */
  type: string
  id: string
  version: string
  /** Values of primitive parameters, by name; those that were not sent have none. */
  texts: ReadonlyMap<string, readonly string[]>
  /** Values of the others. */
  trees: ReadonlyMap<string, readonly JsonObject[]>
  /** All primitive parameters in the order sent, without the cursor: what a link repeats. */
  pairs: Pairs
  /** Those of them that are search parameters. */
  search: Pairs
  cursor: string | undefined
  lenient: boolean
}

export interface Answer {
  /** JSON of a resource. */
  text: string
  /** The version that the answer is about, for ETag and Last-Modified. */
  stored?: Stored
}

/** Returns the only value of a primitive parameter. */
export const textOf = (call: Call, name: string): string | undefined => call.texts.get(name)?.[0]

/** Returns where a call was made, below the base: `Patient/1/$everything`. */
export const pathOf = ({ type, id, version }: Call, name: string): string =>
  [type, id, ...(version === '' ? [] : ['_history', version]), `$${name}`]
    .filter(part => part !== '')
    .join('/')
