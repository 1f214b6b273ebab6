/**
 * Composite parameters: values that hold together on one element.
 * https://hl7.org/fhir/R4/search.html#composite
 */
import { type Ask, allOf, anyOf, type Planner, refusal } from '../ask.ts'
import { type Layout, layoutOf, type Within } from '../composite.ts'
import { formOf } from '../composite-forms.ts'
import { instantKey, joined, valuedPart } from '../composite-rows.ts'
import { splitEscaped } from '../parse.ts'
import type { Bound, Node } from '../plan-node.ts'
import type { ParamType, SearchParam } from '../registry.ts'
import { planDate } from './date.ts'
import { planNumber, planQuantity } from './quantity.ts'
import { planReference } from './reference.ts'
import { planString } from './string.ts'
import { planToken } from './token.ts'
import { planUri } from './uri.ts'

const PLANNERS: Partial<Record<ParamType, Planner>> = {
  token: planToken,
  reference: planReference,
  uri: planUri,
  string: planString,
  date: planDate,
  number: planNumber,
  quantity: planQuantity,
}

/** Leaves of one value: each meaning of one part with each of the others. */
const MAX_LEAVES = 2000

/** Returns the values of the parts. Throws `invalid` for another number of them. */
function valuesOf({ param, criterion, value }: Ask): string[] {
  const { codes } = param.composite!
  const values = splitEscaped(value, '$', criterion.name)
  if (values.length !== codes.length || values.includes(''))
    throw refusal(
      criterion,
      `A value of "${criterion.code}" has ${codes.length} parts with $ between them: ${codes.join('$')}.`,
    )
  return values
}

/** The values of the parts in their order, `$` between them. */
export const planComposite: Planner = ask => {
  const { whole, within } = ask.param.composite!
  const values = valuesOf(ask)
  const nodes: Node[] = []
  if (whole !== undefined) nodes.push(allOf(whole.map((param, i) => planPart(ask, param, values[i]!))))
  if (within !== undefined)
    nodes.push(
      planWithin(
        ask,
        within,
        within.parts.map(({ param }, i) => planPart(ask, param, values[i]!)),
      ),
    )
  return anyOf(nodes)
}

/** Returns the node that holds for resources with a value of the composite. */
export function compositePresence({ composite }: SearchParam): Node {
  const { whole, within } = composite!
  const present = (name: string): Node => ({ kind: 'present', param: name })
  const nodes: Node[] = []
  if (whole !== undefined) nodes.push(allOf(whole.map(param => anyOf(param.rows.map(present)))))
  if (within !== undefined) nodes.push(present(within.name))
  return anyOf(nodes)
}

/** Whether a part of the value depends on the time of asking. */
export const compositeDependsOnNow = ({ param, value }: Ask): boolean =>
  (param.composite?.whole ?? param.composite?.within?.parts.map(part => part.param) ?? []).some(
    part => part.type === 'date',
  ) && value.includes('ap')

/** The refusals of a part's planner speak of the part. */
const planPart = (ask: Ask, param: SearchParam, value: string): Node =>
  PLANNERS[param.type]!({ ...ask, param, value, criterion: { ...ask.criterion, code: param.code } })

type Leaf<K extends Node['kind']> = Extract<Node, { kind: K }>

function planWithin({ criterion }: Ask, within: Within, nodes: readonly Node[]): Node {
  const { name, parts } = within
  const layout = layoutOf(parts.map(({ param }) => param))
  const leaves = nodes.map(leavesOf)
  const size = leaves.reduce((product, list) => product * list.length, 1)
  if (size > MAX_LEAVES) throw refusal(criterion, 'The value means too many values at once.', 'too-costly')
  const forms = (i: number): string[] =>
    leaves[i]!.map(leaf => {
      const form = formOf(leaf)
      if (form === undefined)
        throw refusal(
          criterion,
          `"${parts[i]!.param.code}" does not take this value as a part of "${criterion.code}".`,
        )
      return form
    })
  if (layout.ordered.length > 0) {
    const heads = [...joined(layout.equal.map(forms))]
    return anyOf(heads.flatMap(head => planOrdered(head, layout, leaves, name)))
  }
  const valued = valuedPart(layout.equal, parts)
  const heads = [...joined(layout.equal.filter(i => i !== valued).map(forms))]
  return anyOf(
    heads.flatMap(system =>
      forms(valued).map((code): Node => ({ kind: 'token', param: name, system, code })),
    ),
  )
}

const leavesOf = (node: Node): Node[] => (node.kind === 'or' ? node.nodes.flatMap(leavesOf) : [node])

function planOrdered(head: string, { ordered }: Layout, leaves: readonly Node[][], name: string): Node[] {
  const [first, second] = ordered
  if (second !== undefined) return planRange(head, leaves[first!]!, leaves[second]!, name)
  return leaves[first!]!.map((leaf): Node => {
    switch (leaf.kind) {
      case 'date':
        return {
          kind: 'quantity',
          param: name,
          unit: head,
          bounds: leaf.bounds.map(bound => ({ ...bound, value: instantKey(bound.value) })),
        }
      case 'string':
        return { ...leaf, param: name, value: head + leaf.value }
      default: {
        const { unit, bounds } = leaf as Leaf<'quantity'>
        return { kind: 'quantity', param: name, unit: head + unit, bounds }
      }
    }
  })
}

/** A number has one end; those of the first part are the lower ends of rows, those of the second the upper. */
function planRange(head: string, starts: readonly Node[], ends: readonly Node[], name: string): Node[] {
  const all = (leaf: Node, end: 'lo' | 'hi'): Bound<string>[] =>
    (leaf as Leaf<'quantity'>).bounds.map(bound => ({ ...bound, end }))
  return starts.flatMap(start =>
    ends.map(
      (end): Node => ({
        kind: 'quantity',
        param: name,
        unit: head,
        bounds: [...all(start, 'lo'), ...all(end, 'hi')],
      }),
    ),
  )
}
