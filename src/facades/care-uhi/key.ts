/** The shared key, where one is set. */
import { Refusal } from './refusal.ts'

/** Returns the check of a key as it was sent; it throws Refusal (401). It takes as long for any key as for any other. */
export function createKeyCheck(key: string | undefined): (sent: string | null) => Promise<void> {
  if (key === undefined) return async () => {}
  const digest = async (text: string): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const wanted = digest(key)
  return async sent => {
    const [a, b] = [await wanted, await digest(sent ?? '')]
    let difference = 0
    for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!
    if (difference !== 0) throw new Refusal(401, 'The header X-API-Key is missing or wrong')
  }
}
