/**
 * The states of a queue token, and which may follow which. Task.status says the state; Task.businessStatus repeats it in words.
 * https://hl7.org/fhir/R4/valueset-task-status.html
 */

export type TokenState = 'waiting' | 'called' | 'serving' | 'skipped' | 'completed' | 'cancelled' | 'closed'

/** Task.status of each state. `skipped` was called and not there; `closed` never came. */
export const TASK_STATUS: Readonly<Record<TokenState, string>> = {
  waiting: 'requested',
  called: 'ready',
  serving: 'in-progress',
  skipped: 'on-hold',
  completed: 'completed',
  cancelled: 'cancelled',
  closed: 'failed',
}

const FOLLOWERS: Readonly<Record<TokenState, readonly TokenState[]>> = {
  waiting: ['called', 'serving', 'skipped', 'completed', 'cancelled', 'closed'],
  called: ['waiting', 'serving', 'skipped', 'completed', 'cancelled', 'closed'],
  serving: ['waiting', 'called', 'skipped', 'completed', 'cancelled', 'closed'],
  skipped: ['waiting', 'called', 'serving', 'completed', 'cancelled', 'closed'],
  // These have left the queue: from here the way leads back only to the state before, when a click was a mistake.
  completed: [],
  cancelled: [],
  closed: [],
}

/** States that have left the queue. */
export const LEFT: ReadonlySet<TokenState> = new Set(['completed', 'cancelled', 'closed'])

/** States that stand in line: a skipped token is set aside until it is recalled. */
export const IN_LINE: ReadonlySet<TokenState> = new Set(['waiting', 'called', 'serving'])

/** Returns whether a state may follow another; staying as it is always may. */
export const mayStep = (from: TokenState, to: TokenState): boolean =>
  from === to || FOLLOWERS[from].includes(to)

const BY_STATUS = new Map(
  (Object.entries(TASK_STATUS) as [TokenState, string][]).map(([state, status]) => [status, state]),
)

/** Returns the state of a token's Task.status; a token that was entered in error is cancelled. Undefined for other statuses. */
export const stateOf = (status: unknown): TokenState | undefined =>
  status === 'entered-in-error' ? 'cancelled' : BY_STATUS.get(String(status))
