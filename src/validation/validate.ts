/**
 * Whether a resource is valid: against R4, and against profiles.
 * https://hl7.org/fhir/R4/validation.html
 */
import type { Context } from '../context.ts'
import { isResourceType } from '../fhir/definitions/resource-types.ts'
import type { Issue } from '../fhir/error.ts'
import type { Resource } from '../fhir/json.ts'
import { judge, judgeStranger } from '../fhir/validate/profile/bindings.ts'
import { checkAll } from '../fhir/validate/profile/resource.ts'
import { issueOf, MOST_ISSUES, newWork } from '../fhir/validate/profile/walk.ts'
import { validateStructure } from '../fhir/validate/structure.ts'
import { knowledge } from './knowledge.ts'

export interface ValidateOptions {
  /** The type that the resource is to be of. */
  type: string
  /** Profiles that it is held against besides those of its `meta.profile` and those of the server; canonicals. */
  profiles?: readonly string[]
  /** See StructureOptions. */
  linked?: boolean
}

/** Rounds of finding out which definitions and answers are needed; each goes one definition deeper. */
const MOST_ROUNDS = 12

/**
 * Returns everything that is to be said of the resource, errors, warnings and information: first its structure in the order of the text,
 * then invariants, bindings and profiles. Nothing is stored. Of more than 500 issues 500 are listed, errors before others.
 */
export async function validate(ctx: Context, resource: Resource, options: ValidateOptions): Promise<Issue[]> {
  const { type, profiles = [], linked = false } = options
  const issues = validateStructure(resource, type, { linked })
  const stated = resource.resourceType
  if (typeof stated !== 'string' || !isResourceType(stated)) return issues
  const wanted = { asked: profiles, always: ctx.settings.profiles }
  const known = await knowledge(ctx, `${stated} ${profiles.join(' ')}`)
  const work = newWork()
  let walk = checkAll(resource, stated, wanted, known, work)
  for (let round = 1; known.wants() && round < MOST_ROUNDS; round++) {
    await known.learn()
    walk = checkAll(resource, stated, wanted, known, work)
  }
  if (known.wants())
    issues.push({
      severity: 'error',
      code: 'too-costly',
      rule: 'too-costly',
      diagnostics: `The profiles lead from one to the next more than ${MOST_ROUNDS} times. Use simpler ones.`,
      expression: stated,
    })
  await known.ask(walk.sink.asks)
  const leftOut = known.leftOut()
  if (leftOut !== undefined)
    issues.push({
      severity: 'error',
      code: 'too-costly',
      rule: 'too-costly',
      diagnostics: leftOut,
      expression: stated,
    })
  for (const ask of walk.sink.asks) {
    const answer = known.answer(ask)
    if (answer === undefined) continue
    judge(ask, answer, walk)
    // A value set that need not be kept to does not excuse a code that there is not.
    if (answer.result === 'out' && ask.strength !== 'required')
      for (const coding of await known.strangers(ask)) judgeStranger(ask, coding, walk)
  }
  return merged(issues, walk.sink.findings.map(issueOf))
}

/** Two profiles may say the same of a place; it is said once. */
function merged(structure: Issue[], found: readonly Issue[]): Issue[] {
  const all = structure
  const seen = new Set<string>()
  for (const issue of found) {
    const key = `${issue.severity} ${issue.expression} ${issue.rule} ${plain(issue.diagnostics)}`
    if (seen.has(key)) continue
    seen.add(key)
    all.push(issue)
  }
  return all.length <= MOST_ISSUES ? all : worst(all)
}

/** The errors first have room, then the warnings; what is listed keeps its order. */
function worst(all: readonly Issue[]): Issue[] {
  const listed = new Set<Issue>()
  for (const worse of [isError, isWarning, () => true])
    for (const issue of all) if (listed.size < MOST_ISSUES && worse(issue)) listed.add(issue)
  const rest: Issue = {
    severity: 'information',
    code: 'informational',
    diagnostics: `There are more than ${MOST_ISSUES} issues. The rest is not listed.`,
  }
  return [...all.filter(issue => listed.has(issue)), rest]
}

const isError = ({ severity }: Issue): boolean => severity === 'error' || severity === 'fatal'
const isWarning = ({ severity }: Issue): boolean => severity === 'warning'

const plain = (diagnostics: string): string => diagnostics.replace(/ \([^ ]*\)$/, '')
