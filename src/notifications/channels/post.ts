/** One request to a peer that is not trusted: bounded in time and size, redirects not followed, no error but a value. */
import type { Sent } from '../channel.ts'

/** What the peer said; of a longer answer the beginning. */
export interface Answer {
  status: number
  text: string
}

export interface PostRequest {
  url: string
  /** POST where there is a body. */
  body?: string
  headers: Readonly<Record<string, string>>
  /** The same in every attempt. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
  key: string
  /** Where the peer has less time than the attempt. */
  timeoutMs?: number
}

type Failed = Extract<Sent, { is: 'failed' }>

/** Bytes of an answer that are read. */
const MOST = 16_384

/** Returns the answer, or that there was none. Throws nothing. */
export async function post(request: PostRequest, signal: AbortSignal): Promise<Answer | Failed> {
  const { url, body, headers, key, timeoutMs } = request
  const within = timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, 'Idempotency-Key': key },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: within,
    })
    return { status: response.status, text: await beginningOf(response) }
  } catch {
    // The runtime's own words may quote the address.
    return { is: 'failed', reason: within.aborted ? 'No answer in time.' : 'No connection.' }
  }
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  let text = ''
  for (let left = MOST; left > 0; ) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value.subarray(0, left), { stream: true })
    left -= value.length
  }
  await reader.cancel()
  return text
}

/** What a message itself is at fault for. All else is for another time: settings can be put right, and peers recover. */
const REFUSED: ReadonlySet<number> = new Set([400, 413, 414, 422])

/** Returns what a status other than 2xx means; `code` is the peer's own number or name for it. */
export const notAccepted = (status: number, code?: unknown): Sent => ({
  is: REFUSED.has(status) ? 'refused' : 'failed',
  reason: reasonOf(status, code),
})

/** Returns a reason that holds nothing of the peer's words but a short code. */
export const reasonOf = (status: number, code?: unknown): string =>
  `Answered ${status}${/^[A-Za-z0-9_.]{1,40}$/.test(String(code ?? '')) ? ` (${code})` : ''}.`

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300

/** A success that does not say what the peer's documentation promises. */
export const NOT_UNDERSTOOD: Sent = { is: 'failed', reason: 'An answer that cannot be understood.' }

/** Returns the members of a JSON object; none where it is anything else. Only for the short answers of providers. */
export function membersOf(text: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Returns the value as an object, an empty one where it is none. */
export const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/** Returns the peer's own name for a message, undefined where it is no short line of plain characters. */
export const referenceOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value) ? value : undefined
