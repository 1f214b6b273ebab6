/**
 * One keep-alive HTTP/1.1 connection with one request at a time: just enough of RFC 9112 for the load, at a fraction of the cost of
 * node:http, so that the generator does not starve the server that it measures on the same machine.
 * https://www.rfc-editor.org/rfc/rfc9112
 */
import { connect, type Socket } from 'node:net'

export interface Answer {
  status: number
  /** The header section as sent, without the status line. */
  head: string
  body: string
}

/** Returns the value of a header, undefined where it is absent. */
export function header(answer: Answer, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(answer.head)?.[1]
}

/** A connection; `request` rejects for a broken connection, an unreadable answer and after `timeoutMs`. */
export interface Connection {
  request(method: string, path: string, headers: string, body?: string): Promise<Answer>
  close(): void
}

/** Returns a connection to http://host:port, opened with its first request and again when the server closed it in between. */
export function connection(host: string, port: number, timeoutMs = 300_000): Connection {
  let socket: Socket | undefined
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void; reader: Reader } | undefined

  const drop = (error: Error) => {
    socket?.destroy()
    socket = undefined
    const { reject } = waiting ?? {}
    waiting = undefined
    reject?.(error)
  }

  const open = (): Socket => {
    const opened = connect({ host, port, noDelay: true })
    opened.setTimeout(timeoutMs, () => drop(new Error(`No answer within ${timeoutMs} ms.`)))
    opened.on('error', error => socket === opened && drop(error))
    opened.on('close', () => socket === opened && drop(new Error('The server closed the connection.')))
    opened.on('data', (bytes: Buffer) => {
      if (!waiting) return drop(new Error('The server sent bytes that nobody asked for.'))
      try {
        const answer = waiting.reader.take(bytes)
        if (!answer) return
        const { resolve } = waiting
        waiting = undefined
        if (/^connection:[ \t]*close/im.test(answer.head)) {
          socket = undefined
          opened.destroy()
        }
        resolve(answer)
      } catch (error) {
        drop(error as Error)
      }
    })
    return opened
  }

  return {
    request(method, path, headers, body) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject, reader: new Reader() }
        socket ??= open()
        const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
        socket.write(
          `${method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${headers}${length}\r\n${body ?? ''}`,
        )
      })
    },
    close() {
      socket?.destroy()
      socket = undefined
    },
  }
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/** Collects one answer from the pieces in which it arrives. */
export class Reader {
  private bytes: Buffer = NOTHING
  private pieces: Buffer[] = []
  private size = 0
  private head: { status: number; text: string; length: number | undefined; start: number } | undefined
  private chunks: { at: number; body: Buffer[] } | undefined

  /** Returns the answer when it is whole. Throws for what is no HTTP/1.1 answer with a length. */
  take(piece: Buffer): Answer | undefined {
    this.pieces.push(piece)
    this.size += piece.length
    const { head } = this
    // A long body is joined once, when its last byte is here.
    if (head?.length !== undefined && this.size < head.start + head.length) return undefined
    this.bytes = this.pieces.length === 1 ? piece : Buffer.concat(this.pieces)
    this.pieces = [this.bytes]
    if (!this.head && !this.readHead()) return undefined
    return this.readBody(this.head!)
  }

  private readHead(): boolean {
    const end = this.bytes.indexOf(END_OF_HEAD)
    if (end < 0) return false
    const text = this.bytes.toString('latin1', 0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])
    if (!status) throw new Error(`This is no HTTP/1.1 answer: ${text.slice(0, 60)}`)
    const rest = text.slice(text.indexOf('\r\n') + 2).replaceAll('\r', '')
    const start = end + 4
    if (/^transfer-encoding:[ \t]*chunked/im.test(rest)) {
      this.chunks = { at: start, body: [] }
      this.head = { status, text: rest, length: undefined, start }
      return true
    }
    const stated = /^content-length:[ \t]*(\d+)/im.exec(rest)?.[1]
    const length = status === 204 || status === 304 ? 0 : stated === undefined ? undefined : Number(stated)
    if (length === undefined) throw new Error(`The answer ${status} states no length.`)
    this.head = { status, text: rest, length, start }
    return true
  }

  private readBody(head: { status: number; text: string; length: number | undefined; start: number }) {
    if (this.chunks) return this.readChunks(this.chunks, head)
    const end = head.start + head.length!
    if (this.bytes.length < end) return undefined
    if (this.bytes.length > end) throw new Error('The answer is longer than its Content-Length.')
    return { status: head.status, head: head.text, body: this.bytes.toString('utf8', head.start, end) }
  }

  private readChunks(chunks: { at: number; body: Buffer[] }, head: { status: number; text: string }) {
    for (;;) {
      const line = this.bytes.indexOf('\r\n', chunks.at)
      if (line < 0) return undefined
      const size = Number.parseInt(this.bytes.toString('latin1', chunks.at, line), 16)
      if (!(size >= 0)) throw new Error('The size of a chunk is not readable.')
      const start = line + 2
      if (this.bytes.length < start + size + 2) return undefined
      chunks.at = start + size + 2
      if (size === 0)
        return { status: head.status, head: head.text, body: Buffer.concat(chunks.body).toString('utf8') }
      chunks.body.push(this.bytes.subarray(start, start + size))
    }
  }
}
