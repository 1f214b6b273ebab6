/**
 * FHIRPath expressions as tests of places.
 * https://hl7.org/fhir/R4/fhirpath.html
 */

import { builtInStructure } from '../../definitions/structures.ts'
import { FhirError } from '../../error.ts'
import type { Json } from '../../json.ts'
import { type Environment, environment } from '../../path/environment.ts'
import { compileInvariant } from '../../path/invariant.ts'
import { compilePath } from '../../path/path.ts'
import type { PathValue } from '../../path/value.ts'
import { codingsAt } from './bindings.ts'
import { isA } from './core.ts'
import { resolve } from './resolve.ts'
import type { Scope, Spot } from './spot.ts'
import { hasFailed, TooCostly, type Walk } from './walk.ts'

/** Returns whether an expression is true of a place; a sentence where that cannot be told. An empty result is not true. */
export type PathTest = (spot: Spot, walk: Walk) => boolean | string

/** Returns the test of an expression, which says so where it is malformed. */
export function pathTest(expression: string): PathTest {
  return compiled(() => {
    const path = compileInvariant(expression)
    return (spot, env) => path.holds(spot, env) === true
  })
}

/** Returns the test whether a place is among what an expression finds, evaluated on its resource. */
export function contextTest(expression: string): PathTest {
  return compiled(() => {
    const path = compilePath(expression)
    return (spot, env) => path.evaluate(spot.scope.at, env).some(one => isSame(one, spot))
  })
}

const isSame = (one: PathValue, { value, type, sibling }: Spot): boolean =>
  typeof value === 'object' && value !== null
    ? one.value === value
    : one.value === value && one.type === type && one.sibling === sibling

function compiled(compile: () => (spot: Spot, env: Environment) => boolean): PathTest {
  let test: (spot: Spot, env: Environment) => boolean
  try {
    test = compile()
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    const { message } = error
    return () => message
  }
  return (spot, walk) => {
    const env = environmentOf(spot.scope, walk)
    const { work } = walk
    // All expressions draw on what is left, also those that an expression runs by conformsTo().
    const left = work.pathSteps
    env.steps = left
    try {
      return test(spot, env)
    } catch (error) {
      if (!(error instanceof FhirError)) throw error
      if (env.steps < 0) throw new TooCostly('expressions took too many steps')
      return error.message
    } finally {
      work.pathSteps -= left - env.steps
    }
  }
}

/** Returns the environment of a resource, made once. */
function environmentOf(scope: Scope, walk: Walk): Environment {
  const known = walk.environments.get(scope.resource)
  if (known !== undefined) return known
  const placed = (value: PathValue): Spot => ({ ...value, element: '', index: -1, up: scope.at, scope })
  const made = environment({
    resource: scope.at,
    rootResource: (scope.container ?? scope).at,
    resolve: reference => {
      const found = resolve(placed(reference), walk)
      return found.how === 'not here' ? undefined : found.spot
    },
    memberOf: (value, valueSet) => {
      const spot = placed(value)
      const codings = codingsAt(spot)
      if (codings === undefined || codings.length === 0) return codings === undefined ? undefined : false
      const inferSystem = typeof value.value === 'string'
      const answer = walk.answer({
        question: { valueSet, codings, inferSystem },
        strength: 'required',
        at: scope.at,
        profile: walk.profile,
      })
      return answer === undefined || answer.result === 'unknown' ? undefined : answer.result === 'in'
    },
    conformsTo: (value, profile) => conformsTo(value, profile, placed(value), walk),
  })
  walk.environments.set(scope.resource, made)
  return made
}

function conformsTo(
  { type }: { value: Json; type: string },
  profile: string,
  spot: Spot,
  walk: Walk,
): boolean | undefined {
  const base = builtInStructure(profile)
  if (base !== undefined && base.derivation !== 'constraint') return isA(type, base.type)
  const held = walk.conform(spot, profile)
  return held === undefined ? undefined : !hasFailed(walk, held)
}
