/**
 * What an expression is evaluated in: the resources around it, the clock, what needs other resources, and how much it may cost.
 * https://hl7.org/fhir/R4/fhirpath.html#variables
 */
import { fhirError } from '../error.ts'
import { NumberText } from '../json.ts'
import { EMPTY, type PathValue, type Values } from './value.ts'

export interface EnvironmentOptions {
  /** `%resource`: the resource that holds the focus. */
  resource?: PathValue
  /** `%rootResource`: the same, or the container of a contained resource. */
  rootResource?: PathValue
  /** Further `%name`s, such as `extension`. */
  variables?: Readonly<Record<string, Values>>
  /** The clock of now() and today(): an instant with a zone, `2026-11-21T10:00:00.000+05:30`. */
  now?: string
  /** Steps that all evaluations together may take; one is about 20 to 100 ns. A million where it is not given. */
  steps?: number
  /** Names that the type of a value does not have are a fault and not empty. */
  strict?: boolean
  /** What a Reference, or a uri or canonical, points to; undefined where it is not to be found. */
  resolve?(reference: PathValue): PathValue | undefined
  /** Whether a code, Coding, CodeableConcept or string is in the value set; undefined where nobody can tell. */
  memberOf?(value: PathValue, valueSet: string): boolean | undefined
  /** Whether a value conforms to a profile; undefined where nobody can tell. */
  conformsTo?(value: PathValue, profile: string): boolean | undefined
  trace?(name: string, values: Values): void
}

/** Made for one resource, by `environment`: what many of its expressions ask of the resource is worked out once and kept here. */
export interface Environment extends EnvironmentOptions {
  steps: number
  /** `%context`, `$index` and `$total` of the evaluation that is under way. */
  context: PathValue | undefined
  index: number
  total: Values
  /** What depends on nothing but the two resources, by its text. */
  readonly kept: Map<string, Values>
  readonly keptKeys: Map<string, ReadonlySet<string>>
}

const DEFAULT_STEPS = 1_000_000

/** Returns an environment for any number of evaluations on one resource. */
export function environment(options: EnvironmentOptions = {}): Environment {
  return {
    ...options,
    steps: options.steps ?? DEFAULT_STEPS,
    context: undefined,
    index: 0,
    total: EMPTY,
    kept: new Map(),
    keptKeys: new Map(),
  }
}

/** Characters that are read, compared or copied in one step. */
const PER_STEP = 64

/** Spends what it takes to read a text or a number through. Throws as `spend` does. */
export function spendOn({ value }: PathValue, env: Environment): void {
  const length =
    typeof value === 'string' ? value.length : value instanceof NumberText ? value.text.length : 0
  if (length >= PER_STEP) spend(env, Math.floor(length / PER_STEP))
}

/** Throws `too-costly` once the steps are used up. */
export function spend(env: Environment, steps: number): void {
  env.steps -= steps
  if (env.steps < 0)
    throw fhirError('too-costly', 'The FHIRPath expression takes too many steps on this resource.')
}
