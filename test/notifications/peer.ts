/** A real HTTP server in this process that plays a provider, well or badly. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Delivery } from '../../src/notifications/channel.ts'

export interface Heard {
  method: string
  /** Path and query as they came. */
  path: string
  headers: Readonly<Record<string, string>>
  body: string
}

/** An answer, or a way to have none. */
export type Reply =
  | { status: number; body?: string; headers?: Record<string, string> }
  | 'hang'
  | 'reset'
  | 'garbage'
  | 'flood'
  | 'trickle'

export interface Peer {
  url: string
  heard: Heard[]
  /** What is said to the next request; the last stands. */
  reply: (heard: Heard) => Reply | Promise<Reply>
  /** Bytes that left for a client that was flooded. */
  flooded(): number
  close(): Promise<void>
}

/** Starts a peer on the loopback interface. */
export async function startPeer(reply: Peer['reply'] = () => ({ status: 200 })): Promise<Peer> {
  let flooded = 0
  const server = createServer((request, response) => {
    void hear(request).then(async heard => {
      peer.heard.push(heard)
      await say(await peer.reply(heard), request, response)
    })
  })
  const say = async (one: Reply, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (one === 'hang') return
    if (one === 'reset') {
      request.socket.resetAndDestroy()
    } else if (one === 'garbage') {
      request.socket.end('\u0000\u0001 this is not HTTP \r\n\r\n')
    } else if (one === 'flood') {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      const piece = Buffer.alloc(65_536, '{"a":')
      response.setMaxListeners(0)
      while (!response.destroyed && flooded < 50_000_000) {
        flooded += piece.length
        if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
      response.end()
    } else if (one === 'trickle') {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    } else {
      response.writeHead(one.status, one.headers)
      response.end(one.body ?? '')
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer: Peer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: [],
    reply,
    flooded: () => flooded,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return peer
}

async function hear(request: IncomingMessage): Promise<Heard> {
  const body = await text(request)
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers as Record<string, string>,
    body,
  }
}

export const json = (status: number, body: unknown): Reply => ({
  status,
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
})

export const KEY = '0b9f2c1e-5d3a-4e86-9b57-2f4a6c8d1e30'

/** Returns a delivery of an invented patient, with what a test changes. */
export const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  key: KEY,
  event: 'booked',
  to: '+919876543210',
  language: 'en',
  template: changes.event ?? 'booked',
  subject: 'Your appointment',
  text: 'Meera, you are booked with Dr Nair on 23 Nov, 10:30.',
  values: { patient: 'Meera Pillai', practitioner: 'Dr Nair', start: '23 Nov 2026, 10:30' },
  attachments: [],
  ...changes,
})

/** A signal that never comes. */
export const never = new AbortController().signal
