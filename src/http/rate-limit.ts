/** How many requests are taken in a minute, of one address and of all: buckets that fill again as time passes. */

/** Addresses that are remembered. */
const MOST_ADDRESSES = 10_000
const MINUTE = 60_000

interface Bucket {
  left: number
  /** ms since 1970. */
  at: number
}

/** Returns the test whether an address may make one more request; `now` is ms since 1970. */
export function createRateLimit(
  perAddress: number,
  inAll: number,
): (address: string, now: number) => boolean {
  const buckets = new Map<string, Bucket>()
  const all: Bucket = { left: inAll, at: Number.NEGATIVE_INFINITY }
  const fill = (bucket: Bucket, most: number, now: number): void => {
    const passed = Math.max(0, now - bucket.at)
    bucket.left = Math.min(most, bucket.left + (passed / MINUTE) * most)
    bucket.at = now
  }
  return (address, now) => {
    fill(all, inAll, now)
    const bucket = buckets.get(address) ?? { left: perAddress, at: now }
    fill(bucket, perAddress, now)
    // Most recently seen last; who is forgotten begins with a full bucket, and all together are still bounded.
    buckets.delete(address)
    buckets.set(address, bucket)
    if (buckets.size > MOST_ADDRESSES) buckets.delete(buckets.keys().next().value!)
    if (bucket.left < 1 || all.left < 1) return false
    bucket.left--
    all.left--
    return true
  }
}
