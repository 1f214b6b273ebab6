/**
 * The two faults of FHIRPath: text that is no expression, and an expression that cannot be worked out on what it is given.
 * http://hl7.org/fhirpath/N1/
 */
import { FhirError, fhirError } from '../error.ts'

/** Thrown for a text that is no FHIRPath, or calls what does not exist. Code `invalid`. */
export class PathSyntax extends FhirError {
  /** Position of the fault in the text, from 0. */
  readonly at: number

  constructor(message: string, at: number) {
    super('invalid', [
      {
        severity: 'error',
        code: 'invalid',
        diagnostics: `The FHIRPath expression is malformed at character ${at}: ${message}.`,
      },
    ])
    this.at = at
  }
}

/** Returns the error for an evaluation that the specification ends with an error. Code `processing`. */
export const pathFault = (message: string): FhirError =>
  fhirError('processing', `The FHIRPath expression cannot be evaluated: ${message}.`)
