/** The patients that a booking comes with: those who are known, and those who are new. */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import type { JsonObject, Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import { checkType, isId } from '../interactions/identity.ts'
import { plannedSearch } from '../interactions/search.ts'
import { keyOf } from '../storage/port.ts'
import { postEntry, without } from './appointment-change.ts'

/** Patients of one booking. */
const MOST = 20

export interface BookingPatients {
  /** `Patient/1`, or the `urn:uuid:` of one that the transaction makes. */
  references: readonly string[]
  /** Entries that make the new ones. */
  entries: readonly JsonObject[]
}

/**
 * Returns who the Patient resources of a booking are: the patient of that id, else the one with an identifier of it, else a new one. What
 * is stored of a patient is not changed.
 *
 * Throws `multiple-matches` (412) where identifiers fit several patients, `too-costly` for too many.
 */
export async function bookingPatients(ctx: Context, sent: readonly Resource[]): Promise<BookingPatients> {
  if (sent.length > MOST)
    throw fhirError('too-costly', `A booking has ${MOST} patients at most.`, {
      status: 400,
      expression: 'http.patient-resource',
    })
  const references: string[] = []
  const entries: JsonObject[] = []
  for (const patient of sent) {
    const known = (await byId(ctx, patient)) ?? (await byIdentifiers(ctx, patient))
    if (known !== undefined) references.push(known)
    else {
      const fullUrl = `urn:uuid:${crypto.randomUUID()}`
      entries.push(postEntry(without(patient, 'id', 'meta'), criteriaOf(patient), fullUrl))
      references.push(fullUrl)
    }
  }
  return { references, entries }
}

async function byId(ctx: Context, { id }: Resource): Promise<string | undefined> {
  checkType(ctx, 'Patient')
  if (!isId(id)) return undefined
  const stored = await ctx.storage.read(keyOf('Patient', id))
  return stored?.text === undefined ? undefined : stored.key
}

/** Returns the criteria by which a patient is found again; undefined where it has no identifier with a system. */
function criteriaOf(patient: Resource): string | undefined {
  const tokens = objects(patient.identifier).flatMap(({ system, value }) =>
    typeof system === 'string' && typeof value === 'string' && system !== '' && value !== ''
      ? [`${system}|${value}`.replace(/[\\$,]/g, '\\$&')]
      : [],
  )
  return tokens.length === 0 ? undefined : `identifier=${encodeURIComponent(tokens.slice(0, MOST).join(','))}`
}

async function byIdentifiers(ctx: Context, patient: Resource): Promise<string | undefined> {
  const criteria = criteriaOf(patient)
  if (criteria === undefined) return undefined
  const value = new URLSearchParams(criteria).get('identifier')!
  const { plan } = await plannedSearch(ctx, 'Patient', [['identifier', value]], {})
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const page = await ctx.storage.search(plan, { limit: 2, total: 'none', deadline })
  if (page.rows.length > 1)
    throw fhirError('multiple-matches', 'The identifiers of the patient are those of several patients.', {
      expression: 'Patient.identifier',
    })
  return page.rows[0]?.key
}
