/** Addresses of clients, and of names. */
import { lookup } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import type { AppDeps } from '../http/exchange.ts'

/** Returns the test that names the address of a client: that of the connection, or the one that a trusted proxy reports. */
export const clientAddress =
  (isProxy: AppDeps['fromTrustedProxy']): NonNullable<AppDeps['addressOf']> =>
  (request, bindings) => {
    const peer = (bindings as { incoming?: IncomingMessage }).incoming?.socket.remoteAddress ?? ''
    if (isProxy?.(bindings) !== true) return peer
    // The last is the one that the nearest proxy has written.
    return request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim().slice(0, 64) || peer
  }

/** Returns the addresses of a name, as the system looks it up. Throws where it has none, or where that is not known in two seconds. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('The name was not looked up in time.')), 2000).unref()
  })
  const found = await Promise.race([lookup(name, { all: true, verbatim: true }), late])
  return found.map(({ address }) => address)
}
