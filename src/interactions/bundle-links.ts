/**
 * Links between the entries of a transaction: what is equal to an entry's fullUrl becomes a reference to the resource that it is.
 * https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
 */
import type { LinkMap } from '../fhir/links.ts'
import { formatReference } from '../fhir/reference.ts'

/** The resource that an entry turned out to be, and the version that the transaction makes or finds. */
export interface Identity {
  type: string
  id: string
  version: number
}

const VERSIONED = /^(.*)\/_history\/[A-Za-z0-9\-.]{1,64}$/
const RESTFUL = /^(https?:\/\/.*\/)[A-Z][A-Za-z]{1,63}\/[A-Za-z0-9\-.]{1,64}$/
const RELATIVE = /^[A-Z][A-Za-z]{1,63}\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/** Returns the address under which an entry is linked to: its fullUrl without a version, which a fullUrl should not have. */
export const linkAddress = (fullUrl: string): string => VERSIONED.exec(fullUrl)?.[1] ?? fullUrl

/**
 * Returns the map of links for the resource of an entry. `identities` is by fullUrl. `fullUrl` is the entry's own: relative references
 * are read against the server that it names.
 */
export function bundleLinks(identities: ReadonlyMap<string, Identity>, fullUrl: string | undefined): LinkMap {
  const root = fullUrl === undefined ? undefined : RESTFUL.exec(linkAddress(fullUrl))?.[1]

  const lookUp = (address: string): string | undefined => {
    const identity = identities.get(address)
    if (identity !== undefined) return formatReference(identity.type, identity.id)
    const unversioned = address.includes('/_history/') ? VERSIONED.exec(address)?.[1] : undefined
    if (unversioned === undefined) return undefined
    const versioned = identities.get(unversioned)
    return versioned && formatReference(versioned.type, versioned.id, String(versioned.version))
  }

  return (text, kind) => {
    const hash = text.indexOf('#', 1)
    const address = hash < 0 ? text : text.slice(0, hash)
    const fragment = hash < 0 ? '' : text.slice(hash)
    const found =
      lookUp(address) ??
      (kind === 'reference' && root !== undefined && RELATIVE.test(address)
        ? lookUp(root + address)
        : undefined)
    return found === undefined ? text : found + fragment
  }
}
