/**
 * What the checks of one validation share: where their findings go, the definitions they may use, and how much work is left.
 * https://hl7.org/fhir/R4/validation.html
 */
import type { Structure } from '../../definitions/structure.ts'
import type { Issue, IssueCode } from '../../error.ts'
import type { Json, JsonObject } from '../../json.ts'
import type { Environment } from '../../path/environment.ts'
import type { Ask, CodeAnswer } from './ask.ts'
import type { Rule } from './rules.ts'
import { placeOf, type Spot } from './spot.ts'

/** More issues than this are not listed. */
export const MOST_ISSUES = 500
/** Questions to terminology, those of all trials among them. */
const MOST_QUESTIONS = 100_000
/** Findings of all trials together; more say nothing new. */
const MOST_KEPT = 50_000
/** Steps of one validation, all its rounds together; the document of 100 entries in the benchmark takes some thousand. */
const MOST_STEPS = 5_000_000
/** Steps of FHIRPath in one validation, all its rounds together. */
const MOST_PATH_STEPS = 30_000_000
/** Profiles under way at once, one for the sake of another. */
export const DEEPEST = 100

/** The work of one validation, which its rounds share. */
export interface Work {
  /** Steps done, and steps of FHIRPath left. */
  steps: number
  pathSteps: number
}

export const newWork = (): Work => ({ steps: 0, pathSteps: MOST_PATH_STEPS })

/** An issue before its texts are made: trials throw most of them away. */
export interface Finding {
  severity: 'error' | 'warning' | 'information'
  code: IssueCode
  rule: Rule | string
  at: Spot
  /** What stands after the place of `at`: `.name` for an element that is missing. */
  below: string
  says: () => string
  /** The profile that asks for it; undefined for R4 itself. */
  profile: string | undefined
}

/** Where findings go. A trial, as of a slice, has one of its own. */
export interface Sink {
  findings: Finding[]
  /** How many of the findings are errors: those have room of their own, so that warnings hide none. */
  errors: number
  asks: Ask[]
}

export const newSink = (): Sink => ({ findings: [], errors: 0, asks: [] })

/** A definition made into checks. */
export interface Compiled {
  url: string
  type: string
  /** Checks a value of the type, without what R4 itself says of it. */
  check(spot: Spot, walk: Walk): void
}

/** The resources that references within a resource can reach. */
export interface ResourceIndex {
  /** Contained resources by id. */
  contained: ReadonlyMap<string, Spot>
  /** Of a Bundle, the first entries by fullUrl, by `fullUrl/_history/version`, and by `Type/id`, of all and of those without fullUrl. */
  fullUrls: ReadonlyMap<string, Spot>
  versions: ReadonlyMap<string, Spot>
  locals: ReadonlyMap<string, Spot>
  bare: ReadonlyMap<string, Spot>
}

export interface Walk {
  sink: Sink
  /** Profile that is being checked; undefined for R4 itself. */
  profile: string | undefined
  /** A definition by canonical: null where there is none, undefined where that is not known yet, which is noted as wanted. */
  find(canonical: string): Structure | null | undefined
  /** The answer to a question; undefined where that is not known yet, which is noted as wanted. */
  answer(ask: Ask): CodeAnswer | undefined
  /** What a resource was found to be under a profile: each pair is checked once. */
  held: Map<Json, Map<Compiled, Sink | 'going on'>>
  /** What Bundles and containers hold, by the resource. */
  indexes: Map<JsonObject, ResourceIndex>
  /** Holds a value against a profile, each pair once; undefined where the profile is not known. */
  conform(spot: Spot, profile: string): Sink | undefined
  /** What FHIRPath knows of each resource. */
  environments: Map<JsonObject, Environment>
  /** Checks a resource within another. */
  nested(spot: Spot): void
  work: Work
  /** Findings so far, those of trials among them. */
  kept: number
  /** Questions so far, likewise. */
  asked: number
  /** Profiles under way. */
  depth: number
}

/** Thrown when the work that one validation may take is done. */
export class TooCostly extends Error {}

/** Counts work. Throws TooCostly where there was too much. */
export function spend(walk: Walk, steps = 1): void {
  walk.work.steps += steps
  if (walk.work.steps > MOST_STEPS) throw new TooCostly('validation took too many steps')
}

/** Notes a finding. */
export function report(
  walk: Walk,
  severity: Finding['severity'],
  code: IssueCode,
  rule: Rule | string,
  at: Spot,
  says: () => string,
  below = '',
): void {
  const { sink } = walk
  // A sink without an error would count as conforming.
  if (walk.kept > MOST_KEPT && (severity !== 'error' || sink.errors > 0)) return
  if (add(sink, { severity, code, rule, at, below, says, profile: walk.profile })) walk.kept++
}

/** Adds a finding where there is room. */
function add(sink: Sink, finding: Finding): boolean {
  const isError = finding.severity === 'error'
  const same = isError ? sink.errors : sink.findings.length - sink.errors
  if (same > MOST_ISSUES) return false
  if (isError) sink.errors++
  sink.findings.push(finding)
  return true
}

/** Notes a question to terminology. Throws TooCostly where there are too many. */
export function ask(walk: Walk, question: Ask): void {
  if (++walk.asked > MOST_QUESTIONS) throw new TooCostly('validation asks for too many codes')
  walk.sink.asks.push(question)
}

/** Runs a check with a sink of its own and returns that. */
export function apart(walk: Walk, check: () => void): Sink {
  const { sink, profile } = walk
  const own = newSink()
  walk.sink = own
  try {
    check()
  } finally {
    walk.sink = sink
    walk.profile = profile
  }
  return own
}

/** Returns whether what was found apart amounts to an error; a code that nobody can judge does not. */
export function hasFailed(walk: Walk, { errors, asks }: Sink): boolean {
  if (errors > 0) return true
  return asks.some(one => one.strength === 'required' && walk.answer(one)?.result === 'out')
}

/** Takes what was found apart as found. */
export function take(walk: Walk, { findings, asks }: Sink): void {
  for (const finding of findings) add(walk.sink, finding)
  for (const one of asks) ask(walk, one)
}

/** Returns the issue of a finding. */
export function issueOf({ severity, code, rule, at, below, says, profile }: Finding): Issue {
  const diagnostics = profile === undefined ? says() : `${says()} (${profile})`
  return { severity, code, diagnostics, expression: placeOf(at) + below, rule }
}
