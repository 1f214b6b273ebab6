/**
 * Strings and words. `:contains` is answered by windows: the first characters of each end of a value, so that a text within it begins a
 * window, and one range of the index finds it however short it is.
 * https://hl7.org/fhir/R4/search.html#string
 */
import type { Document } from 'mongodb'
import { fhirError } from '../../fhir/error.ts'
import type { Node, Op, ParamName } from '../../search/plan-node.ts'
import {
  afterPrefix,
  beginning,
  CUT,
  exactTerm,
  LONG,
  longMark,
  textPrefix,
  textTerm,
  windowPrefix,
} from './terms.ts'

/** Characters (code points) of a window. */
const WINDOW = 8
/** A resource has windows up to this number; the values of its further parameters are looked at one by one. */
const MOST_WINDOWS = 4000
/** Longer texts stand in no index. */
const LONGEST_TEXT = 8000

/**
 * Parameters whose values are as a rule among those of another: their windows are then that one's. Where they are not, as with a parameter
 * redefined, they have their own.
 */
const AMONG: Readonly<Record<string, string>> = {
  given: 'name',
  family: 'name',
  'address-city': 'address',
  'address-country': 'address',
  'address-postalcode': 'address',
  'address-state': 'address',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is CUT
const WHERE_CUT = /\u0002/

/** One element of `ix` in a range: without $elemMatch one element could meet one bound and another the other. */
export const ranged = (from: string, to: string): Document => ({
  ix: { $elemMatch: { $gte: from, $lt: to } },
})
export const starting = (prefix: string): Document => ranged(prefix, afterPrefix(prefix))

/** Returns the filter of resources with a text of the parameter that begins so. */
export function startsWith(param: ParamName, value: string): Document {
  const short = starting(textPrefix(param) + beginning(value))
  if (value.length <= LONG) return short
  return { ...short, w: { $elemMatch: { p: param, v: { $gte: value, $lt: afterPrefix(value) } } } }
}

/** Returns the filter of a string node. Throws FhirError `value` for a text that is too long to look for. */
export function byText(node: Node & { kind: 'string' }): Document {
  const { param, match, value } = node
  if (match === 'equals') return { ix: textTerm(param, value) }
  if (match === 'exact') return { ix: exactTerm(param, value) }
  if (match === 'starts') return startsWith(param, value)
  if (match !== 'contains' && match !== 'ends') return compared(param, match, value)
  if (value === '') return startsWith(param, value)
  if (value.length > LONGEST_TEXT)
    throw fhirError('value', `A text for :contains has at most ${LONGEST_TEXT} characters.`)
  return containing(param, value, match === 'ends')
}

const OPERATOR: Record<Op, string> = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' }

function compared(param: ParamName, op: Op, value: string): Document {
  const prefix = textPrefix(param)
  const bound = { [OPERATOR[op]]: prefix + value }
  const range = op.startsWith('<') ? { $gte: prefix, ...bound } : { ...bound, $lt: afterPrefix(prefix) }
  // A longer value stands where it is cut, which is beyond all that this one is compared by.
  if (value.length < LONG - 1) return { ix: { $elemMatch: range } }
  return {
    $or: [
      inShortTexts(range),
      { ix: longMark(param), w: { $elemMatch: { p: param, v: { [OPERATOR[op]]: value } } } },
    ],
  }
}

/** Returns the filter of texts in a range of the index that stand there whole. */
export const inShortTexts = (range: Document): Document => ({
  ix: { $elemMatch: { ...range, $not: WHERE_CUT } },
})

function containing(param: ParamName, value: string, ends: boolean): Document {
  if (value.length > LONG) return { ix: longMark(param), ...inLong(param, value, ends) }
  const short = inShort(param, value, ends)
  const marked = { ix: longMark(param), $or: [short, inLong(param, value, ends)] }
  const walked = { $or: [{ ...starting(textPrefix(param)), ...short }, marked] }
  if (!hasWindows(param)) return walked
  const first = [...value.trimStart()].slice(0, WINDOW)
  const start = first.join('')
  if (start === '') return walked
  // Only at its end does a value have shorter windows.
  const at = (name: ParamName): Document =>
    first.length < WINDOW && !ends ? starting(windowPrefix(name) + start) : { ix: windowPrefix(name) + start }
  const told = start === value && (!ends || first.length < WINDOW)
  const own = told ? at(param) : { ...at(param), ...short }
  const whole = coveringOf(param)
  const others = whole === undefined ? [] : [{ ...at(whole), ...short }]
  return { $or: [own, ...others, marked] }
}

/** Some value that stands whole in `ix` contains the text, or ends with it. */
function inShort(param: ParamName, value: string, ends: boolean): Document {
  const prefix = textPrefix(param)
  return someOf('$ix', [
    { $eq: [{ $indexOfBytes: ['$$one', { $literal: prefix }] }, 0] },
    hasText('$$one', value, Buffer.byteLength(prefix), ends),
    // The hash at the end of a longer value is no text.
    { $eq: [{ $indexOfBytes: ['$$one', CUT] }, -1] },
  ])
}

const inLong = (param: ParamName, value: string, ends: boolean): Document =>
  someOf('$w', [{ $eq: ['$$one.p', { $literal: param }] }, hasText('$$one.v', value, 0, ends)])

/** The field has the text from its byte `start` on, or at its end; bytes, because that way no half character can be found. */
const hasText = (field: string, value: string, start: number, ends: boolean): Document => {
  const last = { $subtract: [{ $strLenBytes: field }, Buffer.byteLength(value)] }
  const from = ends ? { $max: [start, last] } : start
  return { $gte: [{ $indexOfBytes: [field, { $literal: value }, from] }, 0] }
}

/** An expression is never answered by an index, so what stands beside it drives. */
const someOf = (field: string, all: readonly Document[]): Document => ({
  $expr: {
    $anyElementTrue: [{ $map: { input: { $ifNull: [field, []] }, as: 'one', in: { $and: [...all] } } }],
  },
})

/** Texts of tokens are searched from their beginning only. */
const hasWindows = (param: ParamName): boolean => !param.endsWith(':text')

function coveringOf(param: ParamName): ParamName | undefined {
  const dot = param.lastIndexOf('.')
  const name = AMONG[param.slice(dot + 1)]
  return name === undefined ? undefined : param.slice(0, dot + 1) + name
}

/** What `:contains` needs of a resource: window terms, and the parameters whose values are too many for them. */
export interface Windows {
  terms: string[]
  unwindowed: ParamName[]
}

/** Returns the windows of the folded values of each parameter, where there is room for so many terms. */
export function windowsOf(values: ReadonlyMap<ParamName, ReadonlySet<string>>, room: number): Windows {
  const most = Math.min(MOST_WINDOWS, room)
  const terms: string[] = []
  const unwindowed: ParamName[] = []
  const params = [...values.keys()].filter(hasWindows)
  const covered = params.filter(param => coveringOf(param) !== undefined)
  for (const param of [...params.filter(one => coveringOf(one) === undefined), ...covered]) {
    const texts = values.get(param)!
    const covering = coveringOf(param) ?? ''
    const whole = unwindowed.includes(covering) ? undefined : values.get(covering)
    if (whole !== undefined && [...texts].every(text => whole.has(text))) continue
    const own = new Set<string>()
    for (const text of texts) if (text.length <= LONG) addWindows(windowPrefix(param), text, own)
    if (terms.length + own.size > most) unwindowed.push(param)
    else for (const term of own) terms.push(term)
  }
  return { terms, unwindowed }
}

function addWindows(prefix: string, text: string, terms: Set<string>): void {
  const points = [...text]
  for (let i = 0; i < points.length; i++)
    // Folded texts to look for begin with no blank.
    if (points[i] !== ' ') terms.add(prefix + points.slice(i, i + WINDOW).join(''))
}
