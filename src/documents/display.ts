/** Displays of codes, from the one terminology service. https://hl7.org/fhir/R4/codesystem.html */
import type { Context } from '../context.ts'
import { definitionsOf } from '../terminology/definitions.ts'

/** Returns the display of a code, as its code system has it; undefined where the system is not held here, or has no such code. */
export type Displays = (system: string, code: string) => Promise<string | undefined>

/** Returns a look-up that asks for each code once. No other server is asked: a document is the same whoever is reachable. */
export function displaysOf(ctx: Context): Displays {
  const held = definitionsOf(ctx, ctx.clock() + ctx.settings.limits.searchMs)
  const lookUp: Displays = async (system, code) => {
    const graph = await held.codeSystem(system)
    const display = graph?.find(code)?.display
    if (display !== undefined || graph?.content === 'complete') return display
    return (await (await held.askedSystem(system))?.find(code))?.display
  }
  const known = new Map<string, Promise<string | undefined>>()
  return (system, code) => {
    const name = JSON.stringify([system, code])
    const found = known.get(name) ?? lookUp(system, code)
    known.set(name, found)
    return found
  }
}
