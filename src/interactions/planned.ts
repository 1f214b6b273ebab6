/**
 * From the parameters of a search to its plan, with what only the store can tell looked up on the way.
 * https://hl7.org/fhir/R4/search.html
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { type Known, type Need, Unresolved } from '../search/ask.ts'
import type { SearchRequest } from '../search/parse.ts'
import { type PlannedSearch, type PlanOptions, planSearch } from '../search/plan.ts'
import { lookUp } from './needs.ts'

/** Value sets, code hierarchies and resource hierarchies that one search may name. */
const MOST_NEEDS = 20

export interface Planned extends PlannedSearch {
  /** What was looked up for it. */
  needs: readonly Need[]
}

/**
 * Returns the plan of a search.
 *
 * Throws as `planSearch` does, `too-costly` (400) where more has to be looked up than one search may ask and (503) where it takes too long, `transient` (503) where the
 * index of a custom parameter is not complete.
 */
export async function planned(
  ctx: Context,
  request: SearchRequest,
  options: Pick<PlanOptions, 'types' | 'within' | 'lenient'>,
): Promise<Planned> {
  const { registry, settings } = ctx
  const { pageDefault, pageMax, values, chain } = settings.limits
  const known = new Map<string, Known>()
  const needs: Need[] = []
  const whole: PlanOptions = {
    ...options,
    registry,
    zone: settings.zone,
    baseUrl: settings.baseUrl,
    fullText: settings.fullText,
    now: ctx.clock(),
    limits: { pageDefault, pageMax, values, chain },
    known: need => known.get(nameOf(need)),
  }
  const deadline = ctx.clock() + settings.limits.searchMs
  for (;;) {
    try {
      const search = planSearch(request, whole)
      await ctx.live?.checkWhole(search.plan)
      return { ...search, needs }
    } catch (error) {
      if (!(error instanceof Unresolved) || known.has(nameOf(error.need))) throw error
      if (needs.length === MOST_NEEDS)
        throw fhirError('too-costly', `A search names ${MOST_NEEDS} value sets and hierarchies at most.`, {
          status: 400,
          expression: 'http',
        })
      needs.push(error.need)
      known.set(nameOf(error.need), await lookUp(ctx, error.need, deadline))
    }
  }
}

const nameOf = (need: Need): string => JSON.stringify(need)
