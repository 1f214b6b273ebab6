/** Requests of ours to others: signed, with a time to answer in and a bound on the answer. */
import { type Signer, sign } from './signature.ts'

export interface Sending {
  /** ms since 1970. */
  clock(): number
  signer: Signer
  /** Seconds. */
  expiresS: number
  timeoutMs: number
}

const MOST = 64 * 1024

/**
 * Posts a body that is signed now. Returns the status and the JSON that came back, undefined where the answer is none.
 *
 * Throws where there is no answer in time, and for one of more than 64 KiB.
 */
export async function post(
  { clock, signer, expiresS, timeoutMs }: Sending,
  url: string,
  body: string,
): Promise<{ status: number; json: unknown }> {
  const bytes = new TextEncoder().encode(body)
  const created = Math.floor(clock() / 1000)
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      Authorization: sign(signer, bytes, created, created + expiresS),
    },
    body: bytes,
    // Where a redirect leads nobody has looked at.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  return { status: answer.status, json: parsed(await bounded(answer)) }
}

async function bounded(answer: Response): Promise<string> {
  const reader = answer.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    length += value.byteLength
    if (length > MOST) {
      reader.cancel().catch(() => {})
      throw new Error('The answer is too large.')
    }
    text += decoder.decode(value, { stream: true })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
