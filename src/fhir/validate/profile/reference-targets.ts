/**
 * What a Reference may point to: types and profiles of its target, and where the target may be.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile
 */
import type { TypeRule } from '../../definitions/structure.ts'
import { isObject } from '../../json.ts'
import { listed, quoted } from '../issues.ts'
import { CORE, isA } from './core.ts'
import { resolve } from './resolve.ts'
import type { Spot } from './spot.ts'
import { hasFailed, report, type Walk } from './walk.ts'

export interface Targets {
  /** Types of R4 that will do as they are. */
  types: readonly string[]
  /** Profiles, one of which the target has to conform to where it is of none of the types. */
  profiles: readonly string[]
  aggregation: ReadonlySet<string>
}

/** Returns the targets of the type rules for Reference; undefined where anything will do. */
export function targetsOf(rules: readonly TypeRule[] | undefined, code: string): Targets | undefined {
  const own = (rules ?? []).filter(rule => rule.code === code)
  const types: string[] = []
  const profiles: string[] = []
  const aggregation = new Set<string>()
  let all = false
  for (const rule of own) {
    if (rule.targets.length === 0) all = true
    for (const one of rule.aggregation) aggregation.add(one)
    for (const target of rule.targets) {
      const type = target.startsWith(CORE) ? target.slice(CORE.length).split('|', 1)[0]! : ''
      if (type === 'Resource') all = true
      else if (/^[A-Z][A-Za-z]*$/.test(type)) types.push(type)
      else profiles.push(target)
    }
  }
  if (all) {
    if (aggregation.size === 0) return undefined
    return { types: [], profiles: [], aggregation }
  }
  return own.length === 0 ? undefined : { types, profiles, aggregation }
}

/** Checks what a Reference points to, as far as that was sent with it. */
export function checkTargets(spot: Spot, { types, profiles, aggregation }: Targets, walk: Walk): void {
  const reference = isObject(spot.value) ? spot.value.reference : undefined
  const found = resolve(spot, walk)
  if (aggregation.size > 0 && typeof reference === 'string')
    checkAggregation(spot, found.how, aggregation, walk)
  if (types.length === 0 && profiles.length === 0) return
  if (found.how === 'not here') {
    if (found.isSure && found.type !== undefined) checkType(spot, found.type, types, profiles, walk)
    return
  }
  const { type } = found.spot
  if (types.some(one => isA(type, one))) return
  let near: { profile: string; why: string } | undefined
  for (const profile of profiles) {
    const definition = walk.find(profile)
    // A profile that nobody knows cannot be said to be missed.
    if (definition === undefined || definition === null) return
    if (!isA(type, definition.type)) continue
    // What it claims to be is checked where it stands, and its faults are listed there.
    if (claims(found.spot, definition.url)) return
    const held = walk.conform(found.spot, profile)
    if (held === undefined || !hasFailed(walk, held)) return
    const first = held.findings.find(({ severity }) => severity === 'error')
    near ??= { profile, why: first === undefined ? '' : first.says() }
  }
  report(
    walk,
    'error',
    'value',
    'reference-target',
    spot,
    () =>
      near === undefined
        ? `${quoted(String(reference))} is ${article(type)} ${type}, which is not allowed here. Refer to ${listed([...types, ...profiles])}.`
        : `${quoted(String(reference))} is ${article(type)} ${type} that does not conform to ${near.profile}: ${near.why}`,
    '.reference',
  )
}

/** Checks the type that a reference states of what is elsewhere; whether that conforms to a profile is not known. */
function checkType(
  spot: Spot,
  type: string,
  types: readonly string[],
  profiles: readonly string[],
  walk: Walk,
): void {
  // R4's own targets are held against the reference by the structural check.
  if (walk.profile === undefined || types.some(one => isA(type, one))) return
  for (const profile of profiles) {
    const definition = walk.find(profile)
    if (definition === undefined || definition === null || isA(type, definition.type)) return
  }
  report(
    walk,
    'error',
    'value',
    'reference-target',
    spot,
    () =>
      `This refers to ${article(type)} ${type}, which is not allowed here. Refer to ${listed([...types, ...profiles])}.`,
  )
}

const article = (type: string): string => (/^[AEIO]/.test(type) ? 'an' : 'a')

function claims(spot: Spot, url: string): boolean {
  const meta = isObject(spot.value) ? spot.value.meta : undefined
  const profiles = isObject(meta) && Array.isArray(meta.profile) ? meta.profile : []
  return profiles.some(one => typeof one === 'string' && one.split('|', 1)[0] === url)
}

const WHERE: Readonly<Record<string, string>> = {
  contained: 'contained in the same resource (#id)',
  referenced: 'referred to by its address',
  bundled: 'in the same Bundle',
}

function checkAggregation(
  spot: Spot,
  how: 'contained' | 'bundled' | 'not here',
  allowed: ReadonlySet<string>,
  walk: Walk,
): void {
  const fits =
    how === 'contained'
      ? allowed.has('contained')
      : allowed.has('referenced') || (how === 'bundled' && allowed.has('bundled'))
  if (fits) return
  report(
    walk,
    'error',
    'value',
    'aggregation',
    spot,
    () => `What this refers to has to be ${listed([...allowed].map(one => WHERE[one] ?? one))}.`,
    '.reference',
  )
}
