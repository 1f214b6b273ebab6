/** What the operations on one Appointment share: the version that they change, the commit, and who was faster. */
import type { Context } from '../context.ts'
import { FhirError, fhirError } from '../fhir/error.ts'
import { type Json, type JsonObject, NumberText, parseJson, type Resource } from '../fhir/json.ts'
import { etag } from '../interactions/preconditions.ts'
import { LOST, untilSettled } from '../interactions/race.ts'
import { read } from '../interactions/read.ts'
import { transaction } from '../interactions/transaction.ts'
import { type Key, keyOf, type Live } from '../storage/port.ts'
import { type Answer, type Call, type InParameter, textOf } from './operation.ts'

/** The version that the caller has seen: where it is no longer the current one, nothing is done. */
export const VERSION: InParameter = { name: 'version', type: 'positiveInt', min: 0, max: 1 }
export const COMMENT: InParameter = { name: 'comment', type: 'string', min: 0, max: 1 }

/** What an operation makes of an appointment: the entries of a transaction, the appointment's own first. Empty: it is so already. */
export type Decided = readonly JsonObject[]

export const definitionOf = (name: string): string => `urn:nadi:operation:appointment-${name}`

export const appointmentOf = (stored: Live): Resource =>
  parseJson(stored.text, Number.POSITIVE_INFINITY) as Resource

/** Returns the entry that stores the next version of a resource, over the version that was read. */
export const putEntry = (resource: Resource, over: Live): JsonObject => ({
  resource,
  request: { method: 'PUT', url: over.key, ifMatch: etag(over) },
})

/** Returns the entry of a new resource, with the criteria under which there must be none yet. */
export const postEntry = (resource: Resource, ifNoneExist?: string, fullUrl?: string): JsonObject => ({
  ...(fullUrl !== undefined && { fullUrl }),
  resource,
  request: {
    method: 'POST',
    url: resource.resourceType,
    ...(ifNoneExist !== undefined && { ifNoneExist }),
  },
})

/**
 * Returns the appointment of the call after what `decide` makes of it; as it stands where that is nothing. Who is overtaken decides anew
 * about what the other has made of it.
 *
 * Throws `conflict` (409) where the caller has seen another version, and as `transaction` does.
 */
export async function changeAppointment(
  ctx: Context,
  call: Call,
  decide: (appointment: Resource, stored: Live) => Promise<Decided> | Decided,
): Promise<Live> {
  return settled(async () => {
    const stored = await read(ctx, 'Appointment', call.id)
    const seen = textOf(call, VERSION.name)
    const entries = await decide(appointmentOf(stored), stored)
    if (entries.length === 0) return stored
    if (seen !== undefined && Number(seen) !== stored.version) throw overtaken(stored)
    return (await commitAll(ctx, entries))[0]!
  })
}

/** Returns what `act` returns, which is tried anew while what it has read is overtaken. */
export const settled = <T>(act: () => Promise<T>): Promise<T> =>
  untilSettled(async () => {
    try {
      return await act()
    } catch (error) {
      if (isOvertaken(error)) return LOST
      throw error
    }
  })

const isOvertaken = (error: unknown): boolean =>
  error instanceof FhirError && error.code === 'conflict' && error.status === 412

/** Returns the error for who has seen another version of an appointment than the current one. */
export const overtaken = ({ key, version }: Live): FhirError =>
  fhirError(
    'conflict',
    `${key} has been changed meanwhile: its version is ${version} now. Read it and try again.`,
    {
      expression: 'http.version',
    },
  )

/**
 * Commits the entries of a transaction together; returns the resources as they are stored then, in their order.
 *
 * Throws as `transaction` does, places named by the resource that they are in.
 */
export async function commitAll(ctx: Context, entries: readonly JsonObject[]): Promise<Live[]> {
  const bundle: Resource = { resourceType: 'Bundle', type: 'transaction', entry: [...entries] }
  const answers = await transaction(ctx, bundle, { return: 'minimal' }).catch(error => {
    throw inResource(error, entries)
  })
  const places = answers.map(({ response }) => placeOf(ctx, response?.location ?? ''))
  const found: Live[] = []
  for (const { key, version } of places) {
    const stored = await ctx.storage.read(key, { version })
    if (stored?.text !== undefined) found.push(stored as Live)
  }
  return found
}

function placeOf({ settings }: Context, location: string): { key: Key; version: number } {
  const [type, id, , version] = location.slice(settings.baseUrl.length + 1).split('/')
  return { key: keyOf(type!, id!), version: Number(version) }
}

/** Returns an error whose places are those of the resources, and not of the Bundle that the caller never saw. */
function inResource(error: unknown, entries: readonly JsonObject[]): unknown {
  if (!(error instanceof FhirError)) return error
  const issues = error.issues.map(issue => {
    const match = /^Bundle\.entry\[(\d+)\](?:\.resource)?/.exec(issue.expression ?? '')
    if (match === null) return issue
    const resource = entries[Number(match[1])]?.resource as Resource | undefined
    return {
      ...issue,
      expression: (resource?.resourceType ?? 'http') + issue.expression!.slice(match[0].length),
    }
  })
  return new FhirError(error.code, issues, { status: error.status, cause: error })
}

/** Returns the answer that is one resource. */
export const answerWith = (stored: Live): Answer => ({ text: stored.text, stored })

/** Returns the appointment with the comment that came with an operation, below what stood there. */
export function commented(appointment: Resource, call: Call): Resource {
  const comment = textOf(call, COMMENT.name)
  if (comment === undefined) return appointment
  const before = typeof appointment.comment === 'string' ? `${appointment.comment}\n` : ''
  return { ...appointment, comment: before + comment }
}

/** Returns a CodeableConcept with one coding. */
export const concept = (system: string, code: string, display: string): JsonObject => ({
  coding: [{ system, code, display }],
})

export const unsigned = (value: number): NumberText => new NumberText(String(value))

export const reference = (key: string): JsonObject => ({ reference: key })

/** Returns an element without these members. */
export function without<T extends JsonObject>(element: T, ...names: readonly string[]): T {
  const left: Record<string, Json | undefined> = { ...element }
  for (const name of names) delete left[name]
  return left as T
}
