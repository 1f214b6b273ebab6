/** A TCP proxy between a driver and a server that loses, holds or freezes what a test names. */
import { createServer, connect as dial, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** Cuts the connection when the server answers a request that contains this text; `times` such requests. */
  dropReplyTo(text: string, times: number): void
  /** Holds requests that contain this text until `release`; resolves when one has come. */
  hold(text: string): Promise<void>
  release(): void
  /** Nothing passes in either direction until `thaw`. */
  freeze(): void
  thaw(): void
  dropped(): number
  close(): Promise<void>
}

export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let drop: { text: string; times: number } | undefined
  let held: { text: string; seen: () => void } | undefined
  let waiting: (() => void)[] = []
  let frozen: Promise<void> | undefined
  let thaw = (): void => {}
  let dropped = 0

  const server = createServer(client => {
    const upstream = dial(target, '127.0.0.1')
    let doomed = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    /** Passes the chunks of one direction on in their order, each when its turn has come. */
    const pass = (from: Socket, to: Socket, wait: (chunk: Buffer) => Promise<void> | undefined): void => {
      let last = Promise.resolve()
      from.on('data', (chunk: Buffer) => {
        last = last.then(async () => {
          if (frozen) await frozen
          await wait(chunk)
          if (!to.destroyed) to.write(chunk)
        })
      })
    }
    pass(client, upstream, chunk => {
      if (drop !== undefined && drop.times > 0 && chunk.includes(drop.text)) {
        drop.times--
        doomed = true
      }
      if (held === undefined || !chunk.includes(held.text)) return undefined
      held.seen()
      return new Promise(resolve => waiting.push(resolve))
    })
    pass(upstream, client, () => {
      if (!doomed) return undefined
      dropped++
      client.destroy()
      upstream.destroy()
      return undefined
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    dropReplyTo: (text, times) => {
      drop = { text, times }
    },
    hold: text =>
      new Promise(resolve => {
        held = { text, seen: resolve }
      }),
    release: () => {
      held = undefined
      for (const resolve of waiting) resolve()
      waiting = []
    },
    freeze: () => {
      frozen = new Promise(resolve => {
        thaw = resolve
      })
    },
    thaw: () => {
      frozen = undefined
      thaw()
    },
    dropped: () => dropped,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
