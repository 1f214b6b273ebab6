/**
 * The two `$validate-code`: codes against a value set, or against a code system, with the reasons.
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html, https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 */
import type { Resource } from '../fhir/json.ts'
import { type Concept, isAbstract, isInactive } from '../fhir/terminology/code-system.ts'
import { isDisplay } from '../fhir/terminology/display.ts'
import { memberOf, type Verdict } from '../fhir/terminology/member.ts'
import type { Held } from './definitions.ts'
import { displayIn } from './lookup.ts'
import { conceptOf, displaysBy } from './validate-code.ts'

export interface CheckedCoding {
  system: string | undefined
  version: string | undefined
  code: string
  display: string | undefined
}

export interface CheckOptions {
  /** false: concepts that only group others are not valid. */
  abstract?: boolean
  /** The system of a code without one is that of the value set. */
  inferSystem?: boolean
  language?: string
  /** A wrong display is a hint, and no fault. */
  lenientDisplay?: boolean
}

export interface Checked {
  result: boolean
  /** Why the result is false; hints where it is true. */
  message?: string
  display?: string
  system?: string
  code?: string
  version?: string
  /** The system that nobody here knows, by which nothing could be told. */
  unknownSystem?: string
}

/** Returns the first coding that is valid; otherwise what is wrong with each. */
export async function checkCodes(
  held: Held,
  within: { valueSet: string | Resource } | { codeSystem: string },
  codings: readonly CheckedCoding[],
  options: CheckOptions = {},
): Promise<Checked> {
  const failed: Checked[] = []
  for (const coding of codings) {
    const checked = await checkOne(held, within, coding, options)
    if (checked.result) return checked
    failed.push(checked)
  }
  const [first] = failed
  const message = failed.flatMap(one => one.message ?? []).join(' ')
  const unknownSystem = failed.find(one => one.unknownSystem !== undefined)?.unknownSystem
  return { ...first!, message, ...(unknownSystem !== undefined && { unknownSystem }) }
}

async function checkOne(
  held: Held,
  within: { valueSet: string | Resource } | { codeSystem: string },
  coding: CheckedCoding,
  options: CheckOptions,
): Promise<Checked> {
  const { system, version, code, display } = coding
  const asSent = {
    code,
    ...(system !== undefined && { system }),
    ...(version !== undefined && { version }),
  }
  if (system === undefined && 'valueSet' in within && !options.inferSystem)
    return { result: false, ...asSent, message: `The code ${code.slice(0, 100)} has no system.` }
  const verdict = await verdictOn(held, within, coding)
  if (verdict.is !== 'in') {
    const unknownSystem = verdict.is === 'unknown' ? verdict.system : undefined
    return {
      result: false,
      ...asSent,
      message: `${verdict.why.charAt(0).toUpperCase()}${verdict.why.slice(1)}.`,
      ...(unknownSystem !== undefined && {
        unknownSystem: version === undefined ? unknownSystem : `${unknownSystem}|${version}`,
      }),
    }
  }
  const canonical = version === undefined ? verdict.system : `${verdict.system}|${version}`
  const concept = verdict.concept ?? (await conceptOf(canonical, verdict.code, held))
  const right = displayIn(concept, options.language, verdict.entry) ?? verdict.display
  const known = verdict.version ?? version
  const found = {
    system: verdict.system,
    code: verdict.code,
    ...(known !== undefined && { version: known }),
    ...(right !== undefined && { display: right }),
  }
  return { ...judged(concept, verdict, display, right, options), ...found }
}

function judged(
  concept: Concept | undefined,
  verdict: Extract<Verdict, { is: 'in' }>,
  display: string | undefined,
  right: string | undefined,
  { abstract, lenientDisplay }: CheckOptions,
): Checked {
  if (abstract === false && concept !== undefined && isAbstract(concept))
    return { result: false, message: `${verdict.code} only groups other codes, and stands for none itself.` }
  const displays = displaysBy(verdict, concept)
  if (display !== undefined && !isDisplay(display, displays)) {
    const message = `The display of ${verdict.code} is "${right ?? displays[0]}", not "${display.slice(0, 200)}".`
    return { result: lenientDisplay === true, message }
  }
  if (concept !== undefined && isInactive(concept))
    return { result: true, message: `${verdict.code} is not active any more.` }
  return { result: true }
}

/** Returns whether the code is in; of a code system, as of the value set of all its codes. */
function verdictOn(
  held: Held,
  within: { valueSet: string | Resource } | { codeSystem: string },
  { system, version, code }: CheckedCoding,
): Promise<Verdict> {
  if ('valueSet' in within)
    return memberOf(within.valueSet, { system, code, ...(version !== undefined && { version }) }, held)
  const [url, ownVersion] = within.codeSystem.split('|')
  const all: Resource = {
    resourceType: 'ValueSet',
    compose: { include: [{ system: url!, ...(ownVersion !== undefined && { version: ownVersion }) }] },
  }
  return memberOf(all, { system: url!, code, ...(version !== undefined && { version }) }, held)
}
