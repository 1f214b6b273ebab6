/** Sends parcels to a FHIR server and says what became of each resource. */
import { groupBundle, type Parcel, type Piece } from './parcels.ts'

export interface Failure {
  file: string
  /** `line 7`, `entry 3`; '' for the whole file. */
  place: string
  /** HTTP status; undefined where nothing was sent. */
  status: number | undefined
  diagnostics: string
}

export interface Sent {
  /** Resources stored. */
  stored: number
  failures: Failure[]
}

/** The server cannot be reached, or is none. */
export class NoServer extends Error {}

interface Answer {
  status: number
  // The shape is a stranger's: every step into it is guarded.
  body: { entry?: unknown; issue?: unknown } | undefined
}

const TRIES = 6
const REQUEST_MS = 600_000

/** Returns what became of a parcel. Throws NoServer where the server does not answer. */
export async function send(base: string, parcel: Parcel): Promise<Sent> {
  const { file } = parcel
  if (parcel.kind === 'unreadable')
    return {
      stored: 0,
      failures: [{ file, place: parcel.place, status: undefined, diagnostics: parcel.reason }],
    }
  if (parcel.kind === 'bundle') {
    const answer = await post(base, parcel.text)
    if (answer.status < 300)
      return entriesOf(answer, file, i => joined(parcel.place, `entry ${i}`), parcel.count)
    return {
      stored: 0,
      failures: [{ file, place: parcel.place, status: answer.status, diagnostics: said(answer) }],
    }
  }
  // One commit stores a whole group; where it is refused, each resource goes on its own, so that only the bad ones fail.
  const { pieces } = parcel
  const whole = await post(base, groupBundle('transaction', pieces))
  const place = (i: number) => pieces[i]?.place ?? ''
  if (whole.status < 300) return entriesOf(whole, file, place, pieces.length)
  if (pieces.length === 1)
    return {
      stored: 0,
      failures: [{ file, place: place(0), status: whole.status, diagnostics: said(whole) }],
    }
  const single = await post(base, groupBundle('batch', pieces))
  if (single.status < 300) return entriesOf(single, file, place, pieces.length)
  return halves(base, file, pieces)
}

/** Not even the Bundle could be read: one resource spoils it, which is found by halving. */
async function halves(base: string, file: string, pieces: Piece[]): Promise<Sent> {
  const middle = pieces.length >> 1
  const first = await send(base, { kind: 'group', file, pieces: pieces.slice(0, middle) })
  const second = await send(base, { kind: 'group', file, pieces: pieces.slice(middle) })
  return { stored: first.stored + second.stored, failures: [...first.failures, ...second.failures] }
}

const joined = (a: string, b: string) => (a === '' ? b : `${a}, ${b}`)

function entriesOf(answer: Answer, file: string, place: (i: number) => string, count: number): Sent {
  const entries = Array.isArray(answer.body?.entry) ? answer.body.entry : []
  const failures: Failure[] = []
  for (const [i, entry] of entries.entries()) {
    const { response } = entry as { response?: { status?: string; outcome?: { issue?: unknown } } }
    const status = Number.parseInt(response?.status ?? '', 10)
    if (!(status < 400))
      failures.push({ file, place: place(i), status, diagnostics: said({ status, body: response?.outcome }) })
  }
  return { stored: count - failures.length, failures }
}

const isFault = ({ severity }: Record<string, unknown>): boolean =>
  severity === 'error' || severity === 'fatal'

/** Returns what the OperationOutcome of a refusal says, with the places it names; its warnings only where it has nothing else. */
function said(answer: Answer): string {
  const issues = Array.isArray(answer.body?.issue) ? (answer.body.issue as Record<string, unknown>[]) : []
  const faults = issues.filter(isFault)
  const texts = (faults.length > 0 ? faults : issues).map(issue => {
    const details = (issue.details as { text?: unknown } | undefined)?.text
    const where = Array.isArray(issue.expression) ? ` (${issue.expression.join(', ')})` : ''
    return `${issue.diagnostics ?? details ?? issue.code}${where}`
  })
  return texts.length > 0 ? texts.slice(0, 3).join('; ') : 'no reason given'
}

/** Posts a Bundle, again after a while where the server is busy or another request was faster: then nothing was stored. */
async function post(base: string, text: string): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(base, text)
    const again = answer.status === 409 || answer.status === 429 || answer.status === 503
    if (!again || attempt === TRIES) return answer
    await new Promise(resolve => setTimeout(resolve, 50 * 2 ** attempt * (0.5 + Math.random())))
  }
}

async function once(base: string, text: string): Promise<Answer> {
  let response: Response
  let body: string
  try {
    response = await fetch(base, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/fhir+json',
        Accept: 'application/fhir+json',
        Prefer: 'return=minimal',
      },
      body: text,
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    body = await response.text()
  } catch (cause) {
    throw new NoServer(`The server at ${base} does not answer any more (${reason(cause)}).`, { cause })
  }
  try {
    return { status: response.status, body: JSON.parse(body) }
  } catch {
    return { status: response.status, body: undefined }
  }
}

/** Throws NoServer, with a sentence on what to do, where no FHIR server is at `base`. */
export async function checkServer(base: string): Promise<void> {
  let response: Response
  try {
    response = await fetch(`${base}/metadata`, {
      headers: { Accept: 'application/fhir+json' },
      signal: AbortSignal.timeout(30_000),
    })
  } catch (cause) {
    throw new NoServer(
      `No server answers at ${base} (${reason(cause)}). Start one with "npm start", or name another with --base-url.`,
      { cause },
    )
  }
  const statement = await response.json().catch(() => undefined)
  if ((statement as { resourceType?: unknown } | undefined)?.resourceType !== 'CapabilityStatement')
    throw new NoServer(
      `What answers at ${base} is no FHIR server: ${base}/metadata gave status ${response.status}.`,
    )
}

function reason(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string }
  return cause?.code ?? cause?.message ?? message
}
