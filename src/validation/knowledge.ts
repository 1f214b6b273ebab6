/**
 * The definitions and the answers of terminology that a validation needs: what is known is given at once, what is not is noted, fetched
 * together, and the validation run again. What it needed is remembered, so that the next of its kind runs once.
 */
import { structureOf } from '../conformance/structures.ts'
import type { Context } from '../context.ts'
import type { Structure } from '../fhir/definitions/structure.ts'
import { builtInStructure } from '../fhir/definitions/structures.ts'
import { FhirError } from '../fhir/error.ts'
import {
  type Ask,
  type AskedCoding,
  type CodeAnswer,
  type CodeQuestion,
  keyOf,
} from '../fhir/validate/profile/ask.ts'
import type { Known } from '../fhir/validate/profile/resource.ts'
import type { Storage } from '../storage/port.ts'
import { definitionsOf } from '../terminology/definitions.ts'
import { answerCodes } from '../terminology/validate-code.ts'

export interface Knowledge extends Known {
  /** Whether something was asked for that is not known. */
  wants(): boolean
  /** Finds out what was asked for. */
  learn(): Promise<void>
  /** Finds out what these questions ask. */
  ask(asks: readonly Ask[]): Promise<void>
  /** Returns which bound has left something out, as a sentence; undefined where none has. */
  leftOut(): string | undefined
  /** Returns the codings of a question that their own code systems do not know, of systems that are held here whole. */
  strangers(ask: Ask): Promise<AskedCoding[]>
}

/** Definitions that one validation may use; a hostile resource names more extensions than there are. */
const MOST_DEFINITIONS = 1000
/** Elements of the definitions that one validation may have looked up; the 62 profiles of NRCeS have some 8,000. */
const MOST_ELEMENTS = 50_000
/** What a definition that is too large to be used counts for, since it takes as much work. */
const TOO_LARGE = 20_000
/** Definitions that are fetched at once: a few of the largest go beyond the bound before it is noticed. */
const AT_ONCE = 4
/** Different questions of one validation. */
const MOST_QUESTIONS = 50_000

const LESS = 'Send less at once, or claim fewer profiles.'
const NOT_LOOKED_UP = 'too many are named at once.'
const TOO_MANY_DEFINITIONS = `This names more than ${MOST_DEFINITIONS} profiles and extensions, and the rest was not looked up. ${LESS}`
const TOO_MANY_ELEMENTS = `The profiles and extensions that this names have more than ${MOST_ELEMENTS} elements together, and the rest was not looked up. ${LESS}`
const TOO_MANY_CODES = `This holds more than ${MOST_QUESTIONS} different codes, and the rest was not looked up. ${LESS}`

/** Canonicals that validations of a kind have needed, with the number of their elements, by the storage. */
const needed = new WeakMap<Storage, Map<string, Map<string, number>>>()
const MOST_KINDS = 200
/** Of one kind; the oldest give way. What one resource names is fetched for the others too, so that it must not be much. */
const MOST_NEEDED = 300
const MOST_NEEDED_ELEMENTS = 15_000

/** Returns what is known for a validation; `kind` tells validations that need about the same. */
export async function knowledge(ctx: Context, kind: string): Promise<Knowledge> {
  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const structures = new Map<string, Structure | null>()
  const faults = new Map<string, string>()
  const answers = new Map<string, CodeAnswer>()
  const canonicals = new Set<string>()
  const questions = new Map<string, CodeQuestion>()
  const held = definitionsOf(ctx, deadline)
  const needs = neededBy(ctx.storage, kind)

  let elements = 0
  let leftOut: string | undefined
  const fetch = async (canonical: string): Promise<void> => {
    if (elements > MOST_ELEMENTS) {
      leftOut = TOO_MANY_ELEMENTS
      structures.set(canonical, null)
      faults.set(canonical, NOT_LOOKED_UP)
      return
    }
    try {
      const structure = (await structureOf(ctx, canonical, deadline)) ?? null
      elements += structure?.elements.length ?? 1
      structures.set(canonical, structure)
    } catch (error) {
      // A definition that cannot be used is as one that is not there, and said to be so; a store that is away is another matter.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      if (error.code === 'too-costly') elements += TOO_LARGE
      structures.set(canonical, null)
      faults.set(canonical, error.message)
    }
  }
  const fetchAll = async (canonicals: readonly string[]): Promise<void> => {
    for (let at = 0; at < canonicals.length; at += AT_ONCE)
      await Promise.all(canonicals.slice(at, at + AT_ONCE).map(fetch))
  }
  const answerAll = async (asked: ReadonlyMap<string, CodeQuestion>): Promise<void> => {
    const all = [...asked].filter(([key]) => !answers.has(key))
    const open = all.slice(0, MOST_QUESTIONS - answers.size)
    if (open.length < all.length) leftOut ??= TOO_MANY_CODES
    if (open.length === 0) return
    const found = await answerCodes(
      ctx,
      open.map(([, question]) => question),
      deadline,
    )
    for (const [index, [key]] of open.entries()) answers.set(key, found[index]!)
  }
  const known: Knowledge = {
    find(canonical) {
      const at = structures.get(canonical)
      if (at !== undefined) return at
      const builtIn = builtInStructure(canonical)
      if (builtIn?.snapshot) return builtIn
      if (structures.size + canonicals.size >= MOST_DEFINITIONS && !canonicals.has(canonical)) {
        leftOut ??= TOO_MANY_DEFINITIONS
        faults.set(canonical, NOT_LOOKED_UP)
        return null
      }
      canonicals.add(canonical)
      return undefined
    },
    answer({ question }) {
      const key = keyOf(question)
      const answer = answers.get(key)
      if (answer !== undefined) return answer
      if (questions.size + answers.size < MOST_QUESTIONS) questions.set(key, question)
      else if (!questions.has(key)) leftOut ??= TOO_MANY_CODES
      return undefined
    },
    broken: canonical => faults.get(canonical),
    leftOut: () => leftOut,
    wants: () => canonicals.size > 0 || questions.size > 0,
    async learn() {
      const [wanted, asked] = [[...canonicals], new Map(questions)]
      canonicals.clear()
      questions.clear()
      await fetchAll(wanted)
      for (const canonical of wanted) remember(needs, canonical, structures.get(canonical))
      await answerAll(asked)
    },
    async strangers({ question: { codings } }) {
      const found: AskedCoding[] = []
      for (const coding of codings) {
        if (coding.system === undefined) continue
        const system = await held.codeSystem(coding.system)
        if (system?.content === 'complete' && system.find(coding.code) === undefined) found.push(coding)
      }
      return found
    },
    ask: asks => answerAll(new Map(asks.map(({ question }) => [keyOf(question), question]))),
  }
  await fetchAll([...needs.keys()])
  // What others have needed is not to be set against this one.
  elements = 0
  return known
}

function remember(
  needs: Map<string, number>,
  canonical: string,
  structure: Structure | null | undefined,
): void {
  if (structure === undefined || structure === null || structure.elements.length > MOST_NEEDED_ELEMENTS)
    return
  needs.set(canonical, structure.elements.length)
  let elements = 0
  for (const count of needs.values()) elements += count
  for (const [oldest, count] of needs) {
    if (needs.size <= MOST_NEEDED && elements <= MOST_NEEDED_ELEMENTS) return
    needs.delete(oldest)
    elements -= count
  }
}

function neededBy(storage: Storage, kind: string): Map<string, number> {
  const kinds = needed.get(storage) ?? new Map<string, Map<string, number>>()
  needed.set(storage, kinds)
  const known = kinds.get(kind)
  if (known !== undefined) return known
  const made = new Map<string, number>()
  kinds.set(kind, made)
  if (kinds.size > MOST_KINDS) kinds.delete(kinds.keys().next().value!)
  return made
}
