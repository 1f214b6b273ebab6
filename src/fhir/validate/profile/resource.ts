/**
 * A resource held against R4 and against profiles: its own, those asked for, those of the server; and all resources in it.
 * https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/resource.html#Meta
 */
import type { Structure } from '../../definitions/structure.ts'
import { isObject, type Json, type JsonObject } from '../../json.ts'
import type { Ask, CodeAnswer } from './ask.ts'
import { checkObject } from './base-type.ts'
import { checkBundle } from './bundle.ts'
import { compileStructure } from './compile.ts'
import { isA } from './core.ts'
import { checkLinks } from './document.ts'
import { propertiesOf } from './properties.ts'
import { rootSpot, type Spot } from './spot.ts'
import {
  apart,
  type Compiled,
  DEEPEST,
  newSink,
  newWork,
  report,
  type Sink,
  spend,
  TooCostly,
  take,
  type Walk,
  type Work,
} from './walk.ts'

/** What a validation may use. Both note what they do not know yet and then return undefined. */
export interface Known {
  /** A snapshot by canonical; null where there is none. */
  find(canonical: string): Structure | null | undefined
  answer(ask: Ask): CodeAnswer | undefined
  /** Why a definition that exists cannot be used. */
  broken(canonical: string): string | undefined
}

export interface Wanted {
  /** Canonicals that the caller names: not to know one is an error. */
  asked: readonly string[]
  /** Those of the server, for the resources of their type. */
  always: readonly string[]
}

/** Returns what is found in a resource of a type of R4 beyond its structure. */
export function checkAll(
  resource: JsonObject,
  type: string,
  wanted: Wanted,
  known: Known,
  work: Work = newWork(),
): Walk {
  const walk: Walk = {
    sink: newSink(),
    profile: undefined,
    find: known.find,
    answer: known.answer,
    held: new Map(),
    indexes: new Map(),
    environments: new Map(),
    conform: (spot, profile) => conform(spot, profile, walk),
    nested: spot => checkResource(spot, { ...wanted, asked: [] }, known, walk),
    work,
    kept: 0,
    asked: 0,
    depth: 0,
  }
  const root = rootSpot(resource, type)
  try {
    checkResource(root, wanted, known, walk)
  } catch (error) {
    if (!(error instanceof TooCostly)) throw error
    report(
      walk,
      'error',
      'too-costly',
      'too-costly',
      root,
      () =>
        'It takes too many steps to hold this resource against its profiles. Send less at once, or use simpler profiles.',
    )
  }
  return walk
}

function checkResource(spot: Spot, wanted: Wanted, known: Known, walk: Walk): void {
  const before = walk.profile
  walk.profile = undefined
  checkObject(spot, walk)
  if (spot.type === 'Bundle') {
    checkBundle(spot, walk)
    checkLinks(spot, walk)
  }
  const done = new Set<string>()
  const hold = (canonical: string, severity: 'error' | 'warning', place: string) => {
    if (done.has(canonical)) return
    done.add(canonical)
    const sink = walk.conform(spot, canonical)
    if (sink !== undefined) take(walk, sink)
    else if (walk.find(canonical) === null) unknown(spot, canonical, severity, place, known, walk)
  }
  for (const canonical of wanted.asked) hold(canonical, 'error', '')
  const claimed = profilesOf(spot.value)
  for (const [index, canonical] of claimed.slice(0, MOST_PROFILES).entries())
    hold(canonical, 'warning', `.meta.profile[${index}]`)
  if (claimed.length > MOST_PROFILES)
    report(
      walk,
      'error',
      'too-costly',
      'too-costly',
      spot,
      () =>
        `A resource claims ${MOST_PROFILES} profiles at most, and this one ${claimed.length}. Remove those that it need not claim.`,
      '.meta.profile',
    )
  if (spot.scope.container === undefined)
    for (const canonical of wanted.always) {
      const definition = walk.find(canonical)
      if (definition?.type === spot.type) hold(canonical, 'warning', '')
      else if (definition === null && spot.up === undefined) unknownSetting(spot, canonical, known, walk)
    }
  walk.profile = before
}

/**
 * Nobody can tell which type a profile of the settings is for while it is not known, so that every resource misses it: but for those that
 * may be, or may bring, what is missing.
 */
function unknownSetting(spot: Spot, canonical: string, known: Known, walk: Walk): void {
  const why = known.broken(canonical)
  const isDefinition = propertiesOf(spot.type)?.has('url') === true
  report(
    walk,
    isDefinition ? 'warning' : 'error',
    'not-found',
    'profile-unknown',
    spot,
    () =>
      `NADI_PROFILES names ${canonical}, which ${why === undefined ? 'is not known here' : `cannot be used: ${why}`}, so that nobody can tell whether this conforms to it. Who runs the server installs the package that defines it (nadi package install), or takes it out of the setting.`,
  )
}

function unknown(
  spot: Spot,
  canonical: string,
  severity: 'error' | 'warning',
  place: string,
  known: Known,
  walk: Walk,
): void {
  const why = known.broken(canonical)
  report(
    walk,
    severity,
    'not-found',
    'profile-unknown',
    spot,
    () =>
      why === undefined
        ? `The profile ${canonical} is not known here, so that the resource was not held against it. Install the package that defines it (nadi package install), or store the StructureDefinition.`
        : `The profile ${canonical} cannot be used: ${why}`,
    place,
  )
}

/** Profiles that a resource claims; more mean nothing but work. */
const MOST_PROFILES = 50

function profilesOf(resource: Json | undefined): string[] {
  const meta = isObject(resource) ? resource.meta : undefined
  const list = isObject(meta) && Array.isArray(meta.profile) ? meta.profile : []
  return list.filter(one => typeof one === 'string')
}

/** Holds a value against a profile. Each pair is checked once; one that is under way counts as conforming, as in cycles of references. */
function conform(spot: Spot, canonical: string, walk: Walk): Sink | undefined {
  const structure = walk.find(canonical)
  if (structure === undefined || structure === null) return undefined
  const compiled = compileStructure(structure)
  let held = walk.held.get(spot.value)
  if (held === undefined && typeof spot.value === 'object' && spot.value !== null) {
    held = new Map<Compiled, Sink | 'going on'>()
    walk.held.set(spot.value, held)
  }
  const before = held?.get(compiled)
  if (before === 'going on') return newSink()
  if (before !== undefined) return before
  if (walk.depth >= DEEPEST)
    throw new TooCostly('profiles are held against values for the sake of too many others')
  spend(walk)
  held?.set(compiled, 'going on')
  walk.depth++
  const sink = apart(walk, () => {
    walk.profile = structure.url
    if (isA(spot.type, structure.type)) compiled.check(spot, walk)
    else
      report(
        walk,
        'error',
        'structure',
        'profile',
        spot,
        () =>
          `The profile is for ${structure.type}, and this is a ${spot.type}. Remove the profile or send a ${structure.type}.`,
      )
  })
  walk.depth--
  held?.set(compiled, sink)
  return sink
}
