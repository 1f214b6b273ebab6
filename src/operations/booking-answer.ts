/**
 * How `$hold` and `$book` answer: a searchset with the appointment, or with why there is none.
 * https://profiles.ihe.net/ITI/Scheduling/StructureDefinition/ihe-sched-avail-bundle
 */
import type { Context } from '../context.ts'
import { bundleText } from '../fhir/bundle.ts'
import { FhirError, type Issue } from '../fhir/error.ts'
import { outcomeText } from '../fhir/outcome.ts'
import type { Live } from '../storage/port.ts'
import type { Answer } from './operation.ts'

/** Returns the answer with appointments, and with what is to be said of them. */
export const bookingAnswer = (
  ctx: Context,
  stored: readonly Live[],
  issues: readonly Issue[] = [],
): Answer => ({
  text: bundleText({
    type: 'searchset',
    total: stored.length,
    entries: [
      ...stored.map(({ key, text }) => ({
        fullUrl: `${ctx.settings.baseUrl}/${key}`,
        resource: text,
        search: { mode: 'match' as const },
      })),
      ...(issues.length === 0
        ? []
        : [{ resource: outcomeText(issues), search: { mode: 'outcome' as const } }]),
    ],
  }),
})

/** Returns what `act` returns; where it is refused, the answer that has the reasons in a Bundle, with the status of the refusal. */
export async function orRefused(ctx: Context, act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof FhirError) || error.status >= 500) throw error
    return { ...bookingAnswer(ctx, [], error.issues), status: error.status }
  }
}

/** What a hold cannot be had for: the time is taken, the status does not allow it, it is not there. */
const UNAVAILABLE: ReadonlySet<number> = new Set([404, 409, 410, 422])

/** Returns what `act` returns. Throws its refusal with the issue that IHE wants of an appointment that is not available. */
export async function orUnavailable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof FhirError) || !UNAVAILABLE.has(error.status)) throw error
    const first: Issue = {
      severity: 'fatal',
      code: 'not-found',
      diagnostics: 'The appointment is not available.',
      expression: 'Appointment',
    }
    throw new FhirError(error.code, [first, ...error.issues], { status: error.status, cause: error })
  }
}
