/**
 * How a search was done, in the server's own words.
 * https://www.mongodb.com/docs/manual/reference/explain-results/
 */
import type { Document } from 'mongodb'
import { FhirError } from '../../fhir/error.ts'
import type { Explained } from '../port.ts'
import { isTimeout } from './failure.ts'

/** One search that was made, and how to make it once more. */
export interface Made {
  /** What it was for: `chain`, `search`, `count`. */
  what: string
  again(): { explain(how: { verbosity: string; maxTimeMS?: number }): Promise<unknown> }
}

/** A stage of a plan, outermost first. */
interface Stage {
  name: string
  index?: string
  /** `ix: ["a", "b")` */
  bounds: string[]
}

interface Told {
  what: string
  stages: Stage[]
  keys: number
  docs: number
}

/** More documents than this for each that was found deserve a hint. */
const MANY = 10
const FEW = 1000
/** Bounds beyond this number are counted only. */
const SHOWN = 4

/**
 * Returns the account of the searches that were made, by asking for each again: `ms` is what they took, `rows` what the page has. Where
 * `limits` leave no time for that, plans are told without figures. `forLog`: without figures and without bounds, which hold values.
 */
export async function explained(
  made: readonly Made[],
  ms: number,
  rows: number,
  limits: () => { maxTimeMS?: number },
  forLog = false,
): Promise<Explained> {
  const told: Told[] = []
  if (forLog) {
    for (const { what, again } of made) told.push({ what, ...read(await planned(again)) })
    return { driver: driverOf(told), plans: told.map(names), ms }
  }
  for (const { what, again } of made) told.push({ what, ...read(await asked(again, limits)) })
  const main = mainOf(told)
  const examined = told.reduce((sum, one) => sum + one.docs, 0)
  const hint = main && hintFor(main, rows)
  return {
    driver: `${driverOf(told)}${main === undefined ? '' : `; ${examinedBy(main)}`}`,
    plans: told.map(shown),
    ms,
    examined,
    ...(hint === undefined ? {} : { hint }),
  }
}

async function asked(again: Made['again'], limits: () => { maxTimeMS?: number }): Promise<Document> {
  try {
    return (await again().explain({ verbosity: 'executionStats', ...limits() })) as Document
  } catch (error) {
    if (!isTimeout(error) && !(error instanceof FhirError && error.code === 'too-costly')) throw error
    return planned(again)
  }
}

/** Plans that nothing is run for. */
const planned = async (again: Made['again']): Promise<Document> =>
  (await again().explain({ verbosity: 'queryPlanner' })) as Document

const mainOf = (told: readonly Told[]): Told | undefined =>
  told.find(one => one.what === 'search') ?? told.at(-1)

/** The outermost parts stand at other places for a find, an aggregation and each of many shards. */
function read(plan: Document): Omit<Told, 'what'> {
  const parts = partsOf(plan)
  return {
    stages: parts.flatMap(part => [
      ...stagesOf(part.queryPlanner?.winningPlan ?? {}),
      ...((part.after ?? []) as string[]).map(name => ({ name, bounds: [] })),
    ]),
    keys: parts.reduce((sum, part) => sum + Number(part.executionStats?.totalKeysExamined ?? 0), 0),
    docs: parts.reduce((sum, part) => sum + Number(part.executionStats?.totalDocsExamined ?? 0), 0),
  }
}

function partsOf(plan: Document): Document[] {
  const shards: Document[] | undefined = plan.shards && Object.values(plan.shards)
  if (shards !== undefined) return shards.flatMap(partsOf)
  if (Array.isArray(plan.stages)) {
    const [first, ...rest] = plan.stages as Document[]
    const cursor = first?.$cursor
    const after = rest.map(stage => Object.keys(stage).find(name => name.startsWith('$')) ?? '')
    return cursor === undefined ? [] : [{ ...cursor, after }]
  }
  const routed: Document[] | undefined = plan.queryPlanner?.winningPlan?.shards
  // A router sums up itself.
  if (routed !== undefined)
    return routed.map((shard, i) => ({
      queryPlanner: shard,
      executionStats: i === 0 ? plan.executionStats : undefined,
    }))
  return [plan]
}

function stagesOf(plan: Document): Stage[] {
  const within: Document[] = [plan.queryPlan, plan.inputStage, ...(plan.inputStages ?? [])].filter(Boolean)
  const inner = within.flatMap(stagesOf)
  if (plan.stage === undefined) return inner
  const stage: Stage = { name: plan.stage, bounds: [] }
  if (plan.indexName !== undefined) stage.index = plan.indexName
  for (const [field, bounds] of Object.entries<string[]>(plan.indexBounds ?? {}))
    if (!bounds.every(one => one.startsWith('[MinKey')))
      stage.bounds.push(
        `${field}: ${bounds.slice(0, SHOWN).join(' ')}${bounds.length > SHOWN ? ` and ${bounds.length - SHOWN} more` : ''}`,
      )
  return [stage, ...inner]
}

const shown = ({ what, stages, keys, docs }: Told): string =>
  `${what}: ${stages
    .map(({ name, index, bounds }) => [name, index && `"${index}"`, ...bounds].filter(Boolean).join(' '))
    .join(' < ')}; ${keys} keys, ${docs} documents`

/** As `shown`, without values. */
const names = ({ what, stages }: Told): string =>
  `${what}: ${stages.map(({ name, index }) => [name, index && `"${index}"`].filter(Boolean).join(' ')).join(' < ')}`

const examinedBy = ({ keys, docs }: Told): string => `${keys} keys and ${docs} documents examined`

function driverOf(told: readonly Told[]): string {
  const main = mainOf(told)
  if (main === undefined) return 'none'
  const { stages } = main
  const scans = stages.filter(stage => stage.index !== undefined)
  if (scans.length === 0)
    return stages.some(stage => stage.name === 'COLLSCAN') ? 'none: the whole collection' : 'by id'
  const indexes = scans.map(({ index, bounds }) => {
    const params = new Set(bounds.flatMap(bound => /^ix: [[(]"([^" ]+) /.exec(bound)?.[1] ?? []))
    return params.size === 0 ? index : `${index} (${[...params].join(', ')})`
  })
  return [...new Set(indexes)].join(', ')
}

function hintFor({ stages, docs }: Told, rows: number): string | undefined {
  if (stages.some(stage => stage.name === 'COLLSCAN'))
    return 'No condition is answered by an index: add one that is not a negation.'
  if (docs < FEW || docs < MANY * Math.max(rows, 1)) return undefined
  return stages.some(stage => stage.name === 'SORT')
    ? 'Many were found and sorted: narrow the search, or sort by a parameter that has an index for it (docs/storage.md).'
    : 'Many were looked at for few: add a condition that fewer resources meet, such as a patient or an identifier.'
}
