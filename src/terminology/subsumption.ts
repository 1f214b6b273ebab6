/**
 * Whether one code is above another.
 * https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
 */
import { closure } from '../fhir/terminology/code-system.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import type { Held } from './definitions.ts'

export type Subsumption = 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed'

/** Steps up a hierarchy. */
const MOST_STEPS = 1_000_000

/** Returns how A stands to B; `missing` where the code system, or one of the codes, is not held here. */
export async function subsumption(
  held: Held,
  canonical: string,
  a: string,
  b: string,
): Promise<Subsumption | { missing: 'system' | 'code'; code?: string }> {
  const graph = await held.codeSystem(canonical)
  if (graph?.content === 'complete') {
    const [one, other] = [graph.find(a), graph.find(b)]
    if (one === undefined || other === undefined) return { missing: 'code', code: one === undefined ? a : b }
    const above = (code: string): Set<string> => {
      let steps = 0
      return closure(graph, code, 'above', more => {
        steps += more
        if (steps > MOST_STEPS) throw new NotListed('its hierarchy is too large', 'too-costly')
      })
    }
    return between(one.code, other.code, above(one.code), above(other.code))
  }
  const asked = await held.askedSystem(canonical)
  if (asked === undefined) return { missing: 'system' }
  const [one, other] = [await asked.find(a), await asked.find(b)]
  if (one === undefined || other === undefined) return { missing: 'code', code: one === undefined ? a : b }
  if (one.code === other.code) return 'equivalent'
  const [aboveOne, aboveOther] = [
    await asked.around(one.code, 'above', MOST_STEPS),
    await asked.around(other.code, 'above', MOST_STEPS),
  ]
  return between(one.code, other.code, new Set(aboveOne), new Set(aboveOther))
}

function between(
  a: string,
  b: string,
  aboveA: ReadonlySet<string>,
  aboveB: ReadonlySet<string>,
): Subsumption {
  if (a === b) return 'equivalent'
  const [up, down] = [aboveB.has(a), aboveA.has(b)]
  // In a circle each is above the other.
  if (up && down) return 'equivalent'
  return up ? 'subsumes' : down ? 'subsumed-by' : 'not-subsumed'
}
