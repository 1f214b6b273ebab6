/** The two answers that every endpoint of UHI gives at once. */
import type { Answer } from './wire.ts'

/** Taken. */
export const ack = (): Answer => ({ status: 200, json: { message: { ack: { status: 'ACK' } }, error: {} } })

/** Refused, with a code of the gateway and the place that refuses. */
export const nack = (code: string, message: string, path: string): Answer => ({
  status: 200,
  json: { message: { ack: { status: 'NACK' } }, error: { type: 'GATEWAY', code, path, message } },
})

/** What is wrong with an answer that should be an ACK or a NACK of the given code. */
export function judgeAnswer(status: number, json: unknown): string[] {
  const answer = json as
    | { message?: { ack?: { status?: unknown } }; error?: Record<string, unknown> | null }
    | undefined
  const said = answer?.message?.ack?.status
  if (said !== 'ACK' && said !== 'NACK') return [`the answer (HTTP ${status}) is neither ACK nor NACK`]
  const problems: string[] = []
  if (said === 'ACK' && status !== 200) problems.push(`an ACK came with HTTP ${status}`)
  if (said === 'ACK' && answer?.error && Object.keys(answer.error).length > 0)
    problems.push('an ACK came with an error')
  if (said === 'NACK')
    for (const name of ['type', 'code', 'path', 'message'])
      if (typeof answer?.error?.[name] !== 'string') problems.push(`the NACK's error has no ${name}`)
  return problems
}
