/**
 * Whether a text is a date, dateTime, instant or time that the calendar and the clock know.
 * https://hl7.org/fhir/R4/datatypes.html#dateTime
 */

const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Returns what is wrong with a date, or undefined. */
export function dateFault(text: string): string | undefined {
  const end = dayEnd(text)
  if (end === text.length) return undefined
  return end === NO_SUCH_DAY ? noSuchDay(text) : 'is not a date. Write YYYY, YYYY-MM or YYYY-MM-DD'
}

/** Returns what is wrong with a dateTime, or undefined. */
export function dateTimeFault(text: string): string | undefined {
  const end = dayEnd(text)
  if (end === text.length) return undefined
  if (end === NO_SUCH_DAY) return noSuchDay(text)
  return end === 10 && text.charCodeAt(10) === 84 && zoneEnd(text, clockEnd(text, 11)) === text.length
    ? undefined
    : 'is not a dateTime. Write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz, with hours from 00 to 23, seconds and a zone'
}

/** Returns what is wrong with an instant, or undefined. */
export function instantFault(text: string): string | undefined {
  const end = dayEnd(text)
  if (end === NO_SUCH_DAY) return noSuchDay(text)
  return end === 10 && text.charCodeAt(10) === 84 && zoneEnd(text, clockEnd(text, 11)) === text.length
    ? undefined
    : 'is not an instant. Write YYYY-MM-DDThh:mm:ss.sss+zz:zz, with hours from 00 to 23, seconds and a zone'
}

/** Returns what is wrong with a time, or undefined. */
export function timeFault(text: string): string | undefined {
  return clockEnd(text, 0) === text.length
    ? undefined
    : 'is not a time. Write hh:mm:ss, with hours from 00 to 23 and without a zone'
}

const noSuchDay = (text: string): string =>
  `is not a day of the calendar: ${text.slice(0, 7)} has ${monthLength(text)} days`

function monthLength(text: string): number {
  const month = digits(text, 5, 2)
  return month === 2 && isLeap(digits(text, 0, 4)) ? 29 : LENGTHS[month - 1]!
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** Returns the number that `count` digits make, or -1 where one is no digit. */
function digits(text: string, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

const NONE = -2
const NO_SUCH_DAY = -1

/** Returns where YYYY[-MM[-DD]] ends, or one of the two constants above. */
function dayEnd(text: string): number {
  // The year 0000 does not exist in FHIR.
  if (digits(text, 0, 4) < 1) return NONE
  if (text.charCodeAt(4) !== 45) return 4
  const month = digits(text, 5, 2)
  if (month < 1 || month > 12) return NONE
  if (text.charCodeAt(7) !== 45) return 7
  const day = digits(text, 8, 2)
  if (day < 1 || day > 31) return NONE
  return day > 28 && day > monthLength(text) ? NO_SUCH_DAY : 10
}

/** Returns where hh:mm:ss[.s...] ends that begins at `at`, or -1. Second 60 is a leap second, which R4 allows. */
function clockEnd(text: string, at: number): number {
  const hour = digits(text, at, 2)
  const minute = digits(text, at + 3, 2)
  const second = digits(text, at + 6, 2)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1
  if (text.charCodeAt(at + 2) !== 58 || text.charCodeAt(at + 5) !== 58) return -1
  let end = at + 8
  if (text.charCodeAt(end) !== 46) return end
  do end++
  while (digits(text, end, 1) >= 0)
  return end === at + 9 ? -1 : end
}

/** Returns where Z or +hh:mm ends that begins at `at`, or -1; zones go to 14:00. */
function zoneEnd(text: string, at: number): number {
  if (at < 0) return -1
  const sign = text.charCodeAt(at)
  if (sign === 90) return at + 1
  if ((sign !== 43 && sign !== 45) || text.charCodeAt(at + 3) !== 58) return -1
  const hour = digits(text, at + 1, 2)
  const minute = digits(text, at + 4, 2)
  if (hour < 0 || minute < 0 || minute > 59) return -1
  return hour < 14 || (hour === 14 && minute === 0) ? at + 6 : -1
}
