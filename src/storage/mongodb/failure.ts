/**
 * What the driver throws, sorted by what can be done about it.
 * https://www.mongodb.com/docs/manual/reference/error-codes/
 */
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb'
import { FhirError, fhirError } from '../../fhir/error.ts'

const MAX_TIME = 50
const WRITE_CONFLICT = 112
const DUPLICATE = 11000
/** Primary gone, stepping down, shutting down, recovering; a write concern that was not reached in time. */
const PASSING = new Set([6, 7, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])
/** NoSuchTransaction, its lifetime over: nothing of it was stored. */
const GONE = new Set([251, 290, 225, 24, 246])
/** The document would be larger than 16 MB, by the server's and by the driver's word. */
const TOO_LARGE = new Set([10334, 17280, 2])

/** The driver wraps what ends a write of many documents, a lost connection too. */
function inner(error: unknown): unknown {
  const wrapped: unknown = error instanceof MongoBulkWriteError ? error.errorResponse : undefined
  return wrapped instanceof MongoError ? inner(wrapped) : error
}

const codeOfInner = (error: unknown): number | undefined =>
  error instanceof MongoError && typeof error.code === 'number' ? error.code : undefined

export const codeOf = (error: unknown): number | undefined => codeOfInner(inner(error))

export const isDuplicate = (error: unknown): boolean => codeOf(error) === DUPLICATE

/** Returns the place of the first document that a write of many was refused for. */
export function refusedIndex(error: unknown): number | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return errors[0]?.index
}

/** The store cannot be reached, or the outcome of the last command is not known. */
export function isUnreachable(thrown: unknown): boolean {
  const error = inner(thrown)
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true
  if (error instanceof MongoError && error.name === 'MongoWaitQueueTimeoutError') return true
  return error instanceof MongoServerError && PASSING.has(error.code as number)
}

/** Another commit was faster; nothing of this one was stored. */
export function isConflict(thrown: unknown): boolean {
  const error = inner(thrown)
  const code = codeOf(error)
  if (code === WRITE_CONFLICT || (code !== undefined && GONE.has(code))) return true
  return (
    error instanceof MongoError && !isUnreachable(error) && error.hasErrorLabel('TransientTransactionError')
  )
}

export const isTimeout = (error: unknown): boolean => codeOf(error) === MAX_TIME

/**
 * Returns what the work returns.
 *
 * Throws FhirError `too-costly` with status 503 at the deadline and `transient` where the store cannot be reached; anything else as it came.
 */
export async function speaking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw spoken(error)
  }
}

/** Returns the error as the port promises it. */
export function spoken(error: unknown): unknown {
  if (error instanceof FhirError) return error
  if (isTimeout(error)) return tooSlow(error)
  if (error instanceof MongoTopologyClosedError || isUnreachable(error))
    return fhirError('transient', 'The database cannot be reached at the moment.', { cause: error })
  if (isConflict(error))
    return fhirError('transient', 'Too many writes met on the same data; try again.', { cause: error })
  const code = codeOf(error)
  const tooLarge =
    (code !== undefined && TOO_LARGE.has(code) && /object|bson/i.test(String(error))) ||
    error instanceof RangeError
  if (tooLarge) return fhirError('too-costly', 'The resource is too large to be stored.', { cause: error })
  return error
}

export const tooSlow = (cause?: unknown): FhirError =>
  fhirError(
    'too-costly',
    'The search took longer than a search may take. Narrow it, or ask for fewer results.',
    {
      status: 503,
      cause,
    },
  )
