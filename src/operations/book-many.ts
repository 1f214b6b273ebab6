/** Several appointments booked in one commit: all of them, or none and why each that cannot be cannot be. */
import type { Context } from '../context.ts'
import { FhirError, type Issue } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { bookingRule } from '../scheduling/booking-rule.ts'
import { keyOf, type Live } from '../storage/port.ts'
import { commitAll, postEntry } from './appointment-change.ts'
import { asNew, completed } from './appointment-named.ts'

/** Appointments that are booked together. */
export const MOST_TOGETHER = 100

export interface Wanted {
  appointment: Resource
  /** How it is called in what is said of it: the day, or its place among those sent. */
  name: string
}

export interface ManyBooked {
  stored: Live[]
  /** Why some are not booked, where that is allowed. */
  issues: Issue[]
}

/**
 * Books all in one commit; with `partial` those that can be.
 *
 * Throws one FhirError with an issue for each that cannot be booked, its name first.
 */
export async function bookMany(
  ctx: Context,
  wanted: readonly Wanted[],
  partial = false,
): Promise<ManyBooked> {
  const ready = wanted.map(one => readied(ctx, one))
  try {
    return { stored: await store(ctx, ready), issues: [] }
  } catch (error) {
    if (!isRefusal(error)) throw error
    const issues: Issue[] = []
    const fitting: Wanted[] = []
    for (const one of ready) {
      const own = await refusals(ctx, [one])
      if (own.length === 0) fitting.push(one)
      else issues.push(...own)
    }
    // What each could be alone, all cannot be together: the refusal itself says why.
    if (issues.length === 0) throw error
    if (!partial || fitting.length === 0) throw new FhirError(error.code, issues, { status: error.status })
    const stored = await store(ctx, fitting)
    return { stored, issues: issues.map(issue => ({ ...issue, severity: 'warning' })) }
  }
}

const readied = (ctx: Context, { appointment, name }: Wanted): Wanted => ({
  name,
  appointment: { ...completed(ctx, asNew(appointment)), status: 'booked' },
})

const isRefusal = (error: unknown): error is FhirError =>
  error instanceof FhirError && (error.status === 409 || error.status === 422)

const store = (ctx: Context, all: readonly Wanted[]): Promise<Live[]> =>
  commitAll(
    ctx,
    all.map(({ appointment }) => postEntry(appointment)),
  )

/** Returns why appointments cannot be booked, each by itself; the name of each first. */
export async function refusals(ctx: Context, all: readonly Wanted[]): Promise<Issue[]> {
  const issues: Issue[] = []
  for (const one of all) {
    const { appointment, name } = readied(ctx, one)
    for (const issue of await refusalOf(ctx, appointment))
      issues.push({ ...issue, diagnostics: `${name}: ${issue.diagnostics}` })
  }
  return issues
}

/** Returns what the rule of every write says of one. */
async function refusalOf(ctx: Context, after: Resource): Promise<readonly Issue[]> {
  const key = keyOf('Appointment', ctx.newId())
  try {
    await bookingRule.judge(ctx, [{ key, method: 'POST', before: undefined, after }])
    return []
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.issues
  }
}
