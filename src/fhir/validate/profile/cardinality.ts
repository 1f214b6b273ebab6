/**
 * How many values an element has.
 * https://hl7.org/fhir/R4/conformance-rules.html#cardinality
 */
import type { ElementRule } from '../../definitions/structure.ts'
import { quoted } from '../issues.ts'
import { describe } from './meant.ts'
import { mending } from './mending.ts'
import type { ListCheck } from './slicing.ts'
import { plainName } from './spot.ts'
import type { ElementNode } from './tree.ts'
import { report } from './walk.ts'

/** Returns the check of the number of values; undefined where the profile asks for no more than R4 does. */
export function cardinality(
  node: ElementNode,
  core: ElementRule | undefined,
  oneType: boolean,
): ListCheck | undefined {
  const { min = 0, max = Number.POSITIVE_INFINITY } = node.rule
  const least = min > (oneType ? 0 : Math.min(core?.min ?? 0, 1)) ? min : 0
  const most = max < (core?.max ?? Number.POSITIVE_INFINITY) ? max : Number.POSITIVE_INFINITY
  if (least === 0 && most === Number.POSITIVE_INFINITY) return undefined
  const name = plainName(node.name)
  return (items, owner, walk) => {
    if (items.length < least) {
      const count = items.length
      report(
        walk,
        'error',
        'required',
        'cardinality-min',
        owner,
        () => {
          const fixed = node.slices.length > 0 ? '' : describe(node)
          const wanted =
            mending(owner, name, walk) ??
            (fixed === '' || fixed.startsWith('the type') || fixed.startsWith('http') ? '' : ` with ${fixed}`)
          if (count === 0 && least === 1) return `${name} is required and missing. Add it${wanted}.`
          return `${name} needs at least ${least} values and has ${count}. Add ${least - count}${wanted}.`
        },
        `.${name}`,
      )
    }
    if (items.length > most)
      report(walk, 'error', 'structure', 'cardinality-max', items[most]!, () =>
        most === 0
          ? `${quoted(name)} is not allowed here. Remove it.`
          : `${name} has at most ${most} ${most === 1 ? 'value' : 'values'} and here ${items.length}. Remove ${items.length - most}.`,
      )
  }
}
