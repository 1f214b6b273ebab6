/** Messages take effect once: whoever brings one again, at once or later, gets the same ACK and nothing happens. */
import type { Context, WriteRule } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { firstOf, forgetWork, isLeft, leaveWork } from '../interactions/leave-work.ts'
import type { Handler } from '../notifications/dispatch.ts'
import type { Job } from '../storage/port.ts'
import type { Admitted } from './admit.ts'
import { answering, uhiMessageRule } from './message-rule.ts'

const DONE_BEFORE = 'uhi-message'

export const FORGET_JOB = 'uhi-forget'

/** ms that a message is remembered for: longer than any signature is valid, and than anybody tries again. */
const REMEMBERED_MS = 7 * 86_400_000

/** Returns the job that forgets a message when its time is over. */
const forgetting = (ctx: Context, name: string): Job => ({
  id: ctx.newId(),
  kind: FORGET_JOB,
  due: ctx.clock() + REMEMBERED_MS,
  body: JSON.stringify({ name }),
})

/** Does the jobs that forget messages. */
export const forgetMessage: Handler = async (ctx, { body }) => {
  await forgetWork(ctx, JSON.parse(body).name)
  return { is: 'done' }
}

/** Returns the name of a message: whose it is, and its id. */
const nameOfMessage = ({ context }: Admitted): string => `uhi ${context.consumerId} ${context.messageId}`

const alreadyDone = (): FhirError =>
  new FhirError('duplicate', [
    { severity: 'error', code: 'duplicate', diagnostics: 'The message came before.', rule: DONE_BEFORE },
  ])

/** Whether an error says that the message has had its effect before. */
export const cameBefore = (error: unknown): boolean =>
  error instanceof FhirError && error.issues.some(issue => issue.rule === DONE_BEFORE)

/** Returns whether a message has had its effect. */
export const isDone = (ctx: Context, admitted: Admitted): Promise<boolean> =>
  isLeft(ctx, nameOfMessage(admitted))

/**
 * Returns the context in which what a message writes is committed once, together with the mark that it came. Committing
 * again throws what `cameBefore` knows. What is told of it has the id of the message.
 */
export function once(ctx: Context, admitted: Admitted): Context {
  const name = nameOfMessage(admitted)
  const rule: WriteRule = {
    types: new Set(['Appointment', 'Communication']),
    async judge() {
      if (await isLeft(ctx, name)) throw alreadyDone()
      return { require: [firstOf(name)], outbox: [forgetting(ctx, name)] }
    },
  }
  const answered = answering(admitted)
  const rules = (ctx.rules ?? []).map(one => (one === uhiMessageRule ? answered : one))
  return { ...ctx, rules: [rule, ...rules] }
}

/** Leaves work to be done for a message that changes no resource; nothing where it came before. */
export const leave = async (ctx: Context, admitted: Admitted, jobs: readonly Job[]): Promise<void> => {
  const name = nameOfMessage(admitted)
  await leaveWork(ctx, name, [...jobs, forgetting(ctx, name)])
}
