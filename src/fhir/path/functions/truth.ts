/**
 * Functions on collections of booleans, and those of logic that are compiled where they stand (logic.ts).
 * http://hl7.org/fhirpath/N1/#existence
 */
import { type Functions, onAll, type PathFunction } from '../compiled.ts'
import { pathFault } from '../fault.ts'
import { EMPTY, logical, type Values } from '../value.ts'

/** Compiled by logic.ts; here for the number of arguments alone. */
const inLogic = (least: number, most: number, iterates?: true): PathFunction => ({
  args: [least, most],
  ...(iterates ? { iterates } : {}),
  compile: () => () => EMPTY,
})

function booleans(values: Values): boolean[] {
  return values.map(({ value, type }) => {
    if (typeof value !== 'boolean')
      throw pathFault(`a boolean is expected where there is a ${type || 'complex value'}`)
    return value
  })
}

export const TRUTH_FUNCTIONS: Functions = [
  ['exists', inLogic(0, 1, true)],
  ['empty', inLogic(0, 0)],
  ['not', inLogic(0, 0)],
  ['hasValue', inLogic(0, 0)],
  ['all', inLogic(1, 1, true)],
  ['allTrue', onAll(0, 0, input => logical(booleans(input).every(value => value)))],
  ['anyTrue', onAll(0, 0, input => logical(booleans(input).some(value => value)))],
  ['allFalse', onAll(0, 0, input => logical(booleans(input).every(value => !value)))],
  ['anyFalse', onAll(0, 0, input => logical(booleans(input).some(value => !value)))],
]
