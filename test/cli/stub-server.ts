/** A FHIR server that only writes down what it is sent, and answers as the test says: the other side of the loader. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Answer {
  status: number
  body: unknown
}

export interface StubServer {
  base: string
  /** Bodies in the order of their arrival, as text. */
  received: string[]
  /** Most requests that were under way at one time. */
  atOnce(): number
  stop(): Promise<void>
}

interface Bundle {
  type: string
  entry?: { resource?: { id?: string }; request?: { method: string; url: string } }[]
}

/** Starts it. `answer` decides by the posted Bundle; undefined answers that all was stored. */
export async function stubServer(
  answer: (bundle: Bundle, text: string) => Answer | 'hang up' | undefined = () => undefined,
  delay = 5,
): Promise<StubServer> {
  const received: string[] = []
  let now = 0
  let most = 0
  const server = createServer(async (request, response) => {
    const reply = ({ status, body }: Answer) => {
      response.writeHead(status, { 'Content-Type': 'application/fhir+json' })
      response.end(JSON.stringify(body))
    }
    if (request.method === 'GET') return reply({ status: 200, body: { resourceType: 'CapabilityStatement' } })
    most = Math.max(most, ++now)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    received.push(text)
    await new Promise(resolve => setTimeout(resolve, delay))
    now--
    const bundle = JSON.parse(text) as Bundle
    const said = answer(bundle, text)
    if (said === 'hang up') return request.socket.destroy()
    const entry = (bundle.entry ?? []).map(() => ({ response: { status: '201 Created' } }))
    reply(said ?? { status: 200, body: { resourceType: 'Bundle', type: `${bundle.type}-response`, entry } })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    received,
    atOnce: () => most,
    stop: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
