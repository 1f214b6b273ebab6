/**
 * `$lastn`: the most recent Observations of each code.
 * https://hl7.org/fhir/R4/observation-operation-lastn.html
 */

import { mostCharacters, searchPages } from '../conformance/search-pages.ts'
import type { Context } from '../context.ts'
import { bundleText } from '../fhir/bundle.ts'
import { fhirError } from '../fhir/error.ts'
import { parseJson, type Resource } from '../fhir/json.ts'
import { outcomeText } from '../fhir/outcome.ts'
import { indexRows } from '../interactions/indexer.ts'
import { linkOf } from '../interactions/paging.ts'
import { planned } from '../interactions/planned.ts'
import { parseSearch } from '../search/parse.ts'
import { DATE_MIN } from '../search/plan-node.ts'
import { RESULT_PARAMS } from '../search/result-params.ts'
import { type Live, stampText } from '../storage/port.ts'
import { createCodeGroups } from './code-groups.ts'
import { type Answer, type Call, type Operation, pathOf, textOf } from './operation.ts'

/** Observations that are looked at: codes of the oldest may still join the groups of the newest. */
const MOST = 10_000
const PAGE = 500

export const lastn: Operation = {
  name: 'lastn',
  definition: 'http://hl7.org/fhir/OperationDefinition/Observation-lastn',
  types: ['Observation'],
  levels: ['type'],
  affectsState: false,
  parameters: [{ name: 'max', type: 'positiveInt', min: 0, max: 1 }],
  searches: true,
  run,
}

const SUBJECT = /^(?:patient|subject)(?:[:.]|$)/
/** `category`, and the parameters whose expressions have a code: `code`, `combo-code`, `code-value-quantity`. */
const CODED = /^(?:category|(?:combo-|component-)?code(?:-value-[a-z]+)?)(?:[:.]|$)/
const RESULT: ReadonlySet<string> = new Set(RESULT_PARAMS)

/**
 * Returns a searchset, most recent first. Observations without a time are the oldest of all, each of a time of its own.
 *
 * Throws `required` without a subject, or without a category or code; as a search does for its parameters; `too-costly` (400) where more
 * Observations match than are looked at.
 */
async function run(ctx: Context, call: Call): Promise<Answer> {
  const search = call.search.filter(([name]) => !isResult(name))
  const stray = call.search.find(([name]) => isResult(name))
  if (stray !== undefined && !call.lenient)
    throw fhirError(
      'not-supported',
      `${stray[0].slice(0, 64)} has no meaning for $lastn; max limits what comes.`,
      {
        status: 400,
        expression: 'http',
      },
    )
  const needs = (names: RegExp, what: string): void => {
    if (!search.some(([name, value]) => names.test(name) && value !== ''))
      throw fhirError('required', `$lastn needs ${what}.`, { expression: 'http' })
  }
  needs(SUBJECT, 'the parameter patient or subject')
  needs(CODED, 'the parameter category, or code or another one with a code')
  const { plan, ignored } = await planned(ctx, parseSearch(search), {
    types: ['Observation'],
    lenient: call.lenient,
  })

  const deadline = ctx.clock() + ctx.settings.limits.searchMs
  const groups = createCodeGroups<Live>(Number(textOf(call, 'max') ?? 1))
  let seen = 0
  for await (const { rows, more } of searchPages(ctx, plan, { limit: PAGE, deadline })) {
    for (const row of rows) {
      const resource = parseJson(row.text, Number.POSITIVE_INFINITY) as Resource
      groups.add(resource.code, timeOf(ctx, resource), row, row.text.length)
    }
    seen += rows.length
    if (more && (seen >= MOST || ctx.clock() > deadline))
      throw tooMany(`more than ${MOST} Observations match, or it takes too long to look at them`)
    if (groups.size() > mostCharacters(ctx)) throw tooMany('the answer is too large')
  }

  const found = groups.newestFirst()
  return {
    text: bundleText({
      type: 'searchset',
      lastUpdated: stampText(ctx.clock()),
      total: found.length,
      links: [linkOf(ctx, 'self', pathOf(call, 'lastn'), call.pairs)],
      entries: [
        ...found.map(row => ({
          fullUrl: `${ctx.settings.baseUrl}/${row.key}`,
          resource: row.text,
          search: { mode: 'match' as const },
        })),
        ...(ignored.length > 0
          ? [{ resource: outcomeText(ignored), search: { mode: 'outcome' as const } }]
          : []),
      ],
    }),
  }
}

const isResult = (name: string): boolean => RESULT.has(name.split(':')[0]!)

const tooMany = (why: string) =>
  fhirError('too-costly', `$lastn cannot be answered: ${why}. Narrow it by code, category or date.`, {
    status: 400,
    expression: 'http',
  })

/** Returns when the observation was made, ms since 1970: a period counts by its start; undefined without an effective time. */
function timeOf(ctx: Context, observation: Resource): number | undefined {
  const names = ctx.registry.param('Observation', 'date')?.rows ?? []
  let time: number | undefined
  for (const row of indexRows(ctx, observation)) {
    if (row.kind !== 'date' || !names.includes(row.param)) continue
    const from = row.lo === DATE_MIN ? row.hi : row.lo
    if (time === undefined || from > time) time = from
  }
  return time
}
