/** What is not there and a valid record needs: collected whole, then said at once. */
import { FhirError, type Issue } from '../fhir/error.ts'

export interface Missing {
  /**
   * Keeps one fault. `expression` is its place, begun with the resource type; `rule` names profile and element.
   */
  say(of: string, expression: string, rule: string, remedy: string): void
  readonly issues: readonly Issue[]
  /** Throws `business-rule` (422) with every fault, where there is one. */
  check(): void
}

/** Faults that are told at most. */
const MOST = 200

export function missingList(): Missing {
  const issues: Issue[] = []
  const seen = new Set<string>()
  return {
    issues,
    say(of, expression, rule, remedy) {
      const diagnostics = `${of}: ${remedy} (${rule})`
      if (seen.has(diagnostics) || issues.length >= MOST) return
      seen.add(diagnostics)
      issues.push({ severity: 'error', code: 'required', diagnostics, expression, rule })
    },
    check() {
      if (issues.length > 0) throw new FhirError('business-rule', issues, { status: 422 })
    },
  }
}
