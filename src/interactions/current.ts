/** Interactions under the search parameters in force: who learns that they have changed begins anew, unseen by the client. */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'

/** The search parameters that something was made under are no longer in force. Nothing was stored. */
export class Outdated extends FhirError {
  constructor() {
    const diagnostics = 'The search parameters have just changed. Try again.'
    super('transient', [{ severity: 'error', code: 'transient', diagnostics }])
  }
}

/** More changes than come in one request. */
const ATTEMPTS = 5

/**
 * Returns what `act` returns. Where it ends because the search parameters have changed, or with one that is not known, the store is looked
 * at; where there is something new, `act` is tried again with that.
 */
export async function underCurrent<T>(ctx: Context, act: (ctx: Context) => Promise<T>): Promise<T> {
  const { live } = ctx
  if (live === undefined) return act(ctx)
  let under = ctx
  for (let attempt = 1; ; attempt++) {
    try {
      return await act(under)
    } catch (error) {
      if (!mayBeOutdated(error) || attempt === ATTEMPTS) throw error
      const registry = await live.refresh()
      if (registry.epoch === under.registry.epoch) throw error
      under = { ...ctx, registry }
    }
  }
}

/** In a transaction the error is wrapped into one that names the entry. */
function mayBeOutdated(error: unknown): boolean {
  if (!(error instanceof FhirError)) return false
  if (error instanceof Outdated || error.cause instanceof Outdated) return true
  return error.code === 'not-supported' && error.status === 400
}
