/** The Node HTTP server around the application: addresses, slow clients, compression and a stop that lets requests finish. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import { type AddressInfo, BlockList, isIPv6, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Config } from '../config.ts'
import { fhirError } from '../fhir/error.ts'
import { outcomeText } from '../fhir/outcome.ts'
import type { AppDeps } from '../http/exchange.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** The answer to a request that is not even given to the application, such as one with a URL that is none. */
export const malformed = (): Response =>
  new Response(refusal(400), { status: 400, headers: { 'Content-Type': JSON_TYPE } })

/**
 * Starts to listen, then asks `attach` for the application, which may depend on the port; no request is read before.
 *
 * Throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where the address cannot be had.
 */
export async function listen(config: Config, attach: (port: number) => Listener): Promise<Server> {
  const server = createServer({
    headersTimeout: Math.min(config.headerMs, config.requestMs),
    requestTimeout: config.requestMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5000, config.headerMs / 4, config.requestMs / 4)),
    keepAliveTimeout: 65_000,
    // Refused with 431 by Node itself; the rest is for ordinary headers.
    maxHeaderSize: config.limits.url + 16_384,
    // Node's own refusal would have no body.
    requireHostHeader: false,
  })
  // A client that takes nothing of its answer for so long gets no more of it; a search may take its time before.
  server.timeout = config.requestMs + config.limits.searchMs + 10_000
  server.on('connect', (_, socket) => socket.end(rawAnswer(405)))
  server.on('checkExpectation', (_, response: ServerResponse) => {
    response.statusCode = 417
    response.setHeader('Content-Type', JSON_TYPE).end(refusal(417))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const status = CLIENT_ERRORS[error.code ?? ''] ?? 400
    socket.end(rawAnswer(status))
  })
  watchFresh(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.host, () => {
      server.off('error', reject)
      const listener = attach((server.address() as AddressInfo).port)
      server.on('request', listener)
      // A body that is too large anyway is refused before the client sends it.
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        if (!(Number(request.headers['content-length']) > config.limits.body)) response.writeContinue()
        listener(request, response)
      })
      resolve()
    })
  })
  return server
}

/** Connections on which nothing has been asked yet; Node counts them as busy. */
const fresh = new WeakMap<Server, Set<Socket>>()

function watchFresh(server: Server): void {
  const sockets = new Set<Socket>()
  fresh.set(server, sockets)
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('request', request => sockets.delete(request.socket))
}

/** Stops accepting, lets requests under way finish for `ms` milliseconds at most, and then closes what is left. */
export async function stop(server: Server, ms: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  // Connections that are kept alive become idle one by one, as their requests finish.
  const idle = setInterval(() => {
    server.closeIdleConnections()
    for (const socket of fresh.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy()
  }, 20)
  const end = setTimeout(() => server.closeAllConnections(), ms)
  await closed
  clearInterval(idle)
  clearTimeout(end)
}

const JSON_TYPE = 'application/fhir+json; charset=utf-8'
const CLIENT_ERRORS: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}
const REASONS: Record<number, string> = {
  405: 'This server is no proxy.',
  400: 'The request is not well-formed HTTP.',
  408: 'The request did not arrive in time.',
  413: 'The body is too large.',
  417: 'Of Expect this server knows 100-continue only.',
  431: 'The header is too large.',
}

const refusal = (status: number) =>
  outcomeText(
    fhirError(status === 408 ? 'timeout' : status === 400 ? 'structure' : 'too-long', REASONS[status] ?? '', {
      status,
    }),
  )

function rawAnswer(status: number): string {
  const body = refusal(status)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_TYPE}\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}

const gzipAsync = promisify(gzip)
const brotliAsync = promisify<string, object, Buffer>(brotliCompress)

/** Compresses in the thread pool; the levels are those at which time still buys size. */
export const compress: NonNullable<AppDeps['compress']> = async (text, encoding) => {
  const bytes =
    encoding === 'gzip'
      ? await gzipAsync(text, { level: 5 })
      : await brotliAsync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
  return bytes as Uint8Array<ArrayBuffer>
}

/** Returns the test whether a request comes from one of the proxies. */
export function proxyTest(proxies: readonly string[]): AppDeps['fromTrustedProxy'] {
  if (proxies.length === 0) return undefined
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return bindings => {
    const peer = (bindings as { incoming?: IncomingMessage }).incoming?.socket.remoteAddress
    if (peer === undefined) return false
    const mapped = peer.replace(/^::ffff:(?=[0-9.]+$)/, '')
    return list.check(mapped, isIPv6(mapped) ? 'ipv6' : 'ipv4')
  }
}
