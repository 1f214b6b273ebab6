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
  /** Returns the codings of a question that their own code systems do not know, of systems that are held here whole. */
  strangers(ask: Ask): Promise<AskedCoding[]>
}

/** Definitions that one validation may use; a hostile resource names more extensions than there are. */
const MOST_DEFINITIONS = 1000
/** Definitions that are fetched at once. */
const AT_ONCE = 16
/** Different questions of one validation. */
const MOST_QUESTIONS = 5000

/** Canonicals that validations of a kind have needed, by the storage. */
const needed = new WeakMap<Storage, Map<string, Set<string>>>()
const MOST_KINDS = 200
const MOST_NEEDED = 300

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

  const fetch = async (canonical: string): Promise<void> => {
    try {
      structures.set(canonical, (await structureOf(ctx, canonical, deadline)) ?? null)
    } catch (error) {
      // A definition that cannot be used is as one that is not there, and said to be so; a store that is away is another matter.
      if (!(error instanceof FhirError) || error.status >= 500) throw error
      structures.set(canonical, null)
      faults.set(canonical, error.message)
    }
  }
  const fetchAll = async (canonicals: readonly string[]): Promise<void> => {
    for (let at = 0; at < canonicals.length; at += AT_ONCE)
      await Promise.all(canonicals.slice(at, at + AT_ONCE).map(fetch))
  }
  const answerAll = async (asked: ReadonlyMap<string, CodeQuestion>): Promise<void> => {
    const open = [...asked].filter(([key]) => !answers.has(key)).slice(0, MOST_QUESTIONS - answers.size)
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
      if (structures.size + canonicals.size >= MOST_DEFINITIONS) return null
      canonicals.add(canonical)
      return undefined
    },
    answer({ question }) {
      const key = keyOf(question)
      const answer = answers.get(key)
      if (answer === undefined && questions.size + answers.size < MOST_QUESTIONS) questions.set(key, question)
      return answer
    },
    broken: canonical => faults.get(canonical),
    wants: () => canonicals.size > 0 || questions.size > 0,
    async learn() {
      const [wanted, asked] = [[...canonicals], new Map(questions)]
      canonicals.clear()
      questions.clear()
      await fetchAll(wanted)
      for (const canonical of wanted)
        if (needs.size < MOST_NEEDED && structures.get(canonical) !== null) needs.add(canonical)
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
  await fetchAll([...needs])
  return known
}

function neededBy(storage: Storage, kind: string): Set<string> {
  const kinds = needed.get(storage) ?? new Map<string, Set<string>>()
  needed.set(storage, kinds)
  const known = kinds.get(kind)
  if (known !== undefined) return known
  const made = new Set<string>()
  kinds.set(kind, made)
  if (kinds.size > MOST_KINDS) kinds.delete(kinds.keys().next().value!)
  return made
}
