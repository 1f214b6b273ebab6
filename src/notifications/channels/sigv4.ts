/** AWS Signature Version 4 for a request with a body. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */

export interface AwsRequest {
  method: 'GET' | 'POST'
  url: string
  /** Signed all of them; `host` and `x-amz-date` are added. */
  headers: Readonly<Record<string, string>>
  body: string
}

export interface AwsIdentity {
  id: string
  secret: string
  region: string
  service: string
}

const utf8 = new TextEncoder()
const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0')).join('')
const sha256 = async (text: string): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', utf8.encode(text)))

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  return crypto.subtle.sign('HMAC', imported, utf8.encode(text))
}

/** RFC 3986: all but unreserved characters are escaped. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** Returns the header fields of the signed request, `host` left to whoever sends it. `at`: ms since 1970 UTC. */
export async function signed(
  { method, url, headers, body }: AwsRequest,
  { id, secret, region, service }: AwsIdentity,
  at: number,
): Promise<Record<string, string>> {
  const { host, pathname, searchParams } = new URL(url)
  const date = new Date(at).toISOString().replace(/[-:]|\.[0-9]{3}/g, '')
  const day = date.slice(0, 8)
  const sent = { ...headers, 'x-amz-date': date }
  const fields = Object.entries({ ...sent, host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = fields.map(([name]) => name).join(';')
  const query = [...searchParams]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join('&')
  const canonical = [
    method,
    pathname,
    query,
    ...fields.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    await sha256(body),
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', date, scope, await sha256(canonical)].join('\n')
  let key: BufferSource = utf8.encode(`AWS4${secret}`)
  for (const part of [day, region, service, 'aws4_request']) key = await hmac(key, part)
  const signature = hex(await hmac(key, text))
  return {
    ...sent,
    Authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}
