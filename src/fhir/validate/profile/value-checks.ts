/**
 * The values that a profile fixes, their bounds and lengths, as checks.
 * https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
 */
import type { ElementRule } from '../../definitions/structure.ts'
import { isObject, type Json } from '../../json.ts'
import { fixedValues } from './fixed-values.ts'
import type { Spot } from './spot.ts'
import type { ElementNode } from './tree.ts'
import { compare, equals, firstDifference, matches, shown } from './values.ts'
import { report, type Walk } from './walk.ts'

type Check = (spot: Spot, walk: Walk) => void
type Given = { type: string; value: Json }

/** Returns the checks of the value itself that `known` rules do not make already. */
export function valueChecks(node: ElementNode, type: string, known: readonly ElementRule[]): Check[] {
  const { fixed, pattern, minValue, maxValue, maxLength } = node.rule
  const checks: Check[] = []
  const told = (name: 'fixed' | 'pattern' | 'minValue' | 'maxValue', one: Given) =>
    known.some(rule => rule[name] !== undefined && equals(rule[name].value, one.value))
  if (fixed !== undefined && !told('fixed', fixed)) checks.push(valueIs(node, fixed, true))
  if (pattern !== undefined && !told('pattern', pattern)) checks.push(valueIs(node, pattern, false))
  if (minValue !== undefined && !told('minValue', minValue)) checks.push(bound(minValue, 'min-value'))
  if (maxValue !== undefined && !told('maxValue', maxValue)) checks.push(bound(maxValue, 'max-value'))
  if (
    maxLength !== undefined &&
    type.charCodeAt(0) >= 97 &&
    !known.some(rule => rule.maxLength === maxLength)
  )
    checks.push((spot, walk) => {
      const { value } = spot
      if (typeof value === 'string' && [...value].length > maxLength)
        report(
          walk,
          'error',
          'value',
          'max-length',
          spot,
          () => `This has ${[...value].length} characters and may have ${maxLength}. Shorten it.`,
        )
    })
  return checks
}

/** fixed[x] is equal in every part, pattern[x] is at least there. */
function valueIs(node: ElementNode, { type, value: wanted }: Given, exact: boolean): Check {
  return (spot, walk) => {
    if (exact ? equals(spot.value, wanted) : matches(spot.value, wanted)) return
    // A value of another type has been reported.
    if (isObject(wanted) !== isObject(spot.value) || (isObject(wanted) && type !== spot.type)) return
    const { below, wanted: part } = firstDifference(spot.value, wanted, exact)
    report(
      walk,
      'error',
      'value',
      exact ? 'fixed' : 'pattern',
      spot,
      () => {
        const whole = isObject(wanted) && below !== '' ? ` The whole is ${shown(wanted)}.` : ''
        if (part === undefined) return `This is not part of the fixed value. Remove it.${whole}`
        const sent = isObject(wanted) ? '' : `, and not ${shown(spot.value)}`
        return `The value must be ${shown(part)}${sent}.${whole}${siblings(node, spot)}`
      },
      below,
    )
  }
}

/** The other parts of a coding, of which one alone is seldom wrong. */
function siblings(node: ElementNode, spot: Spot): string {
  if (spot.up?.type !== 'Coding') return ''
  const owner = ownerOf(node.root, node)
  if (owner === undefined) return ''
  const fixed = fixedValues(owner)
  if (fixed.size < 2) return ''
  return ` The coding is ${[...fixed].map(([name, value]) => `${name} ${shown(value)}`).join(', ')}.`
}

function ownerOf(from: ElementNode, node: ElementNode): ElementNode | undefined {
  if (from.children.includes(node)) return from
  for (const next of [...from.children, ...from.slices]) {
    const found = ownerOf(next, node)
    if (found !== undefined) return found
  }
  return undefined
}

function bound(limit: Given, rule: 'min-value' | 'max-value'): Check {
  return (spot, walk) => {
    const order = compare(spot.value, limit.value)
    if (order === undefined) return
    if (rule === 'min-value' ? order < 0 : order > 0)
      report(
        walk,
        'error',
        'value',
        rule,
        spot,
        () =>
          `The value must be ${shown(limit.value)} or ${rule === 'min-value' ? 'more' : 'less'}, and not ${shown(spot.value)}.`,
      )
  }
}
