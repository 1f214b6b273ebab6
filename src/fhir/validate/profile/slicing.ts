/**
 * Slicing: which values belong to which slice, how many of each there are, in what order, and whether others may stand beside them.
 * https://hl7.org/fhir/R4/profiling.html#slicing
 */
import type { Slicing } from '../../definitions/structure.ts'
import { listed } from '../issues.ts'
import { type Belongs, belongsTo, PENDING } from './discriminator.ts'
import { describe, MOST_COMPARED, meantSlice } from './meant.ts'
import { placeOf, plainName, type Spot } from './spot.ts'
import type { ElementNode } from './tree.ts'
import { type Finding, report, spend, type Walk } from './walk.ts'

/** Checks a list of values of one element. */
export type ListCheck = (items: readonly Spot[], owner: Spot, walk: Walk) => void

/** Checks one value by the definition of a slice. */
export type SliceCheck = (slice: ElementNode) => ((spot: Spot, walk: Walk) => void) | undefined

interface Slice {
  node: ElementNode
  name: string
  belongs: Belongs | undefined
  check: ((spot: Spot, walk: Walk) => void) | undefined
  reslices: ListCheck | undefined
}

/** Returns the check of a sliced element; `checkOf` compiles what a slice says of each of its values. */
export function slicingCheck(element: ElementNode, slicing: Slicing, checkOf: SliceCheck): ListCheck {
  let compiled: Slice[] | undefined
  return (items, owner, walk) => {
    if (compiled === undefined) {
      const made = compile(element, slicing, checkOf, walk)
      // A definition that is not known yet will be when this is asked again.
      if (made === undefined) return
      compiled = made
    }
    run(compiled, element, slicing, items, owner, walk)
  }
}

function compile(
  element: ElementNode,
  { discriminators }: Slicing,
  checkOf: SliceCheck,
  walk: Walk,
): Slice[] | undefined {
  const slices: Slice[] = []
  for (const node of element.slices) {
    const tests: Belongs[] = []
    const by = discriminators.length > 0 ? discriminators : bySelf(element)
    for (const discriminator of by) {
      const test = belongsTo(node, discriminator, canonical => walk.find(canonical))
      if (test === PENDING) return undefined
      if (test !== undefined && node.rule.sliceName !== DEFAULT) tests.push(test)
    }
    slices.push({
      node,
      name: node.rule.sliceName ?? node.rule.id,
      belongs:
        tests.length === 0
          ? undefined
          : tests.length === 1
            ? tests[0]
            : (spot, on) => tests.every(test => test(spot, on)),
      check: checkOf(node),
      reslices: node.slices.length > 0 ? slicingCheck(node, node.rule.slicing ?? OPEN, checkOf) : undefined,
    })
  }
  return slices
}

/** The slice of what belongs to no other. */
const DEFAULT = '@default'

const OPEN: Slicing = { discriminators: [], ordered: false, rules: 'open' }

/** Without discriminators, the types of a choice tell, and what slices fix. */
const bySelf = ({ name }: ElementNode): Slicing['discriminators'] => [
  { type: name.endsWith('[x]') ? 'type' : 'value', path: '$this' },
]

function run(
  slices: readonly Slice[],
  element: ElementNode,
  { rules, ordered }: Slicing,
  items: readonly Spot[],
  owner: Spot,
  walk: Walk,
): void {
  const members: Spot[][] = slices.map(() => [])
  let last = -1
  let stranger: Spot | undefined
  for (const item of items) {
    spend(walk, slices.length)
    let found = -1
    for (let i = 0; i < slices.length; i++) {
      if (slices[i]!.belongs?.(item, walk) !== true) continue
      if (found < 0) found = i
      else {
        const [a, b] = [slices[found]!.name, slices[i]!.name]
        report(
          walk,
          'error',
          'structure',
          'slice-ambiguous',
          item,
          () =>
            `This belongs to the slices ${a} and ${b} alike. Change it so that it belongs to one of them.`,
        )
      }
    }
    if (found < 0) found = slices.findIndex(({ name }) => name === DEFAULT)
    if (found < 0) {
      stranger ??= item
      unmatched(slices, rules, item, walk)
      continue
    }
    members[found]!.push(item)
    if (rules === 'openAtEnd' && stranger !== undefined) {
      const before = stranger
      report(
        walk,
        'error',
        'structure',
        'slice-order',
        before,
        () =>
          `What belongs to no slice stands at the end here, after those of ${listed(slices.map(({ name }) => name))}. ${advice(slices, before, walk)}`,
      )
      stranger = undefined
    }
    if (ordered && found < last) {
      const [name, after] = [slices[found]!.name, slices[last]!.name]
      report(
        walk,
        'error',
        'structure',
        'slice-order',
        item,
        () => `The slice ${name} comes before ${after} here. Move it up.`,
      )
    }
    last = found
  }
  for (let i = 0; i < slices.length; i++)
    sliceItems(slices[i]!, slices, members[i]!, element, items, owner, walk)
}

function sliceItems(
  slice: Slice,
  slices: readonly Slice[],
  members: readonly Spot[],
  element: ElementNode,
  items: readonly Spot[],
  owner: Spot,
  walk: Walk,
): void {
  const { min = 0, max = Number.POSITIVE_INFINITY } = slice.node.rule
  const below = `.${plainName(element.name)}`
  if (members.length < min) {
    // What was meant for this slice and belongs to none is most likely the mistake.
    const meant = items.slice(0, MOST_COMPARED).find(
      item =>
        meantSlice(
          slices.map(({ node }) => node),
          item,
          walk,
        ) === slice.node,
    )
    report(
      walk,
      'error',
      'required',
      'slice-min',
      meant ?? owner,
      () =>
        `The slice ${slice.name} of ${placeOf(owner)}${below} needs ${min === 1 ? 'a value' : `${min} values`} and has ${members.length === 0 ? 'none' : members.length}. ${meant === undefined ? 'Add one' : 'Make this one'} with ${describe(slice.node)}.`,
      meant === undefined ? below : '',
    )
  }
  if (members.length > max) {
    const extra = members[max]!
    report(
      walk,
      'error',
      'structure',
      'slice-max',
      extra,
      () =>
        `The slice ${slice.name} has at most ${max} ${max === 1 ? 'value' : 'values'} and here ${members.length}. ${max === 0 ? 'Leave it out' : 'Merge or remove the others'}.`,
    )
  }
  const { check, reslices } = slice
  if (check !== undefined)
    for (const member of members) {
      const before = walk.sink.findings.length
      check(member, walk)
      if (walk.sink.findings.length > before) hint(slice, slices, member, before, walk)
    }
  reslices?.(members, owner, walk)
}

/** Says in the first fault of a value that it was probably meant for another slice. */
function hint(slice: Slice, slices: readonly Slice[], member: Spot, from: number, walk: Walk): void {
  const { findings } = walk.sink
  const finding: Finding = findings[from]!
  if (finding.severity !== 'error') return
  const nodes = slices.map(({ node }) => node)
  const says = () => {
    const meant = meantSlice(nodes, member, walk, true)
    if (meant === undefined || meant === slice.node) return finding.says()
    return `${finding.says()} This stands in the slice ${slice.name}, yet ${meant.rule.sliceName} seems to be meant: it has ${describe(meant)}.`
  }
  // The finding may be that of a profile, which others take as it was.
  findings[from] = { ...finding, says }
}

function unmatched(slices: readonly Slice[], rules: Slicing['rules'], item: Spot, walk: Walk): void {
  if (rules === 'closed') {
    report(
      walk,
      'error',
      'structure',
      'slice-closed',
      item,
      () =>
        `This belongs to none of the slices ${listed(slices.map(({ name }) => name))}, and no others are allowed. ${advice(slices, item, walk)}`,
    )
    return
  }
  spend(walk, slices.length * 4)
  const nodes = slices.map(({ node }) => node)
  if (meantSlice(nodes, item, walk) === undefined) return
  report(
    walk,
    'warning',
    'structure',
    'slice-unmatched',
    item,
    () =>
      `This belongs to none of the slices ${listed(slices.map(({ name }) => name))}. ${advice(slices, item, walk)}`,
  )
}

function advice(slices: readonly Slice[], item: Spot, walk: Walk): string {
  const nodes = slices.map(({ node }) => node)
  const meant = meantSlice(nodes, item, walk)
  if (meant !== undefined) return `${meant.rule.sliceName} seems to be meant: it has ${describe(meant)}.`
  const known = slices.filter(({ node }) => describe(node) !== '').slice(0, 4)
  return known.length === 0
    ? 'Remove it, or make it one of them.'
    : `Give it ${known.map(({ name, node }) => `${describe(node)} (${name})`).join(', or ')}.`
}
