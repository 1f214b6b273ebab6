/** Times as people read them: in the zone of the visit, in their language, with the zone named where it is not theirs. */
import { offsetIn } from '../fhir/instant.ts'

const MINUTE = 60_000
const DAY_MINUTES = 1440

/** A time on the clocks of a zone. */
export interface Wall {
  year: number
  /** 1 to 12. */
  month: number
  day: number
  hour: number
  minute: number
  /** 0 is Sunday. */
  weekday: number
  /** Minutes ahead of UTC. */
  offset: number
}

/** Returns what the clocks of an IANA zone show; `at` is ms since 1970. */
export function wallOf(at: number, zone: string): Wall {
  const offset = offsetIn(zone, at)
  const asUtc = new Date(at + offset)
  return {
    year: asUtc.getUTCFullYear(),
    month: asUtc.getUTCMonth() + 1,
    day: asUtc.getUTCDate(),
    hour: asUtc.getUTCHours(),
    minute: asUtc.getUTCMinutes(),
    weekday: asUtc.getUTCDay(),
    offset: Math.round(offset / MINUTE),
  }
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Returns `10:08 AM`. */
export const twelveHours = ({ hour, minute }: Wall): string =>
  `${hour % 12 === 0 ? 12 : hour % 12}:${two(minute)} ${hour < 12 ? 'AM' : 'PM'}`

/** Returns `2026-11-21 10:08`. */
export const isoMinute = ({ year, month, day, hour, minute }: Wall): string =>
  `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`

const MONTHS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
  ],
  hi: ['जनवरी', 'फ़रवरी', 'मार्च', 'अप्रैल', 'मई', 'जून', 'जुलाई', 'अगस्त', 'सितंबर', 'अक्टूबर', 'नवंबर', 'दिसंबर'],
  ml: [
    'ജനുവരി',
    'ഫെബ്രുവരി',
    'മാർച്ച്',
    'ഏപ്രിൽ',
    'മേയ്',
    'ജൂൺ',
    'ജൂലൈ',
    'ഓഗസ്റ്റ്',
    'സെപ്റ്റംബർ',
    'ഒക്ടോബർ',
    'നവംബർ',
    'ഡിസംബർ',
  ],
}

const WEEKDAYS: Readonly<Record<string, readonly string[]>> = {
  en: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  hi: ['रविवार', 'सोमवार', 'मंगलवार', 'बुधवार', 'गुरुवार', 'शुक्रवार', 'शनिवार'],
  ml: ['ഞായറാഴ്ച', 'തിങ്കളാഴ്ച', 'ചൊവ്വാഴ്ച', 'ബുധനാഴ്ച', 'വ്യാഴാഴ്ച', 'വെള്ളിയാഴ്ച', 'ശനിയാഴ്ച'],
}

/** Parts of the day with the hour that they begin at, as they stand before the hour. */
const DAY_PARTS: Readonly<Record<string, readonly (readonly [from: number, words: string])[]>> = {
  hi: [
    [20, 'रात'],
    [16, 'शाम'],
    [12, 'दोपहर'],
    [4, 'सुबह'],
    [0, 'रात'],
  ],
  ml: [
    [19, 'രാത്രി'],
    [16, 'വൈകുന്നേരം'],
    [12, 'ഉച്ചയ്ക്ക്'],
    [4, 'രാവിലെ'],
    [0, 'രാത്രി'],
  ],
}

/** Returns the month's English name: `November`. */
export const monthName = ({ month }: Wall): string => MONTHS.en![month - 1]!

/** Returns a day: `Saturday, 21 November 2026`; in English for a language that has no words here. */
export function dayWords(wall: Wall, language: string): string {
  const lang = language in MONTHS ? language : 'en'
  return `${WEEKDAYS[lang]![wall.weekday]}, ${wall.day} ${MONTHS[lang]![wall.month - 1]} ${wall.year}`
}

/** Returns a time of the day: `10:08 AM`, `सुबह 10:08 बजे`. */
export function clockWords(wall: Wall, language: string): string {
  const part = DAY_PARTS[language]?.find(([from]) => wall.hour >= from)
  if (part === undefined) return twelveHours(wall)
  const clock = `${part[1]} ${wall.hour % 12 === 0 ? 12 : wall.hour % 12}:${two(wall.minute)}`
  return language === 'hi' ? `${clock} बजे` : clock
}

/** Returns a zone by its place and distance: `Kolkata, UTC+05:30`. */
export function zoneWords({ offset }: Wall, zone: string): string {
  const minutes = Math.abs(offset)
  const utc = `UTC${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  const place = zone.split('/').at(-1)!.replaceAll('_', ' ')
  return place === 'UTC' ? 'UTC' : `${place}, ${utc}`
}

/** Hours in which nobody is disturbed, minutes of the local day; `from` may be later than `to`. */
export interface QuietHours {
  from: number
  to: number
}

/** Returns the beginning and the end, ms since 1970, of the quiet hours that a time falls into; undefined for none. */
export function quietAround(
  at: number,
  quiet: QuietHours | undefined,
  zone: string,
): { from: number; to: number } | undefined {
  if (quiet === undefined || quiet.from === quiet.to) return undefined
  const { hour, minute } = wallOf(at, zone)
  const length = (quiet.to - quiet.from + DAY_MINUTES) % DAY_MINUTES
  const into = (hour * 60 + minute - quiet.from + DAY_MINUTES) % DAY_MINUTES
  if (into >= length) return undefined
  const from = Math.floor(at / MINUTE) * MINUTE - into * MINUTE
  return { from, to: from + length * MINUTE }
}
