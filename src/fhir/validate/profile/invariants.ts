/**
 * Invariants: FHIRPath that has to be true of each value. Those of R4 that every resource meets are written out.
 * https://hl7.org/fhir/R4/conformance-rules.html#constraints
 */
import type { Constraint } from '../../definitions/structure.ts'
import { correctedInvariant } from '../../path/invariant.ts'
import { CORE } from './core.ts'
import { NATIVE } from './native-invariants.ts'
import { type PathTest, pathTest } from './path-test.ts'
import type { Spot } from './spot.ts'
import { report, type Walk } from './walk.ts'

type Check = (spot: Spot, walk: Walk) => void

/** Invariants of R4 that the structural check, and those of narratives and Bundles, report. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'ele-1',
  'ext-1',
  'dom-2',
  'ref-1',
  'txt-1',
  'txt-2',
  ...['bdl-1', 'bdl-2', 'bdl-3', 'bdl-4', 'bdl-5', 'bdl-7', 'bdl-8', 'bdl-9', 'bdl-10', 'bdl-11', 'bdl-12'],
])

/**
 * Returns the checks of constraints but for those of R4 that are checked elsewhere. `known` are what a profile's stand beside; one that has
 * the key of another and says something else is the profile's own, unless its source is R4, which other versions word otherwise.
 */
export function constraintChecks(constraints: readonly Constraint[], known?: readonly Constraint[]): Check[] {
  return constraints.flatMap(constraint => {
    const { key, expression, source } = constraint
    if (expression === undefined) return []
    const ofR4 = known === undefined || source?.startsWith(CORE) === true
    const isKnown =
      (ofR4 && ELSEWHERE.has(key)) ||
      known?.some(one => one.key === key && (ofR4 || one.expression === expression))
    return isKnown ? [] : [check(constraint, expression)]
  })
}

function check({ key, severity, human }: Constraint, expression: string): Check {
  const native = NATIVE.get(`${key} ${expression}`)
  const says = () => `${/[.?!]$/.test(human) ? human : `${human}.`} (${key})`
  if (native !== undefined)
    return (spot, walk) => {
      const place = native(spot, walk)
      if (place !== undefined) report(walk, severity, 'invariant', key, spot, says, place)
    }
  const test = invariantTest(expression)
  return (spot, walk) => {
    const result = test(spot, walk)
    if (result === false) report(walk, severity, 'invariant', key, spot, says)
    else if (typeof result === 'string')
      report(
        walk,
        'warning',
        'processing',
        'invariant-unjudged',
        spot,
        () => `Whether the invariant ${key} holds cannot be told: ${result}`,
      )
  }
}

const tests = new Map<string, PathTest>()
/** Expressions of custom definitions come and go; those of R4 are some hundred. */
const MOST_TESTS = 2000

/** Returns the test of an expression, compiled once. */
export function invariantTest(expression: string): PathTest {
  const known = tests.get(expression)
  if (known !== undefined) return known
  if (tests.size >= MOST_TESTS) tests.clear()
  const test = pathTest(correctedInvariant(expression))
  tests.set(expression, test)
  return test
}
