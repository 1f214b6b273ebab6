/**
 * Codings as the NRCeS profiles take them. A coding that has no place loses nothing for the reader: its display becomes the text of the
 * concept where there is none.
 */
import { isObject, type Json, type JsonObject } from '../fhir/json.ts'
import { objects, text } from '../fhir/tree.ts'
import type { Display } from './adapt.ts'
import type { CodingRule } from './codings.ts'

/**
 * Changes a CodeableConcept so that it holds what the rule allows. Returns what is missing, undefined where nothing is.
 */
export async function fitConcept(
  concept: JsonObject,
  { systems, one }: CodingRule,
  display: Display,
): Promise<string | undefined> {
  const stated = objects(concept.coding)
  const kept: JsonObject[] = []
  let undisplayed: string | undefined
  for (const coding of stated) {
    const { system, code } = coding
    if (typeof system !== 'string' || typeof code !== 'string') continue
    if (systems !== undefined && !systems.includes(system)) continue
    if (typeof coding.display !== 'string') {
      const found = await display(system, code)
      if (found === undefined) {
        undisplayed ??= `${system}|${code}`
        continue
      }
      coding.display = found
    }
    kept.push(coding)
  }
  const worded = stated.map(coding => text(coding.display)).find(found => found !== undefined)
  if (kept.length < stated.length && concept.text === undefined && worded !== undefined) concept.text = worded
  if (one && kept.length > 1) kept.length = 1
  if (kept.length > 0) concept.coding = kept
  else delete concept.coding
  if (kept.length > 0) return undefined
  if (undisplayed !== undefined && (one || concept.text === undefined))
    return `the coding ${undisplayed} has no display, and no code system here knows it. Store the coding with its display, or load the code system.`
  if (one)
    return systems === undefined
      ? 'there is no coding with system, code and display. Store one.'
      : `there is no coding of ${systems.join(' or ')}. Store one.`
  if (concept.text === undefined && stated.length > 0)
    return 'no coding has a place in the profile, and there is no text. Store a text.'
  return undefined
}

/** Calls `act` with every CodeableConcept at the way of names below a tree, with its FHIRPath. */
export async function eachConcept(
  tree: JsonObject,
  way: readonly string[],
  place: string,
  act: (concept: JsonObject, place: string) => Promise<void>,
): Promise<void> {
  const [name, ...rest] = way
  const value: Json | undefined = tree[name!]
  if (value === undefined) return
  const shown = name!.replace(/^(medication)CodeableConcept$/, '$1')
  const items = Array.isArray(value) ? value : [value]
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) continue
    const below = Array.isArray(value) ? `${place}.${shown}[${index}]` : `${place}.${shown}`
    if (rest.length === 0) await act(item, below)
    else await eachConcept(item, rest, below, act)
  }
}
