/** HTTP of the simulator: one server with routes by path, and requests that keep the bytes as they were. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'

const MOST_BYTES = 4 * 1024 * 1024

export interface Arrived {
  method: string
  url: URL
  headers: IncomingHttpHeaders
  body: Buffer
}

/** An answer as JSON, as text, or `undefined` to end the connection without one. */
export type Answer = { status: number; json: unknown } | { status: number; text: string } | undefined
export type Route = (arrived: Arrived) => Answer | Promise<Answer>

/** Listens on a host and port (0: any free one) and calls the route of the longest prefix of the path; returns the server and its port. */
export function listen(
  routes: Record<string, Route>,
  host: string,
  port: number,
): Promise<{ server: Server; port: number }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of request) {
        length += (chunk as Buffer).length
        if (length > MOST_BYTES) return void request.destroy()
        chunks.push(chunk as Buffer)
      }
      const url = new URL(request.url ?? '/', `http://${host}`)
      const prefix = Object.keys(routes)
        .sort((a, b) => b.length - a.length)
        .find(one => url.pathname.startsWith(one))
      const arrived = {
        method: request.method ?? '',
        url,
        headers: request.headers,
        body: Buffer.concat(chunks),
      }
      const answer =
        prefix === undefined ? { status: 404, json: { error: url.pathname } } : await routes[prefix]!(arrived)
      if (answer === undefined) return void request.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end('json' in answer ? JSON.stringify(answer.json) : answer.text)
    } catch (error) {
      if (response.headersSent || response.destroyed) return
      response.writeHead(500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: String(error) }))
    }
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      const address = server.address()
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}

export interface Posted {
  status: number
  text: string
  /** The parsed text; undefined where it is not JSON. */
  json: unknown
}

/** Posts bytes as JSON within 10 seconds; throws where nothing answers. */
export async function post(url: string, body: string, headers: Record<string, string>): Promise<Posted> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  return { status: response.status, text, json: parsed(text) }
}

/** The parsed text, undefined where it is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
