/** What a write gives back, and the options that writes share. */
import type { Live, Stored } from '../storage/port.ts'

export interface Written {
  /** The version made; or the one found, where a conditional create made none. */
  stored: Live
  /** A live resource came to be: 201. Otherwise 200. */
  created: boolean
}

export interface Deleted {
  /** The deletions made, in the order found; empty where there was nothing to delete. */
  stored: readonly Stored[]
}

/** Parameters in the order and spelling of the URL, decoded: a name may stand several times. */
export type Pairs = readonly (readonly [name: string, value: string])[]

export interface WriteOptions {
  /** The If-Match header as sent: `W/"3"`. */
  ifMatch?: string
  /** The If-None-Match header as sent; `*` writes only where there is nothing. */
  ifNoneMatch?: string
  /** The If-Unmodified-Since header as sent. */
  ifUnmodifiedSince?: string
}
