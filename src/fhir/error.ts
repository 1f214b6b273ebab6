/**
 * The one error of the project: an issue code, the HTTP status that goes with it, and the OperationOutcome issues to show.
 * https://hl7.org/fhir/R4/valueset-issue-type.html
 */

export type IssueCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'forbidden'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-found'
  | 'deleted'
  | 'too-long'
  | 'code-invalid'
  | 'extension'
  | 'too-costly'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'lock-error'
  | 'exception'
  | 'timeout'
  | 'incomplete'
  | 'throttled'
  | 'informational'

export interface Issue {
  severity: 'fatal' | 'error' | 'warning' | 'information'
  code: IssueCode
  /** A sentence for a person; never patient data beyond what the caller sent. */
  diagnostics: string
  /** FHIRPath of the place, such as `Patient.name[0].family`; for parameters `http.<name>`. */
  expression?: string
  /** What was broken: the key of an invariant (`pat-1`), or the name of a rule of validation (docs/validation.md). */
  rule?: string
}

/** The HTTP status that an issue code is answered with, unless the thrower names another. */
const STATUS: Partial<Record<IssueCode, number>> = {
  login: 401,
  security: 403,
  forbidden: 403,
  'not-found': 404,
  'not-supported': 400,
  deleted: 410,
  conflict: 409,
  'lock-error': 412,
  'multiple-matches': 412,
  duplicate: 409,
  'too-costly': 413,
  'too-long': 414,
  'business-rule': 422,
  throttled: 429,
  exception: 500,
  transient: 503,
  timeout: 503,
}

export class FhirError extends Error {
  readonly code: IssueCode
  readonly status: number
  readonly issues: readonly Issue[]

  constructor(code: IssueCode, issues: readonly Issue[], options: { status?: number; cause?: unknown } = {}) {
    super(issues.map(issue => issue.diagnostics).join('; '), { cause: options.cause })
    this.name = 'FhirError'
    this.code = code
    this.status = options.status ?? STATUS[code] ?? 400
    this.issues = issues
  }
}

/** Returns a FhirError with one issue of severity error. */
export function fhirError(
  code: IssueCode,
  diagnostics: string,
  options: { expression?: string; status?: number; cause?: unknown } = {},
): FhirError {
  const issue: Issue = { severity: 'error', code, diagnostics }
  if (options.expression !== undefined) issue.expression = options.expression
  return new FhirError(code, [issue], options)
}
