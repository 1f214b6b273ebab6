/**
 * Questions to terminology: the codes that a resource holds, with the value sets they are bound to and the places where they stand.
 * https://hl7.org/fhir/R4/terminologies.html#strength
 */
import type { BindingStrength } from '../../definitions/structure.ts'
import type { Spot } from './spot.ts'

export interface AskedCoding {
  system?: string
  code: string
  version?: string
  display?: string
}

/** Whether any of the codings is in the value set. */
export interface CodeQuestion {
  /** Canonical. */
  valueSet: string
  codings: readonly AskedCoding[]
  /** The value is a bare code, whose system is that of the value set. */
  inferSystem: boolean
}

export interface CodeAnswer {
  result: 'in' | 'out' | 'unknown'
  /** Why, as a sentence. */
  why?: string
  /** The sentence says no more than that the value set does not have the code. */
  plain?: true
  /** The right display where the one that was sent is wrong. */
  display?: string
}

/** A question with its place. */
export interface Ask {
  question: CodeQuestion
  strength: BindingStrength
  /** It asks whether there is such a unit at all. */
  isUnit?: true
  at: Spot
  profile: string | undefined
}

/** Returns what tells questions apart. */
export const keyOf = ({ valueSet, codings, inferSystem }: CodeQuestion): string =>
  JSON.stringify([
    valueSet,
    inferSystem,
    codings.map(({ system, code, version, display }) => [
      system ?? null,
      code,
      version ?? null,
      display ?? null,
    ]),
  ])
