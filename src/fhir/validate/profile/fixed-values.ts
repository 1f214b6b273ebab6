/**
 * The values that the definition of an element fixes in it and in its parts.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
 */
import { isObject, type Json } from '../../json.ts'
import type { ElementNode } from './tree.ts'

/** Returns the values that the definition of a slice fixes, by their way below it: `code.coding.code`. */
export function fixedValues(node: ElementNode, way = '', depth = 0): Map<string, Json> {
  const found = new Map<string, Json>()
  const put = (value: Json, at: string): void => {
    if (isObject(value)) for (const name in value) put(value[name]!, at === '' ? name : `${at}.${name}`)
    else if (Array.isArray(value)) for (const one of value) put(one, at)
    else found.set(at, value)
  }
  const { fixed, pattern } = node.rule
  if (fixed !== undefined) put(fixed.value, way)
  else if (pattern !== undefined) put(pattern.value, way)
  else if (depth < 5)
    for (const child of node.children)
      for (const one of [child, ...child.slices.filter(({ rule }) => (rule.min ?? 0) > 0)])
        for (const [at, value] of fixedValues(
          one,
          way === '' ? child.name : `${way}.${child.name}`,
          depth + 1,
        ))
          found.set(at, value)
  return found
}
