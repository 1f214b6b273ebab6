/**
 * Whether coded values are of the value sets that they are bound to: many questions at once, as validation has them.
 * https://hl7.org/fhir/R4/terminologies.html#binding
 */
import type { Context } from '../context.ts'
import { FhirError } from '../fhir/error.ts'
import { type Concept, designationsOf } from '../fhir/terminology/code-system.ts'
import { displaysOf, isDisplay } from '../fhir/terminology/display.ts'
import { expandValueSet } from '../fhir/terminology/expand.ts'
import { memberOf, type Verdict } from '../fhir/terminology/member.ts'
import { definitionsOf, type Held } from './definitions.ts'
import { keepSet, keepVerdict, type Warm, type Warmed, warmOf } from './warm.ts'

export interface AskedCoding {
  system?: string
  version?: string
  code?: string
  display?: string
}

/** One value, and the value set that it is bound to. */
export interface Question {
  /** Canonical of the value set, `url` or `url|version`. */
  valueSet: string
  /** The codings of the value; of a `code` the one, without a system. */
  codings: readonly AskedCoding[]
  /** The value is a bare code, whose system the value set says. */
  inferSystem?: boolean
}

export interface Answer {
  /** `unknown`: what is held here, and what the terminology server says, cannot tell. */
  result: 'in' | 'out' | 'unknown'
  /** A sentence, where the result is not `in`. */
  why?: string
  /** The sentence says no more than that the value set does not have the code. */
  plain?: true
  /** A right display, where the one sent is none of the code's. */
  display?: string
  /** Position in `codings` of the one that is in. */
  matched?: number
}

type Kept = { verdict: Verdict; displays: readonly string[] | undefined }

/**
 * Returns an answer for each question, in their order. What is not known at the deadline, ms since 1970, is `unknown`. A definition that
 * this instance has stored counts at once, one of another instance after a second.
 */
export async function answerCodes(
  ctx: Context,
  questions: readonly Question[],
  deadline: number,
): Promise<Answer[]> {
  const warm = await warmOf<Kept>(ctx)
  const held = lazily(() => definitionsOf(ctx, deadline))
  const answers = new Array<Answer>(questions.length)
  const slow: number[] = []
  for (const [index, question] of questions.entries()) {
    const quick = quickAnswer(warm, question)
    if (quick === undefined) slow.push(index)
    else answers[index] = quick
  }
  const unlisted = [...new Set(slow.map(index => questions[index]!.valueSet))].filter(
    one => !warm.sets.has(one),
  )
  for (let at = 0; at < unlisted.length; at += AT_ONCE)
    await Promise.all(unlisted.slice(at, at + AT_ONCE).map(one => list(warm, one, held)))
  for (let at = 0; at < slow.length; at += AT_ONCE)
    await Promise.all(
      slow.slice(at, at + AT_ONCE).map(async index => {
        answers[index] = await slowAnswer(warm, questions[index]!, held)
      }),
    )
  return answers
}

/** Questions that are worked on at once. */
const AT_ONCE = 16

async function list(warm: Warm<Kept>, valueSet: string, held: () => Held): Promise<void> {
  try {
    keepSet(warm, valueSet, await listed(valueSet, held()))
  } catch (error) {
    // Who is asked next says so.
    if (!(error instanceof FhirError)) throw error
  }
}

const lazily = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Returns the answer of a list that is at hand, with a display that is the list's own; undefined where more has to be looked up. */
function quickAnswer({ sets }: Warm<Kept>, { valueSet, codings, inferSystem }: Question): Answer | undefined {
  const set = sets.get(valueSet)
  if (set === undefined || set === 'ask') return undefined
  for (const [matched, { system, code, display }] of codings.entries()) {
    if (code === undefined) continue
    if (system === undefined) {
      if (!inferSystem || display !== undefined) return undefined
      for (const codes of set.codes.values()) if (codes.has(code)) return { result: 'in', matched }
      continue
    }
    const codes = set.codes.get(system)
    if (codes === undefined || !codes.has(code)) continue
    if (display !== undefined && display !== codes.get(code)) return undefined
    return { result: 'in', matched }
  }
  return undefined
}

async function slowAnswer(warm: Warm<Kept>, question: Question, held: () => Held): Promise<Answer> {
  const { valueSet, codings, inferSystem } = question
  let why: string | undefined
  let plain = false
  let open: string | undefined
  try {
    const listedNow = quickAnswer(warm, question)
    if (listedNow !== undefined) return listedNow
    for (const [matched, coding] of codings.entries()) {
      if (coding.code === undefined) continue
      if (coding.system === undefined && !inferSystem) {
        why ??= `The code ${coding.code.slice(0, 100)} has no system.`
        continue
      }
      const { verdict, displays } = await verdictOn(warm, valueSet, coding, held)
      if (verdict.is === 'in') {
        const right = displays?.[0]
        const wrong =
          right !== undefined && coding.display !== undefined && !isDisplay(coding.display, displays!)
        return { result: 'in', matched, ...(wrong && { display: right }) }
      }
      if (verdict.is === 'out') {
        plain ||= why === undefined && verdict.plain === true
        why ??= sentence(verdict.why)
      } else open ??= sentence(verdict.why)
    }
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    open = error.message
  }
  if (open !== undefined) return { result: 'unknown', why: open }
  return { result: 'out', why: why ?? 'The value has no code.', ...(plain && { plain }) }
}

const sentence = (why: string): string => `${why.charAt(0).toUpperCase()}${why.slice(1)}.`

async function listed(valueSet: string, held: Held): Promise<Warmed> {
  // To list what another server has is more than to ask it about one code.
  const { listElsewhere: _, ...here } = held
  const expansion = await expandValueSet(valueSet, here)
  if ('unknown' in expansion) return 'ask'
  const codes = new Map<string, Map<string, string | undefined>>()
  for (const { system, code, display } of expansion.codes) {
    const known = codes.get(system)
    if (known === undefined) codes.set(system, new Map([[code, display]]))
    else known.set(code, display)
  }
  return { codes, size: expansion.codes.length }
}

async function verdictOn(
  warm: Warm<Kept>,
  valueSet: string,
  { system, code, display }: AskedCoding,
  held: () => Held,
): Promise<Kept> {
  const name = JSON.stringify([valueSet, system, code])
  let known = warm.verdicts.get(name)
  if (known === undefined) {
    known = { verdict: await memberOf(valueSet, { system, code: code! }, held()), displays: undefined }
    // What another server could not say now, it may say in a moment.
    if (known.verdict.is !== 'unknown' || held().remote === undefined) keepVerdict(warm, name, known)
  }
  if (known.verdict.is === 'in' && display !== undefined && known.displays === undefined) {
    known = { ...known, displays: await displaysIn(known.verdict, held()) }
    keepVerdict(warm, name, known)
  }
  return known
}

type In = Extract<Verdict, { is: 'in' }>

/** Returns the displays that a code may be sent with, the best first: the value set's own, and those of its code system. */
export async function displaysIn(verdict: In, held: Held): Promise<string[]> {
  const { system, code, concept } = verdict
  return displaysBy(verdict, concept ?? (await conceptOf(system, code, held)))
}

/** Returns the displays of the value set and of the concept, designations among them. */
export const displaysBy = ({ display, entry }: In, concept: Concept | undefined): string[] => [
  ...(display === undefined ? [] : [display]),
  ...designationsOf(entry).map(({ value }) => value),
  ...displaysOf(concept),
]

/** Returns the concept of a code as far as it is held here. */
export async function conceptOf(canonical: string, code: string, held: Held): Promise<Concept | undefined> {
  const system = await held.codeSystem(canonical)
  return system?.find(code) ?? (await (await held.askedSystem(canonical))?.find(code))
}
