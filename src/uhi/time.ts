/** Times in messages of UHI: inside a message they have no zone and are India's. */

const INDIA = 330 * 60_000
const LOCAL =
  /^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?$/

/** Returns whether a text is a day that there is: `1990-02-11`. */
export function isDay(text: string): boolean {
  const at = /^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** Returns the local time `2026-06-18T10:37:32` of ms since 1970. */
export const localAt = (at: number): string => new Date(at + INDIA).toISOString().slice(0, 19)

/** Returns ms since 1970 of a time as it comes: without a zone India's; undefined where it is none. */
export function millisOf(text: string): number | undefined {
  const match = LOCAL.exec(text)
  if (match === null || !isDay(text.slice(0, 10))) return undefined
  const at = Date.parse(match[6] === undefined ? `${text}+05:30` : text)
  return Number.isNaN(at) ? undefined : at
}

/** Returns a time as it stands in messages, undefined where it is none. */
export function localOf(text: string): string | undefined {
  const at = millisOf(text)
  return at === undefined ? undefined : localAt(at)
}

/** Returns the instant or dateTime of FHIR of a local time. */
export const instantOfLocal = (local: string): string => `${local}+05:30`

const UNIT = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 } as const

/** Returns the ms of a duration as `PT30S`, undefined where it is none. https://en.wikipedia.org/wiki/ISO_8601#Durations */
export function durationOf(text: string): number | undefined {
  const match =
    /^P(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})(?:\.[0-9]+)?S)?)?$/.exec(
      text,
    )
  if (match === null || text.endsWith('P') || text.endsWith('T')) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return Number(days) * UNIT.D + Number(hours) * UNIT.H + Number(minutes) * UNIT.M + Number(seconds) * UNIT.S
}
