/**
 * The types that a profile leaves an element, and the profiles on them.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type
 */
import type { ElementRule, TypeRule } from '../../definitions/structure.ts'
import { isObject } from '../../json.ts'
import { listed } from '../issues.ts'
import { CORE, isA } from './core.ts'
import type { Spot } from './spot.ts'
import { hasFailed, report, type Sink, take, type Walk } from './walk.ts'

type Check = (spot: Spot, walk: Walk) => void

/** Returns the checks of the type of a value: that it is one of those allowed, and that it conforms to the type's profile. */
export function typeChecks({ types }: ElementRule, type: string, known: readonly ElementRule[]): Check[] {
  if (types === undefined || types.length === 0) return []
  const checks: Check[] = []
  const backbone = type.includes('.')
  const codes = types.map(({ code }) => code)
  if (!backbone && !codes.some(code => isA(type, code) || !/^[A-Za-z]+$/.test(code))) {
    const allowed = [...new Set(codes)]
    checks.push((spot, walk) =>
      report(
        walk,
        'error',
        'structure',
        'type',
        spot,
        () => `The type ${spot.type} is not allowed here. Use ${listed(allowed)}.`,
      ),
    )
    return checks
  }
  const same = known.some(one => JSON.stringify(one.types) === JSON.stringify(types))
  const own = backbone ? types : types.filter(({ code }) => isA(type, code))
  if (!same && own.length > 0 && own.every(({ profiles }) => profiles.length > 0))
    checks.push(profileCheck(own))
  return checks
}

function profileCheck(rules: readonly TypeRule[]): Check {
  const profiles = rules.flatMap(rule => rule.profiles)
  return (spot, walk) => {
    // An extension is held against its own definition wherever it stands; here its url only has to be the right one.
    if (spot.type === 'Extension') return extension(spot, profiles, walk)
    const tried: { profile: string; sink: Sink }[] = []
    for (const profile of profiles) {
      if (profile === CORE + spot.type) return
      const structure = walk.find(profile)
      if (structure === undefined) return
      if (structure === null) {
        report(
          walk,
          'warning',
          'not-found',
          'profile-unknown',
          spot,
          () =>
            `The profile ${profile} is not known here, so that this cannot be held against it. Install the package that defines it.`,
        )
        return
      }
      if (!isA(spot.type, structure.type)) continue
      const sink = walk.conform(spot, profile)
      if (sink === undefined) return
      if (profiles.length === 1) return take(walk, sink)
      if (!hasFailed(walk, sink)) return take(walk, sink)
      tried.push({ profile, sink })
    }
    report(walk, 'error', 'structure', 'type-profile', spot, () => {
      const first = tried[0]?.sink.findings.find(({ severity }) => severity === 'error')
      return `This conforms to none of ${listed(profiles)}.${first === undefined ? '' : ` For the first: ${first.says()}`}`
    })
  }
}

function extension({ value, ...spot }: Spot, profiles: readonly string[], walk: Walk): void {
  const url = isObject(value) ? value.url : undefined
  if (typeof url !== 'string' || profiles.some(one => one.split('|', 1)[0] === url)) return
  report(
    walk,
    'error',
    'extension',
    'extension-unknown',
    { ...spot, value },
    () => `Only the extension ${listed(profiles)} is allowed here.`,
    '.url',
  )
}
