/**
 * Which slice a value was probably meant for, so that a fault can name what to write.
 * https://hl7.org/fhir/R4/profiling.html#slicing
 */
import { isObject, type Json, type JsonObject } from '../../json.ts'
import { fixedValues } from './fixed-values.ts'
import { resolve } from './resolve.ts'
import { childrenOf, type Spot } from './spot.ts'
import type { ElementNode } from './tree.ts'
import { shown } from './values.ts'
import type { Walk } from './walk.ts'

const fixed = new WeakMap<ElementNode, ReadonlyMap<string, Json>>()

function fixedOf(slice: ElementNode): ReadonlyMap<string, Json> {
  let known = fixed.get(slice)
  if (known === undefined) {
    known = fixedValues(slice)
    fixed.set(slice, known)
  }
  return known
}

/** Returns what a slice fixes, for a sentence: `code.coding.code = "422843007"`. Empty where it fixes nothing. */
export function describe(slice: ElementNode): string {
  const types = slice.name.endsWith('[x]') || fixedOf(slice).size === 0 ? (slice.rule.types ?? []) : []
  const parts = [...fixedOf(slice)]
    .slice(0, 6)
    .map(([way, value]) => `${way === '' ? 'the value' : way} = ${shown(value)}`)
  if (parts.length > 0) return parts.join(', ')
  const profiles = types.flatMap(({ profiles: own }) => own)
  if (profiles.length > 0) return profiles.join(' or ')
  return types.length > 0 ? `the type ${types.map(({ code }) => code).join(' or ')}` : ''
}

/** Slices and values that are compared to tell what was meant. */
export const MOST_COMPARED = 50

/** Words that tell nothing of what a section is. */
const COMMON = new Set([
  'section',
  'record',
  'of',
  'and',
  'the',
  'for',
  'report',
  'entry',
  'document',
  'clinical',
])

/**
 * Returns the slice that a value resembles most by its title, its other texts and the types that it refers to; undefined where none stands
 * out. `isCoded`: its codes put it into a slice already, so that they tell nothing.
 */
export function meantSlice(
  slices: readonly ElementNode[],
  item: Spot,
  walk: Walk,
  isCoded = false,
): ElementNode | undefined {
  if (!isObject(item.value) || slices.length < 2 || slices.length > MOST_COMPARED) return undefined
  if (item.type === 'Reference') return byTarget(slices, item, walk)
  const title = new Set(wordsOf(item.value.title))
  const words = new Set(isCoded ? [] : textsOf(item.value, 0).flatMap(wordsOf))
  const types = typesOf(item, walk)
  let best: ElementNode | undefined
  let most = 0
  let second = 0
  for (const slice of slices) {
    const wanted = new Set([slice.rule.sliceName ?? '', ...fixedOf(slice).values()].flatMap(wordsOf))
    let score = 0
    for (const word of wanted) score += title.has(word) ? 3 : words.has(word) ? 1 : 0
    if (types.some(type => targetsOf(slice).has(type))) score += 2
    if (score > most) {
      second = most
      most = score
      best = slice
    } else if (score > second) second = score
  }
  return most > second ? best : undefined
}

/** A reference is of the slice whose `type` is that of what it points to. */
function byTarget(slices: readonly ElementNode[], item: Spot, walk: Walk): ElementNode | undefined {
  const to = resolve(item, walk)
  const type = to.how === 'not here' ? to.type : to.spot.type
  return type === undefined ? undefined : slices.find(slice => fixedOf(slice).get('type') === type)
}

function targetsOf(slice: ElementNode): Set<string> {
  const entry = slice.children.find(({ name }) => name === 'entry')
  const targets = entry?.rule.types?.flatMap(one => one.targets) ?? []
  return new Set(targets.map(one => one.slice(one.lastIndexOf('/') + 1)))
}

/** The texts for people in a value, and what its codes say. */
function textsOf(value: JsonObject, depth: number): string[] {
  const texts: string[] = []
  for (const name of ['display', 'text']) {
    const text = value[name]
    if (typeof text === 'string') texts.push(text.slice(0, 200))
  }
  if (depth < 2)
    for (const name of ['code', 'coding', 'type']) {
      const part = value[name]
      for (const one of Array.isArray(part) ? part.slice(0, 5) : [part])
        if (isObject(one)) texts.push(...textsOf(one, depth + 1))
    }
  return texts
}

const wordsOf = (text: Json | undefined): string[] =>
  typeof text !== 'string' || text.includes('://')
    ? []
    : text
        .slice(0, 200)
        .replace(/([a-z])([A-Z])/g, '$1 $2')
        .toLowerCase()
        .split(/[^a-z]+/)
        .filter(word => word.length > 2 && !COMMON.has(word))
        // Plurals are the same word.
        .map(word => (word.endsWith('s') ? word.slice(0, -1) : word))

function typesOf(item: Spot, walk: Walk): string[] {
  return childrenOf(item, 'entry')
    .slice(0, 5)
    .flatMap(entry => {
      const to = resolve(entry, walk)
      const type = to.how === 'not here' ? to.type : to.spot.type
      return type === undefined ? [] : [type]
    })
}
