/** The other side of UHI on real sockets: registry, gateway and app in one server. It signs and verifies with OpenSSL, not with our code. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// biome-ignore lint/suspicious/noExplicitAny: trees of JSON whose shape the tests themselves assert.
export type Tree = any

export interface Party {
  id: string
  keyId: string
  privateKey: KeyObject
  /** Base64 of SPKI. */
  publicKey: string
}

export function party(id: string, keyId: string): Party {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    id,
    keyId,
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

/** Base64 of PKCS8: what our settings take. */
export const pkcs8 = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'der' }).toString('base64')
export const keyOfPkcs8 = (text: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })

const hash = (data: string | Buffer): string => createHash('blake2b512').update(data).digest('base64')
const signed = (created: string, expires: string, body: Buffer): Buffer =>
  Buffer.from(hash(`(created): ${created} (expires): ${expires} digest: BLAKE-512=${hash(body)}`))

/** Returns the header that a party makes for a body; seconds since 1970. */
export const header = (by: Party, body: string, created: number, expires = created + 10): string =>
  JSON.stringify({
    headers: '(created) (expires) digest',
    expires: String(expires),
    signature: sign(
      null,
      signed(String(created), String(expires), Buffer.from(body)),
      by.privateKey,
    ).toString('base64'),
    created: String(created),
    keyId: `${by.id}|${by.keyId}|ed25519`,
    algorithm: 'ed25519',
  })

/** Whether a header was made by the key for the body. */
export function isSignedBy(publicKey: string, text: string, body: Buffer): boolean {
  const { created, expires, signature } = JSON.parse(text)
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  return verify(null, signed(created, expires, body), key, Buffer.from(signature, 'base64'))
}

export interface Received {
  path: string
  body: Buffer
  json: Tree
  authorization: string
}

export interface Peers {
  url: string
  /** Without lookups. */
  received: Received[]
  lookups: Tree[]
  /** What the registry answers for a subscriber: a record, a status, or a text. */
  records: Map<string, unknown>
  /** How callbacks are answered; ACK where it returns undefined. */
  reply: (path: string) => { status?: number; text?: string } | undefined
  /** How the registry behaves instead of answering. */
  registry: 'well' | 'down' | 'garbage' | 'slow' | 'huge'
  close(): Promise<void>
}

const ACK = JSON.stringify({ message: { ack: { status: 'ACK' } }, error: {} })

export async function startPeers(): Promise<Peers> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', piece => pieces.push(piece))
    request.on('end', () => {
      const body = Buffer.concat(pieces)
      const path = request.url ?? ''
      const send = (status: number, text: string) =>
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(text)
      if (path.endsWith('/networkregistry/lookup')) {
        const asked = JSON.parse(body.toString())
        peers.lookups.push({ ...asked, authorization: request.headers.authorization })
        if (peers.registry === 'down') return void request.socket.destroy()
        if (peers.registry === 'garbage') return void send(200, '<html>no</html>')
        if (peers.registry === 'huge') return void send(200, `["${'x'.repeat(200_000)}"]`)
        if (peers.registry === 'slow') return void setTimeout(() => send(200, '{}'), 2000).unref()
        const record = peers.records.get(asked.subscriber_id)
        return void (record === undefined
          ? send(404, '{"message":"No record found!"}')
          : send(200, JSON.stringify(record)))
      }
      peers.received.push({
        path,
        body,
        json: JSON.parse(body.toString()),
        authorization: String(request.headers.authorization),
      })
      const reply = peers.reply(path)
      send(reply?.status ?? 200, reply?.text ?? ACK)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const peers: Peers = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    lookups: [],
    records: new Map(),
    reply: () => undefined,
    registry: 'well',
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return peers
}

/** The record of a subscriber in the registry. */
export const record = (of: Party, type: string, url: string, more: Record<string, unknown> = {}) => ({
  participant_id: `p-${of.id}`,
  subscriber_id: of.id,
  country: 'IND',
  city: 'std:0484',
  domain: 'nic2004:85111',
  unique_key_id: of.keyId,
  pub_key_id: of.keyId,
  signing_public_key: '',
  encr_public_key: of.publicKey,
  valid_from: '2026-01-01T00:00:00Z',
  valid_until: '2027-01-01T00:00:00Z',
  status: 'SUBSCRIBED',
  type,
  subscriber_url: url,
  ...more,
})
