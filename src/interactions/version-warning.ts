/**
 * Chains over references to versions: the index knows current versions alone, and the client is told.
 * https://hl7.org/fhir/R4/search.html#versions
 */

import type { Context } from '../context.ts'
import type { Issue } from '../fhir/error.ts'
import type { Node, ParamName, SearchPlan } from '../search/plan-node.ts'
import type { Live } from '../storage/port.ts'
import { indexRowsOfText } from './indexer.ts'

const WARNING: Issue = {
  severity: 'warning',
  code: 'informational',
  diagnostics:
    'Some matches refer to a version of another resource; chained criteria were judged by its current version.',
}

/** Returns a warning where a chain of the search led over a reference that names a version. */
export function versionWarning(ctx: Context, { where }: SearchPlan, rows: readonly Live[]): Issue[] {
  const params = new Set(chained(where))
  if (params.size === 0) return []
  const found = rows.some(
    ({ text }) =>
      text.includes('/_history/') &&
      indexRowsOfText(ctx, text).some(
        row => row.kind === 'reference' && row.type !== '' && row.version !== '' && params.has(row.param),
      ),
  )
  return found ? [WARNING] : []
}

/** Returns the parameters by which chains leave the matches. */
function chained(node: Node): readonly ParamName[] {
  if (node.kind === 'chain') return node.params
  if (node.kind === 'not') return chained(node.node)
  return node.kind === 'and' || node.kind === 'or' ? node.nodes.flatMap(chained) : []
}
