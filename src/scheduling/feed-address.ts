/**
 * Private addresses of calendar feeds. Who has the address may read: it is made of a secret of the server and a number that counts up when
 * an address is revoked, so that no address stands in the store.
 */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { fromBase64, toBase64 } from '../lib/base64.ts'
import type { Key } from '../storage/port.ts'

/** Types that have a feed. */
export const FEEDS: readonly string[] = ['Patient', 'Practitioner']

const SECRET = 'calendar feed secret'
const revisionOf = (key: Key): string => `calendar feed ${key}`

/** Returns the address of the feed of a Patient or Practitioner; it is the same until it is revoked. */
export async function feedAddress(ctx: Context, key: Key): Promise<string> {
  const { origin } = new URL(ctx.settings.baseUrl)
  return `${origin}/console/calendar/${key}/${await passOf(ctx, key)}.ics`
}

/** Returns whether a pass opens the feed at this moment. */
export async function isPass(ctx: Context, key: Key, pass: string): Promise<boolean> {
  const right = await passOf(ctx, key)
  if (right.length !== pass.length) return false
  let difference = 0
  for (let i = 0; i < right.length; i++) difference |= right.charCodeAt(i) ^ pass.charCodeAt(i)
  return difference === 0
}

/** Makes the address that was given before useless. Throws `conflict` where others keep doing the same. */
export async function revokeFeed(ctx: Context, key: Key): Promise<void> {
  const name = revisionOf(key)
  for (let race = 0; race < 10; race++) {
    const seen = await ctx.storage.counter(name)
    const done = await ctx.storage.commit({
      id: ctx.newId(),
      at: ctx.clock(),
      epoch: await ctx.storage.epoch(),
      changes: [],
      require: [{ is: 'counter', name, seen, next: seen + 1 }],
      outbox: [],
    })
    if (done.ok) return
  }
  throw fhirError('conflict', 'The address was revoked by others at the same time. Try again.')
}

async function passOf(ctx: Context, key: Key): Promise<string> {
  const fresh = toBase64(crypto.getRandomValues(new Uint8Array(32)))
  const secret = fromBase64(await ctx.storage.keep(SECRET, fresh))!
  const hmac = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const revision = await ctx.storage.counter(revisionOf(key))
  const signed = await crypto.subtle.sign('HMAC', hmac, new TextEncoder().encode(`${key} ${revision}`))
  return toBase64(new Uint8Array(signed)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
