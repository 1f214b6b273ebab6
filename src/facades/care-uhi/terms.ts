/** The terms of an order: what the facility proposes, and what the consumer says to it. */
import type { JsonObject, Resource } from '../../fhir/json.ts'
import { codings, objects, text } from '../../fhir/tree.ts'
import type { Term } from './first-request.ts'
import { TERM } from './names.ts'

export interface ShownTerm {
  type: string
  descriptor: { code: string; name: string }
  info: string
  terms_state: string
}

const PROPOSED: readonly (readonly [type: string, info: string])[] = [
  [
    'cancellation',
    'Free cancellation up to 2 hours before the appointment. No refund for late cancellation.',
  ],
  ['refund', 'Full refund if cancelled within the allowed period. Partial refund for no-shows.'],
  ['payment', 'Payment is collected at the facility before the consultation.'],
  ['settlement', 'Settlement processed within 3 business days of consultation.'],
]

/** Returns the terms of an order with the states that its consumer gave; those that he did not speak of are proposed still. */
export function termsOf(said: readonly Term[]): ShownTerm[] {
  const stated = new Map(said.map(({ type, state }) => [type, state]))
  const known = new Set(PROPOSED.map(([type]) => type))
  const others = [...stated.keys()].filter(type => !known.has(type)).map(type => [type, ''] as const)
  return [...PROPOSED, ...others].map(([type, info]) => ({
    type,
    descriptor: { code: type.toUpperCase(), name: `${type[0]!.toUpperCase()}${type.slice(1)}` },
    info,
    terms_state: stated.get(type) ?? 'proposed',
  }))
}

/** Returns terms as the inputs of a Task. */
export const inputsOf = (said: readonly Term[]): JsonObject[] =>
  said.map(({ type, state }) => ({ type: { coding: [{ system: TERM, code: type }] }, valueCode: state }))

/** Returns the terms that were taken, which a Task has as outputs. */
export const termsIn = (task: Resource | undefined): Term[] =>
  objects(task?.output).flatMap(input => {
    const type = codings(input.type).find(one => one.system === TERM)?.code
    const state = text(input.valueCode)
    return typeof type === 'string' && state !== undefined ? [{ type, state }] : []
  })
