/** Times in requests: ISO 8601 as clients write it. https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
import { timeRange } from '../../fhir/instant.ts'
import type { Json } from '../../fhir/json.ts'

const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const EARLIEST = -62_135_596_800_000
const WEEK = 7 * 86_400_000

/**
 * Returns ms since 1970, of a day its midnight; undefined for what is no time of the years 1 to 9999. What has no offset is in `zone` (IANA).
 */
export function instantIn(value: Json | undefined, zone: string): number | undefined {
  if (typeof value !== 'string' || value.length > 60 || value.length < 10) return undefined
  const iso = value
    .trim()
    .replace(/^(.{10})[ t]/, '$1T')
    .replace(/z$/, 'Z')
    .replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  const at = timeRange(iso, zone)?.lo
  return at === undefined || at < EARLIEST || at > LATEST ? undefined : at
}

/** Returns the end of the seven days that a search without an end looks at. */
export const weekAfter = (start: number): number => Math.min(start + WEEK, LATEST)
