/**
 * Under which address the client sees this server, and whether that is one of ours.
 * A foreign name in Host is a web page whose name was pointed at this machine (DNS rebinding); a foreign Origin is a web page that
 * writes without reading. https://www.rfc-editor.org/rfc/rfc7239, https://hl7.org/fhir/R4/http.html#general
 */
import { isLoopback } from '../config/table.ts'
import { fhirError } from '../fhir/error.ts'

/** Scheme, host with port, and path prefix, as a trusted proxy reports them. */
export interface Forwarded {
  proto?: string
  host?: string
  prefix?: string
}

const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

/** Returns the last element of a list header: the one that the nearest proxy has written. */
const last = (text: string | null): string | undefined => text?.split(',').at(-1)?.trim() || undefined

/**
 * Returns what the forwarding headers of a trusted proxy say; `Forwarded` goes before `X-Forwarded-*`.
 *
 * Throws `invalid` for values that are no scheme, host or path.
 */
export function forwarded(headers: Headers): Forwarded {
  const said: Forwarded = {}
  for (const part of last(headers.get('forwarded'))?.split(';') ?? []) {
    const [name = '', value = ''] = part.split('=').map(text => text.trim().replace(/^"(.*)"$/, '$1'))
    if (name.toLowerCase() === 'host') said.host = value
    if (name.toLowerCase() === 'proto') said.proto = value
  }
  said.host ??= last(headers.get('x-forwarded-host'))
  said.proto ??= last(headers.get('x-forwarded-proto'))
  const prefix = last(headers.get('x-forwarded-prefix'))?.replace(/\/+$/, '')
  if (prefix) said.prefix = prefix
  said.proto = said.proto?.toLowerCase()
  const bad =
    (said.host !== undefined && !HOST.test(said.host) && 'host') ||
    (said.proto !== undefined && said.proto !== 'http' && said.proto !== 'https' && 'scheme') ||
    (said.prefix !== undefined && !/^(?:\/[A-Za-z0-9._~-]+)+$/.test(said.prefix) && 'prefix')
  if (bad) throw fhirError('invalid', `The proxy reports a malformed ${bad}.`)
  return said
}

/** Returns the base URL as the client of a proxy sees it. */
export function forwardedBase(baseUrl: string, said: Forwarded): string {
  if (said.host === undefined && said.proto === undefined && said.prefix === undefined) return baseUrl
  const url = new URL(baseUrl)
  const path = url.pathname === '/' ? '' : url.pathname
  return `${said.proto ?? url.protocol.slice(0, -1)}://${said.host ?? url.host}${said.prefix ?? ''}${path}`
}

/** Returns the name in a Host header or URL authority, lower case, without port and brackets. */
function hostName(host: string): string {
  return host
    .replace(/:[0-9]*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
}

/**
 * Returns the check of Host and Origin for a server at `baseUrl`. Names of this machine are always ours: what listens there is we.
 *
 * The check throws `security` with status 421 for a Host that is not ours, and 403 for a write that a foreign web page sends.
 */
export function createOriginCheck(
  baseUrl: string,
): (method: string, headers: Headers, via?: Forwarded) => void {
  const own = hostName(new URL(baseUrl).host)
  const isOurs = (host: string) => {
    const name = hostName(host)
    return name === own || isLoopback(name)
  }
  /** Hosts seen and found ours: clients send one or two. */
  const known = new Set<string>()

  return (method, headers, via) => {
    const host = via?.host ?? headers.get('host') ?? ''
    // What a trusted proxy reports has been judged there.
    if (via?.host === undefined && !known.has(host)) {
      if (!HOST.test(host) || !isOurs(host))
        throw fhirError(
          'security',
          'This server is not known by the name in the Host header. NADI_BASE_URL sets its name.',
          {
            status: 421,
            expression: 'http.Host',
          },
        )
      if (known.size < 64) known.add(host)
    }
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return
    const origin = headers.get('origin')
    if (origin === null) return
    const from = URL.canParse(origin) ? new URL(origin).host : ''
    if (from !== host.toLowerCase() && from !== new URL(baseUrl).host)
      throw fhirError('security', 'Web pages of other origins may not write here.', {
        expression: 'http.Origin',
      })
  }
}
