/**
 * The faults found so far in a resource, and the way to each.
 * https://hl7.org/fhir/R4/valueset-issue-type.html
 */
import type { Issue, IssueCode } from '../error.ts'
import type { JsonObject } from '../json.ts'

/** More faults than this are not listed: a hostile body must not be answered by a larger one. */
const MOST = 500

/** What the checks of one resource share. */
export interface Run {
  /** Each expression holds the way from the value that is being checked; its owner puts the rest in front. */
  readonly issues: Issue[]
  /** The resource whose contained resources `#id` refers to. */
  container: JsonObject | undefined
  /** The types of the container's contained resources by id, once something has referred to one. */
  contained: ReadonlyMap<string, string> | undefined
  /** Whether `Patient?identifier=x` may stand as a reference. */
  conditionalReferences: boolean
  /** Whether a uuid or an oid may be `Type/id`: a transaction has put it in the place of a fullUrl. */
  linked: boolean
}

/** Returns whether no further fault is listed, so that nothing more need be checked. */
export const isFull = (run: Run): boolean => run.issues.length > MOST

/** The rules of the structural check, by the code of the issue; an invariant says its key itself. */
const RULES: Partial<Record<IssueCode, string>> = {
  'code-invalid': 'binding-required',
  required: 'cardinality-min',
  structure: 'structure',
  value: 'format',
}

/**
 * Notes a fault at `place`, which continues the way from the value that is being checked: '', `.name` or `[0]`. Its rule is that of its code
 * unless one is given.
 */
export function report(run: Run, code: IssueCode, place: string, diagnostics: string, rule?: string): void {
  const named = rule === undefined ? ruleOf(code, diagnostics) : { rule }
  if (run.issues.length < MOST)
    run.issues.push({ severity: 'error', code, diagnostics, expression: place, ...named })
  else if (run.issues.length === MOST)
    run.issues.push({
      severity: 'information',
      code: 'informational',
      diagnostics: `There are more than ${MOST} faults. The rest is not listed.`,
    })
}

/** `dom-2` of `... (dom-2). ...` */
function ruleOf(code: IssueCode, diagnostics: string): { rule?: string } {
  const rule = code === 'invariant' ? /\(([a-z]+-[0-9]+)\)/.exec(diagnostics)?.[1] : RULES[code]
  return rule === undefined ? {} : { rule }
}

/** Puts the way to a value in front of the faults that were found in it since there were `from` of them. */
export function prefix(run: Run, from: number, place: string): void {
  for (let i = from; i < run.issues.length; i++) {
    const issue = run.issues[i]!
    if (issue.expression !== undefined) issue.expression = place + issue.expression
  }
}

/** Returns a text for a diagnostics sentence: quoted, and cut where it is long. */
export function quoted(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}...` : text
  return JSON.stringify(cut)
}

/** Returns `a, b or c`, with at most eight of many. */
export function listed(names: readonly string[]): string {
  if (names.length > 8) return `${names.slice(0, 8).join(', ')} and ${names.length - 8} others`
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
