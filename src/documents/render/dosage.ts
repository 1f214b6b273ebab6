/** Dosages in words. https://hl7.org/fhir/R4/dosage.html */
import type { JsonObject } from '../../fhir/json.ts'
import { all, choice, isTrue, joined, known, one, text, texts } from './tree.ts'
import { periodText } from './when.ts'
import { conceptsText, conceptText, durationText, quantityText, rangeText, ratioText } from './words.ts'

/** https://hl7.org/fhir/R4/valueset-event-timing.html */
const EVENTS: Record<string, string> = {
  MORN: 'in the morning',
  'MORN.early': 'early in the morning',
  'MORN.late': 'late in the morning',
  NOON: 'at noon',
  AFT: 'in the afternoon',
  'AFT.early': 'early in the afternoon',
  'AFT.late': 'late in the afternoon',
  EVE: 'in the evening',
  'EVE.early': 'early in the evening',
  'EVE.late': 'late in the evening',
  NIGHT: 'at night',
  PHS: 'after falling asleep',
  HS: 'at bedtime',
  WAKE: 'on waking',
  C: 'with meals',
  CM: 'with breakfast',
  CD: 'with lunch',
  CV: 'with dinner',
  AC: 'before meals',
  ACM: 'before breakfast',
  ACD: 'before lunch',
  ACV: 'before dinner',
  PC: 'after meals',
  PCM: 'after breakfast',
  PCD: 'after lunch',
  PCV: 'after dinner',
}

/** https://hl7.org/fhir/R4/v3/GTSAbbreviation/vs.html */
const ABBREVIATIONS: Record<string, string> = {
  QD: 'once a day',
  BID: 'twice a day',
  TID: '3 times a day',
  QID: '4 times a day',
  QOD: 'every other day',
  AM: 'every morning',
  PM: 'every afternoon',
  BED: 'at bedtime',
  Q1H: 'every hour',
  Q2H: 'every 2 hours',
  Q3H: 'every 3 hours',
  Q4H: 'every 4 hours',
  Q6H: 'every 6 hours',
  Q8H: 'every 8 hours',
  WK: 'weekly',
  MO: 'monthly',
}

const DAYS: Record<string, string> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
}

const times = (count: string): string => known({ 1: 'once', 2: 'twice' }, count) ?? `${count} times`

const span = (low: string | undefined, high: string | undefined): string | undefined =>
  low !== undefined && high !== undefined && low !== high ? `${low} to ${high}` : low

/** Returns how often and when: `twice a day, after meals, as needed`; undefined where the dosage does not say. */
export function timingText(dosage: JsonObject, zone: string): string | undefined {
  const timing = one(dosage, 'timing')
  const repeat = one(timing, 'repeat')
  const code = one(timing, 'code')
  const abbreviation = all(code, 'coding')
    .map(coding => known(ABBREVIATIONS, text(coding, 'code')))
    .find(found => found !== undefined)
  const parts = [
    text(code, 'text') ?? abbreviation ?? conceptText(code),
    repeat && rhythm(repeat),
    ...whens(repeat),
    joined(texts(repeat, 'timeOfDay').map(time => `at ${time.slice(0, 5)}`)),
    joined(texts(repeat, 'dayOfWeek').map(day => known(DAYS, day))) &&
      `on ${joined(texts(repeat, 'dayOfWeek').map(day => known(DAYS, day)))}`,
    texts(timing, 'event').length > 0
      ? joined(texts(timing, 'event').map(at => periodText({ start: at, end: at }, zone)))
      : undefined,
    needed(dosage),
  ]
  return joined([...new Set(parts)])
}

function rhythm(repeat: JsonObject): string | undefined {
  const frequency = span(text(repeat, 'frequency'), text(repeat, 'frequencyMax'))
  const period = span(text(repeat, 'period'), text(repeat, 'periodMax'))
  const unit = text(repeat, 'periodUnit')
  if (period === undefined || unit === undefined) return frequency && times(frequency)
  const single = durationText('1', unit)!.slice(2)
  const each = period === '1' ? (unit === 'h' ? 'an hour' : `a ${single}`) : undefined
  if (frequency === undefined || frequency === '1') {
    if (each === undefined) return `every ${durationText(period, unit)}`
    return unit === 'h' ? 'every hour' : `once ${each}`
  }
  return each === undefined
    ? `${times(frequency)} every ${durationText(period, unit)}`
    : `${times(frequency)} ${each}`
}

function whens(repeat: JsonObject | undefined): (string | undefined)[] {
  const offset = text(repeat, 'offset')
  const before = offset === undefined ? '' : `${durationText(offset, 'min')} `
  return texts(repeat, 'when').map(when => {
    const words = known(EVENTS, when) ?? when
    return /^(before|after)/.test(words) ? `${before}${words}` : words
  })
}

function needed(dosage: JsonObject): string | undefined {
  const reason = one(dosage, 'asNeededCodeableConcept')
  if (reason !== undefined) return `as needed for ${conceptText(reason) ?? 'the reason given'}`
  return isTrue(dosage, 'asNeededBoolean') ? 'as needed' : undefined
}

/** Returns what is taken each time: `1 tablet`, `5 to 10 mL`. */
export function doseText(dosage: JsonObject): string | undefined {
  const amounts = all(dosage, 'doseAndRate').map(each => {
    const dose = choice(each, 'dose')
    const rate = choice(each, 'rate')
    return joined([amount(dose), rate && `at ${amount(rate)}`], ' ')
  })
  return joined(amounts)
}

function amount(found: ReturnType<typeof choice>): string | undefined {
  if (found === undefined) return undefined
  const [member, value] = found
  const object = value as JsonObject
  if (member.endsWith('Range')) return rangeText(object)
  return member.endsWith('Ratio') ? ratioText(object) : quantityText(object)
}

/** Returns how long it is taken: `5 days`, from and to, or a number of times. */
export function courseText(dosage: JsonObject, zone: string): string | undefined {
  const repeat = one(one(dosage, 'timing'), 'repeat')
  const duration = one(repeat, 'boundsDuration')
  const count = text(repeat, 'count')
  return (
    quantityText(duration) ??
    rangeText(one(repeat, 'boundsRange')) ??
    periodText(one(repeat, 'boundsPeriod'), zone) ??
    (count && times(count))
  )
}

/** Returns what else is said: how and where, for the patient, and the text where it says more than the rest. */
export function instructionText(dosage: JsonObject): string | undefined {
  const structured = one(dosage, 'timing') !== undefined || all(dosage, 'doseAndRate').length > 0
  return joined(
    [
      structured ? text(dosage, 'text') : undefined,
      text(dosage, 'patientInstruction'),
      conceptsText(dosage, 'additionalInstruction'),
      joined([
        conceptText(one(dosage, 'method')),
        conceptText(one(dosage, 'route')),
        conceptText(one(dosage, 'site')),
      ]),
    ].filter((part, i, parts) => parts.indexOf(part) === i),
    '\n',
  )
}
