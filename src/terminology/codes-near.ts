/**
 * The codes above or below one by subsumption, wherever their code system is held.
 * https://hl7.org/fhir/R4/codesystem.html#hierarchy
 */
import { closure } from '../fhir/terminology/code-system.ts'
import { EXPAND_LIMITS } from '../fhir/terminology/expand-work.ts'
import { shown } from '../fhir/terminology/filter.ts'
import { NotListed } from '../fhir/terminology/not-listed.ts'
import type { Held } from './definitions.ts'

/**
 * Returns the codes, and those of systems in which case does not matter as they stand in records too: in lower case, and in upper case.
 */
export async function inAnyCase(
  held: Held,
  codes: readonly { system: string; code: string }[],
): Promise<{ system: string; code: string }[]> {
  const anyCase = new Map<string, boolean>()
  const found: { system: string; code: string }[] = []
  for (const { system, code } of codes) {
    found.push({ system, code })
    const known = anyCase.get(system) ?? (await held.codeSystem(system))?.caseSensitive === false
    anyCase.set(system, known)
    if (!known) continue
    for (const other of new Set([code.toLowerCase(), code.toUpperCase()]))
      if (other !== code) found.push({ system, code: other })
  }
  return found
}

export type Near = { codes: readonly { system: string; code: string }[] } | { unknown: string }

/** Returns the codes, the one itself among them; `unknown` goes on after "because". */
export async function codesNear(
  held: Held,
  { system, code, way }: { system: string; code: string; way: 'above' | 'below' },
): Promise<Near> {
  const most = EXPAND_LIMITS.codes
  const graph = await held.codeSystem(system)
  if (graph?.content === 'complete') {
    const start = graph.find(code)
    if (start === undefined) return { unknown: `the CodeSystem ${shown(system)} has no such code` }
    const codes = closure(graph, start.code, way)
    if (codes.size > most) return { unknown: `there are more than ${most} codes` }
    return { codes: [...codes].map(one => ({ system: graph.url || system, code: one })) }
  }
  try {
    const asked = await held.askedSystem(system)
    if (asked !== undefined) {
      if ((await asked.find(code)) === undefined)
        return { unknown: `the code system ${shown(system)} has no such code` }
      const others = await asked.around(code, way, most - 1)
      return { codes: [code, ...others].map(one => ({ system: asked.url, code: one })) }
    }
    const op = way === 'below' ? 'is-a' : 'generalizes'
    const [url, version] = system.split('|')
    const filter = [{ property: 'concept', op, value: code }]
    const include = { system: url!, ...(version !== undefined && { version }), filter }
    const list = await held.listElsewhere?.({ include }, undefined)
    if (list !== undefined && list.length > 0)
      return { codes: list.map(one => ({ system: one.system, code: one.code })) }
  } catch (error) {
    if (!(error instanceof NotListed)) throw error
    return { unknown: error.message }
  }
  return {
    unknown:
      graph === undefined
        ? `this server has no CodeSystem ${shown(system)}; store it here with all its concepts`
        : `the CodeSystem ${shown(system)} on this server is not complete (content is ${shown(graph.content)}); store it with all its concepts`,
  }
}
