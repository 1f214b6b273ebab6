/**
 * References of a document's resources as they stand in it: resolved inside, or in words.
 * https://hl7.org/fhir/R4/bundle.html#references
 */
import type { Context } from '../context.ts'
import { elementsOf, jsonName } from '../fhir/definitions/types.ts'
import { isObject, type Json, type JsonObject, type Resource } from '../fhir/json.ts'
import { objects } from '../fhir/tree.ts'
import type { Key } from '../storage/port.ts'
import { namesPerson, referencesIn } from './references.ts'
import { keyIn } from './source.ts'

/** What a rewriting asks: the fullUrl of a resource in the document, and the name of one that is not. */
export interface Addresses {
  fullUrlOf(key: Key): string | undefined
  nameOf(key: Key): string | undefined
}

/**
 * Rewrites the references of a tree. What is in the document goes by its `fullUrl`; what is not keeps its display and identifier, or gets
 * its name as display, the address of another server becoming an identifier unless it is somebody's; what then says nothing is left out, with all that is empty
 * or incomplete without it.
 */
export function rewrite(ctx: Context, tree: Resource, { fullUrlOf, nameOf }: Addresses): void {
  const mute = new Set<JsonObject>()
  for (const { reference } of referencesIn(tree)) {
    const text = reference.reference as string
    if (text.startsWith('#')) continue
    const key = keyIn(ctx, text)
    const inside = key === undefined ? undefined : fullUrlOf(key)
    if (inside !== undefined) {
      reference.reference = inside
      continue
    }
    delete reference.reference
    if (key !== undefined) reference.display ??= nameOf(key)
    else if (/^(?:https?:\/\/|urn:)/.test(text) && !namesPerson(ctx, text))
      reference.identifier ??= { system: 'urn:ietf:rfc:3986', value: text }
    if (reference.display === undefined && reference.identifier === undefined) mute.add(reference)
  }
  if (mute.size === 0) return
  prune(tree, tree.resourceType, mute)
  // R4 wants the type of a participant, or who it is (app-1).
  if (tree.resourceType !== 'Appointment') return
  const kept = objects(tree.participant).filter(
    ({ actor, type }) => actor !== undefined || type !== undefined,
  )
  if (kept.length > 0) tree.participant = kept
  else delete tree.participant
}

/** Takes mute references out, and what is empty without them or lacks an element that R4 requires; that becomes mute itself. */
function prune(value: JsonObject, type: string, mute: Set<JsonObject>): void {
  const isGone = (item: Json): boolean =>
    isObject(item) && (mute.has(item) || Object.values(item).every(member => member === undefined))
  for (const member in value) {
    const below = value[member]
    if (typeof below !== 'object' || below === null) continue
    const element = elementOf(type, member, below)
    if (element === undefined) continue
    const items = Array.isArray(below) ? below : [below]
    for (const item of items) if (isObject(item)) prune(item, typeOf(item, element.type), mute)
    const kept = items.filter(item => !isGone(item))
    if (kept.length === items.length) continue
    if (kept.length > 0) {
      value[member] = kept
      continue
    }
    delete value[member]
    if (element.min > 0) mute.add(value)
  }
}

/** A contained resource says its type itself. */
const typeOf = (item: JsonObject, type: string): string =>
  type === 'Resource' && typeof item.resourceType === 'string' ? item.resourceType : type

function elementOf(type: string, member: string, value: Json): { type: string; min: number } | undefined {
  if (!isObject(value) && !Array.isArray(value)) return undefined
  for (const element of elementsOf(type) ?? [])
    for (const of of element.types)
      if (jsonName(element, of) === member) return { type: of, min: element.min }
  return undefined
}
