/** A terminology server in this process: what it answers, and what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  path: string
  // biome-ignore lint/suspicious/noExplicitAny: questions are read field by field
  body: any
}

export type Reply = (asked: Asked, response: ServerResponse) => void

export interface Peer {
  url: string
  asked: Asked[]
  /** Replaces what it answers. */
  reply: Reply
  close(): Promise<void>
}

export const json = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/fhir+json' })
  response.end(JSON.stringify(body))
}

export const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter })

export async function startPeer(reply: Reply): Promise<Peer> {
  const peer: Peer = { url: '', asked: [], reply, close: async () => {} }
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const piece of request) text += piece
    const asked = { path: request.url!.replace('/r4/', ''), body: text === '' ? undefined : JSON.parse(text) }
    peer.asked.push(asked)
    peer.reply(asked, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  peer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r4`
  peer.close = () =>
    new Promise(resolve => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return peer
}
