/**
 * Identifiers and names of people and organizations as the NRCeS profiles want them: typed identifiers, and a text for each name.
 * https://nrces.in/ndhm/fhir/r4/ValueSet-ndhm-identifier-type-code.html
 */
import type { JsonObject } from '../fhir/json.ts'
import { objects, text, texts } from '../fhir/tree.ts'
import type { Display } from './adapt.ts'
import { NRCES } from './hi-types.ts'

const TYPES = `${NRCES}/CodeSystem/ndhm-identifier-type-code`
const V2 = 'http://terminology.hl7.org/CodeSystem/v2-0203'

/** What the registries of ABDM tell of an identifier by its system; the first that fits counts. */
const KNOWN: readonly [host: RegExp, value: RegExp, system: string, code: string, display: string][] = [
  [
    /^https?:\/\/healthid\.(?:abdm|ndhm)\.gov\.in\/?$/,
    /@/,
    TYPES,
    'ABHA',
    'Ayushman Bharat Health Account (ABHA) ID',
  ],
  [/^https?:\/\/healthid\.(?:abdm|ndhm)\.gov\.in\/?$/, /^[0-9-]+$/, TYPES, 'HIN', 'Health ID issued by NDHM'],
  [
    /^https?:\/\/hpr\.(?:abdm|ndhm)\.gov\.in\/?$/,
    /./,
    TYPES,
    'HPIN',
    'Health Practitioner ID issued by NDHM',
  ],
  [/^https?:\/\/doctor\.(?:abdm|ndhm)\.gov\.in\/?$/, /./, V2, 'MD', 'Medical License number'],
  [/^https?:\/\/facility\.(?:abdm|ndhm)\.gov\.in\/?$/, /./, V2, 'PRN', 'Provider number'],
]

/**
 * Changes the identifiers of a resource: those that have no type get the one that their system tells; those that still lack what the
 * profile wants are left out. Returns whether any remain. `system`: the profile wants one.
 */
export async function fitIdentifiers(tree: JsonObject, display: Display, system = false): Promise<boolean> {
  const kept: JsonObject[] = []
  for (const identifier of objects(tree.identifier)) {
    const value = text(identifier.value)
    if (value === undefined || (system && typeof identifier.system !== 'string')) continue
    const type = objects(identifier.type)[0]
    const codings = objects(type?.coding)
    for (const coding of codings)
      if (typeof coding.system === 'string' && typeof coding.code === 'string')
        coding.display ??= await display(coding.system, coding.code)
    const whole = codings.filter(coding =>
      [coding.system, coding.code, coding.display].every(one => typeof one === 'string'),
    )
    if (whole.length === 0) {
      const told = KNOWN.find(
        ([host, values]) => host.test(text(identifier.system) ?? '') && values.test(value),
      )
      if (told === undefined) continue
      const [, , of, code, shown] = told
      whole.push({ system: of, code, display: shown })
    }
    identifier.type = { ...type, coding: whole }
    kept.push(identifier)
  }
  if (kept.length > 0) tree.identifier = kept
  else delete tree.identifier
  return kept.length > 0
}

/** Gives each name of a person a text where it has none: prefix, given names, family, suffix. */
export function fitNames(tree: JsonObject): void {
  const names = objects(tree.name)
  for (const name of names)
    name.text ??=
      [...texts(name.prefix), ...texts(name.given), ...texts(name.family), ...texts(name.suffix)].join(' ') ||
      undefined
  const kept = names.filter(name => name.text !== undefined)
  if (kept.length > 0) tree.name = kept
  else delete tree.name
}

/** Leaves out ways to be reached that have no number or address: they say nothing, and the profiles refuse them. */
export function fitTelecoms(tree: JsonObject): void {
  const kept = objects(tree.telecom).filter(one => text(one.value) !== undefined)
  if (kept.length > 0) tree.telecom = kept
  else delete tree.telecom
}
