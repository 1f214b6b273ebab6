/**
 * OperationOutcome from an error or from issues: the one place where errors become FHIR.
 * https://hl7.org/fhir/R4/operationoutcome.html
 */
import { FhirError, type Issue } from './error.ts'
import { type Json, type Resource, writeJson } from './json.ts'

/** The rules of validation as codes. */
const RULES = 'urn:nadi:validation-rule'

/** What is said of an error that is not a FhirError: a bug, whose message may hold anything and is never shown. */
const BUG: Issue = {
  severity: 'fatal',
  code: 'exception',
  diagnostics: 'The server met an unexpected error.',
}

/** Returns the issues of an error; those of a bug say nothing of its message. */
export const issuesOf = (error: unknown): readonly Issue[] =>
  error instanceof FhirError ? error.issues : [BUG]

/** Returns the HTTP status of an error: its own, or 500 for a bug. */
export const statusOf = (error: unknown): number => (error instanceof FhirError ? error.status : 500)

/** Returns an OperationOutcome tree of an error or of issues; an empty list gives one informational issue, as the resource needs one. */
export function toOutcome(of: unknown): Resource {
  const issues: readonly Issue[] = Array.isArray(of) ? of : issuesOf(of)
  const all: readonly Issue[] =
    issues.length > 0
      ? issues
      : [{ severity: 'information', code: 'informational', diagnostics: 'All is well.' }]
  return { resourceType: 'OperationOutcome', issue: all.map(toIssue) }
}

/** Returns the text of `toOutcome`. */
export const outcomeText = (of: unknown): string => writeJson(toOutcome(of))

function toIssue(issue: Issue): Json {
  const { severity, code, diagnostics, expression, rule } = issue
  return {
    severity,
    code,
    ...(rule !== undefined && { details: { coding: [{ system: RULES, code: rule }] } }),
    diagnostics,
    ...(expression !== undefined && { expression: [expression] }),
  }
}
