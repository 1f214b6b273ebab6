/**
 * How a search was done: for who asks `_explain=true`, and without any value for the log where it was slow.
 */
import type { Context } from '../context.ts'
import type { Issue } from '../fhir/error.ts'
import type { SearchPlan } from '../search/plan-node.ts'
import { planShape, planText } from '../search/plan-text.ts'
import type { Explained } from '../storage/port.ts'

const PHASES = ['parse', 'plan', 'query', 'include', 'render'] as const
export type Phase = (typeof PHASES)[number]

/** What is known of a search while it runs. */
export interface Trace {
  /** Milliseconds in each phase. */
  ms: Record<Phase, number>
  /** The phase under way, and when it began by the context's `tick`. */
  phase: Phase
  since: number
  plan?: SearchPlan
  /** Names of the parameters that were applied, as they were sent. */
  names: readonly string[]
  /** Resources on the page, and those that includes added. */
  rows: number
  included: number
  /** `_explain` asks. */
  asked: boolean
  /** What the backend says of the page, where `_explain` asks or the page was slow; of each search for includes. */
  query?: Explained
  includes: readonly Explained[]
}

export const newTrace = (ctx: Context): Trace => ({
  ms: { parse: 0, plan: 0, query: 0, include: 0, render: 0 },
  phase: 'parse',
  since: ctx.tick(),
  names: [],
  rows: 0,
  included: 0,
  asked: false,
  includes: [],
})

/** Ends a phase: the next one begins now. */
export function lap(ctx: Context, trace: Trace, phase: Phase): void {
  const now = ctx.tick()
  trace.ms[phase] += now - trace.since
  trace.since = now
  trace.phase = PHASES[PHASES.indexOf(phase) + 1] ?? phase
}

/** Returns what an OperationOutcome says of the search: plan, index, the backend's plans, times, rows examined, and a hint. */
export function explanation({ plan, query, includes, ms, rows, included }: Trace): Issue[] {
  const said: Issue[] = []
  const say = (text: string): void => {
    said.push({ severity: 'information', code: 'informational', diagnostics: text })
  }
  if (plan !== undefined) say(`Plan:\n${planText(plan)}`)
  if (query !== undefined) {
    say(`Driven by: ${query.driver}`)
    for (const one of query.plans) say(`Backend's plan:\n${one}`)
    if (query.examined !== undefined) say(`Examined: ${query.examined}`)
  }
  for (const one of includes) {
    say(`Includes driven by: ${one.driver}`)
    for (const text of one.plans) say(`Backend's plan for includes:\n${text}`)
    if (one.examined !== undefined) say(`Examined for includes: ${one.examined}`)
  }
  say(`Found on this page: ${rows}, included: ${included}`)
  say(`Time in ms: ${PHASES.map(phase => `${phase} ${rounded(ms[phase])}`).join(', ')}`)
  const backend = [query, ...includes].map(one => one?.ms ?? 0).reduce((a, b) => a + b, 0)
  say(`Of it in the backend: ${rounded(backend)} ms`)
  for (const one of [query, ...includes]) if (one?.hint !== undefined) say(`Hint: ${one.hint}`)
  return said
}

/** Logs a search that took longer than the setting allows: its shape and its times, and nothing of what was asked or found. */
export function logSlow(ctx: Context, trace: Trace): void {
  const total = PHASES.reduce((sum, phase) => sum + trace.ms[phase], 0)
  if (total < ctx.settings.limits.slowMs) return
  // What `_explain` told holds values.
  const asked = trace.asked ? undefined : trace.query
  ctx.log.warn('slow search', {
    ms: rounded(total),
    ...Object.fromEntries(PHASES.map(phase => [phase, rounded(trace.ms[phase])])),
    rows: trace.rows,
    included: trace.included,
    parameters: trace.names,
    ...(trace.plan === undefined ? {} : { shape: planShape(trace.plan) }),
    ...(asked === undefined ? {} : { driver: asked.driver, plans: asked.plans }),
  })
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100
