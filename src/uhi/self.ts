/** Who this HSPA is on the network. */
import type { Settings } from '../config.ts'
import { privateKeyOf, type Signer } from './signature.ts'

export interface Self {
  signer: Signer
  /** Our provider_uri. */
  url: string
  /** Where first searches are answered and audit copies go, without a slash at the end. */
  gateway: string
  /** The lookup of the registry. */
  registry: string
}

/** Returns who we are; undefined where the settings do not say all of it. */
export function selfOf({ uhi, baseUrl }: Settings): Self | undefined {
  const { subscriberId, keyId, privateKey: text } = uhi
  const privateKey = text === undefined ? undefined : privateKeyOf(text)
  if (subscriberId === undefined || keyId === undefined || privateKey === undefined) return undefined
  return {
    signer: { subscriberId, keyId, privateKey },
    url: uhi.url ?? `${new URL(baseUrl).origin}/hspa`,
    gateway: `${uhi.gatewayUrl}/api/v1/uhi`,
    registry: `${uhi.registryUrl ?? uhi.gatewayUrl}/api/v1/networkregistry/lookup`,
  }
}
