/**
 * Filters of a value set's compose: which codes of a code system they select.
 * https://hl7.org/fhir/R4/valueset-filter-operator.html
 */
import type { JsonObject } from '../json.ts'
import { type CodeSystem, type Concept, closure, text } from './code-system.ts'
import { NotListed } from './not-listed.ts'
import { compileRegex } from './regex.ts'

/** Whether a concept is selected. */
export type Selects = (concept: Concept) => boolean

export type Spend = (steps: number) => void

/** Properties that say where a concept stands, which is-a and its kin ask for. */
const HIERARCHY: ReadonlySet<string> = new Set(['concept', 'code', 'parent', 'child'])

/**
 * Returns what the filter selects; `spend` is told how many codes and values were looked at, and may throw.
 *
 * Throws NotListed for a filter that the code system does not define, or that cannot be answered in bounded time.
 */
export function readFilter(filter: JsonObject, system: CodeSystem, spend: Spend): Selects {
  const property = text(filter.property)
  const op = text(filter.op)
  const value = text(filter.value)
  if (property === undefined || op === undefined || value === undefined)
    throw new NotListed('a filter of it lacks its property, op or value')
  // A code is written as the system has it, where that does not look at case.
  const meant = (one: string): string => (HIERARCHY.has(property) ? (system.find(one)?.code ?? one) : one)
  switch (op) {
    case 'is-a':
    case 'descendent-of':
    case 'is-not-a':
    case 'generalizes': {
      if (!HIERARCHY.has(property))
        throw new NotListed(
          `the filter ${shown(op)} is understood of "concept" alone, not of ${shown(property)}`,
        )
      const start = meant(value)
      const found = closure(system, start, op === 'generalizes' ? 'above' : 'below', spend)
      if (op === 'descendent-of') found.delete(start)
      return op === 'is-not-a' ? ({ code }) => !found.has(code) : ({ code }) => found.has(code)
    }
    case 'in':
    case 'not-in': {
      const list = new Set(value.split(',').map(one => meant(one.trim())))
      const values = valuesOf(property, system, spend)
      return op === 'in'
        ? concept => values(concept).some(one => list.has(one))
        : concept => !values(concept).some(one => list.has(one))
    }
    case '=': {
      const values = valuesOf(property, system, spend)
      const wanted = meant(value)
      return concept => values(concept).includes(wanted)
    }
    case 'exists': {
      if (value !== 'true' && value !== 'false')
        throw new NotListed('the value of a filter "exists" of it is neither true nor false')
      const values = valuesOf(property, system, spend)
      return concept => values(concept).length > 0 === (value === 'true')
    }
    case 'regex': {
      const regex = compileRegex(value)
      if (regex === undefined)
        throw new NotListed(
          `the regular expression of a filter of it has groups or repetitions that are not understood here`,
        )
      const values = valuesOf(property, system, spend)
      return concept => values(concept).some(one => regex(one, spend))
    }
    default:
      throw new NotListed(`it has a filter ${shown(op)}, which R4 does not know`)
  }
}

/** Returns what reads the values of a property, and tells how many there were. Throws NotListed where the code system has no such property. */
function valuesOf(
  property: string,
  system: CodeSystem,
  spend: Spend,
): (concept: Concept) => readonly string[] {
  const read = readerOf(property, system, spend)
  return concept => {
    const values = read(concept)
    spend(values.length + 1)
    return values
  }
}

function readerOf(
  property: string,
  system: CodeSystem,
  spend: Spend,
): (concept: Concept) => readonly string[] {
  if (property === 'concept' || property === 'code') return ({ code }) => [code]
  if (property === 'display') return ({ display }) => (display === undefined ? [] : [display])
  if (property === 'parent') return ({ code }) => system.above(code)
  if (property === 'child') return ({ code }) => system.below(code)
  spend(system.concepts.size)
  const known =
    system.declared.has(property) || [...system.concepts.values()].some(one => one.properties.has(property))
  if (!known) throw new NotListed(`${shown(system.url)} has no property ${shown(property)}`)
  return ({ properties }) => properties.get(property) ?? []
}

export const shown = (name: string): string => `"${name.length > 200 ? `${name.slice(0, 200)}...` : name}"`
